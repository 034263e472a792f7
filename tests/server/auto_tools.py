"""Answers with `tool_choice: auto` of a base that is made to want a call, or an end."""

from typing import Any

import httpx

from spokesmith.bases import Base
from spokesmith.metrics import check

MARK = "<tool_call>"
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 8}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}


def with_mark(base: Base) -> Base:
    """The base, able to write the mark of a call as one token."""
    assert base.tokenizer.add_tokens([MARK]) == 1
    return base


def is_a_text_or_a_whole_call(client: httpx.Client, then: str) -> None:
    """Have tildes written, then the token of a text: the mark of a call, or an end."""

    def token_of(text: str) -> str:
        (token,) = client.post("/tokenize", json={"content": text}).json()["tokens"]
        return str(token)

    body = {
        "messages": [{"role": "system", "content": "Hi"}, {"role": "user", "content": "Weather?"}],
        "tools": [TOOL],
        "max_tokens": 200,
        # Each tilde makes the next one less likely, until the other token is likelier.
        "logit_bias": {token_of("~"): 100, token_of(then): 85},
        "frequency_penalty": 2,
    }
    response = client.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    (choice,) = response.json()["choices"]
    assert set(choice["message"]["content"]) == {"~"}
    if then != MARK:
        assert choice["finish_reason"] == "stop"
        assert "tool_calls" not in choice["message"]
        return
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "weather"
    assert check(call["function"]["arguments"], PARAMETERS).valid
