"""The order of examples: each once, like lengths together, no trend over a pass."""

import numpy as np
import pytest

from spokesmith.training.sampler import POOL_BATCHES, LengthGroupedBatches

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
