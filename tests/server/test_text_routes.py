"""Texts without turns: `/v1/completions` and llama-server's routes."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scripted_backend import BASE, SET, ScriptedBackend
from serving import client_of, error_of, events_of

from spokesmith.server.completions import CompletionRequest

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend("one two")


@pytest.fixture
def client(backend: ScriptedBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def ask(client: httpx.Client, route: str, **body: Any) -> dict[str, Any]:
    response = client.post(route, json={"model": BASE, **body})
    assert response.status_code == 200, response.text
    return response.json()


def test_the_form_of_a_completion(client: httpx.Client, backend: ScriptedBackend) -> None:
    answer = ask(client, "/v1/completions", prompt="Count:", max_tokens=30)
    assert answer["object"] == "text_completion"
    assert answer["choices"] == [
        {"index": 0, "text": "one two", "logprobs": None, "finish_reason": "stop", "closed": False}
    ]
    assert answer["usage"]["prompt_tokens"] == 6
    assert backend.requests[0].prompt == "Count:"
    assert backend.requests[0].messages is None


def test_sixteen_tokens_unless_told_otherwise(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    ask(client, "/v1/completions", prompt="a")
    ask(client, "/v1/completions", prompt="a", max_tokens=-1)
    assert [request.max_tokens for request in backend.requests] == [16, None]


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        (["a", "b"], ["a", "b"]),
        ([97, 98], [[97, 98]]),
        ([[97], [98, 99]], [[97], [98, 99]]),
    ],
)
def test_prompts_of_every_form(
    client: httpx.Client, backend: ScriptedBackend, prompt: Any, prompts: list[Any]
) -> None:
    answer = ask(client, "/v1/completions", prompt=prompt, n=2, seed=1)
    assert [request.prompt for request in backend.requests] == [p for p in prompts for _ in "ab"]
    assert [one["index"] for one in answer["choices"]] == list(range(2 * len(prompts)))
    tokens = sum(len(one) for one in prompts)
    assert answer["usage"]["prompt_tokens"] == tokens


@pytest.mark.parametrize("prompt", ["a", [97, 98]])
def test_one_prompt_is_not_copied(prompt: Any) -> None:
    body = CompletionRequest.model_validate({"prompt": prompt})
    assert body.prompt == prompt
    assert body.prompts[0] is body.prompt


@pytest.mark.parametrize("prompt", [["a", "b"], [[97], [98, 99]]])
def test_prompts_are_not_copied(prompt: Any) -> None:
    body = CompletionRequest.model_validate({"prompt": prompt})
    assert body.prompts is body.prompt


def test_log_probabilities_in_the_older_form(client: httpx.Client) -> None:
    found = ask(client, "/v1/completions", prompt="a", logprobs=1)["choices"][0]["logprobs"]
    assert found["tokens"] == list("one two")
    assert found["text_offset"] == list(range(7))
    assert found["token_logprobs"] == [-0.5] * 7
    assert found["top_logprobs"][0] == {"\0": -1.0}


@pytest.mark.parametrize(
    ("route", "field", "remedy"),
    [
        ("/v1/completions", "max_completion_tokens", "use max_tokens"),
        ("/v1/completions", "n_predict", "use max_tokens"),
        ("/v1/completions", "n_probs", "use logprobs"),
        ("/v1/completions", "reasoning", "leave it out"),
        ("/completion", "max_completion_tokens", "use max_tokens"),
        ("/completion", "logprobs", "use n_probs"),
    ],
)
def test_a_limit_of_another_route_is_not_lost(
    client: httpx.Client, route: str, field: str, remedy: str
) -> None:
    error = error_of(client.post(route, json={"prompt": "a", field: 5}), 400)
    assert error["message"].startswith(f"{field} is not supported: {remedy}")


def test_tokens_within_a_character_stand_where_it_does(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.answer = "é\n?"
    given = {"prompt": "a", "logprobs": 1, "stop": "\n!"}
    whole = ask(client, "/v1/completions", **given)["choices"][0]["logprobs"]
    assert whole["tokens"] == ["bytes:\\xc3", "bytes:\\xa9", "\n", "?"]
    assert whole["text_offset"] == [0, 0, 1, 2]
    streamed = client.post("/v1/completions", json={**given, "stream": True})
    chunks = [chunk for chunk in events_of(streamed) if chunk != "[DONE]"]
    found = [one for chunk in chunks if (one := chunk["choices"][0]["logprobs"])]
    for name, values in whole.items():
        assert [value for one in found for value in one[name]] == values


def test_a_completion_may_be_held_and_stopped(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.answer, backend.ending = '{"a":12}', "}"
    answer = ask(
        client,
        "/v1/completions",
        prompt="a",
        json_schema=SCHEMA,
        max_tokens=6,
        on_truncation="close",
    )
    assert answer["choices"][0]["text"] == '{"a":1}'
    assert answer["choices"][0]["closed"] is True
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["timings"]["predicted_per_second"] > 0
    assert ask(client, "/v1/completions", prompt="a", max_tokens=6)["choices"][0] == {
        "index": 0,
        "text": '{"a":1',
        "logprobs": None,
        "finish_reason": "length",
        "closed": False,
    }
    assert ask(client, "/v1/completions", prompt="a", stop="1")["choices"][0]["text"] == '{"a":'


def test_a_stream_of_a_completion(client: httpx.Client) -> None:
    given = {
        "prompt": "a",
        "stream": True,
        "logprobs": 0,
        "stream_options": {"include_usage": True},
    }
    *chunks, usage, done = events_of(client.post("/v1/completions", json=given))
    assert done == "[DONE]"
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "one two"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["timings"]["predicted_per_second"] > 0
    assert usage["usage"]["completion_tokens"] == 7
    offsets = [
        offset
        for chunk in chunks
        for offset in (chunk["choices"][0]["logprobs"] or {"text_offset": []})["text_offset"]
    ]
    assert offsets == list(range(7))


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [[], [1]]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"prompt": [999]}, None),
        ({"prompt": ["a"] * 17}, "prompt"),
        ({"prompt": "a" * 3000}, "prompt"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
        ({"prompt": "a", "echo": True}, "echo"),
        ({"prompt": "a", "suffix": "b"}, "suffix"),
        ({"prompt": "a", "logprobs": 21}, "logprobs"),
    ],
)
def test_what_a_completion_refuses(
    client: httpx.Client, given: dict[str, Any], param: str | None
) -> None:
    error = error_of(client.post("/v1/completions", json=given), 400)
    assert (error["param"] or "").partition(".")[0] == (param or "")


def test_llamas_completion(client: httpx.Client, backend: ScriptedBackend) -> None:
    answer = ask(client, "/completion", prompt="Count:", n_predict=30, return_tokens=True)
    assert answer["content"] == "one two"
    assert answer["tokens"] == list(b"one two")
    assert answer["stop"] is True
    assert answer["stop_type"] == "eos"
    assert answer["stopping_word"] == ""
    assert answer["truncated"] is False
    assert answer["tokens_predicted"] == 7
    assert answer["tokens_evaluated"] == 6
    assert answer["timings"]["predicted_per_second"] > 0
    assert answer["generation_settings"]["n_predict"] == 30
    assert backend.requests[0].max_tokens == 30


def test_llamas_answer_may_be_closed(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer, backend.ending = '{"a":12}', "}"
    given = {"json_schema": SCHEMA, "n_predict": 6, "on_truncation": "close"}
    answer = ask(client, "/completion", prompt="a", **given)
    assert (answer["content"], answer["closed"]) == ('{"a":1}', True)
    assert answer["stop_type"] == "limit"
    streamed = client.post("/completion", json={"prompt": "a", "stream": True, **given})
    chunks = events_of(streamed)
    assert "".join(chunk["content"] for chunk in chunks) == '{"a":1}'
    assert chunks[-1]["closed"] is True


def test_llamas_reasons_to_stop(client: httpx.Client) -> None:
    stopped = ask(client, "/completion", prompt="a", stop=[" "])
    assert (stopped["content"], stopped["stop_type"], stopped["stopping_word"]) == (
        "one",
        "word",
        " ",
    )
    assert ask(client, "/completion", prompt="a", n_predict=2)["stop_type"] == "limit"


def test_llamas_mixed_prompt_and_its_other_words(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    ask(
        client,
        "/completion",
        prompt=[97, "bc", 100],
        n_predict=-1,
        t_max_predict_ms=1500,
        logit_bias=[[5, 1.0], [6, False]],
        json_schema=SCHEMA,
        cache_prompt=True,
        id_slot=-1,
    )
    request = backend.requests[0]
    assert request.prompt == [97, 98, 99, 100]
    assert request.max_tokens is None
    assert request.time_limit_s == 1.5
    assert request.sampling.logit_bias == {5: 1.0, 6: -100.0}
    assert request.constraint is not None
    assert request.constraint.value == SCHEMA


def test_llamas_probabilities(client: httpx.Client) -> None:
    found = ask(client, "/completion", prompt="a", n_probs=1)["completion_probabilities"]
    assert found[0] == {
        "id": 111,
        "token": "o",
        "bytes": [111],
        "logprob": -0.5,
        "top_logprobs": [{"id": 0, "token": "\0", "bytes": [0], "logprob": -1.0}],
    }


def test_llamas_stream(client: httpx.Client) -> None:
    events = events_of(client.post("/completion", json={"prompt": "a", "stream": True}))
    assert "".join(event["content"] for event in events) == "one two"
    assert [event["stop"] for event in events] == [False] * 7 + [True]
    assert events[-1]["stop_type"] == "eos"
    assert events[0]["tokens"] == [111]


@pytest.mark.parametrize("prompt", ["", [], ["a", "b"]])
def test_what_llamas_completion_refuses(client: httpx.Client, prompt: Any) -> None:
    assert error_of(client.post("/completion", json={"prompt": prompt}), 400)["param"] == "prompt"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"n": 2}, "n is not supported"),
        ({"n_cmpl": 2}, "n_cmpl is not supported"),
        ({"t_max_predict_ms": 10**400}, "t_max_predict_ms"),
        ({"prompt": ["", 1] * 2000}, "prompt has 4000 parts"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_what_llamas_completion_does_not_do(
    client: httpx.Client, given: dict[str, Any], words: str
) -> None:
    assert ask(client, "/completion", prompt="a", n=1)["content"] == "one two"
    error = error_of(client.post("/completion", json={"prompt": "a", **given}), 400)
    assert words in error["message"]


def test_tokens_there_and_back(client: httpx.Client) -> None:
    tokens = client.post("/tokenize", json={"content": "aü"}).json()["tokens"]
    assert tokens == [97, 195, 188]
    assert client.post("/detokenize", json={"tokens": tokens}).json() == {"content": "aü"}
    pieces = client.post("/tokenize", json={"content": "aü", "with_pieces": True}).json()["tokens"]
    assert pieces == [
        {"id": 97, "piece": "a"},
        {"id": 195, "piece": [195]},
        {"id": 188, "piece": [188]},
    ]


@pytest.mark.parametrize("tokens", [[-1], [2**40], [300], "abc", None])
def test_tokens_that_are_none(client: httpx.Client, tokens: Any) -> None:
    error_of(client.post("/detokenize", json={"tokens": tokens}), 400)


def test_props(client: httpx.Client, backend: ScriptedBackend) -> None:
    props = client.get("/props").json()
    assert props["default_generation_settings"]["n_ctx"] == backend.context_length
    assert props["total_slots"] == 8
    assert props["model_alias"] == SET
    assert props["chat_template"] == backend.chat_template
