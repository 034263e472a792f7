"""The measures over many answers, as the project's metrics are defined.

Every input counts the same: a measure is the mean of the inputs for which it is defined, and its
interval comes from a bootstrap over them. A failed answer counts with the worst value of every
measure (recall 0, fabrication 1, pass 0), so that nothing leaves an average by failing. Where all
inputs agree a bootstrap shows no width; the interval is then Wilson's, so that 25 of 25 is not
taken for certain. Two sets of spokes are not compared here: see `mcnemar`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from spokesmith.metrics.echo import repeated_sixgrams
from spokesmith.metrics.facts import KINDS
from spokesmith.metrics.judgement import Judgement
from spokesmith.metrics.leakage import EditVerdict
from spokesmith.metrics.statistics import bootstrap_interval, wilson_interval


@dataclass(frozen=True, kw_only=True)
class InputRecord:
    """One input: the judgement of its answer, and what a twin or an edit adds.

    `leaks` is None where the input has no twin in the set, `edit` where it is no edit.
    """

    judgement: Judgement
    leaks: Sequence[str] | None = None
    edit: EditVerdict | None = None

    @property
    def passes(self) -> bool:
        """P: the answer passes, and nothing of a twin leaks into it."""
        return self.judgement.passes and not self.leaks


def summarise(records: Iterable[InputRecord]) -> dict[str, Any]:
    """All measures, each as {"value", "interval_95", "n"}; value and interval None where n is 0.

    HFR, HFR_inputs, ECHO and XLEAK count faults, the others what is right. `TFR` has one entry for
    all facts and one for each kind, such as `TFR_number`. `repeated_sixgrams` lists set phrases
    with the number of outputs that hold them.
    """
    kept = list(records)
    measures = {name: _measure([value(one) for one in kept]) for name, value in _MEASURES.items()}
    outputs = [
        ([text for _, text in one.judgement.strings], one.judgement.source.text) for one in kept
    ]
    return {"measures": measures, "repeated_sixgrams": repeated_sixgrams(outputs)}


def _measure(values: Sequence[float | None]) -> dict[str, Any]:
    defined = [float(value) for value in values if value is not None]
    count = len(defined)
    mean = sum(defined) / count if count else None
    if mean in (0.0, 1.0):
        interval = wilson_interval(round(sum(defined)), count)
    else:
        interval = bootstrap_interval(defined)
    return {"value": mean, "interval_95": interval, "n": count}


def _echo(judgement: Judgement) -> float:
    return float(judgement.failed or bool(judgement.echo))


def _recall(kind: str | None) -> Callable[[InputRecord], float | None]:
    return lambda one: one.judgement.recall(kind)


_MEASURES: dict[str, Callable[[InputRecord], float | None]] = {
    "P": lambda one: one.passes,
    "SC": lambda one: one.judgement.compliance.valid and not one.judgement.failed,
    "HFR": lambda one: one.judgement.fabrication,
    "HFR_inputs": lambda one: one.judgement.failed or bool(one.judgement.made_up),
    "TFR": _recall(None),
    **{f"TFR_{kind}": _recall(kind) for kind in KINDS},
    "BIND": lambda one: one.judgement.bind,
    "CFS": lambda one: None if one.edit is None else one.edit.followed,
    "CFS_new_there": lambda one: None if one.edit is None else one.edit.new_there,
    "CFS_old_gone": lambda one: None if one.edit is None else one.edit.old_gone,
    "CFS_rest_unchanged": lambda one: None if one.edit is None else one.edit.rest_unchanged,
    "XLEAK": lambda one: None if one.leaks is None else bool(one.leaks),
    "MIN": lambda one: None if one.judgement.minimal is None else one.judgement.minimal.passes,
    "ECHO": lambda one: _echo(one.judgement),
    "SOFT": lambda one: one.judgement.soft,
    "RULES": lambda one: not one.judgement.rules if one.judgement.has_rules else None,
}
