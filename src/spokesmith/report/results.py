"""Several reports on one page: every set, free and constrained, measure by measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spokesmith.metrics.explanations import CLASSICAL, CLASSICAL_NOTE
from spokesmith.metrics.report_document import check_format, decoding_of
from spokesmith.metrics.statistics import mcnemar
from spokesmith.report.html import render
from spokesmith.report.matrix import columns_of
from spokesmith.report.measures import Measure, classical_of, in_order, measures_of

# What was asked which probes: at the top of a document, or in its `made`.
SUBJECT = (
    "task", "set", "base", "spokes", "spokes_hash", "dtype", "quantize", "url", "model",
    "model_hash",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One report in the tables."""

    name: str
    document: Mapping[str, Any]
    decoding: str
    measures: dict[str, Measure]
    classical: dict[str, Measure]
    shares: dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class _Comparison:
    """The same probes answered freely and constrained.

    `only_free` and `only_constrained` count probes that pass in this one alone.
    """

    name: str
    n: int
    free: float
    constrained: float
    only_free: int
    only_constrained: int
    p: float


def results_page(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """One self-contained HTML page over several report documents.

    Args:
        documents: each under the name of its file. Two that differ only in free or constrained are
            compared probe by probe.

    Raises:
        ValueError: there is no document, or one is of another format.
    """
    if not documents:
        raise ValueError("there is no report to show: run `spokesmith probe --out` first")
    for document in documents.values():
        check_format(document)
    lines = sorted(
        (_line(name, document) for name, document in documents.items()),
        key=lambda line: (_subject(line.document), line.decoding != "free", line.name),
    )
    shown = {name: measure for line in lines for name, measure in line.measures.items()}
    published = {name: measure for line in lines for name, measure in line.classical.items()}
    return render(
        "results.html.j2",
        lines=lines,
        measures=in_order(shown.values()),
        classical=[published[name] for name in CLASSICAL if name in published],
        classical_note=CLASSICAL_NOTE,
        fields=list(dict.fromkeys(name for line in lines for name in line.shares)),
        comparisons=_comparisons(lines),
        tasks=sorted({line.document["task"] for line in lines}),
    )


def _line(name: str, document: Mapping[str, Any]) -> _Line:
    columns = columns_of(document["probes"])
    return _Line(
        name=name,
        document=document,
        decoding=decoding_of(document),
        measures={measure.name: measure for measure in measures_of(document)},
        classical={measure.name: measure for measure in classical_of(document)},
        shares={column.title: column.share for column in columns if column.is_field},
    )


def _subject(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What two documents share that may be compared."""
    told = {**(document.get("made") or {}), **document}
    return tuple(str(told.get(key)) for key in SUBJECT)


def _comparisons(lines: Sequence[_Line]) -> list[_Comparison]:
    """One for each pair of lines that share their subject and any probe."""
    by_subject: dict[tuple[str, ...], dict[str, _Line]] = {}
    for line in lines:
        by_subject.setdefault(_subject(line.document), {})[line.decoding] = line
    found: list[_Comparison] = []
    for lines_of in by_subject.values():
        if lines_of.keys() >= {"free", "constrained"}:
            free, constrained = lines_of["free"].document, lines_of["constrained"].document
            pairs = _pairs(free, constrained)
            if pairs:
                found.append(_compared(str(free["set"]), pairs))
    return found


def _pairs(free: Mapping[str, Any], constrained: Mapping[str, Any]) -> list[tuple[bool, bool]]:
    """Of each probe in both reports, whether it passes free and whether constrained."""
    passes = {probe["id"]: probe["passes"] for probe in free["probes"]}
    return [
        (passes[probe["id"]], probe["passes"])
        for probe in constrained["probes"]
        if probe["id"] in passes
    ]


def _compared(name: str, pairs: Sequence[tuple[bool, bool]]) -> _Comparison:
    only_free = sum(free and not constrained for free, constrained in pairs)
    only_constrained = sum(constrained and not free for free, constrained in pairs)
    return _Comparison(
        name=name,
        n=len(pairs),
        free=sum(free for free, _ in pairs) / len(pairs),
        constrained=sum(constrained for _, constrained in pairs) / len(pairs),
        only_free=only_free,
        only_constrained=only_constrained,
        p=mcnemar(only_free, only_constrained),
    )
