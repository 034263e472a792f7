"""The checks of an audit, and what they found: counts, and the first few examples."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

MAX_EXAMPLES = 5
# Whether one finding of a check fails the data set.
CHECKS: Mapping[str, bool] = {
    "ids": True,
    "schema": True,
    "keys": True,
    "types": True,
    "enums": True,
    "ranges": True,
    "lengths": True,
    "key_order": True,
    "canonical": True,
    "made_up": True,
    "numbers_lost": True,
    "minimal": True,
    "too_long": True,
    "boilerplate": True,
    "twins": True,
    "twins_across_splits": True,
    "duplicates_across_splits": True,
    "probe_leakage": True,
    "duplicates_within_split": False,
    "near_duplicates_within_split": False,
    "near_duplicates_across_splits": False,
    "rules": False,
    "facts_lost": False,
    "binding": False,
    "twin_leaks": False,
    "echo": False,
}


@dataclass(frozen=True)
class Finding:
    """A pair and what is wrong with it."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """How often a check found something, with the first few. One not `fatal` only reports."""

    count: int
    fatal: bool
    examples: list[Finding]


class Findings:
    """Counts findings by check and keeps the first few."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[Finding]] = defaultdict(list)

    def add(self, name: str, id: str, reason: str) -> None:
        assert name in CHECKS, name
        self._counts[name] += 1
        if len(self._examples[name]) < MAX_EXAMPLES:
            self._examples[name].append(Finding(id, reason))

    def checks(self) -> dict[str, Check]:
        """What every check found, in their order."""
        return {
            name: Check(count=self._counts[name], fatal=fatal, examples=self._examples[name])
            for name, fatal in CHECKS.items()
        }
