"""Which facts of a source an output keeps.

Each statement of the output counts once. Whether a fact is kept beside the words that it had is for
`binding` to say.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from spokesmith.metrics.facts import DATE, NAME, Fact
from spokesmith.metrics.grounding import Source, StatedFact, says_as_much
from spokesmith.metrics.names import PARTICLES, TITLES

# What an output states, and how often no fact of the source has taken it yet.
Left = Counter[tuple[Hashable, ...]]


@dataclass(frozen=True, kw_only=True)
class KeptFact:
    """A fact of the source, and whether the output keeps it."""

    fact: Fact
    kept: bool


def kept_facts(stated: Sequence[StatedFact], source: Source) -> list[KeptFact]:
    """Whether an output keeps each fact of its source, each statement counted once.

    A date is kept by a fuller one and a name by a longer one; a number only with its unit. A fact
    where a line ends or begins is also kept by what it reads as where lines are joined.
    """
    left: Left = Counter(one.fact.key for one in stated)
    across = [source.across_lines(fact) for fact in source.facts]
    kept = [
        not others and _take(left, fact.key)
        for fact, others in zip(source.facts, across, strict=True)
    ]
    taken: set[Fact] = set()
    for at, (fact, others) in enumerate(zip(source.facts, across, strict=True)):
        if others:
            kept[at] = _take(left, fact.key) or _take_all(left, others, taken)
    longer = {kind: [key for key in left if key[0] == kind] for kind in (DATE, NAME)}
    for at, fact in enumerate(source.facts):
        if not kept[at]:
            others = (key for key in longer.get(fact.kind, ()) if left[key] and _keeps(key, fact))
            fuller = next(others, None)
            kept[at] = fuller is not None and _take(left, fuller)
    return [KeptFact(fact=fact, kept=held) for fact, held in zip(source.facts, kept, strict=True)]


def _take(left: Left, key: tuple[Hashable, ...]) -> bool:
    if left[key] == 0:
        left.pop(key, None)
        return False
    left[key] -= 1
    return True


def _take_all(left: Left, facts: Sequence[Fact], taken: set[Fact]) -> bool:
    """Take several facts or none; what was taken for one neighbour serves the other too."""
    if not all(fact in taken or left[fact.key] for fact in facts):
        return False
    for fact in facts:
        if fact not in taken:
            _take(left, fact.key)
            taken.add(fact)
    return True


def _keeps(key: tuple[Hashable, ...], fact: Fact) -> bool:
    if key[0] != fact.kind:
        return False
    if fact.kind == DATE:
        return says_as_much(Fact(DATE, "", 0, 0, key), fact)
    if fact.kind == NAME:
        needed = [word for word in fact.key[1:] if word not in TITLES | PARTICLES]
        return bool(needed) and set(needed) <= set(key[1:])
    return False
