"""What a chat completion may ask for: limits, closing, choices, sampling, what is refused."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scripted_backend import BASE, ScriptedBackend
from serving import client_of, error_of

from spokesmith.backends.request import BusyError, ConstraintError, UnknownModelError
from spokesmith.decoding.request import Sampling
from spokesmith.server.chat_request import ChatRequest
from spokesmith.server.fields import NOT_SUPPORTED

USER = [{"role": "user", "content": "a text"}]
FORMAT = {"type": "json_object"}
HELD = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "string"}}}
# What a chat takes only where it changes nothing.
REFUSED = {name: one for name, one in NOT_SUPPORTED.items() if name not in ChatRequest.model_fields}


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend('{"a":"für"}', ending='"}')


@pytest.fixture
def client(backend: ScriptedBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def post(client: httpx.Client, **more: Any) -> httpx.Response:
    return client.post("/v1/chat/completions", json={"model": BASE, "messages": USER, **more})


def ask(client: httpx.Client, **more: Any) -> dict[str, Any]:
    response = post(client, **more)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_form_of_an_answer(client: httpx.Client) -> None:
    answer = ask(client)
    assert answer["object"] == "chat.completion"
    assert answer["id"].startswith("chatcmpl-")
    assert answer["model"] == BASE
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": '{"a":"für"}', "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
            "closed": False,
        }
    ]
    assert answer["timings"]["predicted_n"] == 12
    assert answer["timings"]["predicted_per_second"] > 0
    assert answer["spokesmith"] == {
        "closed": False,
        "tokens": {"model": 12},
        "forwards": 12,
        "task": None,
    }


def test_an_answer_that_would_be_cut_is_closed_where_the_caller_asks(
    client: httpx.Client,
) -> None:
    answer = ask(client, max_tokens=7, response_format=FORMAT, on_truncation="close")
    choice = answer["choices"][0]
    assert choice["message"]["content"] == '{"a":"f"}'
    assert choice["closed"] is True
    assert choice["finish_reason"] == "length"
    assert answer["spokesmith"]["closed"] is True


def test_only_held_answers_can_be_closed(client: httpx.Client) -> None:
    error = error_of(post(client, on_truncation="close"), 400)
    assert error["param"] == "on_truncation"


def test_the_contexts_end_is_a_length(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = "a" * 5000
    answer = ask(client)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["total_tokens"] == backend.context_length


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_both_names_of_the_limit(client: httpx.Client, name: str) -> None:
    assert ask(client, **{name: 3})["choices"][0]["message"]["content"] == '{"a'


def test_minus_one_lets_an_answer_run(client: httpx.Client, backend: ScriptedBackend) -> None:
    ask(client, max_tokens=-1)
    assert backend.requests[0].max_tokens is None


@pytest.mark.parametrize(("stop", "text"), [("für", '{"a":"'), (["x", "a"], '{"')])
def test_stop_texts_are_no_part_of_the_answer(client: httpx.Client, stop: Any, text: str) -> None:
    choice = ask(client, stop=stop)["choices"][0]
    assert choice["message"]["content"] == text
    assert choice["finish_reason"] == "stop"


def test_each_of_several_answers_has_a_seed_of_its_own(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.answer = lambda request: str(request.sampling.seed)
    answer = ask(client, n=3, seed=7, temperature=1)
    assert [one["message"]["content"] for one in answer["choices"]] == ["7", "8", "9"]
    assert [one["index"] for one in answer["choices"]] == [0, 1, 2]
    assert answer["usage"] == {
        "prompt_tokens": 6,
        "completion_tokens": 3,
        "total_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def test_without_a_seed_one_is_drawn(client: httpx.Client, backend: ScriptedBackend) -> None:
    for seed in (None, -1, None):
        ask(client, seed=seed, temperature=1)
    assert len({request.sampling.seed for request in backend.requests}) == 3


def test_sampling_reaches_the_engine(client: httpx.Client, backend: ScriptedBackend) -> None:
    ask(
        client,
        temperature=0.7,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        logit_bias={"17": -100, "5": 1.5},
        seed=3,
    )
    ask(client, logit_bias=[[17, False], [5, 1.5]], top_k=-1, top_p=0, temperature=2, seed=0)
    assert backend.requests[0].sampling == Sampling(
        temperature=0.7,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        logit_bias={17: -100.0, 5: 1.5},
        seed=3,
    )
    assert backend.requests[1].sampling == Sampling(logit_bias={17: -100.0, 5: 1.5})


def test_log_probabilities(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = "a\0ü"
    content = ask(client, logprobs=True, top_logprobs=2)["choices"][0]["logprobs"]["content"]
    assert [one["bytes"] for one in content] == [[97], [0], [195], [188]]
    assert content[0]["token"] == "a"
    assert content[0]["logprob"] == -0.5
    assert content[1]["logprob"] == -9999.0
    assert content[0]["top_logprobs"] == [
        {"token": "\0", "logprob": -1.0, "bytes": [0]},
        {"token": "\x01", "logprob": -2.0, "bytes": [1]},
    ]
    assert ask(client, logprobs=True)["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == []


def test_template_options(client: httpx.Client, backend: ScriptedBackend) -> None:
    ask(client, chat_template_kwargs={"enable_thinking": True, "style": "short"})
    assert backend.requests[0].template_options == {"enable_thinking": True, "style": "short"}


def test_contents_in_parts_and_the_developers_role(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    parts = [{"type": "text", "text": "a "}, {"type": "text", "text": "text"}]
    ask(
        client,
        messages=[{"role": "developer", "content": "Hi"}, {"role": "user", "content": parts}],
    )
    assert backend.requests[0].messages == [
        {"role": "system", "content": "Hi"},
        {"role": "user", "content": "a text"},
    ]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [{"role": "robot", "content": ""}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"n": 100}, "n"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a"] * 17}, "stop"),
        ({"logit_bias": {"one": 1}}, "logit_bias.one.[key]"),
        ({"logit_bias": {"1": 101}}, "logit_bias.1"),
        ({"logit_bias": [[1]]}, "logit_bias"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"seed": -2}, "seed"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"chat_template_kwargs": {"messages": []}}, "chat_template_kwargs"),
        ({"chat_template_kwargs": {"self": 1}}, "chat_template_kwargs"),
        ({"chat_template_kwargs": {"conversations": []}}, "chat_template_kwargs"),
        ({"chat_template_kwargs": {"sanitize_control_tokens": True}}, "chat_template_kwargs"),
        ({"model": "a" * 257}, "model"),
        ({"on_truncation": "drop"}, "on_truncation"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(
    client: httpx.Client, backend: ScriptedBackend, given: dict[str, Any], param: str | None
) -> None:
    error = error_of(post(client, **given), 400)
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert error["remedy"]
    assert backend.jobs == []


@pytest.mark.parametrize(
    "given",
    [
        {"functions": [{"name": "f"}]},
        {"best_of": 2},
        {"repeat_penalty": 1.1},
        {"mirostat": 2},
        {"guided_json": {}},
        {"format": "json"},
        {"modalities": ["text", "audio"]},
        {"options": {"temperature": 1}},
        {"ignore_eos": True},
        {"add_generation_prompt": False},
        {"allowed_token_ids": [1]},
        {"bad_words": ["a"]},
        {"chat_template": "{{ messages }}"},
        {"include_stop_str_in_output": True},
        {"continue_final_message": True},
        {"prompt_logprobs": 0},
        {"stop_token_ids": [2]},
        {"think": True},
        {"truncate_prompt_tokens": 100},
    ],
)
def test_what_is_not_supported_is_refused(client: httpx.Client, given: dict[str, Any]) -> None:
    error = error_of(post(client, **given), 400)
    assert next(iter(given)) in error["message"]
    assert "not supported" in error["message"]


@pytest.mark.parametrize("name", REFUSED)
def test_every_option_of_the_table_is_refused_but_where_it_changes_nothing(
    client: httpx.Client, name: str
) -> None:
    harmless, remedy = REFUSED[name]
    error = error_of(post(client, **{name: "other"}), 400)
    assert error["message"] == f"{name} is not supported: {remedy}"
    assert error["param"] == name
    for value in (None, *harmless):
        ask(client, **{name: value})


def test_what_would_change_nothing_is_taken(client: httpx.Client) -> None:
    ask(
        client,
        functions=[],
        best_of=1,
        repeat_penalty=1.0,
        mirostat=0,
        modalities=["text"],
        options=None,
        ignore_eos=False,
        add_generation_prompt=True,
        bad_words=[],
        continue_final_message=False,
        stop_token_ids=[],
        think=False,
        tools=[],
        store=True,
        metadata={"a": "b"},
        temperature=None,
        stop=None,
        response_format=None,
    )


def test_more_messages_than_the_context_has_tokens(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    error = error_of(post(client, messages=[{"role": "user", "content": ""}] * 2049), 400)
    assert error["code"] == "context_length_exceeded"
    assert error["param"] == "messages"
    assert "2049" in error["message"]
    assert "2048" in error["message"]
    assert backend.jobs == []


def test_an_unknown_model_is_not_found(client: httpx.Client) -> None:
    error = error_of(post(client, model="gpt-4"), 404)
    assert error["code"] == "model_not_found"
    assert error["param"] == "model"
    assert BASE in error["message"]


def test_overload_is_told_to_come_back(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.refuse = BusyError("64 answers are waiting: ask again later")
    response = post(client)
    assert int(response.headers["retry-after"]) > 0
    error = error_of(response, 503)
    assert error["type"] == "overloaded_error"


def test_of_several_answers_none_is_left_running_when_the_queue_is_full(
    backend: ScriptedBackend,
) -> None:
    full = ScriptedBackend("a", num_slots=1, max_waiting=2, first_delay_s=0.5)
    with client_of(full) as client:
        error_of(post(client, n=8), 503)
        assert full.jobs
        assert all(job.cancelled.is_set() for job in full.jobs)


def test_an_engine_failure_tells_no_secrets(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.fail_at = {backend.answer: 3}
    error = error_of(post(client), 500)
    assert error["type"] == "server_error"
    assert "broke" not in error["message"]


def test_a_schema_that_the_engine_cannot_enforce_is_refused(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.refuse = ConstraintError("the schema cannot be enforced (not): change that part of it")
    schema = {"not": {"type": "string"}}
    given = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    error = error_of(post(client, response_format=given), 400)
    assert error["param"] == "response_format.json_schema.schema"
    assert error["remedy"] == "change that part of it"


@pytest.mark.parametrize(
    ("refusal", "status", "param"),
    [
        (ValueError("token 5000 is none of the base's: give ids below 320"), 400, None),
        (UnknownModelError("no model 'scripted': known are others"), 404, "model"),
    ],
)
def test_other_refusals_do_not_name_the_schema(
    client: httpx.Client,
    backend: ScriptedBackend,
    refusal: Exception,
    status: int,
    param: str | None,
) -> None:
    backend.refuse = refusal
    for stream in (False, True):
        error = error_of(post(client, response_format=HELD, stream=stream), status)
        assert error["param"] == param


def test_preparing_takes_bounded_time() -> None:
    class Slow(ScriptedBackend):
        def start(self, *args: Any, **named: Any) -> Any:
            import time

            time.sleep(0.3)
            return super().start(*args, **named)

    slow = Slow("a")
    with client_of(slow, compile_limit_s=0.05) as client:
        error = error_of(post(client), 400)
    assert error["code"] == "too_complex"
    # Nobody knows whether it was the schema, or too much to do.
    assert error["remedy"].startswith("ask again, or use ")
