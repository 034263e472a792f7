"""Explains the score of one probe: what its answer states, where its text states it, what is wrong.

Reads an entry of a report document; runs and judges nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from spokesmith.metrics import parse_strict
from spokesmith.metrics.report_document import made_up
from spokesmith.metrics.strings import leaves_of
from spokesmith.probes.tables import lost, problems_of, shown

GROUNDED, MADE_UP, LOST = "underline green", "bold red", "bold yellow"
CONTEXT_CHARACTERS = 20
MOST_CHARACTERS = 2000

Entry = Mapping[str, Any]


def probe_entry(document: Mapping[str, Any], id: str) -> dict[str, Any]:
    """The entry of one probe in a report document.

    Raises:
        ValueError: the report does not have it, or not its texts.
    """
    for entry in document["probes"]:
        if entry["id"] == id:
            if entry["source"] is None:
                raise ValueError(
                    f"the report was written without contents, so '{id}' cannot be explained: "
                    "run the probes again without --without-contents"
                )
            return entry
    raise ValueError(f"the report has no probe '{id}': give one of its ids")


def explanation(entry: Entry) -> Group:
    """The text and the answer with their facts marked, each fact, and every problem."""
    verdicts = (("valid", entry["valid"]), ("passes", entry["passes"]))
    words = ", ".join(f"{name}: {'yes' if holds else 'no'}" for name, holds in verdicts)
    parts: list[RenderableType] = [
        Text(shown(f"{entry['id']} ({entry['category']}): {words}"), style="bold"),
        *_block("text, with what the answer took from it; lost facts stand out", [_source(entry)]),
        *_block("answer", list(_answer(entry))),
    ]
    if entry["judgement"]["stated"]:
        parts += ["", _facts_table(entry)]
    missing = [f"{one['kind']} {one['text']}" for one in lost(entry)]
    problems = problems_of(entry)
    echoes = [f"echoes the prompt: {run}" for run in entry["judgement"]["echo"]]
    for title, lines in (("facts of the text that are lost", missing), ("problems", problems)):
        parts += _block(title, [Text(shown(line)) for line in lines])
    parts += _block("beside", [Text(shown(line)) for line in echoes])
    return Group(*parts)


def _block(title: str, lines: list[Text]) -> list[RenderableType]:
    if not lines:
        return []
    return ["", Text(title, style="dim"), *(Padding(line, (0, 0, 0, 2)) for line in lines)]


def _source(entry: Entry) -> Text:
    judgement = entry["judgement"]
    used = [(one["source_span"], GROUNDED) for one in judgement["stated"] if one["source_span"]]
    gone = [(one["span"], LOST) for one in lost(entry)]
    return _marked(entry["source"], [*used, *gone])


def _answer(entry: Entry) -> Iterable[Text]:
    """Each string of the answer after its JSON pointer; an answer that is no JSON as it is."""
    answer = entry["answer"]
    if entry["judgement"]["failed"]:
        cut = " …" if len(answer) > MOST_CHARACTERS else ""
        yield Text(shown(answer[:MOST_CHARACTERS]) + cut or "(nothing)")
        return
    for pointer, leaf in leaves_of(parse_strict(answer)):
        facts = [one for one in entry["judgement"]["stated"] if one["field"] == pointer]
        label = Text(shown(pointer) + "  ", style="cyan")
        if isinstance(leaf, str):
            spans = [(one["span"], MADE_UP if one in made_up(entry) else GROUNDED) for one in facts]
            yield label + _marked(leaf, spans)
        else:
            wrong = any(one["source_span"] is None for one in facts)
            yield label + Text(str(leaf), style=MADE_UP if wrong else "")


def _marked(string: str, spans: Iterable[tuple[list[int], str]]) -> Text:
    text = Text(shown(string))
    for (start, end), style in spans:
        text.stylize(style, start, end)
    return text


def _facts_table(entry: Entry) -> Table:
    """What the answer states, the made-up facts first; what is stated often has one row."""
    table = Table()
    for name in ("kind", "fact", "fields", "in the text, or why it counts as made up"):
        table.add_column(name, overflow="fold")
    rows: dict[tuple[bool, str, str, str], list[str]] = {}
    for one in entry["judgement"]["stated"]:
        is_grounded = one["source_span"] is not None
        where = _context(entry["source"], *one["source_span"]) if is_grounded else one["reason"]
        rows.setdefault((is_grounded, one["kind"], one["text"], where), []).append(one["field"])
    for (is_grounded, kind, fact, where), fields in sorted(rows.items(), key=lambda row: row[0][0]):
        cells = (kind, fact, "\n".join(dict.fromkeys(fields)), where)
        style = "" if is_grounded else MADE_UP
        table.add_row(*(Text(shown(cell)) for cell in cells), style=style)
    return table


def _context(source: str, start: int, end: int) -> str:
    """A span of the text with a little of what stands around it, on one line."""
    first, last = max(0, start - CONTEXT_CHARACTERS), min(len(source), end + CONTEXT_CHARACTERS)
    before, after = "…" if first else "", "…" if last < len(source) else ""
    return before + " ".join(source[first:last].split()) + after
