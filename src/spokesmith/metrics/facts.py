"""Typed facts of a string: numbers with unit, dates and times, identifiers, names, quotations.

Each fact has a key that facts of the same meaning share (12 ms, 12ms and 0.012 s). A fact ends
where its line ends, and a line begins as a sentence does. English first; other languages give the
facts that need no dictionary. Whether a fact is true is not known here.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from spokesmith.metrics.dates import find_dates, find_named_dates
from spokesmith.metrics.identifiers import find_addresses, find_symbols
from spokesmith.metrics.names import find_names
from spokesmith.metrics.quantities import find_quantities
from spokesmith.metrics.strings import (
    CJK,
    CJK_RUN,
    STOP_WORDS,
    pieces_at,
    sentences,
    written_form,
)
from spokesmith.metrics.units import UNITS

NUMBER, DATE, IDENTIFIER, NAME, QUOTATION = "number", "date", "identifier", "name", "quotation"
KINDS = (NUMBER, DATE, IDENTIFIER, NAME, QUOTATION)

Mark = tuple[int, int, tuple[Hashable, ...]]

_QUOTED = re.compile(
    r"(?<![\w\"])\"(?=\S)([^\"]{2,200})(?<=\S)\"(?![\w\"])"
    r"|(?<![\w`])`(?=\S)([^`]{1,200})(?<=\S)`(?![\w`])"
    r"|(?<![\w'])'(?=[^\s'])([^']{2,80})(?<=\S)'(?!\w)"
)
_MARKS = re.compile("[\"`']")
_LABEL = re.compile(r"[a-z]+(?:_[a-z]+){1,3}")
_EDGES = " .,;:!?…。，；：！？"
# Marks characters that a fact already has, and those of scripts that part words by no space.
_TAKEN, _BLANK = "\0", "\1"
_CJK_UNITS = sorted(filter(CJK.match, UNITS), key=len, reverse=True)
_AFTER_NUMBER = re.compile(rf"[万亿]?(?:{'|'.join(_CJK_UNITS)})|[年月日号时点半万亿]分?")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as written, its span in the string it was found in, and its normalised key."""

    kind: str
    text: str
    start: int
    end: int
    key: tuple[Hashable, ...]


def find_facts(string: str) -> list[Fact]:
    """The facts of a string in reading order.

    Facts do not overlap, except that a quotation holds the facts that stand in it.
    """
    return list(facts_of(string))


@lru_cache(maxsize=4096)
def facts_of(string: str, *, across_lines: bool = False) -> tuple[Fact, ...]:
    """As `find_facts`; those of the last strings are remembered.

    Args:
        across_lines: read on at the end of a line, as if the string were one line.
    """
    written = written_form(string)
    if is_relation(written.text):
        return ()
    lines = () if across_lines else written.lines
    found = [
        (line.start + start, line.start + end, QUOTATION, key)
        for line in (pieces_at(written.text, lines) if _MARKS.search(written.text) else ())
        for start, end, key in _quotations(line.text)
    ]
    for sentence in sentences(written.text, lines):
        found.extend(
            (sentence.start + start, sentence.start + end, kind, key)
            for start, end, kind, key in _facts_in(sentence.text)
        )
    found.sort(key=lambda one: (one[0], -one[1]))
    facts: list[Fact] = []
    last = 0
    for start, end, kind, key in found:
        start, end = written.span(start, end)
        if kind != QUOTATION:
            # One character may be written as several, which two facts then share.
            if start < last:
                continue
            last = end
        facts.append(Fact(kind, string[start:end], start, end, (kind, *key)))
    return tuple(facts)


def is_relation(text: str) -> bool:
    """Whether a string is a label such as `caused_by`, which is no code symbol."""
    last = text.strip().rpartition("_")[2]
    return last in STOP_WORDS and _LABEL.fullmatch(text.strip()) is not None


def _quotations(text: str) -> Iterator[Mark]:
    for match in _QUOTED.finditer(text):
        group = match.lastindex or 0
        inner = match[group].strip(_EDGES)
        if any(character.isalnum() for character in inner):
            start = match.start(group) + match[group].index(inner)
            yield start, start + len(inner), (inner.casefold(),)


@lru_cache(maxsize=4096)
def _facts_in(sentence: str) -> tuple[tuple[int, int, str, tuple[Hashable, ...]], ...]:
    """The facts of one sentence, each kind in what the ones before it left.

    The last sentences are remembered: an encoding repeats those of its text.
    """
    facts: list[tuple[int, int, str, tuple[Hashable, ...]]] = []
    left = sentence if sentence.isascii() else CJK_RUN.sub(_without_script, sentence)
    for kind, find in _FINDERS:
        rest = left
        for start, end, key in find(left):
            if _TAKEN not in rest[start:end]:
                rest = rest[:start] + _TAKEN * (end - start) + rest[end:]
                facts.append((start, end, kind, key))
        left = rest
    return tuple(facts)


def _without_script(run: re.Match[str]) -> str:
    """A run of CJK characters, blank but for the units and date marks after a number."""
    before = run.string[max(0, run.start() - 2) : run.start()].rstrip()
    kept = _AFTER_NUMBER.match(run.group()) if before[-1:].isdigit() else None
    length = kept.end() if kept else 0
    return run.group()[:length] + _BLANK * (len(run.group()) - length)


def _numbers(text: str) -> Iterator[Mark]:
    for quantity in find_quantities(text):
        yield quantity.start, quantity.end, quantity.key


_FINDERS: tuple[tuple[str, Callable[[str], Iterable[Mark]]], ...] = (
    (IDENTIFIER, find_addresses),
    (DATE, find_dates),
    (IDENTIFIER, find_symbols),
    (DATE, find_named_dates),
    (NUMBER, _numbers),
    (NAME, find_names),
)
