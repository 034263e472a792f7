"""The measures of a report in plain words, and as rows of a table. Computes none of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spokesmith.metrics.explanations import CLASSICAL, STRICT, explanation_of


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure of one report; `value` is None where no input defines it.

    `is_classical` marks one of those as published, which share names with the strict ones.
    """

    name: str
    value: float | None
    interval: tuple[float, float] | None
    n: int | None
    is_classical: bool = False

    @property
    def label(self) -> str:
        """The name as a person reads it."""
        return self.name.replace("_", " ")

    @property
    def explanation(self) -> str:
        """What the measure counts, in a line."""
        return CLASSICAL.get(self.name, "") if self.is_classical else explanation_of(self.name)

    @property
    def is_share(self) -> bool:
        """Whether the value and its interval can be drawn between 0 and 1."""
        ends = (self.value, *(self.interval or ()))
        return all(end is not None and 0 <= end <= 1 for end in ends)


def measures_of(document: Mapping[str, Any]) -> list[Measure]:
    """The measures of a report document that are defined, in order."""
    found = _flat(document["totals"]["measures"])
    return in_order(measure for measure in found if measure.value is not None)


def classical_of(document: Mapping[str, Any]) -> list[Measure]:
    """The measures as published, where a document has them and they are defined."""
    found = _flat(document["totals"].get("classical") or {})
    defined = {measure.name: measure for measure in found if measure.value is not None}
    return [replace(defined[name], is_classical=True) for name in CLASSICAL if name in defined]


def in_order(measures: Iterable[Measure]) -> list[Measure]:
    """The headline first, then as `STRICT` has them, then those that it does not know."""
    order = list(STRICT)

    def rank(measure: Measure) -> tuple[int, bool]:
        is_kind = measure.name not in order
        family = measure.name.partition("_")[0] if is_kind else measure.name
        return order.index(family) if family in order else len(order), is_kind

    return sorted(measures, key=rank)


def _flat(entries: Mapping[str, Any], family: str = "") -> Iterator[Measure]:
    """Measures by name; a family such as recall by kind is a mapping in the place of a measure."""
    for name, entry in entries.items():
        full = f"{family}_{name}" if family else name
        if "value" not in entry:
            yield from _flat(entry, full)
            continue
        interval = entry.get("interval_95")
        yield Measure(
            name=full,
            value=entry["value"],
            interval=(interval[0], interval[1]) if interval else None,
            n=entry.get("n"),
        )


def percent(share: float | None) -> str:
    """A share as a person reads it; a dash where it is undefined."""
    return "–" if share is None else f"{100 * share:.1f} %"
