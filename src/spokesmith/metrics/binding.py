"""Whether kept numbers are bound as in the source: the same words beside them, in the same order.

A number is bound where one of its words belongs in the source to it alone, or where no rival has
more of its words than it has itself, and where a pair such as "from 12 to 9" or "9 (was 12)" keeps
its direction. Rivals are the source's other numbers of the same dimension. Numbers with no words
beside them, here or there, are not judged, nor are JSON numbers, which have no clause. A clause
told wholly in other words counts as not bound.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from spokesmith.metrics.facts import NUMBER, Fact
from spokesmith.metrics.grounding import Source, StatedFact
from spokesmith.metrics.placement import Placed, Placement, place_numbers
from spokesmith.metrics.strings import strings_of

Key = tuple[Hashable, ...]


@dataclass(frozen=True, kw_only=True)
class BoundNumber:
    """A kept number of an output; `reason` says why it is not bound as in the source, or is ""."""

    fact: Fact
    field: str
    reason: str

    @property
    def bound(self) -> bool:
        """Whether it is bound as in the source."""
        return not self.reason


def binding(value: Any, stated: Sequence[StatedFact], source: Source) -> list[BoundNumber]:
    """The kept numbers of an output that have words beside them, each with its verdict.

    Args:
        value: the output, a JSON value.
        stated: its facts, as `stated_facts` gives them.
    """
    by_field: dict[str, list[StatedFact]] = defaultdict(list)
    for one in stated:
        if one.fact.kind == NUMBER:
            by_field[one.field].append(one)
    if not by_field:
        return []
    places = _SourcePlaces(source)
    found: list[BoundNumber] = []
    seen: dict[str, list[tuple[Fact, str]]] = {}
    for field, string in strings_of(value):
        if field in by_field:
            if string not in seen:
                seen[string] = list(_of_string(string, by_field[field], places))
            found.extend(
                BoundNumber(fact=fact, field=field, reason=reason) for fact, reason in seen[string]
            )
    return found


class _SourcePlaces:
    """Where the source's numbers stand, by what they mean."""

    def __init__(self, source: Source) -> None:
        # Clauses go on over the ends of wrapped lines.
        numbers = [fact for fact in source.as_one_line.facts if fact.kind == NUMBER]
        placement = place_numbers(source.text, numbers)
        self._key_at = {(fact.start, fact.end): fact.key for fact in numbers}
        self.numbers = placement.numbers
        self.by_key: dict[Key, list[Placed]] = defaultdict(list)
        for placed in placement.numbers:
            self.by_key[placed.fact.key].append(placed)
        self.pairs = {(before.key, after.key) for before, after in placement.pairs}

    def key_of(self, one: StatedFact) -> Key:
        """The key that a stated number has in the source."""
        span = one.grounding.span
        return one.fact.key if span is None else self._key_at.get(span, one.fact.key)


def _of_string(
    string: str, stated: Sequence[StatedFact], places: _SourcePlaces
) -> Iterable[tuple[Fact, str]]:
    """The numbers of a string that are judged, each with the reason why it is not bound."""
    placement = place_numbers(string, [one.fact for one in stated])
    keys = {id(one.fact): places.key_of(one) for one in stated}
    kept = {id(one.fact) for one in stated if one.grounding.span is not None}
    turned = _turned(placement, keys, places)
    for placed in placement.numbers:
        if id(placed.fact) not in kept:
            continue
        reason = turned.get(id(placed.fact)) or _reason(placed, keys[id(placed.fact)], places)
        if reason is not None:
            yield placed.fact, reason


def _turned(placement: Placement, keys: dict[int, Key], places: _SourcePlaces) -> dict[int, str]:
    """The numbers whose order the source has the other way round."""
    found: dict[int, str] = {}
    for before, after in placement.pairs:
        pair = (keys[id(before)], keys[id(after)])
        if pair not in places.pairs and pair[::-1] in places.pairs:
            reason = f"the text has {after.text} before {before.text}"
            found[id(before)] = found[id(after)] = reason
    return found


def _reason(placed: Placed, key: Key, places: _SourcePlaces) -> str | None:
    """Why a number is not bound; "" where it is, None where nothing can be said."""
    near = [*placed.left, *placed.right]
    here = places.by_key.get(key, [])
    sentence = frozenset[str]().union(*(one.sentence for one in here))
    if not near or not sentence:
        return None
    own = frozenset[str]().union(*(one.owned for one in here))
    runs = {one.run for one in here}
    rivals = [
        one
        for one in places.numbers
        if one.fact.key != key and one.fact.key[2:] == key[2:] and one.run not in runs
    ]
    claimed = frozenset[str]().union(*(one.owned for one in rivals))
    if any(word in own and word not in claimed for word in near):
        return ""
    shared = sum(word in own for word in near)
    for rival in rivals:
        theirs = [word for word in near if word in rival.owned]
        if len(theirs) > shared:
            telling = next(word for word in theirs if word not in own or shared)
            return f"in the text '{telling}' stands by {rival.fact.text}"
    if shared or sentence.intersection(near):
        return ""
    return f"the text has none of {', '.join(near[:5])} by it"
