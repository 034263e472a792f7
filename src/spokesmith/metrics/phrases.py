"""Word sequences and vocabulary of texts, as the measures of copying and echoing compare them."""

from collections.abc import Sequence
from functools import lru_cache

from spokesmith.metrics.strings import content_words, words, written_form


@lru_cache(maxsize=1024)
def plain_words(string: str) -> tuple[str, ...]:
    """The words of a string in order, case-folded, without punctuation."""
    return tuple(word.text.casefold() for word in words(written_form(string).text))


def sequences(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Every run of `length` neighbouring words, in order."""
    return [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]


def stems(string: str) -> list[str]:
    """The stems of a string's content words, in order."""
    return content_words(written_form(string).text)


@lru_cache(maxsize=64)
def vocabulary(text: str) -> frozenset[str]:
    """The stems of a text's content words; the last few texts are remembered."""
    return frozenset(stems(text))


def share_known(string: str, text: str) -> float | None:
    """The share of a string's content words that a text has; None where it has no content word."""
    found = stems(string)
    known = vocabulary(text)
    return sum(stem in known for stem in found) / len(found) if found else None
