"""The field matrix of a report: what holds for which probe, the failures first.

Reads verdicts and judges nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spokesmith.metrics import NUMBER, report_document

Probe = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Whether something holds; None where it does not apply. `note` says how much."""

    holds: bool | None
    note: str = ""

    @property
    def sign(self) -> str:
        """A sign that needs no colour."""
        return {True: "✓", False: "✗", None: "·"}[self.holds]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One question asked of every probe; `field` for one about a field of the schema."""

    title: str
    cells: list[Cell]
    is_field: bool = False

    @property
    def count(self) -> int:
        """For how many probes it holds."""
        return sum(cell.holds is True for cell in self.cells)

    @property
    def of(self) -> int:
        """For how many probes the question applies."""
        return sum(cell.holds is not None for cell in self.cells)

    @property
    def share(self) -> float | None:
        """The share of probes for which it holds, of those to which it applies."""
        return self.count / self.of if self.of else None


def failures_first(probes: Sequence[Probe]) -> list[Probe]:
    """Not valid, then with made-up facts, then with lost numbers, then other failures, then passes.

    Within each of these the order stays.
    """

    def rank(probe: Probe) -> int:
        made_up, kept = _nothing_made_up(probe).holds, _numbers_kept(probe).holds
        order = (probe["valid"], made_up, kept, probe["passes"])
        return order.index(False) if False in order else len(order)

    return sorted(probes, key=rank)


def columns_of(probes: Sequence[Probe]) -> list[Column]:
    """The questions that apply to any of the probes, their cells in the order of the probes."""
    verdicts: list[tuple[str, Callable[[Probe], Cell]]] = [
        ("passes", lambda probe: Cell(holds=probe["passes"])),
        ("valid", lambda probe: Cell(holds=probe["valid"])),
        ("nothing made up", _nothing_made_up),
        ("numbers kept", _numbers_kept),
        ("must keep", lambda probe: _all_hold(probe.get("must_keep"))),
        ("must avoid", lambda probe: _all_hold(probe.get("must_avoid"))),
        ("field rules", _rules_kept),
        ("short stays short", _short_stays_short),
        ("no twin leaks", _no_leaks),
        ("edit followed", lambda probe: Cell(holds=(probe.get("edit") or {}).get("followed"))),
    ]
    columns = [
        Column(title=title, cells=[ask(probe) for probe in probes]) for title, ask in verdicts
    ]
    names = dict.fromkeys(name for probe in probes for name in fields_of(probe))
    fields = [
        Column(
            title=name,
            cells=[Cell(holds=fields_of(probe).get(name)) for probe in probes],
            is_field=True,
        )
        for name in names
    ]
    return [column for column in columns + fields if column.of]


def fields_of(probe: Probe) -> Mapping[str, bool]:
    """Whether each field of the schema is present and valid."""
    return probe["judgement"]["compliance"]["fields"]


def reasons_of(probe: Probe) -> list[str]:
    """Why a probe does not pass, in a few words each; empty where it passes."""
    if probe["passes"]:
        return []
    made_up, lost = _nothing_made_up(probe), _numbers_kept(probe)
    found = [
        (not probe["valid"], "not valid"),
        (made_up.holds is False, _with_note("made up", made_up)),
        (lost.holds is False, _with_note("numbers lost", lost)),
        (_no_leaks(probe).holds is False, "leaks its twin"),
        (_short_stays_short(probe).holds is False, "adds to a short text"),
    ]
    return [reason for applies, reason in found if applies]


def _with_note(words: str, cell: Cell) -> str:
    return f"{words}: {cell.note}" if cell.note else words


def _nothing_made_up(probe: Probe) -> Cell:
    share = probe["judgement"]["fabrication"]
    if share is None:
        return Cell(holds=None)
    return Cell(holds=share == 0, note=str(len(report_document.made_up(probe)) or ""))


def _numbers_kept(probe: Probe) -> Cell:
    lost = len(report_document.not_kept(probe, NUMBER))
    return Cell(holds=probe["judgement"]["numbers_kept"], note=str(lost or ""))


def _rules_kept(probe: Probe) -> Cell:
    if not probe["judgement"]["has_rules"]:
        return Cell(holds=None)
    broken = probe["judgement"]["rules"]
    return Cell(holds=not broken, note=str(len(broken) or ""))


def _short_stays_short(probe: Probe) -> Cell:
    minimal = probe["judgement"]["minimal"]
    return Cell(holds=None if minimal is None else minimal["passes"])


def _no_leaks(probe: Probe) -> Cell:
    leaks = probe.get("leaks")
    return Cell(holds=None) if leaks is None else Cell(holds=not leaks, note=str(len(leaks) or ""))


def _all_hold(facts: Mapping[str, bool] | None) -> Cell:
    if not facts:
        return Cell(holds=None)
    return Cell(holds=all(facts.values()), note=f"{sum(facts.values())}/{len(facts)}")
