"""Where the words of an answer stand in its source: whole strings, or their longest common runs.

Case and spaces do not count, punctuation does. Says nothing about truth: words may be quoted in
another sense, and a faithful string may be in words of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spokesmith.metrics.strings import folded, words, written_form

Span = tuple[int, int]

# A shorter run that is not the whole string stands in most texts by chance.
MIN_RUN_WORDS = 3
# The most places of one word that are looked at, so that no text takes long.
MOST_PLACES = 64


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A run of words of the string at a JSON pointer, and where it stands in the source."""

    field: str
    span: Span
    source_span: Span


class _Words:
    """The words of a string, with what stands between them."""

    def __init__(self, string: str) -> None:
        self._written = written_form(string)
        text = folded(self._written.text)
        self._pieces = words(text)
        self.words = [piece.text for piece in self._pieces]
        starts = [piece.start for piece in self._pieces]
        ends = [piece.end for piece in self._pieces]
        self.gaps = [
            text[end:start].strip() for end, start in zip([0, *ends], starts, strict=False)
        ]

    def span(self, first: int, last: int) -> Span:
        """From the first to the last of some words, in the string as it was given."""
        return self._written.span(self._pieces[first].start, self._pieces[last].end)


def find_quotes(strings: Iterable[tuple[str, str]], source: str) -> list[Quote]:
    """The quotes of all strings.

    Args:
        strings: JSON pointer and text of each.
        source: the text that they may quote.
    """
    text = _Words(source)
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(text.words):
        if len(places[word]) < MOST_PLACES:
            places[word].append(at)
    return [
        Quote(field=pointer, span=span, source_span=source_span)
        for pointer, string in strings
        for span, source_span in _runs(_Words(string), text, places)
    ]


def _runs(
    string: _Words, text: _Words, places: dict[str, list[int]]
) -> Iterator[tuple[Span, Span]]:
    first, num_words = 0, len(string.words)
    while first < num_words:
        length, at = max(
            ((_common(string, first, text, at), -at) for at in places.get(string.words[first], ())),
            default=(0, 0),
        )
        if length >= min(MIN_RUN_WORDS, num_words):
            yield string.span(first, first + length - 1), text.span(-at, -at + length - 1)
            first += length
        else:
            first += 1


def _common(string: _Words, first: int, text: _Words, at: int) -> int:
    """How many words two places have in common, with what stands between them."""
    length = 0
    while (
        first + length < len(string.words)
        and at + length < len(text.words)
        and string.words[first + length] == text.words[at + length]
        and (length == 0 or string.gaps[first + length] == text.gaps[at + length])
    ):
        length += 1
    return length
