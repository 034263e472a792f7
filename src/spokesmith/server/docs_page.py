"""`GET /docs`: the OpenAPI document as a page that loads nothing from elsewhere."""

from collections.abc import Iterable
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; padding-top: 0.5rem; margin-top: 2rem; }
h2 code { font-size: 1.1rem; } h2 b { font-size: 0.8rem; margin-right: 0.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; }
td:nth-child(2) { white-space: nowrap; opacity: 0.8; }
"""


def add_routes(app: FastAPI) -> None:
    """Add the page."""

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()), headers=HEADERS)


def docs_page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document: every route, what it takes and what it answers."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])} The same as data: ",
        "<a href=openapi.json>/openapi.json</a></p>",
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts += _section(path, method, operation, document)
    return "".join(parts) + "</html>"


def _section(
    path: str, method: str, operation: dict[str, Any], document: dict[str, Any]
) -> Iterable[str]:
    yield f"<section><h2><b>{method.upper()}</b><code>{escape(path)}</code></h2>"
    words = operation.get("description") or operation.get("summary", "")
    yield f"<p>{escape(words)}</p>"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        yield "<table><tr><th>field<th>type<th>meaning"
        schema = _resolved(body["schema"], document)
        required = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            mark = " (required)" if name in required else ""
            words = field.get("description", "")
            yield f"<tr><td><code>{escape(name)}</code>{mark}"
            yield f"<td>{escape(_type_of(field))}<td>{escape(words)}"
        yield "</table>"
    yield "</section>"


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return document["components"]["schemas"][name] if name else schema


def _type_of(field: dict[str, Any]) -> str:
    """A field's type in a few words; null is left out, since every field may be left out."""
    if "$ref" in field:
        return field["$ref"].rpartition("/")[2]
    if "anyOf" in field:
        kinds = [_type_of(part) for part in field["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return " or ".join(str(value) for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type_of(field.get('items', {}))}"
    return field.get("type", "any")
