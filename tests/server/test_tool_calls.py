"""Tools: what holds the answer under every choice, and calls that are whole or not there."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from scripted_backend import BASE, SET, ScriptedBackend
from serving import client_of, error_of, events_of

from spokesmith.decoding.grammar import Grammar, GrammarCompiler
from spokesmith.server.event_stream import KEEP_ALIVE
from spokesmith.server.tools import Call, Function, Tool, ToolChoice, ToolUse, tool_use
from spokesmith.testing import byte_tokenizer

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "clock"}}
ARGUMENTS = '{"city":"Köln"}'
CALL = f'{{"name":"weather","arguments":{ARGUMENTS}}}'
MARKED = f"<tool_call>\n{CALL}\n</tool_call>"
NAMED = {"type": "function", "function": {"name": "weather"}}
TOKENIZER = byte_tokenizer()
GRAMMARS = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, 320)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend("Hello")


@pytest.fixture
def client(backend: ScriptedBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def body(**more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Weather in Köln?"}]
    return {"model": BASE, "messages": messages, "tools": [WEATHER, CLOCK], **more}


def choice_of(client: httpx.Client, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/chat/completions", json=body(**more))
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]


def check_call(choice: dict[str, Any]) -> None:
    call = choice["message"]["tool_calls"][0]
    assert call["type"] == "function"
    assert call["id"].startswith("call-")
    assert call["function"] == {"name": "weather", "arguments": ARGUMENTS}
    assert choice["finish_reason"] == "tool_calls"


def test_auto_may_answer_with_a_text(client: httpx.Client, backend: ScriptedBackend) -> None:
    choice = choice_of(client)
    assert choice["message"] == {"role": "assistant", "content": "Hello", "refusal": None}
    assert choice["finish_reason"] == "stop"
    constraint = backend.requests[0].constraint
    assert constraint is not None
    assert constraint.kind == "lark"


def test_auto_may_call(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = MARKED
    choice = choice_of(client, tool_choice="auto")
    assert choice["message"]["content"] is None
    check_call(choice)


def test_auto_may_say_something_and_call(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = f"I look it up.\n{MARKED}"
    choice = choice_of(client)
    assert choice["message"]["content"] == "I look it up."
    check_call(choice)


def test_required_calls_under_a_schema(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = CALL
    check_call(choice_of(client, tool_choice="required"))
    constraint = backend.requests[0].constraint
    assert constraint is not None
    assert constraint.kind == "schema"
    assert [one["properties"]["name"] for one in constraint.value["anyOf"]] == [
        {"const": "weather"},
        {"const": "clock"},
    ]
    parts = constraint.value["$defs"]
    assert parts["tool0"] == {**WEATHER["function"]["parameters"], "additionalProperties": False}
    assert parts["tool1"] == {"type": "object", "properties": {}, "additionalProperties": False}


def test_named_is_held_to_the_arguments(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = ARGUMENTS
    check_call(choice_of(client, tool_choice=NAMED))
    constraint = backend.requests[0].constraint
    assert constraint is not None
    assert constraint.value == {
        **WEATHER["function"]["parameters"],
        "additionalProperties": False,
    }


def test_none_never_calls(client: httpx.Client, backend: ScriptedBackend) -> None:
    choice = choice_of(client, tool_choice="none")
    assert choice["message"]["content"] == "Hello"
    assert backend.requests[0].constraint is None
    assert backend.requests[0].messages == [{"role": "user", "content": "Weather in Köln?"}]


@pytest.mark.parametrize(
    ("choice", "answer"), [("auto", MARKED), ("required", CALL), (NAMED, ARGUMENTS)]
)
def test_a_call_that_is_cut_is_no_call(
    client: httpx.Client, backend: ScriptedBackend, choice: Any, answer: str
) -> None:
    backend.answer = answer
    found = choice_of(client, tool_choice=choice, max_tokens=len(answer) // 2)
    assert "tool_calls" not in found["message"]
    assert found["message"]["content"] == ""
    assert found["finish_reason"] == "length"


def test_a_call_that_a_stop_text_cuts_is_no_call(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.answer = f"So:{MARKED}"
    found = choice_of(client, stop=["Köln"])
    assert found["message"] == {"role": "assistant", "content": "So:", "refusal": None}
    assert found["finish_reason"] == "stop"


def test_tools_are_described_in_the_system_turn(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    choice_of(client)
    choice_of(
        client,
        messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
    )
    first, second = (list(request.messages or ()) for request in backend.requests)
    assert first[0]["role"] == "system"
    assert '"name": "weather"' in first[0]["content"]
    assert "The weather of a city." in first[0]["content"]
    assert second[0]["content"].startswith("Be kind.\n\n")
    assert [one["role"] for one in second] == ["system", "user"]


def test_calls_and_results_of_the_past_become_turns(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    calls = [
        {"id": "1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}},
        {"id": "2", "type": "function", "function": {"name": "clock", "arguments": ""}},
    ]
    messages = [
        {"role": "user", "content": "Weather and time?"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "1", "content": "rain"},
        {"role": "tool", "tool_call_id": "2", "content": "noon"},
    ]
    choice_of(client, messages=messages, tool_choice="none")
    clock = '<tool_call>\n{"name":"clock","arguments":{}}\n</tool_call>'
    assert backend.requests[0].messages == [
        {"role": "user", "content": "Weather and time?"},
        {"role": "assistant", "content": f"{MARKED}\n{clock}"},
        {
            "role": "user",
            "content": "<tool_response>\nrain\n</tool_response>\n"
            "<tool_response>\nnoon\n</tool_response>",
        },
    ]


def test_calls_of_the_older_form_are_calls(client: httpx.Client, backend: ScriptedBackend) -> None:
    called = {"name": "weather", "arguments": ARGUMENTS}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "function_call": called},
        {"role": "function", "name": "weather", "content": "rain"},
        {"role": "assistant", "content": "Rain.", "function_call": None},
        {"role": "user", "content": "Thanks"},
    ]
    choice_of(client, messages=messages, tool_choice="none")
    assert backend.requests[0].messages == [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": MARKED},
        {"role": "user", "content": "<tool_response>\nrain\n</tool_response>"},
        {"role": "assistant", "content": "Rain."},
        {"role": "user", "content": "Thanks"},
    ]


def test_references_inside_parameters_hold(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = CALL
    parameters = {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/City"}},
        "$defs": {"City": {"type": "string"}},
    }
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    choice_of(client, tools=[tool], tool_choice="required")
    constraint = backend.requests[0].constraint
    assert constraint is not None
    part = constraint.value["$defs"]["tool0"]
    assert part["properties"]["city"] == {"$ref": "#/$defs/tool0/$defs/City"}
    assert constraint.value["properties"]["arguments"] == {"$ref": "#/$defs/tool0"}


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_parameters_may_have_a_name_of_their_own(choice: ToolChoice) -> None:
    parameters = {
        "$id": "https://example.org/weather",
        "type": "object",
        "properties": {"city": {"$ref": "#/definitions/City"}},
        "definitions": {"City": {"type": "string"}},
    }
    tool = Tool(function=Function(name="weather", parameters=parameters))
    use = tool_use([tool], choice)
    assert use is not None
    grammar = GRAMMARS.start(use.constraint)
    tokens = TOKENIZER(MARKED if choice == "auto" else CALL, add_special_tokens=False).input_ids
    assert grammar.advance(tokens) == len(tokens)


def test_arguments_are_what_the_model_wrote(client: httpx.Client, backend: ScriptedBackend) -> None:
    written = '{"city":"Köln","n":1e999,"m":0.12345678901234567890123}'
    backend.answer = f'<tool_call>\n{{"name":"weather","arguments":{written}}}\n</tool_call>'
    call = choice_of(client)["message"]["tool_calls"][0]
    assert call["function"]["arguments"] == written


def test_tools_beside_a_schema_for_the_answer(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.answer = '{"a":1}'
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    choice = choice_of(client, json_schema=schema)
    assert choice["message"]["content"] == '{"a":1}'
    constraint = backend.requests[0].constraint
    assert constraint is not None
    assert constraint.kind == "lark"
    assert '"a": {"type": "integer"}' in constraint.value


@pytest.mark.parametrize(
    "answer", [json.dumps({"a": f"of {MARKED}"}), '{"a":"<tool_call>"}', '{"a":"b <']
)
def test_an_answer_under_a_schema_may_quote_a_call(
    client: httpx.Client, backend: ScriptedBackend, answer: str
) -> None:
    backend.answer = answer
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    choice = choice_of(client, json_schema=schema)
    assert choice["message"] == {"role": "assistant", "content": answer, "refusal": None}
    assert choice["finish_reason"] == "stop"
    given = body(json_schema=schema, stream=True)
    deltas = [
        event["choices"][0]["delta"]
        for event in events_of(client.post("/v1/chat/completions", json=given))[:-1]
    ]
    assert "".join(delta.get("content", "") for delta in deltas) == answer
    backend.answer = MARKED
    check_call(choice_of(client, json_schema=schema))


@pytest.mark.parametrize(
    "given",
    [
        {"tools": [], "tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "stocks"}}},
        {"tool_choice": "sometimes"},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "function", "function": {"name": "not a name"}}]},
        {"tools": [CLOCK, CLOCK]},
        {"tools": [CLOCK] * 65},
        {
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "null"}}}
            ]
        },
        {"tool_choice": "required", "json_schema": {}},
        {"grammar": 'root ::= "a"'},
    ],
)
def test_tools_that_do_not_fit_are_refused(
    client: httpx.Client, backend: ScriptedBackend, given: dict[str, Any]
) -> None:
    error_of(client.post("/v1/chat/completions", json=body(**given)), 400)
    assert backend.jobs == []


def test_a_call_without_tools_is_refused_where_a_task_answers_too(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    for tools in ({}, {"tools": []}):
        for choice in ("required", NAMED):
            given = {"messages": body()["messages"], "model": SET, "tool_choice": choice, **tools}
            error = error_of(client.post("/v1/chat/completions", json=given), 400)
            assert error["param"] == "tool_choice"
    assert backend.jobs == []
    given = {"messages": body()["messages"], "model": SET, "tool_choice": "none"}
    assert client.post("/v1/chat/completions", json=given).status_code == 200


def test_a_stream_that_waits_for_a_whole_call_sends_comments() -> None:
    backend = ScriptedBackend(MARKED, delay_s=0.01)
    with client_of(backend, keep_alive_s=0.1) as client:
        response = client.post("/v1/chat/completions", json=body(stream=True))
    first, *others = response.text.split("\n\n")
    assert '"role":"assistant"' in first
    assert others[0] == others[1] == KEEP_ALIVE.strip()
    assert events_of(response)[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("answer", "content"), [(MARKED, ""), (f"A <b>.\n{MARKED}", "A <b>."), ("x <tool", "x <tool")]
)
def test_a_stream_sends_text_at_once_and_a_call_when_it_is_whole(
    client: httpx.Client, backend: ScriptedBackend, answer: str, content: str
) -> None:
    backend.answer = answer
    response = client.post("/v1/chat/completions", json=body(stream=True))
    events = events_of(response)
    deltas = [event["choices"][0]["delta"] for event in events[:-1]]
    assert "".join(delta.get("content", "") for delta in deltas) == content
    calls = [delta["tool_calls"] for delta in deltas if "tool_calls" in delta]
    reason = events[-2]["choices"][0]["finish_reason"]
    if "<tool_call>" in answer:
        assert len(calls) == 1
        assert calls[0][0]["index"] == 0
        assert json.loads(calls[0][0]["function"]["arguments"]) == {"city": "Köln"}
        assert reason == "tool_calls"
    else:
        assert calls == []
        assert reason == "stop"
    if content:
        assert sum("content" in delta for delta in deltas) > 2


def auto(answer_schema: dict[str, Any] | None = None) -> ToolUse:
    tools = [Tool.model_validate(tool) for tool in (WEATHER, CLOCK)]
    use = tool_use(tools, "auto", answer_schema=answer_schema)
    assert use is not None
    return use


def after(text: str, use: ToolUse) -> Grammar:
    """The real grammar of an answer that has begun with a text."""
    grammar = GRAMMARS.start(use.constraint)
    ids = TOKENIZER(text, add_special_tokens=False).input_ids
    assert grammar.advance(ids) == len(ids), text
    return grammar


@pytest.mark.parametrize("text", ["", "Hello", "a < b, <tool, <tool_cal\nl> and </tool_call>"])
def test_a_text_without_the_mark_may_end_anywhere(text: str) -> None:
    for length in range(len(text) + 1):
        grammar = after(text[:length], auto())
        assert grammar.may_end
        assert not grammar.has_ended
    assert auto().parse(text, whole=True) == (text, None)


@pytest.mark.parametrize(
    ("schema", "before"),
    [(None, before) for before in ("", "So:\n", "Write `", "<<tool_call", "{")] + [(SCHEMA, "")],
)
def test_the_mark_is_always_the_start_of_a_whole_call(
    schema: dict[str, Any] | None, before: str
) -> None:
    use = auto(schema)
    grammar = after(f"{before}<tool_call>", use)
    assert not grammar.may_end
    assert TOKENIZER.decode(np.flatnonzero(grammar.allowed()).tolist()) == "\n"
    for part in ("\n", f"\n{CALL}", f"\n{CALL}\n"):
        assert not after(f"{before}<tool_call>{part}", use).may_end
    answer = before + MARKED
    assert after(answer, use).has_ended
    call = Call(name="weather", arguments=ARGUMENTS)
    assert use.parse(answer, whole=True) == (before.rstrip(), call)
