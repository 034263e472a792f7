"""What a JSON Schema says about the value at one place of a document.

Follows properties, items, combinations and references inside the schema; conditions (`if`) and
references out of it are not followed.
"""

import json
import math
from functools import lru_cache
from typing import Any

MOST_SCHEMAS = 100
MOST_PLACES = 4096


class SchemaPlaces:
    """A schema that is asked about the same places again and again."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._says = lru_cache(maxsize=MOST_PLACES)(self._look_up)

    def is_closed(self, pointer: str) -> bool:
        """Whether the values that are allowed at a pointer are listed."""
        return self._says(pointer)[0]

    def is_quantity(self, leaf: Any, pointer: str) -> bool:
        """Whether a value is a finite number that is not bounded on both sides at its pointer."""
        if isinstance(leaf, bool) or not isinstance(leaf, int | float):
            return False
        if isinstance(leaf, float) and not math.isfinite(leaf):
            return False
        return not any(self._says(pointer))

    def _look_up(self, pointer: str) -> tuple[bool, bool]:
        """Whether values are listed there, and whether numbers are bounded on both sides."""
        schemas = schemas_at(self._schema, pointer)
        return (
            any("enum" in one or "const" in one for one in schemas),
            any(
                ("minimum" in one or "exclusiveMinimum" in one)
                and ("maximum" in one or "exclusiveMaximum" in one)
                for one in schemas
            ),
        )


def places_of(schema: dict[str, Any]) -> SchemaPlaces:
    """The places of a schema; those of the last few schemas are remembered."""
    return _places(json.dumps(schema))


@lru_cache(maxsize=32)
def _places(schema: str) -> SchemaPlaces:
    return SchemaPlaces(json.loads(schema))


def schemas_at(schema: dict[str, Any], pointer: str) -> list[dict[str, Any]]:
    """The schemas that say something about the value at a pointer."""
    level = _expanded([schema], schema)
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        inner: list[Any] = []
        for one in level:
            properties = one.get("properties")
            if isinstance(properties, dict) and name in properties:
                inner.append(properties[name])
            elif isinstance(one.get("additionalProperties"), dict):
                inner.append(one["additionalProperties"])
            prefix = one.get("prefixItems")
            if name.isdecimal() and isinstance(prefix, list) and int(name) < len(prefix):
                inner.append(prefix[int(name)])
            elif name.isdecimal() and "items" in one:
                inner.append(one["items"])
        level = _expanded(inner, schema)
    return level


def _expanded(schemas: list[Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """Schemas with those that they refer to and combine."""
    found: list[dict[str, Any]] = []
    waiting = list(schemas)
    while waiting and len(found) < MOST_SCHEMAS:
        one = waiting.pop()
        if not isinstance(one, dict) or any(one is other for other in found):
            continue
        found.append(one)
        for keyword in ("allOf", "anyOf", "oneOf"):
            waiting.extend(one.get(keyword) or ())
        reference = one.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            waiting.append(_at(root, reference[1:]))
    return found


def _at(root: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        root = root.get(name) if isinstance(root, dict) else None
    return root
