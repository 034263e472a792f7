"""One report document as a page to read: measures, field matrix, every answer beside its text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spokesmith.metrics.explanations import CLASSICAL_NOTE
from spokesmith.metrics.report_document import check_format, decoding_of
from spokesmith.report.html import render
from spokesmith.report.matrix import Cell, Column, columns_of, failures_first, reasons_of
from spokesmith.report.measures import classical_of, measures_of
from spokesmith.report.texts import Texts, texts_of

OPEN_AT_FIRST = 3


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One probe: its line in the matrix and its section."""

    id: str
    probe: Mapping[str, Any]
    reasons: list[str]
    cells: list[Cell]
    shares: list[tuple[str, float]]
    texts: Texts | None
    is_open: bool
    twin: str | None
    edited: str | None


def page(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page of a probe report, readable without JavaScript.

    Args:
        document: the report of one probe set, as `probe --out` writes it.

    Raises:
        ValueError: the document is of another format.
    """
    check_format(document)
    probes = failures_first(document["probes"])
    columns = columns_of(probes)
    return render(
        "page.html.j2",
        document=document,
        decoding=decoding_of(document),
        measures=measures_of(document),
        classical=classical_of(document),
        classical_note=CLASSICAL_NOTE,
        columns=columns,
        rows=_rows(probes, columns),
        settings=_settings(document),
        tables=_tables(document["totals"]),
    )


def _rows(probes: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> list[_Row]:
    # Numbers and not the probes' own ids, which may hold anything.
    numbers = {probe["id"]: f"p{number}" for number, probe in enumerate(probes, start=1)}
    return [
        _Row(
            id=numbers[probe["id"]],
            probe=probe,
            reasons=reasons_of(probe),
            cells=[column.cells[place] for column in columns],
            shares=_shares(probe),
            texts=texts_of(probe, numbers[probe["id"]]),
            is_open=not probe["passes"] and place < OPEN_AT_FIRST,
            twin=numbers.get(probe.get("twin")),
            edited=numbers.get((probe.get("edit") or {}).get("of")),
        )
        for place, probe in enumerate(probes)
    ]


def _shares(probe: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The measures of one answer that are shares, and those as published, where it has them."""
    names = {"fabrication": "made up", "recall": "kept", "bind": "bound", "soft": "copied words"}
    judgement, classical = probe["judgement"], probe.get("classical") or {}
    found = [(label, judgement[name]) for name, label in names.items()]
    found += [(f"classical {name}", value) for name, value in classical.items()]
    return [(name, float(value)) for name, value in found if isinstance(value, int | float)]


def _settings(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was asked, of what, and how, where the document says it."""
    found = [
        ("base", document.get("base")),
        ("spokes", document.get("spokes")),
        ("URL", document.get("url")),
        ("probe set", document.get("set")),
        ("decoding", decoding_of(document)),
        ("probes", len(document["probes"])),
        ("bad lines left out", document.get("left_out") or None),
        ("longest answer", _with_unit(document.get("max_tokens"), "tokens")),
        ("time limit", _with_unit(document.get("time_limit_s"), "s")),
        *(document.get("made") or {}).items(),
        ("median latency", _with_unit(document["totals"].get("median_latency_s"), "s")),
        ("speed", _with_unit(document["totals"].get("tokens_per_s"), "tokens/s")),
    ]
    return [(name, str(value)) for name, value in found if value is not None]


def _with_unit(number: float | None, unit: str) -> str | None:
    return None if number is None else f"{number:.6g} {unit}"


def _tables(totals: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Titles of the small tables of counts, each with its rows, where the document has them."""
    titles = {
        "categories": "Valid by category",
        "aspects": "Form by aspect",
        "must_keep": "Must keep",
        "must_avoid": "Must avoid",
        "finish_reasons": "How answers ended",
        "errors": "Errors",
    }
    found = []
    for key, title in titles.items():
        counts = totals.get(key) or {}
        if counts:
            counts = {"": counts} if "of" in counts else counts
            found.append((title, [(name, _count(count)) for name, count in counts.items()]))
    return found


def _count(count: Any) -> str:
    if not isinstance(count, Mapping):
        return str(count)
    share = f" ({count['n'] / count['of']:.0%})" if count["of"] else ""
    return f"{count['n']} of {count['of']}{share}"
