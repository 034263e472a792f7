"""A replay of the requests of the first client: a daemon that stores what it is answered."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scripted_backend import BASE, SET, ScriptedBackend
from serving import client_of, error_of

from spokesmith.server.messages import ChatMessage, plain_text, wants_no_thinking
from spokesmith.tasks import load_task

ANSWER = '{"gist":"a","salience":0.5}'
SCHEMA = {
    "type": "object",
    "properties": {"gist": {"type": "string"}, "salience": {"type": "number"}},
    "required": ["gist", "salience"],
    "additionalProperties": False,
}
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "encoding", "strict": True, "schema": SCHEMA},
}


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend(ANSWER)


@pytest.fixture
def client(backend: ScriptedBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def body(**more: Any) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": "Encode the text."},
        {"role": "user", "content": "Marta moved the job."},
    ]
    return {"model": SET, "messages": messages, "response_format": FORMAT, **more}


def ask(client: httpx.Client, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/chat/completions", json=body(**more))
    assert response.status_code == 200, response.text
    return response.json()


def test_the_health_check_is_the_list_of_models(client: httpx.Client) -> None:
    response = client.get("/v1/models")
    assert response.status_code == 200
    assert [one["id"] for one in response.json()["data"]] == [BASE, SET]


def test_what_the_daemon_reads_of_an_encoding(client: httpx.Client) -> None:
    answer = ask(client, max_tokens=4096)
    choice = answer["choices"][0]
    assert json.loads(choice["message"]["content"]) == {"gist": "a", "salience": 0.5}
    assert choice["message"]["content"] == ANSWER
    assert choice["message"].get("tool_calls") is None
    assert choice["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["completion_tokens"] == len(ANSWER)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_schema_reaches_the_engine_and_no_temperature_is_greedy(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    ask(client, max_tokens=30, top_p=0.9, stop=["\n\n\n"])
    request = backend.requests[0]
    assert request.constraint is not None
    assert request.constraint.kind == "schema"
    assert request.constraint.value == SCHEMA
    assert request.sampling.temperature == 0
    assert request.stop == ("\n\n\n",)
    assert request.max_tokens == 30
    assert request.on_truncation == "cut"


def test_its_prompt_goes_to_the_engine_as_it_is(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    ask(client)
    assert backend.requests[0].messages == body()["messages"]


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_content_may_be_null_for_any_role(client: httpx.Client, role: str) -> None:
    messages = [{"role": role, "content": None}, {"role": "user", "content": "a text"}]
    assert ask(client, messages=messages)["choices"][0]["message"]["content"] == ANSWER


def test_names_with_qwen3_send_switches_that_are_no_part_of_the_text(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    messages = [
        {"role": "system", "content": "Encode.\n/no_think"},
        {"role": "user", "content": "Marta moved the job. /no_think"},
    ]
    ask(client, messages=messages, reasoning_effort="none")
    request = backend.requests[0]
    assert [one["content"] for one in request.messages or ()] == ["Encode.", "Marta moved the job."]
    assert request.template_options == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("/no_think", ""),
        (" /no_think\n", ""),
        ("/no_think Go", "Go"),
        ("Go\u2003/no_think ", "Go"),
        ("/no_think\n Go \n/no_think\n", "Go"),
        ("/no_think /no_think", ""),
        ("/no_think/no_think", "/no_think"),
        ("/no_think, please", ", please"),
        ("a/no_think", "a/no_think"),
        ("/no_thinking", "/no_thinking"),
        ("Go /no_think now", "Go /no_think now"),
        (" Go\n\n", " Go\n\n"),
        ("", ""),
        # It may take no time that grows with the square of the run.
        ("a" + "\n" * 200_000 + "b", "a" + "\n" * 200_000 + "b"),
        ("a" + "\n" * 200_000 + "/no_think", "a"),
    ],
    ids=lambda text: repr(text[:40]),
)
def test_where_the_switch_is_one(text: str, plain: str) -> None:
    message = ChatMessage(role="user", content=text)
    assert plain_text(message) == plain
    assert wants_no_thinking([message]) == (plain != text)


def test_a_text_about_the_switch_keeps_it(client: httpx.Client, backend: ScriptedBackend) -> None:
    text = "Write /no_think to switch it off, or a/no_think"
    ask(client, messages=[{"role": "system", "content": "x"}, {"role": "user", "content": text}])
    assert (backend.requests[0].messages or ())[-1]["content"] == text


def test_a_record_that_would_be_cut_says_so(client: httpx.Client) -> None:
    choice = ask(client, max_tokens=10)["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == ANSWER[:10]
    assert choice["closed"] is False


def test_without_a_model_and_with_fields_that_nobody_knows(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    given = body(some_field={"a": [1]}, user="x")
    del given["model"]
    assert client.post("/v1/chat/completions", json=given).status_code == 200
    assert client.post("/v1/chat/completions", json=body(model="")).status_code == 200
    assert [request.model for request in backend.requests] == [SET, SET]


def test_an_over_long_prompt_is_its_own_mistake_and_is_not_retried(client: httpx.Client) -> None:
    messages = [{"role": "system", "content": "x"}, {"role": "user", "content": "a" * 3000}]
    response = client.post("/v1/chat/completions", json=body(messages=messages))
    error = error_of(response, 400)
    assert "3001" in error["message"]
    assert "2048" in error["message"]
    assert error["code"] == "context_length_exceeded"
    assert error["param"] == "messages"


def test_a_bare_text_gets_the_prompt_and_the_schema_of_the_sets_task(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    given = {"model": SET, "messages": [{"role": "user", "content": "Marta moved. /no_think"}]}
    answer = client.post("/v1/chat/completions", json=given).json()
    task = load_task("memory")
    request = backend.requests[0]
    assert request.messages == task.messages("Marta moved.")
    assert request.constraint is not None
    assert request.constraint.value == task.schema_for("Marta moved.")
    assert request.max_tokens == task.max_tokens
    assert answer["spokesmith"]["task"] == "memory"


def test_a_bare_text_s_encoding_may_run_to_the_contexts_end(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    given = {"messages": [{"role": "user", "content": "Marta moved."}], "max_tokens": -1}
    assert client.post("/v1/chat/completions", json=given).status_code == 200
    assert backend.requests[0].max_tokens is None


@pytest.mark.parametrize(
    "own",
    [
        {"response_format": FORMAT},
        {"response_format": {"type": "text"}},
        {"grammar": 'root ::= "a"'},
        {"messages": [{"role": "system", "content": "Hi"}, {"role": "user", "content": "a"}]},
        {"messages": [{"role": "user", "content": "a"}] * 2},
        {"model": BASE},
    ],
)
def test_who_says_what_he_wants_gets_that(
    client: httpx.Client, backend: ScriptedBackend, own: dict[str, Any]
) -> None:
    given = {"model": SET, "messages": [{"role": "user", "content": "a text"}], **own}
    response = client.post("/v1/chat/completions", json=given)
    assert response.status_code == 200, response.text
    request = backend.requests[0]
    assert request.messages == given["messages"]
    assert request.constraint is None or request.constraint.value != load_task("memory").schema
    assert response.json()["spokesmith"]["task"] is None
