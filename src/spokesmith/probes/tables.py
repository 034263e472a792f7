"""A report document as tables for a terminal: the totals first, then the probes that fail.

Reads verdicts and judges nothing.
"""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from spokesmith.metrics import NUMBER
from spokesmith.metrics.explanations import CLASSICAL, CLASSICAL_NOTE, explanation_of
from spokesmith.metrics.report_document import decoding_of, made_up, not_kept

Entry = Mapping[str, Any]

MOST_ROWS = 40
PROBLEM_CHARACTERS = 130
ID_COLUMNS = 28
# No control code of a text or an answer reaches the terminal, and every character keeps its place.
_VISIBLE = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"},
    **dict.fromkeys([*range(0x7F, 0xA0), *range(0xD800, 0xE000)], 0xFFFD),
}


def shown(words: str) -> str:
    """Words as a terminal can show them, character for character."""
    return words.translate(_VISIBLE)


def summary_lines(document: Mapping[str, Any]) -> list[str]:
    """What a reader has to know before the figures: what was left out and what failed, and why."""
    probes, totals = document["probes"], document["totals"]
    lines: list[str] = []
    if document["left_out"]:
        lines.append(f"bad lines of the set that were left out: {document['left_out']}")
    if probes and totals["unreached"] == len(probes):
        lines.append(f"{document['url'] or 'the engine'} could not be reached: every probe failed")
    if totals["errors"]:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in totals["errors"].items())
        failed = sum(totals["errors"].values())
        lines.append(f"without a whole answer: {failed} of {len(probes)} probes: {shown(reasons)}")
    return lines


def totals_tables(document: Mapping[str, Any]) -> list[Table]:
    """Each measure with its interval and n, and the counts behind the valid answers."""
    totals = document["totals"]
    title = f"{document['task']}, {document['set']}, {decoding_of(document)}"
    strict = {name: explanation_of(name) for name in totals["measures"]}
    tables = [_measures_table(title, totals["measures"], strict, _caption(totals))]
    if classical := totals.get("classical"):
        tables.append(_measures_table("classical", classical, CLASSICAL, CLASSICAL_NOTE))
    return [*tables, _counts_table(totals)]


def _measures_table(
    title: str, measures: Mapping[str, Any], explanations: Mapping[str, str], caption: str
) -> Table:
    table = Table(title=Text(title), caption=caption)
    table.add_column("measure", no_wrap=True)
    table.add_column("value", no_wrap=True, justify="right")
    table.add_column("95 %", no_wrap=True, justify="right")
    table.add_column("n", no_wrap=True, justify="right")
    table.add_column("what")
    for name, measure in measures.items():
        if measure["n"]:
            value, interval = figures(measure)
            table.add_row(name, value, interval, str(measure["n"]), explanations[name])
    return table


def figures(measure: Mapping[str, Any]) -> tuple[str, str]:
    """A measure's value and interval in words; dashes where nothing defines it."""
    value, interval = measure["value"], measure["interval_95"]
    bounds = "–" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"
    return "–" if value is None else f"{value:.1%}", bounds


def _caption(totals: Mapping[str, Any]) -> str:
    parts = [
        f"{totals[key]:.{digits}f} {unit}"
        for key, digits, unit in (
            ("median_latency_s", 2, "s median latency"),
            ("tokens_per_s", 1, "tokens/s an answer"),
        )
        if totals[key] is not None
    ]
    return ", ".join(parts)


def _counts_table(totals: Mapping[str, Any]) -> Table:
    """Counts; of aspects and fields only those that fail where the answer is JSON."""
    table = Table()
    table.add_column("what", overflow="fold")
    table.add_column("valid", no_wrap=True, justify="right")
    table.add_column("passes", no_wrap=True, justify="right")
    whole = totals["valid"]
    table.add_row("all probes", _count(whole), _count(totals["passes"]))
    for name, count in totals["categories"].items():
        passes = _count({"n": count["passes"], "of": count["of"]})
        table.add_row(Text(shown(f"category {name}")), _count(count), passes)
    table.add_section()
    is_json = totals["aspects"]["json_valid"]
    if is_json["n"] < is_json["of"]:
        table.add_row("one whole JSON value", _count(is_json), "")
    for heading, noun in (("aspects", "aspect"), ("fields", "field")):
        for name, count in totals[heading].items():
            if count["n"] < min(count["of"], is_json["n"]):
                table.add_row(Text(shown(f"{noun} {name}")), _count(count), "")
    table.add_section()
    for heading, words in (("must_keep", "must keep"), ("must_avoid", "must avoid")):
        if totals[heading]["of"]:
            table.add_row(f"{words} (facts)", _count(totals[heading]), "")
    return table


def _count(count: Mapping[str, int]) -> str:
    share = f" {count['n'] / count['of']:4.0%}" if count["of"] else ""
    return f"{count['n']}/{count['of']}{share}"


def failures_table(document: Mapping[str, Any]) -> Table | Text:
    """A row a probe, failures first; of many probes only the first failures."""
    entries = sorted(document["probes"], key=lambda entry: (entry["passes"], entry["valid"]))
    failing = [entry for entry in entries if not entry["passes"]]
    rows = entries if len(entries) <= MOST_ROWS else failing[:MOST_ROWS]
    if not rows:
        return Text(f"all {len(entries)} probes pass")
    left = len(failing) - len(rows)
    caption = f"and {left} more that fail; --out keeps them all" if left > 0 else None
    table = Table(title=f"{len(failing)} of {len(entries)} fail", caption=caption)
    table.add_column("probe", max_width=ID_COLUMNS, overflow="fold")
    for name in ("valid", "passes"):
        table.add_column(name, no_wrap=True)
    for name in ("made up", "lost"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("first problem", overflow="fold")
    for entry in rows:
        problem = next(iter(problems_of(entry)), "")
        # Without contents the problems have no words left: how many there are remains.
        words = _in_numbers(entry) if entry["source"] is None else _shortened(problem)
        cells = (
            shown(entry["id"]),
            "yes" if entry["valid"] else "no",
            "yes" if entry["passes"] else "no",
            str(len(made_up(entry)) or ""),
            str(len(lost(entry, NUMBER)) or ""),
            shown(words),
        )
        # Text, not str: rich would read the brackets in a problem as markup.
        table.add_row(*map(Text, cells), style=None if entry["passes"] else "bold")
    return table


def _in_numbers(entry: Entry) -> str:
    """What is wrong with an answer, without a word of it."""
    problems = entry["judgement"]["compliance"]["problems"]
    counts = (
        ("against the schema", len(problems)),
        ("made up", len(made_up(entry))),
        ("numbers lost", len(lost(entry, NUMBER))),
        ("of the twin's", len(entry["leaks"] or [])),
        ("against the rules", len(entry["judgement"]["rules"])),
    )
    return entry["problem"] or ", ".join(f"{words}: {count}" for words, count in counts if count)


def _shortened(problem: str) -> str:
    """A problem with its middle left out where it is long: what is wrong often stands last."""
    half = PROBLEM_CHARACTERS // 2
    return problem if len(problem) <= 2 * half else f"{problem[:half]} … {problem[-half:]}"


def lost(entry: Entry, kind: str | None = None) -> list[dict[str, Any]]:
    """The facts of the text, of all kinds or of one, that a whole answer does not keep."""
    return [] if entry["judgement"]["failed"] else not_kept(entry, kind)


def problems_of(entry: Entry) -> list[str]:
    """All that is wrong with an answer, a line each: what fails it first, then the rest."""
    judgement = entry["judgement"]
    minimal = judgement["minimal"]
    edit = entry["edit"] or {}
    followed = edit.get("followed")
    return [
        *([entry["problem"]] if entry["problem"] is not None else []),
        *(judgement["compliance"]["problems"] if entry["problem"] is None else []),
        *(f"{one['field']}: {one['text']}: {one['reason']}" for one in made_up(entry)),
        *(f"the {NUMBER} {one['text']} is lost" for one in lost(entry, NUMBER)),
        *(minimal["problems"] if minimal and not judgement["failed"] else []),
        *((entry["leaks"] or []) if not judgement["failed"] else []),
        *_unmet(entry),
        *(["the edit is not followed"] if followed is False else []),
        *(judgement["rules"] if not judgement["failed"] else []),
    ]


def _unmet(entry: Entry) -> list[str]:
    if entry["judgement"]["failed"]:
        return []
    return [
        *(f"does not keep '{fact}'" for fact, kept in entry["must_keep"].items() if not kept),
        *(f"says '{fact}'" for fact, absent in entry["must_avoid"].items() if not absent),
    ]
