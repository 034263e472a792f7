"""Where words follow each other in a text, whatever their case, plural, hyphens or capitals within.

Tells whether `Petra Vogel` stands there as one name, not only both of its words. Words are those
of the written form; what they name is not known here.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from spokesmith.metrics.names import PARTICLES, TITLES
from spokesmith.metrics.strings import WORD, Written, folded
from spokesmith.metrics.vocabulary import lemma

Span = tuple[int, int]

LONGEST_GAP = 12
LONGEST_JOIN = 4
_PARTING = re.compile(r"[!?;:,()\[\]|]")


class WordIndex:
    """The words of a text in written form; spans are in the text as it was before."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._folded = folded(written.text)

    @cached_property
    def _tokens(self) -> list[tuple[str, int, int]]:
        """The words of the text with case and possessive folded, and where they stand."""
        return [
            (_bare(match.group()), match.start(), match.end())
            for match in WORD.finditer(self._folded)
        ]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        for at, (word, _, _) in enumerate(self._tokens):
            places[word].append(at)
        return places

    @cached_property
    def lemmas(self) -> dict[str, Span]:
        """Lemmas of the words that stand in small letters, each with a place."""
        text = self._written.text
        return {
            lemma(word): self._written.span(start, end)
            for word, start, end in self._tokens
            if text[start : start + 1].islower()
        }

    def sequence(self, words: Sequence[str]) -> Span | None:
        """Where words follow each other with nothing but joining marks between them."""
        for form in _forms(words[0]):
            for at in self._places.get(form, ()):
                if (last := self._follow(at, words)) is not None:
                    return self._written.span(self._tokens[at][1], self._tokens[last][2])
        return None

    def _follow(self, at: int, words: Sequence[str]) -> int | None:
        last = at
        for word in words[1:]:
            place = last + 1
            # Initials and particles may be left out.
            while place < len(self._tokens) and self._tokens[place][0] not in _forms(word):
                skipped = self._tokens[place][0]
                if (len(skipped) > 1 and skipped not in PARTICLES) or place > last + 2:
                    return None
                place += 1
            if place == len(self._tokens) or not self._near(last, place):
                return None
            last = place
        return last

    def _near(self, first: int, second: int) -> bool:
        between = self._folded[self._tokens[first][2] : self._tokens[second][1]]
        before = self._tokens[first][0]
        if "." in between and len(before) > 1 and before not in TITLES and second == first + 1:
            return False
        return len(between) < LONGEST_GAP and not _PARTING.search(between)

    @cached_property
    def _joins(self) -> dict[str, Span]:
        """A few words that follow each other, written as one."""
        joins: dict[str, Span] = {}
        for at in range(len(self._tokens)):
            word = ""
            for last in range(at, min(at + LONGEST_JOIN, len(self._tokens))):
                if last > at and not self._near(last - 1, last):
                    break
                word += self._tokens[last][0]
                joins.setdefault(
                    word, self._written.span(self._tokens[at][1], self._tokens[last][2])
                )
        return joins

    def joined(self, word: str) -> Span | None:
        """Where words stand that make up one, as in `PostgreSQL` and `postgre-sql`."""
        return next((self._joins[form] for form in _forms(word) if form in self._joins), None)


def split_words(string: str) -> list[str]:
    """The words of a folded string without possessives, as the index holds them."""
    return [_bare(found) for found in WORD.findall(string)]


def _bare(word: str) -> str:
    """A word without a possessive and whatever its case: ß is ss, a final ς is σ."""
    return word.removesuffix("'s").casefold()


def _forms(word: str) -> tuple[str, ...]:
    """A word, its plural and its singular."""
    if len(word) < 3:
        return (word,)
    forms = [word, f"{word}s", f"{word}es", f"{word}'"]
    forms += [word[: -len(ending)] for ending in ("s", "es") if word.endswith(ending)]
    return tuple(form for form in forms if len(form) > 2)
