"""What an answer is held to, in the words that llama.cpp takes, in the canonical form of JSON."""

import json
from collections.abc import Sequence
from typing import Any

from spokesmith.decoding.request import Constraint
from spokesmith.tasks.canonical import GRAMMAR_FORM


def grammar_text(constraint: Constraint, stop_ids: Sequence[int]) -> str:
    """The grammar of an answer and of the token that ends it.

    llama.cpp lets a held answer end with one token alone, which need not be the one that ends a
    turn of the chat; so the tokens that may end it are a part of the grammar. A GBNF grammar goes
    to llama.cpp as it is: its own engine lets every such token end an answer.
    """
    if constraint.kind == "gbnf":
        return constraint.value
    end = " | ".join(f"<[{token}]>" for token in stop_ids)
    lines = ["%llguidance {}", "start: answer end", f"end: {end}", f"answer: {_body(constraint)}"]
    return "\n".join([*lines, ""])


def _body(constraint: Constraint) -> str:
    match constraint.kind:
        case "lark":
            return f"%lark {{\n{constraint.value}\n}}"
        case "regex":
            return f"/{_as_lark_regex(constraint.value)}/"
        case "json":
            return _json({"type": "object"})
        case _:
            return _json(constraint.value)


def _json(schema: Any) -> str:
    if isinstance(schema, dict):
        schema = {**schema, "x-guidance": GRAMMAR_FORM}
    return f"%json {json.dumps(schema, ensure_ascii=False)}"


def _as_lark_regex(regex: str) -> str:
    """A regular expression with what would end it escaped."""
    parts: list[str] = []
    is_escaped = False
    for character in regex:
        if character == "/" and not is_escaped:
            parts.append("\\/")
        elif character == "\n":
            parts.append("n" if is_escaped else "\\n")
        else:
            parts.append(character)
        is_escaped = character == "\\" and not is_escaped
    return "".join(parts)
