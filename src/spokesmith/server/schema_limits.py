"""How large and how deep a caller's schema may be, so that compiling it takes bounded time.

What a grammar can hold is the engine's to say; here only what would cost too much is refused, and
what would look elsewhere for a part of the schema.
"""

import math
from decimal import Decimal
from typing import Any

MAX_DEPTH = 60
MAX_VALUES = 20_000
MAX_CHARACTERS = 256 * 1024
MAX_PROPERTIES = 500
MAX_PATTERN_CHARACTERS = 2_000
MAX_MULTIPLE = 100_000
MAX_GRAMMAR_CHARACTERS = 64 * 1024
HOLDS_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions")


def check_schema(schema: Any, *, what: str = "the schema") -> None:
    """Raise ValueError, with the limit, where a schema is too large or points outside itself."""
    if not isinstance(schema, dict | bool):
        raise ValueError(f"{what} is {type(schema).__name__}: give a JSON Schema, an object")
    if schema is False:
        raise ValueError(f"{what} is false, which no answer fits: give one that allows something")
    num_values = num_characters = 0
    waiting: list[tuple[Any, int]] = [(schema, 1)]
    while waiting:
        value, depth = waiting.pop()
        num_values += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"{what} nests deeper than {MAX_DEPTH} levels: make it flatter")
        if num_values > MAX_VALUES:
            raise ValueError(f"{what} holds more than {MAX_VALUES} values: make it smaller")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{what} holds the number {value}: give a finite one")
        if isinstance(value, str):
            num_characters += len(value)
        if isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
        if isinstance(value, dict):
            _check_keywords(value, what)
            num_characters += sum(map(len, value))
            waiting += [(item, depth + 1) for item in value.values()]
        if num_characters > MAX_CHARACTERS:
            raise ValueError(f"{what} is longer than {MAX_CHARACTERS >> 10} KiB: make it smaller")


def check_grammar(grammar: str) -> None:
    """Raise ValueError where a grammar is empty or too long."""
    if not grammar.strip():
        raise ValueError("the grammar is empty: give rules, or leave it out")
    if len(grammar) > MAX_GRAMMAR_CHARACTERS:
        limit = f"{MAX_GRAMMAR_CHARACTERS >> 10} KiB"
        raise ValueError(f"the grammar is longer than {limit}: make it smaller")


def closed(schema: Any) -> Any:
    """The schema with its objects closed that do not say whether they are.

    Every answer under the result fits the schema as it was; without it a model may go on naming
    properties of its own. Objects whose properties are put together from several parts stay open,
    and so do their parts.
    """
    return _closed(schema, is_part=False, shares_parts=_shares_parts(schema))


def _closed(schema: Any, *, is_part: bool, shares_parts: bool) -> Any:
    """`closed` of what stands somewhere in a schema.

    Args:
        is_part: whether it says only some of the properties of its object.
        shares_parts: whether what stands under $defs may be such a part.
    """
    if isinstance(schema, list):
        return [_closed(item, is_part=is_part, shares_parts=shares_parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {
        **dict.fromkeys(("items", "prefixItems", "additionalProperties"), False),
        **dict.fromkeys(("properties", "patternProperties"), False),
        **dict.fromkeys(("$defs", "definitions"), shares_parts),
        **dict.fromkeys(("anyOf", "oneOf"), is_part or _has_several_parts(schema)),
    }
    done: dict[str, Any] = {}
    for key, value in schema.items():
        if key not in inner:
            done[key] = value
        elif key in HOLDS_SCHEMAS_BY_NAME and isinstance(value, dict):
            done[key] = {
                name: _closed(one, is_part=inner[key], shares_parts=shares_parts)
                for name, one in value.items()
            }
        else:
            done[key] = _closed(value, is_part=inner[key], shares_parts=shares_parts)
    composed = {"allOf", "anyOf", "oneOf", "$ref", "patternProperties", "additionalProperties"}
    if not is_part and isinstance(schema.get("properties"), dict) and not composed & schema.keys():
        done["additionalProperties"] = False
    return done


def _has_several_parts(schema: dict[str, Any]) -> bool:
    """Whether several places of an object's schema name its properties."""
    one_each = ("properties", "patternProperties", "anyOf", "oneOf", "$ref")
    parts = schema.get("allOf")
    num_parts = len(parts) if isinstance(parts, list) else 0
    return num_parts + sum(key in schema for key in one_each) > 1


def _shares_parts(schema: Any) -> bool:
    """Whether any object of several parts takes one of them from elsewhere in the schema."""
    if isinstance(schema, list):
        return any(map(_shares_parts, schema))
    if not isinstance(schema, dict):
        return False
    if _has_several_parts(schema):
        parts = [schema.get(key) for key in ("allOf", "anyOf", "oneOf")]
        if "$ref" in schema or any(map(_refers, parts)):
            return True
    return any(map(_shares_parts, schema.values()))


def _refers(schema: Any) -> bool:
    """Whether a reference stands anywhere in a schema."""
    if isinstance(schema, list):
        return any(map(_refers, schema))
    return isinstance(schema, dict) and ("$ref" in schema or any(map(_refers, schema.values())))


def is_cheap_to_check(schema: Any) -> bool:
    """Whether checking a value takes time in proportion to it: no regular expression, no reference.

    A regular expression may backtrack for ever, references may double the work at every level.
    """
    if isinstance(schema, list):
        return all(is_cheap_to_check(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    costly = {"pattern", "patternProperties", "$ref", "$dynamicRef"}
    return not costly & schema.keys() and all(map(is_cheap_to_check, schema.values()))


def _check_keywords(schema: dict[str, Any], what: str) -> None:
    reference = schema.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        raise ValueError(
            f"{what} refers to '{reference[:100]}', outside itself: put the part under $defs"
        )
    properties = schema.get("properties")
    if isinstance(properties, dict) and len(properties) > MAX_PROPERTIES:
        raise ValueError(
            f"{what} has an object with {len(properties)} properties: use at most {MAX_PROPERTIES}"
        )
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and len(pattern) > MAX_PATTERN_CHARACTERS:
        raise ValueError(
            f"{what} has a pattern of {len(pattern)} characters: use at most "
            f"{MAX_PATTERN_CHARACTERS}"
        )
    multiple = schema.get("multipleOf")
    if isinstance(multiple, int | float) and not isinstance(multiple, bool):
        _check_multiple(multiple, what)


def _check_multiple(multiple: float, what: str) -> None:
    """The grammar counts remainders: it grows with the multiple, without its decimal point."""
    size = multiple
    if isinstance(multiple, float) and math.isfinite(multiple):
        _, digits, exponent = Decimal(repr(multiple)).as_tuple()
        significant = int("".join(map(str, digits)))
        size = significant * 10 ** max(0, int(exponent))
    if size > MAX_MULTIPLE:
        raise ValueError(
            f"{what} has a multipleOf of more than {MAX_MULTIPLE}, decimal point left out: "
            "use a rounder one"
        )
