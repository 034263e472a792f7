"""Which facts of a source an output keeps.

Each statement of the output counts once. Whether a fact is kept beside the words that it had is for
`binding` to say.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from spokesmith.metrics.facts import DATE, NAME, NUMBER, Fact
from spokesmith.metrics.grounding import Source, StatedFact, says_as_much, written_value
from spokesmith.metrics.names import PARTICLES, TITLES
from spokesmith.metrics.quantities import ORDINAL

Key = tuple[Hashable, ...]
# What an output states, and how often no fact of the source has taken it yet.
Left = Counter[Key]


@dataclass(frozen=True, kw_only=True)
class KeptFact:
    """A fact of the source, and whether the output keeps it."""

    fact: Fact
    kept: bool


def kept_facts(stated: Sequence[StatedFact], source: Source) -> list[KeptFact]:
    """Whether an output keeps each fact of its source, each statement counted once.

    A date is kept by a fuller one and a name by a longer one; a number only with its unit, however
    that is written (£50 as 50 pounds). A fact where a line ends or begins is also kept by what it
    reads as where lines are joined.
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
    in_other_words = _in_other_words(stated, source)
    for at, fact in enumerate(source.facts):
        if not kept[at]:
            kept[at] = any(_take(left, key) for key in in_other_words[fact.key])
    return [KeptFact(fact=fact, kept=held) for fact, held in zip(source.facts, kept, strict=True)]


def _in_other_words(stated: Sequence[StatedFact], source: Source) -> dict[Key, list[Key]]:
    """For the numbers of a source, what grounds in them and has a unit of another key."""
    numbers = {(fact.start, fact.end): fact for fact in source.facts if fact.kind == NUMBER}
    found: dict[Key, list[Key]] = defaultdict(list)
    for one in stated:
        held = numbers.get(one.grounding.span or (0, 0))
        if held and one.fact.kind == NUMBER and _has_its_unit(one.fact, held):
            found[held.key].append(one.fact.key)
    return found


def _has_its_unit(stated: Fact, fact: Fact) -> bool:
    """Whether a number that grounds in another is the whole of it, with its unit."""
    unit = stated.key[2]
    if unit in ("", ORDINAL):
        return False
    # The number before a list's last may be said in another size: 10, 20 and 30 ms as 0.01 s.
    return fact.key[2] == "" or written_value(stated) == written_value(fact)


def _take(left: Left, key: Key) -> bool:
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


def _keeps(key: Key, fact: Fact) -> bool:
    if key[0] != fact.kind:
        return False
    if fact.kind == DATE:
        return says_as_much(Fact(DATE, "", 0, 0, key), fact)
    if fact.kind == NAME:
        needed = [word for word in fact.key[1:] if word not in TITLES | PARTICLES]
        return bool(needed) and set(needed) <= set(key[1:])
    return False
