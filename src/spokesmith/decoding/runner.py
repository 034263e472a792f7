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
from spokesmith.decoding.cache import Plan, Segment, SlotCache, attending_by_slots
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


class Runner:
    """Runs a base on rows of a cache.

    Args:
        base: the base; its spokes are attached.
        num_rows: most rows.
    """

    def __init__(self, base: Base, num_rows: int) -> None:
        self.base = base
        self.cache = SlotCache(base.config, num_rows)
        self.packs_rows = base.family.shares_prefix
        self.num_forwards = 0
        self.num_tokens = 0
        self._cache_argument = cache_argument(base.decoder)
        configs = {id(base.config): base.config}
        for module in base.decoder.modules():
            config = getattr(module, "config", None)
            if hasattr(config, "_attn_implementation"):
                configs[id(config)] = config
        self._configs = list(configs.values())

    def run(self, works: Sequence[Work]) -> dict[int, Tensor]:
        """The wanted logits of each row, [wanted, V]."""
        found: dict[int, Tensor] = {}
        for batch in self._batches(works):
            found |= self._forward(batch)
        return found

    def _batches(self, works: Sequence[Work]) -> list[list[Work]]:
        ordered = sorted(works, key=lambda work: work.row)
        if self.packs_rows:
            return [ordered]
        alike: dict[tuple[int, bool, str | None], list[Work]] = defaultdict(list)
        for work in ordered:
            alike[len(work.token_ids), work.start == 0, work.spokes].append(work)
        return list(alike.values())

    def _forward(self, works: Sequence[Work]) -> dict[int, Tensor]:
        device = self.base.device
        ids = torch.tensor([token for work in works for token in work.token_ids], device=device)
        plan = Plan([work.segment for work in works], device)
        shape = (1, -1) if self.packs_rows else (len(works), -1)
        batch_rows = () if self.packs_rows else [work.row for work in works]
        self.num_forwards += 1
        self.num_tokens += len(ids)
        with (
            torch.inference_mode(),
            attending_by_slots(self._configs),
            using_parts(self.base.model, _parts(works, device)),
            self.cache.step(plan, batch_rows),
        ):
            output = self.base.decoder(
                input_ids=ids.view(shape),
                position_ids=plan.positions.view(shape),
                use_cache=True,
                **{self._cache_argument: self.cache},
            )
            hidden = output.last_hidden_state.flatten(0, 1)
            places, stop = [], 0
            for work in works:
                stop += len(work.token_ids)
                places += range(stop - work.wanted, stop)
            if not places:
                return {}
            logits = self.base.logits(hidden[torch.tensor(places, device=device)])
        wanted = [work.wanted for work in works]
        return {work.row: part for work, part in zip(works, logits.split(wanted), strict=True)}


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
