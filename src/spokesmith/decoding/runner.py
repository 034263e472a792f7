"""The work of a step, in as few forward passes of the base as its layers allow.

Knows no request, no grammar and no sampling.
"""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from spokesmith.bases import Base
from spokesmith.decoding.cache import BLOCK, SlotCache
from spokesmith.decoding.captured import LARGE_BLOCK, CapturedSteps
from spokesmith.decoding.compiling import CompiledLayers
from spokesmith.decoding.forward import Forward, Work
from spokesmith.decoding.joined import JoinedBlocks
from spokesmith.decoding.sampling import NO_TOKEN, Scores


class Runner:
    """Runs a base on rows of a cache.

    Args:
        base: the base; its spokes are attached.
        num_rows: most rows.
        captured: whether steps are computed by passes of few shapes (`captured`).
        compiled: whether the layers of such passes are compiled.
        joined: feed-forward blocks that other passes compute by.
    """

    def __init__(
        self,
        base: Base,
        num_rows: int,
        *,
        captured: bool = False,
        compiled: bool = False,
        joined: JoinedBlocks | None = None,
    ) -> None:
        # Whether layers keep a running state: only like rows share a pass, and none is cut back.
        self.has_states = not base.family.shares_prefix
        captured = captured and not self.has_states
        block = LARGE_BLOCK if captured else BLOCK
        self.cache = SlotCache(base.config, num_rows, spare_row=captured, block=block)
        self.num_forwards = 0
        self.num_tokens = 0
        self._forward = Forward(base, self.cache)
        self.joined = joined
        self.captured: CapturedSteps | None = None
        if captured:
            layers = CompiledLayers(base) if compiled else None
            self.captured = CapturedSteps(self._forward, compiled=layers)

    def run(self, works: Sequence[Work]) -> dict[int, Scores]:
        """The scores of the wanted tokens of each row."""
        self.cache.make_room(max(work.segment.stop for work in works))
        found: dict[int, Scores] = {}
        for batch in self._batches(works):
            found |= self._run(batch)
        return found

    def refresh(self) -> None:
        """Take in what has happened to the sets since the last step, as the next one would."""
        if self.joined is not None:
            self.joined.refresh()
        if self.captured is not None:
            self.captured.refresh()

    def _batches(self, works: Sequence[Work]) -> list[list[Work]]:
        ordered = sorted(works, key=lambda work: work.row)
        if not self.has_states:
            return [ordered]
        alike: dict[tuple[int, bool, str | None], list[Work]] = defaultdict(list)
        for work in ordered:
            alike[len(work.token_ids), work.start == 0, work.spokes].append(work)
        return list(alike.values())

    def _run(self, works: Sequence[Work]) -> dict[int, Scores]:
        self.num_forwards += 1
        self.num_tokens += sum(len(work.token_ids) for work in works)
        logits = None if self.captured is None else self.captured.compute(works)
        if logits is None:
            logits = self._compute(works)
        # On the CPU `argmax` takes five times as long.
        top = logits.max(dim=-1)
        best = top.indices.masked_fill(~top.values.isfinite(), NO_TOKEN).tolist()
        found, first = {}, 0
        for work in works:
            last = first + work.wanted
            found[work.row] = Scores(logits=logits[first:last], best=best[first:last])
            first = last
        return found

    def _compute(self, works: Sequence[Work]) -> Tensor:
        step, joined = self._forward.step_of(works), self.joined
        if joined is None:
            return self._forward.compute(step)
        joined.refresh()
        numbers = None
        if joined.names and any([work.spokes] != joined.names for work in works):
            numbers = torch.tensor(joined.sets_of_tokens(works)).view(step.token_ids.shape)
        with joined.in_use(numbers):
            return self._forward.compute(step)
