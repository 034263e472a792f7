"""The measures of a report in plain words, and as rows of a table. Computes none of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EXPLANATIONS = {
    "P": "answers that pass everything: valid, nothing made up, every number kept, and the "
    "rules for short texts and twins where they apply",
    "SC": "answers that are valid under the schema, strictly",
    "HFR": "share of an answer's facts that its text does not state (lower is better)",
    "HFR_inputs": "answers with at least one made-up fact (lower is better)",
    "TFR": "share of a text's facts that its answer keeps",
    "BIND": "share of an answer's numbers that stand with the words of their clause",
    "XLEAK": "answers that say what only the text of their twin says (lower is better)",
    "CFS": "edits of a text that the answer follows, changing nothing else",
    "CFS_new_there": "edits whose new words turn up in the answer",
    "CFS_old_gone": "edits whose old words are gone from the answer",
    "CFS_rest_unchanged": "edits after which the answer's other facts stay as they were",
    "MIN": "texts of up to five words that are answered without additions",
    "RULES": "answers that keep the task's rules for fields, which no schema can say",
    "ECHO": "answers that repeat words of the prompt that the text lacks (lower is better)",
    "SOFT": "share of neighbouring words of the prose that stand together in the text",
}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure of one report; `value` is None where no input defines it."""

    name: str
    value: float | None
    interval: tuple[float, float] | None
    n: int | None

    @property
    def label(self) -> str:
        """The name as a person reads it."""
        return self.name.replace("_", " ")

    @property
    def explanation(self) -> str:
        """What the measure counts, in a line."""
        if self.name in EXPLANATIONS:
            return EXPLANATIONS[self.name]
        family, _, kind = self.name.partition("_")
        if family == "TFR" and kind:
            return f"the same for facts of the kind {kind}"
        return ""

    @property
    def is_share(self) -> bool:
        """Whether the value and its interval can be drawn between 0 and 1."""
        ends = (self.value, *(self.interval or ()))
        return all(end is not None and 0 <= end <= 1 for end in ends)


def measures_of(document: Mapping[str, Any]) -> list[Measure]:
    """The measures of a report document that are defined, in order."""
    found = _flat(document["totals"]["measures"])
    return in_order(measure for measure in found if measure.value is not None)


def in_order(measures: Iterable[Measure]) -> list[Measure]:
    """The headline first, then as in this file, then those that it does not know."""
    order = list(EXPLANATIONS)

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
