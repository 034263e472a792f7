"""Intervals of measured means and shares, and the test of two systems on the same inputs.

Knows no metric by name.
"""

import math
from collections.abc import Sequence

import numpy

NORMAL_QUANTILE_95 = 1.959964


def wilson_interval(count: int, total: int) -> list[float] | None:
    """The 95 % Wilson score interval of `count` out of `total`; None where `total` is 0."""
    if total == 0:
        return None
    squared = NORMAL_QUANTILE_95**2
    share = count / total
    centre = (share + squared / (2 * total)) / (1 + squared / total)
    spread = math.sqrt(share * (1 - share) / total + squared / (4 * total**2))
    half = NORMAL_QUANTILE_95 * spread / (1 + squared / total)
    return [max(0.0, centre - half), min(1.0, centre + half)]


def bootstrap_interval(
    values: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> list[float] | None:
    """The percentile bootstrap interval of the mean of `values`; None where there are none.

    The inputs are drawn anew, with replacement, so each value stands for one input. The order of
    the values does not matter, and one seed gives one interval.

    A sample of equal values gives an interval of no width, which says nothing of the population: a
    share of 0 or 1 seems certain after three inputs. State `wilson_interval` beside it for shares.

    Args:
        values: one number an input.
        seed: of the random draws.
        resamples: how many samples are drawn.
        level: the share of resampled means inside the interval.
    """
    if len(values) == 0:
        return None
    # How often each distinct value is drawn is multinomial: no need to draw the inputs one by one.
    distinct, counts = numpy.unique(numpy.asarray(values, dtype=float), return_counts=True)
    generator = numpy.random.default_rng(seed)
    draws = generator.multinomial(len(values), counts / len(values), size=resamples)
    means = draws @ distinct / len(values)
    tail = (1 - level) / 2
    low, high = numpy.quantile(means, [tail, 1 - tail])
    return [float(low), float(high)]


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p of McNemar's test of two systems judged on the same inputs.

    Inputs on which both pass or both fail say nothing. Of the others, each is a fair coin's toss
    if the systems are equally good.

    Args:
        only_a: inputs that A alone passes.
        only_b: inputs that B alone passes.
    """
    total = only_a + only_b
    tail, ways = 0, 1
    for count in range(min(only_a, only_b) + 1):
        tail += ways
        ways = ways * (total - count) // (count + 1)
    return min(1.0, 2 * tail / 2**total)
