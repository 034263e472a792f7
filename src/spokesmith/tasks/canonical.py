"""Canonical JSON: the one serialisation that training targets, the grammar and output share.

No white space between tokens, keys in the schema's order, characters outside ASCII as they are,
numbers as Python writes them. A model that is trained on one form and decoded under a grammar of
another form is fought by its own grammar, so nothing else in the project serialises an encoding.
"""

import json
from typing import Any

ITEM_SEPARATOR = ","
KEY_SEPARATOR = ":"


def canonical_json(value: Any, schema: dict[str, Any] | None = None) -> str:
    """Serialise `value`, with keys in the order that `schema` declares.

    Args:
        value: any JSON value.
        schema: JSON Schema whose `properties` give the key order; keys that it does not name
            follow in their own order. None keeps the value's order.

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


def order_like(value: Any, schema: dict[str, Any]) -> Any:
    """`value` with the keys of its objects in the order of the schema's `properties`."""
    if isinstance(value, dict):
        properties: dict[str, Any] = schema.get("properties", {})
        known = [key for key in properties if key in value]
        rest = [key for key in value if key not in properties]
        return {key: order_like(value[key], properties.get(key, {})) for key in known + rest}
    if isinstance(value, list):
        items = schema.get("items", {})
        return [order_like(item, items if isinstance(items, dict) else {}) for item in value]
    return value
