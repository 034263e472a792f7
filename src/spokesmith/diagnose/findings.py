"""What a diagnosis says: questions, and under each the checks with their figures and verdicts."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["yes", "no", "refused", "told"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of a diagnosis.

    Attributes:
        name: what was compared or looked at.
        verdict: `yes` is as it should be, `no` is not; `refused` is wrong here, but a guard refuses
            to run it; `told` is a figure without a judgement.
        figure: what was measured, in words.
        value: the number behind it, if there is one.
    """

    name: str
    verdict: Verdict
    figure: str
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question and its answer. `rows` is a table by layer, where there is one."""

    title: str
    checks: list[Check]
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(check.verdict != "no" for check in self.checks)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All questions that were asked of one base."""

    base: str
    facts: dict[str, Any]
    questions: list[Question]

    @property
    def ok(self) -> bool:
        return all(question.ok for question in self.questions)

    def failures(self) -> list[str]:
        """The checks that said no, each in a few words."""
        return [
            f"{check.name}: {check.figure}"
            for question in self.questions
            for check in question.checks
            if check.verdict == "no"
        ]

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


def compare(name: str, error: float, tolerance: float, *, refused: bool = False) -> Check:
    """A check of a relative error against the most that rounding explains."""
    figure = f"relative error {error:.1e} (tolerance {tolerance:.0e})"
    if error <= tolerance:
        return Check(name=name, verdict="yes", figure=figure, value=error)
    if refused:
        figure += ", and refused when asked for"
    return Check(name=name, verdict="refused" if refused else "no", figure=figure, value=error)
