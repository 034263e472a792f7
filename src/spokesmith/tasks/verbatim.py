"""Fields in the text's own words: a schema that lets them say nothing that the text does not.

A task names such fields by path, `/structured_concepts/entities/*/name` for example, where `*` is
every item of an array. For one text each of them gets a `pattern` that only runs of the text's own
words match, or nothing, so that a grammar made from the schema allows no other answer. Knows no
grammar.
"""

import re
from collections.abc import Sequence
from typing import Any

# Scripts that are written without spaces between words, or with endings joined on: every character
# of them may begin or end a run.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
# A word, or any one character that is none.
UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
UNIT = re.compile(rf"[^\W{UNSPACED}]+|\S")
# A run has at most so many units: the first number with which the pattern is not longer than
# MOST_CHARACTERS, and those of all fields together than MOST_CHARACTERS_TOGETHER, since a grammar's
# size is limited. Compiling one takes a good tenth of a second.
MOST_UNITS = (24, 12, 6)
MOST_CHARACTERS = 250_000
MOST_CHARACTERS_TOGETHER = 500_000
# But what no space parts, an address for example, is not cut before it has so many.
MOST_UNITS_UNPARTED = 80


def held_to_text(schema: dict[str, Any], paths: Sequence[str], text: str) -> dict[str, Any]:
    """The schema with the fields at `paths` held to runs of whole words of `text`, or to nothing.

    White space between words counts as one space, whatever the text has there. A text that is too
    long for a pattern (13,000 to 20,000 characters, fewer for more than two paths) leaves the
    schema as it is.
    """
    if not paths:
        return schema
    most = min(MOST_CHARACTERS, MOST_CHARACTERS_TOGETHER // len(paths))
    pattern = run_pattern(text, most_characters=most)
    if pattern is None:
        return schema
    for path in paths:
        schema = _with_pattern(schema, _keys(path), pattern)
    return schema


def run_pattern(text: str, *, most_characters: int = MOST_CHARACTERS) -> str | None:
    """A regular expression for the runs of whole words of a text and for the empty string; None
    where it would be too long."""
    text = " ".join(text.split())
    if len(text) > most_characters:
        return None
    spans = [found.span() for found in UNIT.finditer(text)]
    for most in MOST_UNITS:
        runs = _runs(text, spans, most, most_characters)
        if runs is not None:
            return f"^(?:{'|'.join(dict.fromkeys(runs))})?$"
    return None


def path_problem(schema: Any, path: str) -> str | None:
    """Why a path leads to no field that can be held to a text; None where it does."""
    if not path.startswith("/"):
        return "a path begins with /"
    for key in _keys(path):
        keyword = "items" if key == "*" else "properties"
        part = schema.get(keyword) if isinstance(schema, dict) else None
        if key != "*":
            part = part.get(key) if isinstance(part, dict) else None
        if part is None:
            return f"the schema has nothing at '{key}' of it"
        schema = part
    if not isinstance(schema, dict):
        return 'the schema wants a plain {"type": "string"} there'
    if schema.get("type") != "string" or "pattern" in schema or "enum" in schema:
        return 'the schema wants a plain {"type": "string"} there'
    return None


def _keys(path: str) -> list[str]:
    return path.split("/")[1:]


def _runs(
    text: str, spans: Sequence[tuple[int, int]], most: int, most_characters: int
) -> list[str] | None:
    """A regular expression for each unit and what follows it; None once they are too long."""
    runs: list[str] = []
    length = 0
    for first in range(len(spans)):
        runs.append(_beginnings(text, spans[first : _end_of_run(text, spans, first, most)]))
        length += len(runs[-1]) + 1
        if length > most_characters:
            return None
    return runs


def _end_of_run(text: str, spans: Sequence[tuple[int, int]], first: int, most: int) -> int:
    """The index after the last unit of the longest run that begins with unit `first`."""
    end = min(first + most, len(spans))
    while (
        end < min(first + MOST_UNITS_UNPARTED, len(spans))
        and spans[end][0] == spans[end - 1][1]
        and not UNSPACED_CHARACTER.match(text, spans[end][0])
    ):
        end += 1
    return end


def _beginnings(text: str, run: Sequence[tuple[int, int]]) -> str:
    """A regular expression for a run's first unit, its first two, and so on to all of them."""
    longer = ""
    for before, unit in zip(reversed(run[:-1]), reversed(run[1:]), strict=True):
        longer = f"(?:{re.escape(text[before[1] : unit[1]])}{longer})?"
    return re.escape(text[slice(*run[0])]) + longer


def _with_pattern(schema: dict[str, Any], keys: Sequence[str], pattern: str) -> dict[str, Any]:
    if not keys:
        return {**schema, "pattern": pattern}
    first, rest = keys[0], keys[1:]
    if first == "*":
        return {**schema, "items": _with_pattern(schema["items"], rest, pattern)}
    properties = schema["properties"]
    held = _with_pattern(properties[first], rest, pattern)
    return {**schema, "properties": {**properties, first: held}}
