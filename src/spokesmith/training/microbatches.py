"""The rows of a batch, a few at a time: as many as fit into memory, with the same sum.

A step's loss is a sum over its labels, divided by a number that is known before, so it may be cut
into micro-batches of any size without changing its gradient. When memory runs out, the micro-batch
that failed is cut in halves; what it had added to the gradients is taken back, what earlier ones
added stays. This file knows no trainer: it runs an objective.
"""

import sys
from collections.abc import Callable

import torch
from accelerate.utils.memory import clear_device_cache
from torch import Tensor

from spokesmith.bases.out_of_memory import is_out_of_memory
from spokesmith.training.loss import IGNORED
from spokesmith.training.objective import Objective
from spokesmith.training.processes import Processes
from spokesmith.training.sharding import PeerFailedError, ShardedBase

Batch = dict[str, Tensor]
Work = Callable[[Batch], Tensor]


class _OneRowError(Exception):
    """Not even one row fits."""


class MicroBatches:
    """Runs batches through an objective. `rows` is the most it takes at a time, and only falls."""

    def __init__(
        self,
        objective: Objective,
        *,
        rows: int,
        processes: Processes | None = None,
        sharded: ShardedBase | None = None,
    ) -> None:
        self.objective = objective
        self.rows = rows
        self.processes = processes or Processes()
        self.sharded = sharded

    def backward(self, batch: Batch, num_items: Tensor | int) -> float:
        """Add the gradient of a batch's loss to the spokes'; return the loss.

        Args:
            batch: this process's rows of a step: `input_ids`, [B, T], padded on the right,
                `labels`, [B, K], of its last K positions, and perhaps `prefix_ids`, [1, P]. B may
                be 0.
            num_items: labels of the step over all processes.

        Raises:
            ValueError: one row does not fit into memory, in this process or in another.
        """

        def work(part: Batch) -> Tensor:
            loss = self.objective(**part, num_items_in_batch=num_items)["loss"]
            loss.backward()
            return loss.detach()

        return sum(float(loss) for loss in self.run(batch, work))

    def loss(self, batch: Batch) -> float:
        """The sum, not the mean, of a batch's losses, without gradients; else as `backward`."""

        def work(part: Batch) -> Tensor:
            with torch.no_grad():
                return self.objective(**part, num_items_in_batch=1)["loss"]

        return sum(float(loss) for loss in self.run(batch, work))

    def run(self, batch: Batch, work: Work) -> list[Tensor]:
        """The results of `work` for every micro-batch; what it adds to the gradients stays.

        `work` finds gradients of None and may be called again for rows that it was called for.

        Raises:
            ValueError: one row does not fit into memory, in this process or in another.
        """
        before = self.rows
        results: list[Tensor] = []
        failed = False
        try:
            results = self._run(batch, work)
        except _OneRowError:
            failed = True
        if self.processes.any_of(failed):
            length = batch["input_ids"].shape[1]
            raise ValueError(
                f"out of memory with one example at a time (of up to {length} tokens here): use a "
                "smaller max_length, checkpointing, a base of 4 bits (--quantize nf4), or "
                "per-layer embeddings in main memory (--ple cpu)"
            )
        if self.rows < before:
            self._say(before)
        return results

    def _run(self, batch: Batch, work: Work) -> list[Tensor]:
        results: list[Tensor] = []
        start, total = 0, len(batch["input_ids"])
        while self._any(start < total):
            count = self.rows
            part = rows_of(batch, start, count) if start < total else _idle_part()
            part = {name: tensor.to(self.objective.base.device) for name, tensor in part.items()}
            before = self._set_gradients_aside()
            result, agreed = self._attempt(part, work)
            if agreed or self._any(result is None):
                self._put_gradients_back(before, add=False)
                self._give_way()
                continue
            assert result is not None
            self._put_gradients_back(before, add=True)
            results.append(result)
            start += count
        return results

    def _attempt(self, part: Batch, work: Work) -> tuple[Tensor | None, bool]:
        """The result, or None where there was no memory; and whether all know that already."""
        try:
            return work(part), False
        except PeerFailedError:
            return None, True
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return None, False

    def _any(self, here: bool) -> bool:
        """Over a sharded base all processes take each micro-batch together, else each by itself."""
        return here if self.sharded is None else self.processes.any_of(here)

    def _give_way(self) -> None:
        """Halve the rows. The error is gone by now, and with it all that its frames held."""
        if self.rows == 1:
            raise _OneRowError
        self.rows //= 2
        if self.sharded is not None:
            self.sharded.forget_pass()
        clear_device_cache(garbage_collection=True)

    def _set_gradients_aside(self) -> list[Tensor | None]:
        parameters = list(self.objective.spokes.parameters())
        before = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            parameter.grad = None
        return before

    def _put_gradients_back(self, before: list[Tensor | None], *, add: bool) -> None:
        for parameter, old in zip(self.objective.spokes.parameters(), before, strict=True):
            if not add or parameter.grad is None:
                parameter.grad = old
            elif old is not None:
                parameter.grad = old.add_(parameter.grad)

    def _say(self, before: int) -> None:
        where = ""
        if self.processes.count > 1 and self.sharded is None:
            where = f" in process {self.processes.rank}"
        elif not self.processes.is_main:
            return
        sys.stderr.write(
            f"out of memory: from now on micro-batches of {self.rows} instead of {before} "
            f"rows{where}; the rows of a step stay the same\n"
        )


def rows_of(batch: Batch, start: int, count: int) -> Batch:
    """Rows `start` to `start + count` of a batch, cut to the longest of them."""
    labels = batch["labels"][start : start + count]
    # Every row ends with a label, so what follows the last one is padding.
    labelled = (labels != IGNORED).any(dim=0).nonzero()
    first, end = (int(labelled.min()), int(labelled.max()) + 1) if len(labelled) else (0, None)
    input_ids = batch["input_ids"][start : start + count]
    width = None if end is None else input_ids.shape[1] - labels.shape[1] + end
    part = {"input_ids": input_ids[:, :width], "labels": labels[:, first:end]}
    if "prefix_ids" in batch:
        part["prefix_ids"] = batch["prefix_ids"]
    return part


def _idle_part() -> Batch:
    """A row without labels, for a process that keeps step with others that still have rows."""
    return {
        "input_ids": torch.zeros(1, 1, dtype=torch.long),
        "labels": torch.full((1, 1), IGNORED),
    }
