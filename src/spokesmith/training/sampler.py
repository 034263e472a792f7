"""The order of examples: batches of like length, in an order that has nothing to do with length.

Sorting by length alone would show a model all long texts, then all short ones; kinds of text differ
in length, so it would forget one while it learns the other. The batch of a step is the same whoever
computes it: several processes share it out, and each gets rows of like length.
"""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

POOL_BATCHES = 24


class LengthGroupedBatches(Sampler[int]):
    """Yields indices so that each run of `batch_size` is a batch of examples of like length.

    Examples are shuffled, cut into pools of some batches, sorted by length within a pool, and the
    batches of a pool are shuffled. The order follows from the seed and the epoch alone, so that a
    resumed run sees the examples in the order of an uninterrupted one.
    """

    def __init__(self, lengths: Sequence[int], *, batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader at the start of each pass."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        pool_size = self.batch_size * POOL_BATCHES
        for pool_start in range(0, len(order), pool_size):
            pool = order[pool_start : pool_start + pool_size]
            pool.sort(key=lambda index: self.lengths[index])
            batches = [
                pool[start : start + self.batch_size]
                for start in range(0, len(pool), self.batch_size)
            ]
            # A short batch stays last, so that the others keep their limits.
            full = len(pool) // self.batch_size
            places = torch.randperm(full, generator=generator).tolist()
            for place in [*places, *range(full, len(batches))]:
                yield from batches[place]


class ProcessShare(Sampler[list[int]]):
    """The rows of one process: a list a step, whose union over the processes is the step's batch.

    Every process gets as many lists; in a short last step a list may be empty.
    """

    def __init__(
        self, sampler: LengthGroupedBatches, *, micro_batch: int, rank: int, count: int
    ) -> None:
        self.sampler = sampler
        self.micro_batch = micro_batch
        self.rank = rank
        self.count = count

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader at the start of each pass."""
        self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return -(-len(self.sampler) // self.sampler.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = list(self.sampler)
        for start in range(0, len(order), self.sampler.batch_size):
            step = order[start : start + self.sampler.batch_size]
            yield share(step, micro_batch=self.micro_batch, rank=self.rank, count=self.count)


def share(rows: Sequence[int], *, micro_batch: int, rank: int, count: int) -> list[int]:
    """The rows of one process.

    Args:
        rows: sorted by length. They are dealt out in runs of `micro_batch` times `count`, so that
            what the processes compute at the same time is of like length.
        micro_batch: rows that a process computes at a time.
        rank: of the process.
        count: of processes.
    """
    mine: list[int] = []
    together = micro_batch * count
    for start in range(0, len(rows), together):
        run = rows[start : start + together]
        mine += run[len(run) * rank // count : len(run) * (rank + 1) // count]
    return mine
