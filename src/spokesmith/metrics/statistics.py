"""Intervals of measured shares. Knows no metric by name."""

import math

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
