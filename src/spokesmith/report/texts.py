"""One probe's texts with their facts marked: where the source states them, which are made up.

Reads the verdict of a report document and judges nothing. Spans count characters of the strings as
they were judged.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from spokesmith.metrics import parse_strict
from spokesmith.metrics.strings import leaves_of
from spokesmith.report.marks import Mark, marked


@dataclass(frozen=True, kw_only=True)
class Told:
    """A fact that is listed below a text, and the id of its mark in the text."""

    id: str
    text: str
    kind: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class _Stated:
    """A fact of an answer, its span in its string, and the link to its place in the source."""

    told: Told
    span: list[int]
    target: str | None


@dataclass(frozen=True, kw_only=True)
class OutputString:
    """One leaf of the answer: its JSON pointer, its text with marks, and what is wrong in it.

    `made_up` are facts that the source does not state, `unbound` numbers that stand
    beside other words in it.
    """

    pointer: str
    html: Markup
    is_string: bool
    made_up: list[Told]
    unbound: list[Told]


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What is shown of a probe whose contents the document holds.

    `strings` is None where the answer is not one JSON value; `raw` is the answer as written.
    """

    source: Markup
    lost: list[Told]
    strings: list[OutputString] | None
    raw: str


def texts_of(probe: Mapping[str, Any], prefix: str) -> Texts | None:
    """The marked texts of a probe; None where the document leaves the contents out.

    Args:
        probe: an entry of a report document's `probes`.
        prefix: opens every id, unlike that of any other probe.
    """
    if probe["source"] is None:
        return None
    answer = probe["answer"] or ""
    return Texts(
        source=marked(probe["source"], _source_marks(probe["judgement"], prefix)),
        lost=[
            Told(id=_source_id(prefix, one["span"]), text=one["text"], kind=one["kind"])
            for one in probe["judgement"]["kept"]
            if not one["kept"]
        ],
        strings=_output_strings(answer, probe["judgement"], prefix),
        raw=answer,
    )


def _source_id(prefix: str, span: list[int]) -> str:
    return f"{prefix}s{span[0]}-{span[1]}"


def _source_marks(judgement: Mapping[str, Any], prefix: str) -> list[Mark]:
    """One mark for each span that an output fact leads to or that is a fact of the source."""
    classes: dict[tuple[int, int], set[str]] = defaultdict(set)
    for stated in judgement["stated"]:
        if stated["source_span"] is not None:
            classes[(stated["source_span"][0], stated["source_span"][1])].add("used")
    for one in judgement["kept"]:
        classes[(one["span"][0], one["span"][1])].add("kept" if one["kept"] else "lost")
    return [
        Mark(
            start=start,
            end=end,
            tag="mark",
            attributes={
                "id": _source_id(prefix, [start, end]),
                "class": "lost" if "lost" in names else "kept",
            },
        )
        for (start, end), names in sorted(classes.items())
    ]


def _output_strings(
    answer: str, judgement: Mapping[str, Any], prefix: str
) -> list[OutputString] | None:
    try:
        value = parse_strict(answer)
    except ValueError:
        return None
    loose = {(one["field"], one["kind"], *one["span"]): one["reason"] for one in judgement["bound"]}
    facts: dict[str, list[_Stated]] = defaultdict(list)
    for number, one in enumerate(judgement["stated"]):
        place = (one["field"], one["kind"], *one["span"])
        told = Told(
            id=f"{prefix}m{number}",
            text=one["text"],
            kind=one["kind"],
            reason=one["reason"] or loose.get(place, ""),
        )
        target = one["source_span"] and f"#{_source_id(prefix, one['source_span'])}"
        facts[one["field"]].append(_Stated(told=told, span=one["span"], target=target))
    return [_output_string(pointer, leaf, facts[pointer]) for pointer, leaf in leaves_of(value)]


def _output_string(pointer: str, leaf: Any, facts: list[_Stated]) -> OutputString:
    is_string = isinstance(leaf, str)
    text = leaf if is_string else json.dumps(leaf)
    marks: list[Mark] = []
    for fact in facts:
        # A JSON number is one fact as a whole, however it was written.
        start, end = fact.span if is_string else (0, len(text))
        marks += _output_marks(fact, start, end)
    return OutputString(
        pointer=pointer or "(whole)",
        html=marked(text, marks),
        is_string=is_string,
        made_up=[fact.told for fact in facts if fact.target is None],
        unbound=[fact.told for fact in facts if fact.target is not None and fact.told.reason],
    )


def _output_marks(fact: _Stated, start: int, end: int) -> list[Mark]:
    """The marks of one fact, the outer first; a reason shows when it is pointed at or focused."""
    told = fact.told
    if fact.target is None:
        reason = {"data-reason": f"made up: {told.reason}"}
        attributes = {"class": "bad", "id": told.id, "tabindex": "0"} | reason
        return [Mark(start=start, end=end, tag="span", attributes=attributes)]
    attributes = {"class": "ok", "href": fact.target}
    link = Mark(start=start, end=end, tag="a", attributes=attributes)
    if not told.reason:
        return [link]
    # Around the link, so that the fact leads to its source and tells the reason too.
    reason = {"data-reason": f"beside other words: {told.reason}"}
    attributes = {"class": "loose", "id": told.id} | reason
    return [Mark(start=start, end=end, tag="span", attributes=attributes), link]
