"""Beginnings of prompts that are computed once and used again, found by themselves.

Kept by set of spokes, never shared between sets, within a bound of memory: what was not used for
the longest time goes first. Knows no request.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spokesmith.decoding.cache import SlotCache, state_tensors

# Beginnings shorter than this are not worth keeping.
SHORTEST = 16
NUM_RECENT = 64
Key = tuple[str | None, tuple[int, ...]]


@dataclass(kw_only=True)
class _Kept:
    """What a row's cache holds after the tokens of a key."""

    parts: dict[int, Any]
    states: dict[int, Any]
    num_bytes: int


class PrefixCache:
    """Keeps beginnings of prompts.

    Args:
        cache: whose rows they are copied from and to.
        max_bytes: most memory that they take.
        has_states: whether layers keep a running state, which belongs to one length alone.
    """

    def __init__(self, cache: SlotCache, *, max_bytes: int, has_states: bool) -> None:
        self.num_bytes = 0
        self._cache = cache
        self._max_bytes = max_bytes
        self._has_states = has_states
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._recent: deque[Key] = deque(maxlen=NUM_RECENT)

    def load(self, row: int, spokes: str | None, prompt: Sequence[int]) -> int:
        """Begin a row with the longest known beginning of a prompt; returns its length.

        At least one token of the prompt is left to compute.
        """
        best, best_length = None, 0
        for key in self._kept:
            if key[0] != spokes:
                continue
            length = min(common(key[1], prompt), len(prompt) - 1)
            if self._has_states and length < len(key[1]):
                continue
            if length > best_length:
                best, best_length = key, length
        if best is None or best_length < SHORTEST:
            return 0
        self._kept.move_to_end(best)
        kept = self._kept[best]
        self._cache.put(row, kept.parts, best_length)
        self._cache.set_states(row, kept.states)
        return best_length

    def shared_length(self, spokes: str | None, prompt: Sequence[int], hint: int) -> int:
        """How many tokens at the beginning of a prompt are worth keeping.

        Args:
            hint: how many other prompts are said to share; else the last prompts tell.
        """
        shared = hint
        if not shared:
            lengths = [common(key[1], prompt) for key in self._recent if key[0] == spokes]
            shared = max(lengths, default=0)
        self._recent.append((spokes, tuple(prompt)))
        shared = min(shared, len(prompt) - 1)
        return shared if shared >= SHORTEST else 0

    def keep(self, row: int, spokes: str | None, beginning: Sequence[int]) -> None:
        """Keep a row's beginning, which has just been computed and nothing after it where layers
        keep a running state."""
        key = (spokes, tuple(beginning))
        if key in self._kept:
            return
        states = self._cache.states(row)
        num_bytes = len(beginning) * self._cache.bytes_per_position
        num_bytes += sum(tensor.nbytes for tensor in state_tensors(states))
        if num_bytes > self._max_bytes:
            return
        parts = self._cache.take(row, len(beginning))
        kept = _Kept(parts=parts, states=states, num_bytes=num_bytes)
        self._kept[key] = kept
        self.num_bytes += kept.num_bytes
        while self.num_bytes > self._max_bytes:
            self.num_bytes -= self._kept.popitem(last=False)[1].num_bytes

    def forget(self, spokes: str | None) -> None:
        """Drop all of a set, which may come back under its name with other weights."""
        for key in [key for key in self._kept if key[0] == spokes]:
            self.num_bytes -= self._kept.pop(key).num_bytes
        self._recent = deque((key for key in self._recent if key[0] != spokes), maxlen=NUM_RECENT)


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens at the beginning of two sequences are the same."""
    for place, (mine, yours) in enumerate(zip(one, other, strict=False)):
        if mine != yours:
            return place
    return min(len(one), len(other))
