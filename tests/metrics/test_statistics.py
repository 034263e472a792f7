"""Intervals and the paired test against published and hand-computed values."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.metrics.statistics import bootstrap_interval, mcnemar, wilson_interval


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # The first four are Newcombe's (Statistics in Medicine 17, 1998, table I, method 3).
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (25, 25, 0.8668, 1.0),
        (7, 7, 0.6457, 1.0),
    ],
)
def test_wilson_gives_the_published_intervals(
    count: int, total: int, low: float, high: float
) -> None:
    assert wilson_interval(count, total) == pytest.approx([low, high], abs=5e-5)


def test_nothing_measured_has_no_interval() -> None:
    assert wilson_interval(0, 0) is None
    assert bootstrap_interval([]) is None


def test_bootstrap_finds_the_quantiles_of_all_resamples() -> None:
    # Of [0, 1] the four resamples have the means 0, 0.5, 0.5 and 1.
    assert bootstrap_interval([0, 1]) == [0.0, 1.0]
    assert bootstrap_interval([0, 1], level=0.4) == [0.5, 0.5]


def test_bootstrap_comes_near_the_normal_interval_of_a_large_sample() -> None:
    values = [0.0] * 300 + [1.0] * 100
    half = 1.96 * (0.25 * 0.75 / 400) ** 0.5
    assert bootstrap_interval(values) == pytest.approx([0.25 - half, 0.25 + half], abs=0.006)


def test_equal_values_have_no_width_and_the_wilson_interval_has() -> None:
    assert bootstrap_interval([1.0] * 25) == [1.0, 1.0]
    low, high = wilson_interval(25, 25) or (0.0, 0.0)
    assert high - low > 0.1


@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=30),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_a_bootstrap_is_repeatable_ordered_and_inside_the_sample(
    values: list[float], seed: int
) -> None:
    found = bootstrap_interval(values, seed=seed, resamples=200)
    assert found is not None
    low, high = found
    slack = 1e-9
    assert min(values) - slack <= low <= high <= max(values) + slack
    assert bootstrap_interval(values[::-1], seed=seed, resamples=200) == found
    narrow = bootstrap_interval(values, seed=seed, resamples=200, level=0.5)
    assert narrow is not None
    assert low <= narrow[0] <= narrow[1] <= high


def test_another_seed_draws_other_samples() -> None:
    values = list(numpy.random.default_rng(3).random(50))
    assert bootstrap_interval(values, seed=0) != bootstrap_interval(values, seed=1)


@pytest.mark.parametrize("kind", ["skewed", "share"])
def test_nineteen_of_twenty_intervals_hold_the_true_mean(kind: str) -> None:
    generator = numpy.random.default_rng(7)
    draws = {"skewed": generator.beta(2, 6, (400, 40)), "share": generator.random((400, 40)) < 0.25}
    inside = 0
    for sample in draws[kind]:
        low, high = bootstrap_interval(sample.tolist(), resamples=400) or (1.0, 0.0)
        inside += low <= 0.25 <= high
    assert 0.90 <= inside / 400 <= 0.975


@pytest.mark.parametrize(
    ("only_a", "only_b", "expected"),
    [
        (0, 0, 1.0),
        (4, 4, 1.0),
        (0, 1, 1.0),
        (0, 5, 2 / 32),
        (0, 6, 2 / 64),
        (1, 9, 22 / 1024),
        (5, 15, 2 * 21_700 / 2**20),
        (59, 121, 4.434449e-06),  # the example in the manual of statsmodels
        (150, 86, 3.715936e-05),  # approval ratings in Agresti's Categorical Data Analysis
    ],
)
def test_mcnemar_is_the_exact_binomial_test(only_a: int, only_b: int, expected: float) -> None:
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-6)
    assert mcnemar(only_b, only_a) == mcnemar(only_a, only_b)


def test_mcnemar_of_many_inputs_is_a_number() -> None:
    assert mcnemar(2000, 3000) < 1e-40
