"""Is a task folder fit to train on? Every problem at once, each one line with its remedy.

A problem makes training, decoding or scoring wrong; a note deserves a look. Knows no model and
no tokenizer: whether an encoding fits into `max_tokens` it cannot say.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from spokesmith.tasks.canonical import canonical_json
from spokesmith.tasks.files import read_text
from spokesmith.tasks.outline import outline
from spokesmith.tasks.probe_records import GOLD, SETS_FOLDER, TEXTS, read_probe_records, strings_in
from spokesmith.tasks.task import (
    BUILT_IN,
    BUILT_IN_NAMES,
    SCHEMA_MARK,
    read_settings,
)
from spokesmith.tasks.verbatim import path_problem

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Keywords that the outline cannot follow; of these the canonical key order follows `$ref` alone.
UNSEEN_KEYWORDS = (
    "$ref", "$dynamicRef", "allOf", "if", "not", "dependentSchemas", "patternProperties",
)  # fmt: skip
SHAPE_KEYWORDS = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$dynamicRef")


@dataclass
class TaskReport:
    """What is wrong with a task (`problems`) and what deserves a look (`notes`)."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def check_task(name_or_folder: str | Path) -> TaskReport:
    """Check every part of the task in a folder, or of a built-in task. Raises nothing for what
    the folder holds: each finding is a line of the report."""
    folder = Path(name_or_folder)
    if str(name_or_folder) in BUILT_IN_NAMES:
        folder = BUILT_IN / str(name_or_folder)
    report = TaskReport()
    if not (folder / "task.toml").is_file():
        remedy = "make the folder with `spokesmith task new`"
        report.problems.append(f"{folder / 'task.toml'} is missing: {remedy}")
        return report
    try:
        settings = read_settings(folder / "task.toml")
    except ValueError as error:
        report.problems.append(str(error))
        return report
    if settings["max_tokens"] < 1:
        report.problems.append(
            f"{folder / 'task.toml'}: max_tokens = {settings['max_tokens']} leaves no room "
            "for an answer: give a positive number"
        )
    schema = _check_schema_file(folder / settings["schema"], report)
    for path in settings["verbatim"] if schema is not None else ():
        if problem := path_problem(schema, path):
            where = folder / "task.toml"
            report.problems.append(
                f"{where}: verbatim names {path!r}, but {problem}: mend the path"
            )
    _check_prompt(folder / settings["prompt"], schema, report)
    records, problems = read_probe_records(folder / settings["probes"])
    report.problems += problems
    if not records and not problems:
        report.notes.append(
            f"{folder / settings['probes']} is empty: without probes nothing says how well the "
            "spokes do; write some inputs, one JSON object a line"
        )
    sets = {folder / settings["probes"]: records}
    for path in sorted((folder / SETS_FOLDER).glob("*.jsonl")):
        if path.stem in (GOLD, TEXTS):
            report.problems.append(
                f"{path}: '{path.stem}' names other probes already: rename the file"
            )
        sets[path], problems = read_probe_records(path)
        report.problems += problems
    if schema is not None and report.ok:
        for path, found in sets.items():
            report.problems += _gold_problems(path, found, schema)
    return report


def check_schema(schema: dict[str, Any], source: str) -> TaskReport:
    """Check that every value that fits `schema` is a closed, complete, canonical encoding.

    Args:
        schema: the JSON Schema.
        source: what to call it in the lines of the report; a JSON pointer follows.
    """
    report = TaskReport(problems=dialect_problems(schema, source))
    if not report.ok:
        return report
    if schema.get("type") != "object":
        report.problems.append(
            f"{source}#: the root's type is {schema.get('type')!r}: an encoding is one JSON "
            'object, give "type": "object"'
        )
    unbounded: list[str] = []
    for pointer, part in subschemas(schema):
        where = f"{source}#{pointer}"
        report.problems += _shape_problems(part, where) + _reference_problems(part, schema, where)
        if isinstance(part, dict):
            report.notes += _unseen_notes(part, where)
            unbounded += _missing_bounds(part, pointer)
    if unbounded:
        report.notes.append(
            f"{source}: no upper bound at {', '.join(unbounded)}: a bound keeps a loop in the "
            "decoder from running to max_tokens"
        )
    if report.ok:
        report.problems += _serialisation_problems(schema, source)
    return report


def dialect_problems(schema: dict[str, Any], source: str) -> list[str]:
    """What makes `schema` no valid JSON Schema, Draft 2020-12."""
    declared = schema.get("$schema", DIALECT)
    if str(declared).rstrip("#") != DIALECT:
        remedy = f'convert the schema and give "$schema": "{DIALECT}"'
        return [f"{source}#: declares the dialect {declared!r}, want Draft 2020-12: {remedy}"]
    validator = Draft202012Validator(
        Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [
        f"{source}#{_pointer(error.absolute_path)}: not valid under Draft 2020-12 "
        f"({error.message}): mend it"
        for error in sorted(validator.iter_errors(schema), key=lambda error: error.json_path)
    ]


def subschemas(schema: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """`schema` and each schema below it that gives an answer its shape, with its JSON pointer."""
    yield pointer, schema
    if not isinstance(schema, dict):
        return
    for keyword in ("properties", "$defs", "definitions"):
        for name, part in schema.get(keyword, {}).items():
            yield from subschemas(part, pointer + _pointer([keyword, name]))
    if "items" in schema:
        yield from subschemas(schema["items"], f"{pointer}/items")
    for keyword in ("anyOf", "oneOf"):
        for index, part in enumerate(schema.get(keyword, [])):
            yield from subschemas(part, f"{pointer}/{keyword}/{index}")


def admits(schema: dict[str, Any], kind: str) -> bool:
    """Whether the `type` of `schema` lets values of this kind in."""
    declared = schema.get("type")
    return declared == kind or (isinstance(declared, list) and kind in declared)


def _check_schema_file(path: Path, report: TaskReport) -> dict[str, Any] | None:
    """Add the findings on the schema in `path`; return it where it is one at all."""
    try:
        schema = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        report.problems.append(f"{path} is not JSON ({error}): mend the file")
        return None
    except ValueError as error:
        report.problems.append(str(error))
        return None
    if not isinstance(schema, dict):
        report.problems.append(
            f"{path} holds {type(schema).__name__}: want a schema, a JSON object"
        )
        return None
    found = check_schema(schema, str(path))
    report.problems += found.problems
    report.notes += found.notes
    # What is no JSON Schema has no fields to look for.
    return None if dialect_problems(schema, str(path)) else schema


def _check_prompt(path: Path, schema: dict[str, Any] | None, report: TaskReport) -> None:
    try:
        prompt = read_text(path)
    except ValueError as error:
        report.problems.append(str(error))
        return
    if not prompt.strip():
        report.problems.append(f"{path} is empty: say what to answer, then {SCHEMA_MARK}")
        return
    properties = (schema or {}).get("properties", {})
    missing = [name for name in properties if name not in prompt]
    if SCHEMA_MARK not in prompt and missing:
        report.notes.append(
            f"{path} has no {SCHEMA_MARK} and does not name {', '.join(missing)}: "
            f"put {SCHEMA_MARK} where the outline of the schema shall stand"
        )


def _shape_problems(schema: Any, where: str) -> list[str]:
    if not isinstance(schema, dict):
        return [f"{where} is {json.dumps(schema)}: the outline cannot show that, give a type"]
    if not any(keyword in schema for keyword in SHAPE_KEYWORDS):
        return [f"{where}: takes any value: give a type"]
    problems: list[str] = []
    if "prefixItems" in schema:
        problems.append(
            f"{where}: the outline cannot show prefixItems: use an object with named fields"
        )
    elif admits(schema, "array") and "items" not in schema:
        problems.append(f'{where}: an array of any values: give "items"')
    properties = schema.get("properties", {})
    if not admits(schema, "object"):
        return problems
    if schema.get("additionalProperties") is not False:
        present = "additionalProperties" in schema
        found = json.dumps(schema["additionalProperties"]) if present else "missing"
        problems.append(
            f"{where}: additionalProperties is {found}, so the object is not closed: "
            'give "additionalProperties": false'
        )
    required = schema.get("required", [])
    optional = [name for name in properties if name not in required]
    if optional:
        problems.append(
            f"{where}: not required: {', '.join(optional)}: an encoding has every field, "
            'add them to "required" and use "", [] or null for nothing'
        )
    undeclared = [name for name in required if name not in properties]
    if undeclared:
        problems.append(
            f"{where}: required but not declared: {', '.join(undeclared)}: "
            "declare them in properties or no answer can be valid"
        )
    return problems


def _reference_problems(part: Any, schema: dict[str, Any], where: str) -> list[str]:
    """References that lead nowhere or out of the schema, which must stand by itself."""
    if not isinstance(part, dict) or not isinstance(part.get("$ref"), str):
        return []
    reference = part["$ref"]
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    try:
        resolver.lookup(reference)
    except Unresolvable:
        fault = "to nothing in the schema" if reference.startswith("#") else "outside the schema"
        return [f"{where}: $ref '{reference}' leads {fault}: write that schema in its place"]
    return []


def _unseen_notes(schema: dict[str, Any], where: str) -> list[str]:
    return [
        f"{where}: the outline "
        + ("does" if keyword == "$ref" else "and the canonical key order do")
        + f" not follow {keyword}: say the shape in place where you can"
        for keyword in UNSEEN_KEYWORDS
        if keyword in schema
    ]


def _missing_bounds(schema: dict[str, Any], pointer: str) -> list[str]:
    if "enum" in schema or "const" in schema:
        return []
    return [
        f"#{pointer} ({bound})"
        for kind, bound in (("string", "maxLength"), ("array", "maxItems"))
        if admits(schema, kind) and bound not in schema
    ]


def _serialisation_problems(schema: dict[str, Any], source: str) -> list[str]:
    try:
        canonical_json(schema)
        outline(schema)
    except ValueError as error:
        return [f"{source}: the schema has no canonical JSON ({error}): mend the value"]
    return []


def _gold_problems(path: Path, records: list[dict[str, Any]], schema: dict[str, Any]) -> list[str]:
    """Golds that are no valid, canonical encoding or that do not keep what their probe wants.

    Fields that are held to the text while answers are decoded may say it in other words in a gold.
    """
    validator = Draft202012Validator(schema)
    problems: list[str] = []
    for record in records:
        gold = record.get("gold")
        if gold is None:
            continue
        where = f"{path}, gold of '{record['id']}'"
        for error in validator.iter_errors(gold):
            problems.append(
                f"{where} at #{_pointer(error.absolute_path)}: {error.message}: mend the gold"
            )
        try:
            in_order = canonical_json(gold) == canonical_json(gold, schema)
        except ValueError as error:
            problems.append(f"{where} has no canonical JSON ({error}): mend the value")
            continue
        if not in_order:
            problems.append(f"{where}: keys out of order: put them in the order of the schema")
        strings = list(strings_in(gold))
        problems += [
            f"{where} does not keep '{fact}': put it into the gold or take it out of keep"
            for fact in record.get("keep", [])
            if not any(fact in string for string in strings)
        ]
    return problems


def _pointer(path: Any) -> str:
    """A JSON pointer (RFC 6901) from its parts."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
