"""The audit of a data set: is every pair fit to be learned from?

Checks form (schema, key order, canonical JSON), truth (the facts of a gold stand in its text) and
hygiene (duplicates, twins, leakage between splits). It reports and never repairs. A gold that is
faithful in its facts may still be a poor summary: that is not seen here.
"""

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from spokesmith.data.facts import CJK, stands_in, ungrounded
from spokesmith.data.gold import SALIENCE_RANGES, collapse
from spokesmith.data.pairs import Pair
from spokesmith.metrics import check
from spokesmith.tasks import Task, canonical_json

MAX_EXAMPLES = 5
SHINGLE = 5
NEAR = 0.9
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)
CHECKS: Mapping[str, bool] = {
    "ids": True,
    "schema": True,
    "keys": True,
    "types": True,
    "enums": True,
    "ranges": True,
    "lengths": True,
    "key_order": True,
    "canonical": True,
    "facts": True,
    "entities": True,
    "salience": True,
    "twins": True,
    "duplicates_across_splits": True,
    "twins_across_splits": True,
    "duplicates_within_split": False,
    "near_duplicates_across_splits": False,
}
# Words of the task, not of the text: they state no fact.
MEMORY_LABELS = frozenset(("path", "type", "relation"))
ASPECTS = ("keys", "types", "enums", "ranges", "lengths")


@dataclass(frozen=True)
class Finding:
    """A pair and what is wrong with it."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """How many pairs a check found, with the first few. One that is not `fatal` only reports."""

    count: int
    fatal: bool
    examples: list[Finding]


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The result of an audit; lengths are in characters, quantiles keyed `p0` to `p100`."""

    pairs: int
    splits: dict[str, int]
    kinds: dict[str, dict[str, int]]
    text_quantiles: dict[str, int]
    target_quantiles: dict[str, int]
    checks: dict[str, Check]

    @property
    def ok(self) -> bool:
        """Whether no fatal check found anything."""
        return not any(check.count for check in self.checks.values() if check.fatal)

    def to_json(self) -> dict[str, Any]:
        """The audit as a JSON value."""
        return {"ok": self.ok, **asdict(self)}


class _Findings:
    """Counts findings by check and keeps the first few."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[Finding]] = defaultdict(list)

    def add(self, name: str, pair: Pair, reason: str) -> None:
        assert name in CHECKS, name
        self._counts[name] += 1
        if len(self._examples[name]) < MAX_EXAMPLES:
            self._examples[name].append(Finding(pair.id, reason))

    def checks(self) -> dict[str, Check]:
        return {
            name: Check(count=self._counts[name], fatal=fatal, examples=self._examples[name])
            for name, fatal in CHECKS.items()
        }


def audit(pairs: Iterable[Pair], task: Task) -> Audit:
    """Check every pair of a data set against its task and against the other pairs."""
    findings = _Findings()
    kept = list(pairs)
    target_lengths: list[int] = []
    for pair in kept:
        target_lengths.append(_check_form(pair, task, findings))
        _check_truth(pair, task, findings)
    _check_ids_and_twins(kept, findings)
    _check_duplicates(kept, findings)
    for pair, other, similarity in _near_duplicates(kept):
        reason = f"{similarity:.0%} of its word sequences are those of {other.id} in {other.split}"
        findings.add("near_duplicates_across_splits", pair, reason)
    kinds: dict[str, dict[str, int]] = {}
    for pair in kept:
        counts = kinds.setdefault(pair.kind, {})
        counts[pair.split] = counts.get(pair.split, 0) + 1
    return Audit(
        pairs=len(kept),
        splits=dict(sorted(Counter(pair.split for pair in kept).items())),
        kinds=dict(sorted(kinds.items())),
        text_quantiles=_quantiles([len(pair.text) for pair in kept]),
        target_quantiles=_quantiles(target_lengths),
        checks=findings.checks(),
    )


def _check_form(pair: Pair, task: Task, findings: _Findings) -> int:
    """Schema, key order and canonical form; the length of the target, 0 where it has none."""
    try:
        target = task.canonical(pair.gold)
    except (ValueError, TypeError) as error:
        findings.add("canonical", pair, str(error))
        return 0
    if json.loads(target) != pair.gold:
        findings.add("canonical", pair, "the canonical JSON does not read back as the same gold")
    if canonical_json(pair.gold) != target:
        findings.add("key_order", pair, "its keys are not in the schema's order")
    found = check(target, task.schema)
    if not found.valid:
        failed = [aspect for aspect in ASPECTS if getattr(found, aspect) is False]
        for name in failed or ["schema"]:
            findings.add(name, pair, "; ".join(found.problems[:3]))
    return len(target)


def _check_truth(pair: Pair, task: Task, findings: _Findings) -> None:
    """What the gold says against the text."""
    text = collapse(pair.text)
    labels = MEMORY_LABELS if task.name == "memory" else frozenset()
    for path, string in _strings(pair.gold, ""):
        if path.rpartition("/")[2] in labels:
            continue
        missing = ungrounded(collapse(string), text)
        if missing:
            listed = ", ".join(f"{fact.kind} '{fact.text}'" for fact in missing[:3])
            findings.add("facts", pair, f"{path}: the text lacks {listed}")
            break
    if task.name == "memory":
        _check_memory(pair, text, findings)


def _check_memory(pair: Pair, text: str, findings: _Findings) -> None:
    """Rules of the built-in task that its schema cannot say; golds of another shape are skipped."""
    significance, salience = pair.gold.get("significance"), pair.gold.get("salience")
    if str(significance) in SALIENCE_RANGES and isinstance(salience, int | float):
        low, high = SALIENCE_RANGES[str(significance)]
        if not (low <= salience <= high and abs(salience * 20 - round(salience * 20)) < 1e-9):
            reason = f"{salience} is no step of 0.05 in {low} to {high} ({significance})"
            findings.add("salience", pair, reason)
    structured = pair.gold.get("structured_concepts")
    entities = structured.get("entities") if isinstance(structured, dict) else None
    for entity in entities if isinstance(entities, list) else ():
        name = entity.get("name") if isinstance(entity, dict) else None
        if isinstance(name, str) and not stands_in(name, text):
            findings.add("entities", pair, f"the text lacks the entity '{name}'")
            break


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path or "/", value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _strings(inner, f"{path}/{number}")


def _check_ids_and_twins(pairs: list[Pair], findings: _Findings) -> None:
    by_id: dict[str, Pair] = {}
    for pair in pairs:
        if pair.id in by_id:
            findings.add("ids", pair, "another pair has the same id")
        by_id.setdefault(pair.id, pair)
    for pair in pairs:
        if pair.twin is None:
            continue
        twin = by_id.get(pair.twin)
        if twin is None or twin.twin != pair.id:
            findings.add("twins", pair, f"its twin '{pair.twin}' is missing or names another")
            continue
        if twin.gold == pair.gold:
            findings.add("twins", pair, f"its gold is that of its twin '{twin.id}'")
        if twin.split != pair.split:
            findings.add("twins_across_splits", pair, f"its twin is in {twin.split}")


def _check_duplicates(pairs: list[Pair], findings: _Findings) -> None:
    """Pairs whose collapsed text an earlier pair has."""
    first: dict[str, dict[str, Pair]] = {}
    for pair in pairs:
        holders = first.setdefault(collapse(pair.text), {})
        if pair.split in holders:
            findings.add("duplicates_within_split", pair, f"same text as {holders[pair.split].id}")
            continue
        for other in holders.values():
            reason = f"same text as {other.id} in {other.split}"
            findings.add("duplicates_across_splits", pair, reason)
        holders[pair.split] = pair


def _near_duplicates(pairs: list[Pair]) -> list[tuple[Pair, Pair, float]]:
    """Each pair outside `train` with the nearest `train` pair at or above the threshold.

    Two sets whose Jaccard index is at least t share one of the rarest
    `size - ceil(t * size) + 1` elements of either, so only these are indexed. Texts that are equal
    once collapsed are left to the check of duplicates.
    """
    shingles = [_shingles(pair.text) for pair in pairs]
    frequency: Counter[int] = Counter(one for found in shingles for one in found)
    rarest: list[list[int]] = []
    for found in shingles:
        ordered = sorted(found, key=lambda one: (frequency[one], one))
        rarest.append(ordered[: len(found) - _needed(len(found)) + 1])
    index: dict[int, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        if pair.split == "train":
            for one in rarest[place]:
                index[one].append(place)
    nearest: list[tuple[Pair, Pair, float]] = []
    for place, pair in enumerate(pairs):
        if pair.split == "train":
            continue
        candidates = {other for one in rarest[place] for other in index.get(one, ())}
        scored = [
            (_jaccard(shingles[place], shingles[other]), -other)
            for other in candidates
            if collapse(pairs[other].text) != collapse(pair.text)
        ]
        best, other = max(scored, default=(0.0, 0))
        if best >= NEAR:
            nearest.append((pair, pairs[-other], best))
    return nearest


def _needed(size: int) -> int:
    """How many of `size` elements the most different near-duplicate shares."""
    return -int(-size * NEAR // 1)


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    smaller, larger = sorted((len(one), len(other)))
    if smaller < NEAR * larger:
        return 0.0
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _shingles(text: str) -> frozenset[int]:
    """Checksums of every five words in a row; a shorter text is one shingle."""
    words = CJK.sub(lambda found: f" {found.group()} ", text).casefold().split()
    count = max(len(words) - SHINGLE + 1, 1)
    return frozenset(
        zlib.crc32(" ".join(words[start : start + SHINGLE]).encode("utf-8", "replace"))
        for start in range(count)
    )


def _quantiles(lengths: list[int]) -> dict[str, int]:
    """Quantiles of lengths, each a length that occurs; empty for no lengths."""
    ordered = sorted(lengths)
    return {
        f"p{round(share * 100)}": ordered[round(share * (len(ordered) - 1))]
        for share in QUANTILES
        if ordered
    }
