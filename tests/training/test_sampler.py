"""The order of examples: each once, like lengths together, no trend over a pass."""

import numpy as np
import pytest

from spokesmith.training.sampler import POOL_BATCHES, LengthGroupedBatches, ProcessShare, share

LENGTHS = np.random.default_rng(0).integers(10, 1000, 1003).tolist()


@pytest.mark.parametrize("batch_size", [1, 4, 8])
def test_each_example_comes_once(batch_size: int) -> None:
    order = list(LengthGroupedBatches(LENGTHS, batch_size=batch_size, seed=0))
    assert sorted(order) == list(range(len(LENGTHS)))


def test_batches_hold_like_lengths() -> None:
    order = list(LengthGroupedBatches(LENGTHS, batch_size=8, seed=0))
    batches = np.array(LENGTHS)[order[:1000]].reshape(-1, 8)
    spread = np.ptp(batches, axis=1).mean()
    assert spread < np.ptp(np.array(LENGTHS)) / 8


def test_lengths_have_no_trend() -> None:
    order = list(LengthGroupedBatches(LENGTHS, batch_size=8, seed=0))
    pool = np.array(LENGTHS)[order[: POOL_BATCHES * 8]].reshape(-1, 8).mean(axis=1)
    assert abs(np.corrcoef(pool, np.arange(len(pool)))[0, 1]) < 0.5


def test_the_order_follows_from_seed_and_epoch() -> None:
    one, same = (LengthGroupedBatches(LENGTHS, batch_size=8, seed=3) for _ in range(2))
    first = list(one)
    assert list(one) == first == list(same)
    one.set_epoch(1)
    second = list(one)
    assert second != first
    same.set_epoch(1)
    assert list(same) == second
    assert list(LengthGroupedBatches(LENGTHS, batch_size=8, seed=4)) != first


def shares(count: int, *, micro_batch: int, seed: int = 0, epoch: int = 0) -> list[list[list[int]]]:
    """The lists of every process, by rank; a step takes 16 examples."""
    found = []
    for rank in range(count):
        sampler = LengthGroupedBatches(LENGTHS, batch_size=16, seed=seed)
        mine = ProcessShare(sampler, micro_batch=micro_batch, rank=rank, count=count)
        mine.set_epoch(epoch)
        assert len(mine) == len(list(mine))
        found.append(list(mine))
    return found


@pytest.mark.parametrize(("count", "micro_batch"), [(1, 16), (2, 8), (2, 2), (4, 4), (4, 1)])
def test_processes_share_the_batches_of_one(count: int, micro_batch: int) -> None:
    (whole,) = shares(1, micro_batch=16, seed=5, epoch=3)
    parts = shares(count, micro_batch=micro_batch, seed=5, epoch=3)
    for rank in range(count):
        assert len(parts[rank]) == len(whole)
    for step, rows in enumerate(whole):
        together = [row for rank in range(count) for row in parts[rank][step]]
        assert sorted(together) == sorted(rows)
        sizes = [len(parts[rank][step]) for rank in range(count)]
        assert max(sizes) - min(sizes) <= 1


def test_processes_compute_rows_of_like_length_at_the_same_time() -> None:
    parts = shares(2, micro_batch=4)
    for step in range(20):
        for start in (0, 4):
            one, other = (
                [LENGTHS[row] for row in parts[rank][step][start : start + 4]] for rank in (0, 1)
            )
            # Rows are sorted by length, so what runs beside a micro-batch is its neighbour.
            assert max(one) <= min(other)
            if start == 4:
                earlier = [LENGTHS[row] for row in parts[1][step][:4]]
                assert max(earlier) <= min(one)


def test_a_short_last_step_may_leave_a_process_without_rows() -> None:
    assert share([7], micro_batch=2, rank=0, count=2) == []
    assert share([7], micro_batch=2, rank=1, count=2) == [7]
    assert share(range(6), micro_batch=2, rank=0, count=2) == [0, 1, 4]
    assert share(range(6), micro_batch=2, rank=1, count=2) == [2, 3, 5]
