"""A JSON Schema as a short outline that a prompt can hold.

The outline shows a model the shape of its answer in a third of the schema's tokens, e.g.
`{"gist":string,"tags":[string],"level":"low"|"high","score":number 0..1}`.
It is for reading only: validation and grammars use the schema itself.
"""

from typing import Any

from spokesmith.tasks.canonical import canonical_json


def outline(schema: dict[str, Any]) -> str:
    """Render `schema` as one line. Keywords without a short form here are left to the grammar."""
    if "enum" in schema:
        return "|".join(canonical_json(value) for value in schema["enum"])
    if "const" in schema:
        return canonical_json(schema["const"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return "|".join(outline(option) for option in schema[union])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return "|".join(outline({**schema, "type": one}) for one in kind)
    if kind == "object":
        properties: dict[str, Any] = schema.get("properties", {})
        fields = (f"{canonical_json(key)}:{outline(value)}" for key, value in properties.items())
        return "{" + ",".join(fields) + "}"
    if kind == "array":
        return "[" + outline(schema.get("items", {})) + "]"
    if kind in ("number", "integer") and "minimum" in schema and "maximum" in schema:
        return f"{kind} {schema['minimum']}..{schema['maximum']}"
    return kind
