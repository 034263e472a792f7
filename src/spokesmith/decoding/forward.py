"""One forward pass of the base over the new tokens of several rows.

Where all of a layer's memory is keys and values, the tokens of all rows stand one behind the other,
whatever set of spokes each row uses. Where layers keep a running state, rows with equally many new
tokens and the same set are one batch. Knows no request, no grammar and no sampling.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from spokesmith.bases import Base
from spokesmith.bases.shared_kv import cache_argument
from spokesmith.decoding.attention import Plan, Segment, attending_by_slots, plan_of
from spokesmith.decoding.cache import SlotCache
from spokesmith.spokes import using_parts


@dataclass(frozen=True, kw_only=True)
class Work:
    """New tokens of one row.

    Attributes:
        row: of the cache.
        start: position of the first token.
        token_ids: the tokens, at least one.
        wanted: of how many of the last tokens the logits are wanted.
        spokes: the set in use; None runs the bare base.
    """

    row: int
    start: int
    token_ids: Sequence[int]
    wanted: int
    spokes: str | None

    @property
    def segment(self) -> Segment:
        return Segment(row=self.row, start=self.start, length=len(self.token_ids))


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one pass reads.

    Attributes:
        token_ids: [B, T].
        plan: where they stand, when B and T are read as one.
        wanted: [M], the tokens whose logits are wanted.
        parts: which tokens use which set (`using_parts`).
        batch_rows: the rows along B, where layers keep a running state.
    """

    token_ids: Tensor
    plan: Plan
    wanted: Tensor
    parts: list[tuple[str | None, Tensor | None]]
    batch_rows: Sequence[int] = ()


class Forward:
    """Runs a base on rows of a cache.

    Args:
        base: the base; its spokes are attached.
        cache: keeps what the base computes of each row.
    """

    def __init__(self, base: Base, cache: SlotCache) -> None:
        self.base = base
        self.cache = cache
        self._has_states = not base.family.shares_prefix
        self._cache_argument = cache_argument(base.decoder)
        configs = {id(base.config): base.config}
        for module in base.decoder.modules():
            config = getattr(module, "config", None)
            if hasattr(config, "_attn_implementation"):
                configs[id(config)] = config
        self._configs = list(configs.values())

    def step_of(self, works: Sequence[Work]) -> Step:
        """The pass that computes new tokens."""
        device = self.base.device
        ids = torch.tensor([token for work in works for token in work.token_ids], device=device)
        return Step(
            token_ids=ids.view((len(works), -1) if self._has_states else (1, -1)),
            plan=plan_of([work.segment for work in works], self.cache.capacity, device),
            wanted=torch.tensor(wanted_tokens(works), dtype=torch.long, device=device),
            parts=_parts(works, device),
            batch_rows=[work.row for work in works] if self._has_states else (),
        )

    @torch.inference_mode()
    def compute(self, step: Step) -> Tensor:
        """The wanted logits, [M, V]."""
        with (
            attending_by_slots(self._configs, step.plan),
            using_parts(self.base.model, step.parts),
            self.cache.step(step.plan.places, step.batch_rows),
        ):
            output = self.base.decoder(
                input_ids=step.token_ids,
                position_ids=step.plan.positions.view(step.token_ids.shape),
                use_cache=True,
                **{self._cache_argument: self.cache},
            )
            hidden = output.last_hidden_state.flatten(0, 1)
            if not len(step.wanted):
                return hidden.new_empty(0, self.base.model.get_output_embeddings().weight.shape[0])
            wanted = step.wanted.to(hidden.device)
            return self.base.logits(hidden.index_select(0, wanted)).to(self.base.device)


def wanted_tokens(works: Sequence[Work]) -> list[int]:
    """Which of the works' tokens, read one behind the other, are those whose logits are wanted."""
    wanted, stop = [], 0
    for work in works:
        stop += len(work.token_ids)
        wanted += range(stop - work.wanted, stop)
    return wanted


def _parts(works: Sequence[Work], device: torch.device) -> list[tuple[str | None, Tensor | None]]:
    """Which tokens use which set, by index; None stands for all of them."""
    names = {work.spokes for work in works}
    if len(names) == 1:
        return [(works[0].spokes, None)]
    places: dict[str | None, list[int]] = defaultdict(list)
    token = 0
    for work in works:
        places[work.spokes] += range(token, token + len(work.token_ids))
        token += len(work.token_ids)
    return [
        (name, torch.tensor(indices, device=device))
        for name, indices in places.items()
        if name is not None
    ]
