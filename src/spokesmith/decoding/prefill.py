"""Prompts into caches, one sequence at a time; shared beginnings are computed once.

Where the shared part ends is said by the caller, so a prompt is always cut into the same parts and
gives the same numbers whatever was asked before.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from spokesmith.bases import Base
from spokesmith.decoding.slots import is_recurrent, prefill_cache

MAX_PREFIXES = 8


class Prefiller:
    """Computes prompts and keeps the caches of a few shared beginnings, by set of spokes."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self._prefixes: OrderedDict[tuple[str | None, tuple[int, ...]], DynamicCache] = (
            OrderedDict()
        )

    def __call__(
        self, prompt_ids: Sequence[int], num_shared: int, spokes: str | None
    ) -> tuple[DynamicCache, Tensor]:
        """The cache of a prompt, and the logits [V] of the token after it.

        Args:
            prompt_ids: the whole prompt, at least one token.
            num_shared: how many tokens at its beginning other prompts share.
            spokes: the set in use, under whose name shared beginnings are kept.
        """
        num_shared = min(num_shared, len(prompt_ids) - 1)
        if num_shared <= 0 or not self._can_share():
            return self._run(prompt_ids, prefill_cache(self.base.config), 0)
        key = (spokes, tuple(prompt_ids[:num_shared]))
        if key not in self._prefixes:
            cache, _ = self._run(key[1], prefill_cache(self.base.config), 0)
            self._prefixes[key] = cache
            while len(self._prefixes) > MAX_PREFIXES:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(key)
        shared = _copy(self._prefixes[key], self.base.config)
        return self._run(prompt_ids[num_shared:], shared, num_shared)

    def _can_share(self) -> bool:
        # A recurrent state is written in place, so a kept one would be spoilt by the first use.
        return not any(is_recurrent(layer) for layer in prefill_cache(self.base.config).layers)

    def _run(
        self, token_ids: Sequence[int], cache: DynamicCache, past: int
    ) -> tuple[DynamicCache, Tensor]:
        device = self.base.device
        output: Any = self.base.model(
            input_ids=torch.tensor([list(token_ids)], device=device),
            position_ids=torch.arange(past, past + len(token_ids), device=device)[None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return cache, output.logits[0, -1]


def _copy(cache: DynamicCache, config: Any) -> DynamicCache:
    """A cache that goes on from another; the tensors are shared, since growing makes new ones."""
    copy = prefill_cache(config)
    for new, old in zip(copy.layers, cache.layers, strict=True):
        vars(new).update(vars(old))
    return copy
