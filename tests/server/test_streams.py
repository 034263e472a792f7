"""Streams: events, usage, errors before and after the first event, and clients that go away."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scripted_backend import BASE, ScriptedBackend
from serving import client_of, error_of, events_of, until

from spokesmith.backends.request import BusyError, ConstraintError, ContextError

CHAT = {"model": BASE, "messages": [{"role": "user", "content": "a text"}]}
STREAM = {**CHAT, "stream": True}
PROMPT = {"model": BASE, "prompt": "a text"}
ROUTES = [("/v1/chat/completions", CHAT), ("/v1/completions", PROMPT), ("/completion", PROMPT)]


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend("Grüße 🙂!")


@pytest.fixture
def client(backend: ScriptedBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def test_the_events_of_a_chat(client: httpx.Client) -> None:
    response = client.post("/v1/chat/completions", json=STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response)
    assert events[-1] == "[DONE]"
    chunks = events[:-1]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == "Grüße 🙂!"
    assert deltas[-1] == {}
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1]["timings"]["predicted_n"] == len("Grüße 🙂!".encode())
    assert not any("usage" in chunk for chunk in chunks)


def test_no_letter_of_an_answer_ends_a_line(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = "next\u0085line\u2028and\u2029paragraph\x0b\x0c\x1c\x1d\x1e\r\n"
    with client.stream("POST", "/v1/chat/completions", json=STREAM) as response:
        # httpx ends lines where Python does.
        lines = [line for line in response.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    content = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert content == backend.answer


def test_usage_comes_last_where_it_is_asked_for(client: httpx.Client) -> None:
    given = {**STREAM, "stream_options": {"include_usage": True}}
    *_, last, done = events_of(client.post("/v1/chat/completions", json=given))
    assert done == "[DONE]"
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == len("Grüße 🙂!".encode())


def test_several_answers_in_one_stream(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.answer = lambda request: f"answer {request.sampling.seed}"
    given = {**STREAM, "n": 2, "seed": 4}
    texts = {0: "", 1: ""}
    for event in events_of(client.post("/v1/chat/completions", json=given))[:-1]:
        choice = event["choices"][0]
        texts[choice["index"]] += choice["delta"].get("content", "")
    assert texts == {0: "answer 4", 1: "answer 5"}


def test_log_probabilities_in_a_stream(client: httpx.Client) -> None:
    events = events_of(client.post("/v1/chat/completions", json={**STREAM, "logprobs": True}))
    content = [
        token
        for event in events[:-1]
        for token in (event["choices"][0]["logprobs"] or {"content": []})["content"]
    ]
    assert bytes(byte for token in content for byte in token["bytes"]).decode() == "Grüße 🙂!"


def test_a_closed_answer_says_so_in_its_last_chunk(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.answer, backend.ending = '{"a":"b"}', '"}'
    given = {
        **STREAM,
        "max_tokens": 7,
        "response_format": {"type": "json_object"},
        "on_truncation": "close",
    }
    events = events_of(client.post("/v1/chat/completions", json=given))[:-1]
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert text == '{"a":"b"}'
    assert events[-1]["choices"][0]["closed"] is True
    assert events[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(("route", "body"), ROUTES)
@pytest.mark.parametrize("stream", [True, False])
def test_the_first_error_is_a_plain_http_error(
    client: httpx.Client, backend: ScriptedBackend, route: str, body: dict[str, Any], stream: bool
) -> None:
    given = {**body, "stream": stream}
    error_of(client.post(route, json={**given, "model": "none"}), 404)
    backend.fail_at = {"x": 0}
    backend.answer = "x"
    error_of(client.post(route, json=given), 500)
    backend.refuse = BusyError("full")
    response = client.post(route, json=given)
    error_of(response, 503)
    assert int(response.headers["retry-after"]) > 0
    backend.refuse = ConstraintError("the schema cannot be enforced: change that part of it")
    error = error_of(client.post(route, json={**given, "json_schema": {"type": "object"}}), 400)
    assert error["param"] == "json_schema"
    backend.refuse = ContextError("the prompt has 9 tokens, the context is 5: shorten the text")
    error = error_of(client.post(route, json=given), 400)
    assert error["param"] == ("messages" if "messages" in body else "prompt")


def test_a_later_error_is_an_event_and_no_done_follows(
    client: httpx.Client, backend: ScriptedBackend
) -> None:
    backend.answer, backend.fail_at, backend.delay_s = "abcdef", {"abcdef": 3}, 0.01
    events = events_of(client.post("/v1/chat/completions", json=STREAM))
    assert events[-1]["error"]["type"] == "server_error"
    assert "[DONE]" not in events


def test_a_slow_prefill_sends_comments() -> None:
    backend = ScriptedBackend("ab", first_delay_s=0.3)
    with client_of(backend, keep_alive_s=0.05) as client:
        response = client.post("/v1/chat/completions", json=STREAM)
        assert response.text.startswith(": ")
        assert response.text.count(": the answer is still being made") >= 3
        assert events_of(response)[-1] == "[DONE]"


def test_an_error_after_a_slow_prefill_is_an_event() -> None:
    backend = ScriptedBackend("ab", first_delay_s=0.2, fail_at={"ab": 0})
    with client_of(backend, keep_alive_s=0.05) as client:
        events = events_of(client.post("/v1/chat/completions", json=STREAM))
        assert events[0]["error"]["type"] == "server_error"


def vanish(
    client: httpx.Client, body: dict[str, Any], *, read: int, route: str = "/v1/chat/completions"
) -> None:
    """Send a request, read some bytes of the answer and close the connection."""
    data = json.dumps(body).encode()
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as sock:
        head = (
            f"POST {route} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        sock.sendall(head.encode() + data)
        if read:
            sock.recv(read)
        else:
            time.sleep(0.1)


@pytest.mark.parametrize(("route", "body"), ROUTES)
@pytest.mark.parametrize("stream", [True, False])
def test_work_stops_when_the_client_goes_away(
    stream: bool, route: str, body: dict[str, Any]
) -> None:
    backend = ScriptedBackend("a" * 1000, delay_s=0.01)
    with client_of(backend) as client:
        vanish(client, {**body, "stream": stream}, read=100 if stream else 0, route=route)
        until(lambda: backend.jobs and backend.jobs[0].ended.is_set(), limit_s=2)
        assert backend.jobs[0].cancelled.is_set()
        backend.answer = "b"
        assert client.post("/v1/chat/completions", json=CHAT).status_code == 200


@pytest.mark.parametrize(("route", "body"), ROUTES)
@pytest.mark.parametrize("stream", [True, False])
def test_work_stops_in_prefill_and_in_the_queue_too(
    stream: bool, route: str, body: dict[str, Any]
) -> None:
    backend = ScriptedBackend("a", first_delay_s=30, num_slots=1)
    with client_of(backend) as client:
        vanish(client, {**body, "stream": stream}, read=0, route=route)
        vanish(client, {**body, "stream": stream}, read=0, route=route)
        until(lambda: all(job.ended.is_set() for job in backend.jobs), limit_s=2)
        assert len(backend.jobs) == 2


def test_who_goes_away_does_not_disturb_others() -> None:
    backend = ScriptedBackend("abc" * 20, delay_s=0.01)
    with client_of(backend) as client:
        with client.stream("POST", "/v1/chat/completions", json=STREAM) as response:
            lines = response.iter_lines()
            next(lines)
            vanish(client, STREAM, read=50)
            text = "".join(
                json.loads(line[6:])["choices"][0]["delta"].get("content", "")
                for line in lines
                if line.startswith("data: {")
            )
        assert text == "abc" * 20
        until(lambda: backend.jobs[1].ended.is_set())
        assert backend.jobs[1].cancelled.is_set()
