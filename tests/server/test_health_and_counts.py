"""`/health` in every state, `/metrics`, and the line that each request leaves in the log."""

import json
import logging
import threading
from typing import Any

import httpx
import pytest
from scripted_backend import BASE, SET, ScriptedBackend
from serving import client_of, error_of, serve, service_over, until

from spokesmith.server.service import MAX_FAILURES, Loading, Service

CHAT = {"model": BASE, "messages": [{"role": "user", "content": "my secret"}]}


class FakeEmbedder:
    name = "vectors"


def test_loading_then_ready() -> None:
    may_load = threading.Event()

    def load() -> ScriptedBackend:
        assert may_load.wait(10)
        return ScriptedBackend("{}")

    service = Service(engine=Loading("engine", load))
    with serve(service, wait=False) as url, httpx.Client(base_url=url) as client:
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json() == {"status": "loading", "parts": {"engine": "loading"}}
        assert int(response.headers["retry-after"]) > 0
        for answer in (
            client.get("/v1/models"),
            client.post("/v1/chat/completions", json=CHAT),
            client.post("/v1/chat/completions", json={**CHAT, "stream": True}),
            client.get("/props"),
            client.get("/v1/spokes"),
        ):
            assert error_of(answer, 503)["code"] == "loading"
            assert "retry-after" in answer.headers
        assert "spokesmith_ready 0.0" in client.get("/metrics").text
        may_load.set()
        until(lambda: service.state == "ready")
        assert client.get("/health").json() == {"status": "ok", "parts": {"engine": "ready"}}
        assert client.get("/v1/models").status_code == 200


def test_health_may_be_asked_without_its_body() -> None:
    with client_of(ScriptedBackend("{}"), api_keys=("k",)) as client:
        response = client.head("/health")
        assert (response.status_code, response.content) == (200, b"")
        assert client.get("/health").status_code == 200


def test_failed_is_told_apart_and_its_reason_needs_a_key() -> None:
    def load() -> ScriptedBackend:
        raise ValueError("no base at /home/me/base: give a folder")

    service = Service(engine=Loading("engine", load))
    with serve(service, wait=False) as url, httpx.Client(base_url=url) as client:
        until(lambda: service.state != "loading")
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json() == {"status": "failed", "parts": {"engine": "failed"}}
        error = error_of(client.get("/v1/models"), 503)
        assert error["code"] == "loading_failed"
        assert "no base at /home/me/base" in error["message"]


def test_an_engine_that_answers_nothing_any_more_has_failed() -> None:
    backend = ScriptedBackend("lost", fail_at={"lost": 0})
    with client_of(backend) as client:

        def ask(answer: str, status: int) -> str:
            backend.answer = answer
            assert client.post("/v1/chat/completions", json=CHAT).status_code == status
            return client.get("/health").json()["status"]

        assert {ask("lost", 500) for _ in range(MAX_FAILURES - 2)} == {"ok"}
        # Several answers to one request count once.
        response = client.post("/v1/chat/completions", json={**CHAT, "n": 8})
        assert response.status_code == 500
        assert client.get("/health").json()["status"] == "ok"
        assert ask("found", 200) == "ok"
        assert [ask("lost", 500) for _ in range(MAX_FAILURES)][-2:] == ["ok", "failed"]
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json()["parts"] == {"engine": "failed"}
        assert ask("found", 200) == "ok"


def test_the_list_of_models_waits_for_chat_and_embeddings() -> None:
    may_load = threading.Event()

    def load() -> FakeEmbedder:
        assert may_load.wait(10)
        return FakeEmbedder()

    service = service_over(ScriptedBackend("{}"))
    service.embedder = Loading("embedder", load)
    with serve(service, wait=False) as url, httpx.Client(base_url=url) as client:
        until(lambda: service.engine.state == "ready")
        assert client.get("/v1/models").status_code == 503
        assert client.get("/health").json()["parts"] == {"engine": "ready", "embedder": "loading"}
        assert client.post("/v1/chat/completions", json=CHAT).status_code == 200
        may_load.set()
        until(lambda: service.state == "ready")
        ids = [one["id"] for one in client.get("/v1/models").json()["data"]]
        assert ids == [BASE, SET, "vectors"]


def test_counts() -> None:
    backend = ScriptedBackend('{"a":1}')
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    with client_of(backend) as client:
        client.post("/v1/chat/completions", json={**CHAT, "json_schema": {"type": "object"}})
        client.post("/v1/chat/completions", json={**CHAT, "json_schema": schema})
        client.post(
            "/v1/chat/completions",
            json={**CHAT, "json_schema": {"type": "object"}, "max_tokens": 2},
        )
        client.post("/v1/chat/completions", json={**CHAT, "stream": True})
        client.post("/v1/chat/completions", json={})
        client.get("/nowhere")
        response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    counts = dict(
        line.rsplit(" ", 1) for line in response.text.splitlines() if not line.startswith("#")
    )

    def value(name: str) -> float:
        return float(counts[f"spokesmith_{name}"])

    for outcome in ("valid", "invalid", "cut"):
        assert value(f'held_answers_total{{model="{BASE}",outcome="{outcome}"}}') == 1
    assert value(f'answers_total{{finish_reason="stop",model="{BASE}"}}') == 3
    assert value(f'answers_total{{finish_reason="length",model="{BASE}"}}') == 1
    route = "/v1/chat/completions"
    assert value(f'requests_total{{route="{route}",status="200"}}') == 4
    assert value(f'requests_total{{route="{route}",status="400"}}') == 1
    assert value('requests_total{route="unmatched",status="404"}') == 1
    assert value(f'request_seconds_count{{route="{route}"}}') == 5
    assert value("answer_seconds_count") == 4
    assert value("waiting_seconds_count") == 4
    assert value("ready") == 1
    assert value("slots") == 8
    assert value("running_answers") == 0
    assert value("waiting_answers") == 0
    made = 3 * 7 + 2
    assert value('tokens_total{origin="forced"}') == made // 2
    assert value('tokens_total{origin="copied"}') == made // 4
    assert value("forced_share") == pytest.approx(0.5, abs=0.05)
    assert value("accepted_share") == pytest.approx(0.75, abs=0.1)


def lines_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        json.loads(record.message)
        for record in caplog.records
        if record.name == "spokesmith.server.requests" and record.levelno == logging.INFO
    ]


def test_a_line_for_each_request_without_contents(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="spokesmith.server.requests")
    with client_of(ScriptedBackend('{"told":1}')) as client:
        response = client.post(
            "/v1/chat/completions",
            json={**CHAT, "json_schema": {"type": "object"}},
            headers={"X-Request-Id": "abc-1"},
        )
        assert response.headers["x-request-id"] == "abc-1"
        client.post("/v1/chat/completions", json={**CHAT, "stream": True})
        until(lambda: len(lines_of(caplog)) == 2)
        client.post("/v1/chat/completions", json={**CHAT, "temperature": -1})
        until(lambda: len(lines_of(caplog)) == 3)
    first, second, third = lines_of(caplog)
    assert first["request_id"] == "abc-1"
    assert first["method"] == "POST"
    assert first["path"] == "/v1/chat/completions"
    assert first["status"] == 200
    assert first["model"] == BASE
    assert first["completion_tokens"] == 10
    assert first["finish_reason"] == ["stop"]
    assert first["held"] == ["valid"]
    assert first["client_gone"] is False
    assert first["total_ms"] > 0
    assert second["stream"] is True
    assert second["client_gone"] is False
    assert second["completion_tokens"] == 10
    assert third["status"] == 400
    assert "temperature" in third["error"]
    assert "secret" not in caplog.text
    assert "told" not in caplog.text


def test_contents_only_where_they_are_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="spokesmith.server.requests")
    with client_of(ScriptedBackend("told"), log_contents=True) as client:
        client.post("/v1/chat/completions", json=CHAT)
        until(lambda: lines_of(caplog))
    line = lines_of(caplog)[0]
    assert line["messages"] == CHAT["messages"]
    assert line["answers"] == ["told"]


def test_ids_are_made_where_none_or_a_bad_one_came(caplog: pytest.LogCaptureFixture) -> None:
    with client_of(ScriptedBackend("a")) as client:
        made = {
            client.get("/health", headers=headers).headers["x-request-id"]
            for headers in ({}, {"X-Request-Id": "a b"}, {"X-Request-Id": "a" * 200})
        }
        assert len(made) == 3
        assert all(one.startswith("req-") for one in made)
        # Errors carry one too, unforeseen ones as well.
        assert "x-request-id" in client.get("/nowhere").headers


def test_a_failure_nobody_foresaw_is_a_plain_500_and_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(ScriptedBackend):
        def tokenize(self, *args: Any, **named: Any) -> list[int]:
            raise KeyError("a bug")

    with client_of(Broken("a")) as client:
        response = client.post("/tokenize", json={"content": "a"})
        error = error_of(response, 500)
        assert "a bug" not in error["message"]
        assert "x-request-id" in response.headers
    assert "a bug" in caplog.text
