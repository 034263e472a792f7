"""Which facts of an output its source states.

A fact is grounded by one of equal key, or by one that says more: a date by a fuller date, a bare
number by the same number with a unit, a name or an identifier by the same words anywhere in the
text. Where a line ends a fact of the source ends, but an output may have joined lines that were
merely wrapped: what reads as one fact across them is grounded too. Whether a fact is said of the
same thing is not judged here.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from spokesmith.metrics.facts import (
    DATE,
    IDENTIFIER,
    NAME,
    NUMBER,
    QUOTATION,
    Fact,
    facts_of,
)
from spokesmith.metrics.identifiers import identifier_key
from spokesmith.metrics.quantities import MOST_DIGITS, ORDINAL, find_quantities
from spokesmith.metrics.schema_paths import places_of
from spokesmith.metrics.strings import find_words, folded, leaves_of, stands_in, written_form
from spokesmith.metrics.units import same_written
from spokesmith.metrics.vocabulary import is_common, lemma
from spokesmith.metrics.word_index import WordIndex, split_words

__all__ = ["Grounding", "Source", "StatedFact", "stands_in", "stated_facts"]

Span = tuple[int, int]

MOST_BITS = 10_000

_ONE = r"(?<!\w)(?:an?|one|per|each|every|the|/) ?"
_PARTED = re.compile(r"(?<![\d.,])(?:(\d{1,3})[/,](\d{1,2})|(0),(\d+))(?![\d.,])")
# The number at an identifier's end; Python makes none of very many digits.
_LAST_NUMBER = re.compile(rf"(?:^|[ #:])(\d{{1,{MOST_DIGITS}}})$")
_CROSSED = re.compile(r"(?<=\d)\s?[x×]\s?\d")
_LISTED = re.compile(r",\s+(?:and |or )?|\s+(?:and|or)\s+")
_WORD_ORDINALS = {1: "first", 2: "second"}


@dataclass(frozen=True)
class Grounding:
    """Where in the source a fact stands, or why it counts as made up."""

    span: Span | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class StatedFact:
    """A fact of an output: where it stands (a JSON pointer) and what grounds it."""

    fact: Fact
    field: str
    grounding: Grounding


class Source:
    """A text with its facts and the index that answers whether it states a fact."""

    def __init__(self, text: str, *, across_lines: bool = False) -> None:
        self.text = text
        self._written = written_form(text)
        self._has_lines = bool(self._written.lines) and not across_lines
        self.facts = facts_of(text, across_lines=across_lines)
        self._folded = folded(self._written.text)
        self._index = WordIndex(self._written)
        self._spans: dict[tuple[Any, ...], Span] = {}
        self._numbers: dict[Fraction, list[tuple[str, Span]]] = defaultdict(list)
        for fact in self.facts:
            self._spans.setdefault(fact.key, (fact.start, fact.end))
            for value, written in _values_of(fact):
                self._numbers[value].append((written, (fact.start, fact.end)))

    def ground(self, fact: Fact) -> Grounding:
        """Where the text states a fact, or why it does not."""
        span = self._spans.get(fact.key)
        if span is not None:
            return Grounding(span, "")
        found = _GROUNDS[fact.kind](self, fact)
        if found.span is None and self.as_one_line is not self:
            across = self.as_one_line.ground(fact)
            return found if across.span is None else across
        return found

    @cached_property
    def as_one_line(self) -> "Source":
        """The same text with its facts read on at the end of a line."""
        return Source(self.text, across_lines=True) if self._has_lines else self

    def across_lines(self, fact: Fact) -> list[Fact]:
        """What stands in the place of a fact where lines are joined; none where it stays."""
        if self.as_one_line is self or fact.kind == QUOTATION:
            return []
        others = self.as_one_line._unquoted
        at = bisect_right(others, fact.start, key=lambda other: other.end)
        found: list[Fact] = []
        while at < len(others) and others[at].start < fact.end:
            found.append(others[at])
            at += 1
        return [] if found == [fact] else found

    @cached_property
    def _unquoted(self) -> list[Fact]:
        """The facts that do not overlap: all but quotations."""
        return [fact for fact in self.facts if fact.kind != QUOTATION]

    def _number(self, fact: Fact) -> Grounding:
        value, dimension = _amount(fact)
        written = written_value(fact)
        same = self._numbers.get(written, [])
        for other, span in same:
            if not dimension or other in same_written(dimension):
                return Grounding(span, "")
            if dimension == ORDINAL and other == "":
                return Grounding(span, "")
            # 4 x 100 m may be four times 100 m.
            if dimension == "times" and _CROSSED.match(self.text, span[1]):
                return Grounding(span, "")
        span = self._listed.get((value, dimension)) or self._in_words(fact, written, dimension)
        if span is None and not dimension:
            span = self._identified(identifier_key(folded(written_form(fact.text).text)))
        if span is not None:
            return Grounding(span, "")
        if same:
            start, end = same[0][1]
            held = self.text[start:end]
            if held == fact.text:
                held += " with another unit"
            return Grounding(None, f"the text has {held}, not {fact.text}")
        return Grounding(None, _lacks(fact))

    @cached_property
    def _listed(self) -> dict[tuple[Any, ...], Span]:
        """Bare numbers of lists with commas, with the unit that stands after the last."""
        listed: dict[tuple[Any, ...], Span] = {}
        following: tuple[int, Fraction, str] | None = None
        for fact in reversed(self.facts):
            if fact.kind == QUOTATION:
                continue
            if fact.kind != NUMBER:
                following = None
                continue
            written = next((value for value, _ in _values_of(fact)), Fraction(0))
            base, dimension = _amount(fact)
            if dimension and written:
                following = fact.start, base / written, dimension
            elif following and _LISTED.fullmatch(self.text, fact.end, following[0]):
                following = fact.start, following[1], following[2]
                listed[written * following[1], following[2]] = (fact.start, fact.end)
            else:
                following = None
        return listed

    def _in_words(self, fact: Fact, written: Fraction, dimension: str) -> Span | None:
        """`1 hour` where the text has "an hour", and `1st` where it has "first"."""
        if dimension == ORDINAL and written in _WORD_ORDINALS:
            return self._search(rf"(?<!\w){_WORD_ORDINALS[int(written)]}(?!\w)")
        if written == 1 and dimension:
            unit = re.sub(r"^[\d.,]+|^one", "", fact.text.casefold()).strip(" -")
            return self._search(rf"{_ONE}{re.escape(unit)}(?!\w)") if unit else None
        return None

    def _search(self, pattern: str) -> Span | None:
        match = re.search(pattern, self._folded)
        return self._written.span(*match.span()) if match else None

    def _identified(self, key: str) -> Span | None:
        return self._spans.get((IDENTIFIER, key))

    def _date(self, fact: Fact) -> Grounding:
        for other in self.facts:
            if other.kind == DATE and says_as_much(other, fact):
                return Grounding((other.start, other.end), "")
        # A month or a weekday by name alone stands also where it may be another word.
        if not any(character.isdigit() for character in fact.text):
            return self._words(fact)
        return Grounding(None, _lacks(fact))

    def _words(self, fact: Fact) -> Grounding:
        """Identifiers and quotations: the same characters on token boundaries."""
        words = folded(written_form(fact.text).text).strip()
        key = str(fact.key[1])
        if key.isdecimal() and len(key) <= MOST_DIGITS and fact.kind == IDENTIFIER:
            same = self._numbers.get(Fraction(key), [])
            return Grounding(same[0][1], "") if same else Grounding(None, _lacks(fact))
        for form in dict.fromkeys((words, key if fact.kind != DATE else words)):
            at = find_words(form, self._folded)
            if at is not None:
                return Grounding(self._written.span(at, at + len(form)), "")
        if fact.kind == IDENTIFIER:
            parts = split_words(words)
            span = (
                (self._index.sequence(parts) or self._index.joined("".join(parts)))
                if parts
                else None
            )
            if span is not None:
                return Grounding(span, "")
        return Grounding(None, _lacks(fact))

    def _name(self, fact: Fact) -> Grounding:
        words = split_words(folded(written_form(fact.text).text))
        if not words:
            return Grounding(None, _lacks(fact))
        span = self._index.sequence(words) or self._index.joined("".join(words))
        if span is not None:
            return Grounding(span, "")
        # Words that the text writes small, or in another form, are no part of a name.
        runs: list[list[str]] = [[]]
        for word in words:
            if is_common(word) and lemma(word) in self._index.lemmas:
                runs.append([])
            else:
                runs[-1].append(word)
        spans = [
            self._index.sequence(run) or self._index.joined("".join(run)) for run in runs if run
        ]
        if len(runs) > 1 and all(spans):
            first = next(iter(spans), None)
            return Grounding(first or self._index.lemmas[lemma(words[0])], "")
        missing = [word for word in words if not self._index.sequence([word])]
        if missing:
            return Grounding(None, _lacks(fact))
        return Grounding(None, f"the text has the words of {fact.text} apart, not as one name")


_GROUNDS: dict[str, Callable[[Source, Fact], Grounding]] = {
    NUMBER: Source._number,
    DATE: Source._date,
    IDENTIFIER: Source._words,
    QUOTATION: Source._words,
    NAME: Source._name,
}


def _lacks(fact: Fact) -> str:
    return f"the text has no {fact.text}"


def _amount(fact: Fact) -> tuple[Fraction, str]:
    _, value, dimension = fact.key
    assert isinstance(value, Fraction)
    assert isinstance(dimension, str)
    return value, dimension


def _values_of(fact: Fact) -> list[tuple[Fraction, str]]:
    """The numbers that a fact's words hold, as they are written, each with its dimension."""
    if fact.kind == NUMBER:
        dimension = str(fact.key[2])
        text = written_form(fact.text).text
        values = [(one.value, dimension) for one in find_quantities(text)[:1]]
        # 2/5 may be said as 2 of 5, and a comma may part two columns.
        if parts := _PARTED.search(text):
            values += [(Fraction(part), dimension) for part in parts.groups() if part]
        return values
    if fact.kind == DATE:
        parts = (fact.key[1], fact.key[3])
        return [(Fraction(part), "") for part in parts if isinstance(part, int)]
    # PEP 8, #517, and the line or port of src/a.py:88 and host:8080.
    if fact.kind == IDENTIFIER and (number := _LAST_NUMBER.search(fact.text)):
        return [(Fraction(number.group(1)), "")]
    return []


def written_value(fact: Fact) -> Fraction:
    """The number that a number's words hold, in the unit that they are written with."""
    return next((value for value, _ in _values_of(fact)), _amount(fact)[0])


def says_as_much(fuller: Fact, fact: Fact) -> bool:
    """Whether a date says all that another says, and the same."""
    pairs = list(zip(fuller.key[1:], fact.key[1:], strict=True))
    # 10:00:07.123 says 10:00:07 too.
    return any(asked is not None for _, asked in pairs) and all(
        asked is None or held == asked or str(held).startswith(f"{asked}.") for held, asked in pairs
    )


def stated_facts(
    value: Any, source: Source, schema: dict[str, Any] | None = None
) -> list[StatedFact]:
    """The typed facts of all strings of a JSON value, each grounded in a source or made up.

    Args:
        value: any JSON value; its keys state nothing.
        source: the text that the value was made from.
        schema: JSON Schema of the value. With it a string under `enum` or `const` states nothing,
            and a number states a fact unless its schema bounds it on both sides (a rating).
            Without it numbers state nothing.
    """
    found: list[StatedFact] = []
    seen: dict[str, list[tuple[Fact, Grounding]]] = {}
    places = None if schema is None else places_of(schema)
    for pointer, leaf in leaves_of(value):
        if isinstance(leaf, str):
            if places is not None and places.is_closed(pointer):
                continue
            if leaf not in seen:
                seen[leaf] = [(fact, source.ground(fact)) for fact in facts_of(leaf)]
            grounded = seen[leaf]
        elif places is not None and places.is_quantity(leaf, pointer):
            fact = _number_fact(leaf)
            grounded = [(fact, source.ground(fact))]
        else:
            continue
        found.extend(
            StatedFact(fact=fact, field=pointer, grounding=grounding)
            for fact, grounding in grounded
        )
    return found


def _number_fact(number: int | float) -> Fact:
    if isinstance(number, int):
        # Python refuses to write out an integer of thousands of digits in decimals.
        text = str(number) if number.bit_length() < MOST_BITS else hex(number)
        return Fact(NUMBER, text, 0, len(text), (NUMBER, Fraction(number), ""))
    text = str(number)
    return Fact(NUMBER, text, 0, len(text), (NUMBER, Fraction(text), ""))
