"""What is in a data set: counts, lengths, the most frequent choices, hard cases, a hash.

Counts only; judges nothing.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from spokesmith.data.generate import kind_names
from spokesmith.data.mix import STANDARD, read_mix
from spokesmith.data.pairs import Pair
from spokesmith.metrics.strings import leaves_of

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)
MOST_FREQUENT = 10
# Fields of the built-in task whose values a set should not say too often, by their last keys.
VARIED = {
    "topic path": ("topics", "path"),
    "concept": ("concepts", ""),
    "verb": ("actions", "verb"),
}


@dataclass(frozen=True, kw_only=True)
class Frequent:
    """A value, in how many pairs it stands, and their share."""

    value: str
    pairs: int
    share: float


@dataclass(frozen=True, kw_only=True)
class HardCase:
    """How many pairs are of a hard case's kinds, their share, and the share the mix asks for."""

    pairs: int
    share: float
    wanted: float


def kinds_of(pairs: Sequence[Pair]) -> dict[str, dict[str, int]]:
    """How many pairs there are, by kind and split."""
    kinds: dict[str, dict[str, int]] = {}
    for pair in pairs:
        counts = kinds.setdefault(pair.kind, {})
        counts[pair.split] = counts.get(pair.split, 0) + 1
    return dict(sorted(kinds.items()))


def lengths_of(
    pairs: Sequence[Pair], targets: Sequence[str], count_tokens: Callable[[str], int] | None
) -> dict[str, dict[str, float]]:
    """Quantiles, keyed `p0` to `p100`, of texts and targets and of one over the other."""
    texts = [pair.text for pair in pairs]
    ratios = [len(target) / max(len(text), 1) for text, target in zip(texts, targets, strict=True)]
    lengths: dict[str, Sequence[float]] = {
        "text_characters": list(map(len, texts)),
        "target_characters": list(map(len, targets)),
        "target_per_text": [round(ratio, 2) for ratio in ratios],
    }
    if count_tokens is not None:
        lengths["text_tokens"] = list(map(count_tokens, texts))
        lengths["target_tokens"] = list(map(count_tokens, targets))
    return {name: _quantiles(values) for name, values in lengths.items()}


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    """Quantiles, each a value that occurs; empty for no values."""
    ordered = sorted(values)
    return {
        f"p{round(share * 100)}": ordered[round(share * (len(ordered) - 1))]
        for share in QUANTILES
        if ordered
    }


def variety_of(pairs: Sequence[Pair]) -> dict[str, list[Frequent]]:
    """The most frequent values of the fields that should vary; none where no gold has the field."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in VARIED}
    for pair in pairs:
        values = {name: set[str]() for name in VARIED}
        for name, value in _varied_values(pair):
            values[name].add(value)
        for name, found in values.items():
            counts[name].update(found)
    return {
        name: [
            Frequent(value=value, pairs=count, share=count / len(pairs))
            for value, count in sorted(found.items(), key=lambda one: (-one[1], one[0]))[
                :MOST_FREQUENT
            ]
        ]
        for name, found in counts.items()
        if found
    }


def _varied_values(pair: Pair) -> Iterator[tuple[str, str]]:
    for pointer, value in leaves_of(pair.gold):
        keys = [key for key in pointer.split("/") if key and not key.isdigit()]
        for name, (holder, field) in VARIED.items():
            wanted = [holder, field] if field else [holder]
            if isinstance(value, str) and keys[-len(wanted) :] == wanted:
                yield name, value


def hard_cases_of(pairs: Sequence[Pair]) -> dict[str, HardCase]:
    """The hard cases of the standard mix; empty where no pair is of their kinds."""
    counts = Counter(pair.kind for pair in pairs)
    found = {
        name: HardCase(
            pairs=sum(counts[kind] for kind in case.kinds),
            share=sum(counts[kind] for kind in case.kinds) / max(len(pairs), 1),
            wanted=case.share,
        )
        for name, case in read_mix(STANDARD, kind_names()).hard.items()
    }
    return found if any(case.pairs for case in found.values()) else {}


def hash_of_texts(pairs: Sequence[Pair]) -> str:
    """SHA-256 of the texts, whatever their order and golds."""
    lines = sorted(json.dumps(pair.text) for pair in pairs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
