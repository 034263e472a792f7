"""Strict schema compliance of one answer: parsed, closed, typed, in range, within its lengths.

Stricter than `json.loads` (duplicate keys, NaN, overflowing numbers, half surrogates and trailing
text are errors) and told apart by aspect. It judges form alone: whether an answer is true is not
known here.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from spokesmith.metrics.strings import escape

MAX_DEPTH = 100
MAX_PROBLEMS = 50
KEYS, TYPES, SUB_ARRAYS, ENUMS = "keys", "types", "sub_arrays", "enums"
RANGES, LENGTHS, OTHER = "ranges", "lengths", "other"
ASPECT_OF = {
    "required": KEYS,
    "additionalProperties": KEYS,
    "unevaluatedProperties": KEYS,
    "propertyNames": KEYS,
    "type": TYPES,
    "enum": ENUMS,
    "const": ENUMS,
    "minimum": RANGES,
    "maximum": RANGES,
    "exclusiveMinimum": RANGES,
    "exclusiveMaximum": RANGES,
    "multipleOf": RANGES,
    "minLength": LENGTHS,
    "maxLength": LENGTHS,
    "minItems": LENGTHS,
    "maxItems": LENGTHS,
    "minProperties": LENGTHS,
    "maxProperties": LENGTHS,
}


@dataclass(frozen=True, kw_only=True)
class Compliance:
    """The judgement of one answer.

    `fields` says of each top-level property whether it is present and valid. An aspect (`keys`,
    `types`, `sub_arrays`, `enums`, `ranges`, `lengths`) judges what is there and is None where the
    schema asks nothing of it; all fail where the text is not JSON or its value is of another type
    than the schema's. `problems` are lines of a path and a reason, the first fifty.
    """

    valid: bool
    json_valid: bool
    fields: dict[str, bool]
    keys: bool | None
    types: bool | None
    sub_arrays: bool | None
    enums: bool | None
    ranges: bool | None
    lengths: bool | None
    problems: list[str]


def parse_strict(text: str) -> Any:
    """The one JSON value that `text` is.

    Raises:
        ValueError: `text` is not one JSON value that ends by itself, names a key twice in one
            object, holds a number that is not finite or half of a surrogate pair, or nests deeper
            than 100 levels.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_not_json,
            parse_float=_finite,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not one JSON value: {error}") from error
    except RecursionError as error:
        raise ValueError(f"the JSON nests deeper than {MAX_DEPTH} levels") from error
    _check_depth_and_text(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice in one object")
        found[key] = value
    return found


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:40]} is not finite")
    return number


def _integer(digits: str) -> int:
    # A number that no double can hold would become infinite in most readers.
    if not math.isfinite(float(digits)):
        raise ValueError(f"the number {digits[:40]}... is not finite")
    return int(digits)


def _check_depth_and_text(value: Any) -> None:
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"the JSON nests deeper than {MAX_DEPTH} levels")
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, dict):
            for key, inner in item.items():
                _check_text(key)
                waiting.append((inner, depth + 1))
        elif isinstance(item, list):
            waiting.extend((inner, depth + 1) for inner in item)


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = text[error.start]
            raise ValueError(f"a string holds {half!r}, half of a surrogate pair") from error


def check(text: str, schema: dict[str, Any]) -> Compliance:
    """Judge one answer. No answer raises; one that is not JSON fails every aspect.

    Args:
        text: what the model wrote, whole.
        schema: JSON Schema (2020-12) of the answer.

    Raises:
        ValueError: `schema` is not a JSON Schema.
    """
    return check_and_parse(text, schema)[0]


def check_and_parse(text: str, schema: dict[str, Any]) -> tuple[Compliance, Any]:
    """As `check`, with the value that the answer is; None where it is not JSON."""
    key = json.dumps(schema)
    validator = _validator(key)
    stated = _stated(key)
    properties: list[str] = list(schema.get("properties", {}))
    try:
        value = parse_strict(text)
    except ValueError as error:
        failure = Compliance(
            valid=False,
            json_valid=False,
            fields=dict.fromkeys(properties, False),
            **{aspect: False if aspect in stated else None for aspect in _ASPECTS},
            problems=[f"(whole): {error}"],
        )
        return failure, None
    failed: set[str] = set()
    broken: set[str] = set()
    problems: list[str] = []
    try:
        errors = list(_leaves(validator.iter_errors(value)))
    except Unresolvable as error:
        raise ValueError(f"the schema's reference {error.ref!r} leads nowhere: mend it") from error
    for error in errors:
        if not error.absolute_path and error.validator == "type":
            failed.update(_ASPECTS)
        failed.update(_aspects_of(error, schema))
        broken.update(str(part) for part in list(error.absolute_path)[:1])
        if len(problems) < MAX_PROBLEMS:
            problems.append(f"{_pointer(error)}: {error.message[:200]}")
    fields = {
        name: isinstance(value, dict) and name in value and name not in broken
        for name in properties
    }
    compliance = Compliance(
        valid=not problems,
        json_valid=True,
        fields=fields,
        **{aspect: aspect not in failed if aspect in stated else None for aspect in _ASPECTS},
        problems=problems,
    )
    return compliance, value


_ASPECTS = (KEYS, TYPES, SUB_ARRAYS, ENUMS, RANGES, LENGTHS)


@lru_cache(maxsize=32)
def _validator(schema: str) -> Draft202012Validator:
    parsed = json.loads(schema)
    try:
        Draft202012Validator.check_schema(parsed)
    except SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.message}: mend the schema") from error
    # An empty registry: a reference out of the schema is an error, never a download.
    return Draft202012Validator(parsed, registry=Registry())


@lru_cache(maxsize=32)
def _stated(schema: str) -> frozenset[str]:
    """The aspects that a schema asks anything of."""
    found: set[str] = set()
    parsed = json.loads(schema)
    waiting: list[Any] = [parsed]
    while waiting:
        node = waiting.pop()
        for keyword, inner in node.items() if isinstance(node, dict) else ():
            found.add(ASPECT_OF.get(keyword, OTHER))
            if keyword in ("enum", "const", "default", "examples", "required"):
                continue
            if keyword in ("properties", "patternProperties", "$defs", "dependentSchemas"):
                waiting.extend(inner.values())
            else:
                waiting.extend(inner if isinstance(inner, list) else [inner])
    if any(_is_container(inner) for inner in parsed.get("properties", {}).values()):
        found.add(SUB_ARRAYS)
    return frozenset(found)


def _is_container(schema: Any) -> bool:
    """Whether a schema declares an array or an object."""
    if not isinstance(schema, dict):
        return False
    declared = schema.get("type", [])
    kinds = declared if isinstance(declared, list) else [declared]
    return bool({"array", "object"} & set(kinds)) or "items" in schema or "properties" in schema


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """Errors, each of a union replaced by those of its nearest option.

    Nearest is an option of the value's own type, and among these the one with the fewest errors.
    """
    for error in errors:
        options: dict[Any, list[ValidationError]] = {}
        for inner in error.context or ():
            options.setdefault(inner.relative_schema_path[0], []).append(inner)
        if options:
            yield from _leaves(iter(min(options.values(), key=_distance)))
        else:
            yield error


def _distance(errors: list[ValidationError]) -> tuple[bool, int]:
    other_type = any(error.validator == "type" and not error.relative_path for error in errors)
    return other_type, len(errors)


def _aspects_of(error: ValidationError, schema: dict[str, Any]) -> set[str]:
    """The aspects that an error fails; a wrong shape below the top fails the sub-arrays too."""
    aspect = ASPECT_OF.get(str(error.validator), OTHER)
    path = list(error.absolute_path)
    if aspect not in (KEYS, TYPES) or not path:
        return {aspect}
    top = schema.get("properties", {}).get(path[0], {})
    inside = len(path) > 1 or aspect == KEYS or _is_container(top)
    return {aspect, SUB_ARRAYS} if inside else {aspect}


def _pointer(error: ValidationError) -> str:
    pointer = "".join(f"/{escape(str(part))}" for part in error.absolute_path)
    return pointer or "(whole)"
