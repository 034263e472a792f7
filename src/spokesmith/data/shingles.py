"""Texts that are nearly the same: the Jaccard index of their runs of five words.

Exact, and quick where few texts are alike. Punctuation and case do not count.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from spokesmith.metrics.phrases import plain_words

SHINGLE = 5
NEAR = 0.9


def normal_form(text: str) -> str:
    """The words of a text; a text without any, as of emoji alone, is its own."""
    return " ".join(plain_words(text)) or " ".join(text.split())


class NearTexts:
    """Finds, among the texts added so far, those at least `NEAR` alike to another.

    Two sets whose Jaccard index is at least t share one of the rarest `size - ceil(t * size) + 1`
    elements of either, so only these are indexed.

    Args:
        texts: all that will be asked for; a text is named by its place among them.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._shingles = [_shingles(text) for text in texts]
        frequency = Counter(one for found in self._shingles for one in found)
        self._rarest = [
            sorted(found, key=lambda one: (frequency[one], one))[: len(found) - _needed(found) + 1]
            for found in self._shingles
        ]
        self._holders: dict[int, list[int]] = defaultdict(list)

    def add(self, place: int) -> None:
        """Let a text be found from now on."""
        for one in self._rarest[place]:
            self._holders[one].append(place)

    def near(self, place: int) -> list[tuple[float, int]]:
        """How alike the near texts are and their places, the nearest first, then the earliest."""
        candidates = {
            other for one in self._rarest[place] for other in self._holders.get(one, ())
        } - {place}
        own = self._shingles[place]
        scored = [(_jaccard(own, self._shingles[other]), other) for other in candidates]
        near = [(alike, other) for alike, other in scored if alike >= NEAR]
        return sorted(near, key=lambda one: (-one[0], one[1]))


class TextsToAvoid:
    """Texts, such as probes, that no text may equal in its words or be near to."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._forms: set[str] = set()
        self._shingles: list[frozenset[int]] = []
        self._holders: dict[int, list[int]] = defaultdict(list)
        for place, text in enumerate(texts):
            self._forms.add(normal_form(text))
            self._shingles.append(_shingles(text))
            for one in self._shingles[-1]:
                self._holders[one].append(place)

    def has(self, text: str) -> bool:
        """Whether a text has the words of one of them, or nearly."""
        if normal_form(text) in self._forms:
            return True
        own = _shingles(text)
        alike = {place for one in own for place in self._holders.get(one, ())}
        return any(_jaccard(own, self._shingles[place]) >= NEAR for place in alike)


def _shingles(text: str) -> frozenset[int]:
    """Checksums of every five words in a row; a shorter text is one shingle."""
    words = normal_form(text).split(" ")
    count = max(len(words) - SHINGLE + 1, 1)
    return frozenset(
        zlib.crc32(" ".join(words[start : start + SHINGLE]).encode("utf-8", "replace"))
        for start in range(count)
    )


def _needed(shingles: frozenset[int]) -> int:
    """How many of its shingles the most different near text shares."""
    return -int(-len(shingles) * NEAR // 1)


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    smaller, larger = sorted((len(one), len(other)))
    if smaller < NEAR * larger:
        return 0.0
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
