"""What stands by each number of a string: its words on either side, and numbers told in one breath.

A content word belongs to the numbers nearest to it in its sentence, where a comma, a bracket or an
`and` between them counts as distance. Numbers of one dimension with no content word between them
form a run: they share their words. Words such as `from`, `was` and `not` say which of two came
before. A number whose clause leaves its subject out ("and 40 in June") has that of the number
before it. Words are compared by their stems. Grammar is not known here: nearness stands for it.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from spokesmith.metrics.facts import Fact
from spokesmith.metrics.strings import (
    Piece,
    Written,
    content_words,
    sentences,
    words,
    written_form,
)

BARRIER_LENGTH = 4
# In a long run, such as a row of a table, only numbers this near to one another are compared.
PAIR_REACH = 8
CONJUNCTIONS = frozenset("and or but while whereas und y e et aber mais pero".split())
BEFORE = frozenset(
    "from was were been had before previously formerly earlier old instead rather than against "
    "versus vs not von de desde".split()
)
CHANGE = frozenset("to now after but new then bis auf hasta".split())
_BARRIER = re.compile(r"[,;:()\[\]{}|，；：、]| [–-] ")
_SEVERING = re.compile(r"[;:；：|]")
_ARROW = re.compile(r"->|=>|→|⇒")


@dataclass(slots=True, eq=False)
class _Token:
    """A word or a number on the line of its sentence; a number has its place in the list."""

    at: int
    clause: int
    word: str
    stem: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A number with its words, the nearest first; `left` and `right` stand in its own clause.

    `owned` are all words of its sentence that belong to it, those of a subject left out included;
    `sentence` are all content words of the sentence; `run` numbers the runs of the string.
    """

    fact: Fact
    run: int
    left: tuple[str, ...]
    right: tuple[str, ...]
    owned: frozenset[str]
    sentence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placement:
    """The numbers of a string as they stand, and which came before which."""

    numbers: list[Placed]
    pairs: list[tuple[Fact, Fact]]


@dataclass(slots=True)
class _Run:
    """Numbers told in one breath; `start` is the number that they are set against, if any."""

    tokens: list[_Token]
    start: _Token | None = None
    words: list[_Token] = field(default_factory=list)

    def distance(self, token: _Token) -> int:
        return min(abs(self.tokens[0].at - token.at), abs(self.tokens[-1].at - token.at))


def place_numbers(string: str, numbers: Sequence[Fact]) -> Placement:
    """Place the numbers of a string.

    Args:
        numbers: facts of the string in reading order, with spans in it.
    """
    written = written_form(string)
    spans = [_written_span(written, fact) for fact in numbers]
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    placement = Placement([], [])
    for sentence in sentences(written.text) if numbers else ():
        first, last = bisect_left(starts, sentence.start), bisect_left(starts, sentence.end)
        if first < last:
            pieces = [(*spans[number], number) for number in range(first, last)]
            tokens = list(_tokens(written.text, sentence, pieces, spans, ends))
            _place_sentence(tokens, numbers, placement)
    return placement


def _written_span(written: Written, fact: Fact) -> tuple[int, int]:
    return bisect_left(written.starts, fact.start), bisect_left(written.starts, fact.end)


def _tokens(
    text: str,
    sentence: Piece,
    pieces: Sequence[tuple[int, int, int]],
    spans: Sequence[tuple[int, int]],
    ends: Sequence[int],
) -> Iterator[_Token]:
    """The words and numbers of a sentence; the words of a number are one token.

    Args:
        pieces: the numbers that begin in the sentence: start, end and place in the list.
        spans: of all numbers of the text, which end at `ends`.
    """
    start = sentence.start
    free: list[tuple[int, int, int | None]] = []
    for word in words(sentence.text):
        first, following = start + word.start, start + word.end
        number = bisect_right(ends, first)
        if number == len(spans) or following <= spans[number][0]:
            free.append((first, following, None))
    at, clause, last = 0, 0, start
    for first, following, number in sorted([*pieces, *free], key=lambda piece: piece[:2]):
        word = text[first:following].casefold() if number is None else ""
        gap = text[last:first]
        is_plain = gap in ("", " ")
        if word in CONJUNCTIONS or (not is_plain and _BARRIER.search(gap)):
            at, clause = at + BARRIER_LENGTH, clause + 1
        at, last = at + 1, following
        if not is_plain and _SEVERING.search(gap):
            yield _Token(at, clause, ";", "", None)
        if not is_plain and _ARROW.search(gap):
            yield _Token(at, clause, "to", "", None)
        yield _Token(at, clause, word, _content(word), number)


@lru_cache(maxsize=65536)
def _content(word: str) -> str:
    """The stem of a content word, "" for others."""
    # The digits of a date or an identifier tell nothing of what stands by it.
    tells = word and not word.isdigit() and word not in BEFORE and word not in CHANGE
    found = content_words(word) if tells else []
    return found[0] if found else ""


def _place_sentence(tokens: list[_Token], numbers: Sequence[Fact], placement: Placement) -> None:
    runs = _runs(tokens, numbers)
    _share_out(tokens, runs)
    whole = frozenset(token.stem for token in tokens if token.stem)
    subject: frozenset[str] = frozenset()
    for run in runs:
        clauses = {token.clause for token in run.tokens}
        near = [token for token in run.words if token.clause in clauses] or run.words
        near = sorted(near, key=run.distance)
        left = tuple(token.stem for token in near if token.at < run.tokens[0].at)
        right = tuple(token.stem for token in near if token.at >= run.tokens[0].at)
        if run.start is None and any(
            token.clause in clauses and token.at < run.tokens[0].at for token in run.words
        ):
            subject = frozenset(left)
        owned = frozenset(token.stem for token in run.words) | subject
        facts = [numbers[token.number] for token in run.tokens if token.number is not None]
        number = len(placement.numbers)
        placement.numbers.extend(Placed(fact, number, left, right, owned, whole) for fact in facts)
        placement.pairs.extend(_ordered(run, tokens, numbers))


def _share_out(tokens: list[_Token], runs: list[_Run]) -> None:
    """Give each content word to the run nearest to it, or to both that are equally near."""
    starts = [run.tokens[0].at for run in runs]
    for token in tokens:
        if token.stem:
            place = bisect_right(starts, token.at)
            beside = runs[max(0, place - 1) : place + 1]
            nearest = min(run.distance(token) for run in beside)
            for run in beside:
                if run.distance(token) == nearest:
                    run.words.append(token)


def _runs(tokens: list[_Token], numbers: Sequence[Fact]) -> list[_Run]:
    runs: list[_Run] = []
    dimension: tuple[Hashable, ...] = ()
    last: int | None = None
    parted = False
    for place, token in enumerate(tokens):
        if token.stem or token.word == ";":
            parted = True
        if token.number is None:
            continue
        following = numbers[token.number].key[2:]
        if last is not None and not parted and dimension == following:
            runs[-1].tokens.append(token)
        else:
            changed = last is not None and _is_change(tokens, last, place)
            runs.append(_Run([token], runs[-1].tokens[-1] if changed else None))
        last, parted, dimension = place, False, following
    return runs


def _is_change(tokens: list[_Token], one: int, other: int) -> bool:
    """Whether two numbers stand as in "from 12 in May to 40 in June" or "3 boxes, not 8"."""
    first, second = _markers(tokens, one), _markers(tokens, other)
    return ("from" in first and "to" in second) or bool(second & BEFORE)


def _markers(tokens: list[_Token], place: int) -> set[str]:
    """The words without content just before a number, back to a mark or another number."""
    found: set[str] = set()
    at = tokens[place].at
    while place and at - tokens[place - 1].at <= 1:
        place -= 1
        if tokens[place].stem or tokens[place].number is not None:
            break
        found.add(tokens[place].word)
        at = tokens[place].at
    return found


def _ordered(
    run: _Run, tokens: list[_Token], numbers: Sequence[Fact]
) -> Iterator[tuple[Fact, Fact]]:
    """Pairs of a run, the earlier state first: as written, unless words turn them round."""
    places = [tokens.index(token) for token in run.tokens]
    pairs = [
        (one, other)
        for at, one in enumerate(places)
        for other in places[at + 1 : at + 1 + PAIR_REACH]
    ]
    if run.start is not None:
        pairs.append((tokens.index(run.start), places[0]))
    for one, other in pairs:
        turned = _markers(tokens, other) & BEFORE and not _markers(tokens, one) & BEFORE
        first, second = (tokens[place].number for place in (one, other))
        assert first is not None
        assert second is not None
        yield (numbers[second], numbers[first]) if turned else (numbers[first], numbers[second])
