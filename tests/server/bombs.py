"""Schemas that blow up: what any engine must refuse or answer in bounded time."""

import time
from typing import Any

import httpx

from spokesmith.metrics import parse_strict

BOMBS: dict[str, dict[str, Any]] = {
    "pattern": {"type": "string", "pattern": "^((a{1,1000}){1,1000}){1,1000}$"},
    "recursion": {"$ref": "#"},
    "tree": {
        "type": "object",
        "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
    "long": {"type": "string", "minLength": 10**9},
    "long ending": {
        "type": "object",
        "properties": {"t": {"type": "string", "minLength": 2000}},
        "required": ["t"],
        "additionalProperties": False,
    },
    "many": {"type": "array", "items": {"type": "string"}, "minItems": 1500},
}


def ends_in_bounded_time(
    client: httpx.Client, body: dict[str, Any], schema: dict[str, Any]
) -> None:
    """Ask for an answer that is held to a schema, and for an ending where it is cut: it is refused,
    cut, or one whole JSON value."""
    start = time.perf_counter()
    held = {
        **body,
        "response_format": {"type": "json_schema", "schema": schema},
        "max_tokens": 30,
        "on_truncation": "close",
    }
    response = client.post("/v1/chat/completions", json=held)
    assert response.status_code in (200, 400), response.text
    assert time.perf_counter() - start < 10
    if response.status_code == 200:
        (choice,) = response.json()["choices"]
        assert choice["finish_reason"] in ("stop", "length")
        if choice["finish_reason"] == "stop" or choice["closed"]:
            # Against the bomb itself it is not checked, which might go off here.
            parse_strict(choice["message"]["content"])
