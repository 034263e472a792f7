"""The order of examples: batches of like length, in an order that has nothing to do with length.

Sorting by length alone would show a model all long texts, then all short ones; kinds of text differ
in length, so it would forget one while it learns the other.
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
