"""Canonical JSON: the one serialisation that training targets, the grammar and output share.

No white space between tokens, keys in the schema's order, characters outside ASCII as they are,
numbers as Python writes them. A model that is trained on one form and decoded under a grammar of
another form is fought by its own grammar, so nothing else in the project serialises an encoding.
"""

import json
from collections import deque
from collections.abc import Sequence
from typing import Any

ITEM_SEPARATOR = ","
KEY_SEPARATOR = ":"
# The same in the words of the library that makes grammars of schemas.
GRAMMAR_FORM: Any = {
    "whitespace_flexible": False,
    "item_separator": ITEM_SEPARATOR,
    "key_separator": KEY_SEPARATOR,
}


def canonical_json(value: Any, schema: dict[str, Any] | None = None) -> str:
    """Serialise `value`, with keys in the order that `schema` declares.

    Args:
        value: any JSON value.
        schema: JSON Schema whose `properties` give the key order, see `order_like`. None keeps the
            value's order.

    Raises:
        ValueError: a number is not finite, or a string holds half a surrogate pair.
    """
    ordered = value if schema is None else order_like(value, schema)
    text = json.dumps(
        ordered,
        ensure_ascii=False,
        allow_nan=False,
        separators=(ITEM_SEPARATOR, KEY_SEPARATOR),
    )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        character = text[error.start]
        raise ValueError(
            f"the value holds {character!r}, half of a surrogate pair, which UTF-8 cannot carry: "
            "replace it before encoding"
        ) from error
    return text


def in_grammar_form(schema: Any) -> Any:
    """A JSON Schema as that library takes it, so that answers are canonical.

    What it says itself under the library's key is replaced: it could say that parts of it need not
    hold.
    """
    return {**schema, "x-guidance": GRAMMAR_FORM} if isinstance(schema, dict) else schema


def schema_in_grammar(schema: Any) -> str:
    """`in_grammar_form` as it stands inside a grammar of that library."""
    return json.dumps(in_grammar_form(schema), ensure_ascii=False)


def order_like(value: Any, schema: dict[str, Any]) -> Any:
    """`value` with the keys of its objects in the order of the schema's `properties`.

    References inside the schema are followed, and of alternatives the one that declares an object's
    keys. Keys that the schema does not name follow in their own order.
    """
    return _ordered(value, [schema], schema)


def _ordered(value: Any, schemas: Sequence[Any], root: dict[str, Any]) -> Any:
    """A value that fits one of some schemas."""
    if isinstance(value, dict):
        declared = [one["properties"] for one in _expanded(schemas, root) if "properties" in one]
        properties = min(declared, key=lambda one: _misfits(value, one), default={})
        known = [key for key in properties if key in value]
        rest = [key for key in value if key not in properties]
        return {key: _ordered(value[key], [properties.get(key)], root) for key in known + rest}
    if isinstance(value, list):
        items = [one["items"] for one in _expanded(schemas, root) if "items" in one]
        return [_ordered(item, items, root) for item in value]
    return value


def _expanded(schemas: Sequence[Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """Schemas, then their alternatives and what they refer to, each with the properties of those
    that led to it before its own."""
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    waiting = deque((one, {}) for one in schemas)
    while waiting:
        one, before = waiting.popleft()
        if not isinstance(one, dict) or id(one) in seen:
            continue
        seen.add(id(one))
        properties = before | one.get("properties", {})
        found.append(one | {"properties": properties} if properties else one)
        inner = [*one.get("anyOf", ()), *one.get("oneOf", ())]
        if isinstance(one.get("$ref"), str):
            inner.append(_referred(one["$ref"], root))
        waiting += [(part, properties) for part in inner]
    return found


def _referred(reference: str, root: dict[str, Any]) -> Any:
    """What a reference inside the schema leads to; None for any other."""
    start, *parts = reference.split("/")
    found: Any = root if start == "#" else None
    for part in parts:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _misfits(value: dict[str, Any], properties: dict[str, Any]) -> tuple[int, int, int]:
    """Values that no `const` or `enum` allows, keys that are not declared, keys that are absent;
    the first count most."""
    others = sum(
        key in value
        and isinstance(part, dict)
        and value[key] not in part.get("enum", [part.get("const", value[key])])
        for key, part in properties.items()
    )
    return others, len(value.keys() - properties.keys()), len(properties.keys() - value.keys())
