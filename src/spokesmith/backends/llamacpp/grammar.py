"""What an answer is held to, in the words that llama.cpp takes, in the canonical form of JSON."""

from collections.abc import Sequence

from spokesmith.decoding.request import Constraint
from spokesmith.tasks.canonical import schema_in_grammar


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
            return f"%json {schema_in_grammar({'type': 'object'})}"
        case _:
            return f"%json {schema_in_grammar(constraint.value)}"


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
