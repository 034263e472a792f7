"""Bodies that are no sound JSON: each a clear refusal, none of them a failure."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest
from scripted_backend import BASE, ScriptedBackend
from serving import client_of, error_of

from spokesmith.server.bodies import depth_of

CHAT = {"model": BASE, "messages": [{"role": "user", "content": "a"}]}
ROUTES = ("/v1/chat/completions", "/v1/completions", "/completion", "/tokenize", "/v1/spokes")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with client_of(ScriptedBackend("a"), max_body_bytes=200_000, body_limit_s=0.5) as client:
        yield client


BAD = {
    "no JSON": b"{",
    "text": b"hello",
    "trailing": b'{"a":1}}',
    "bad UTF-8": b'{"messages":"\xff"}',
    "half a pair": b'{"messages":[{"role":"user","content":"\\ud800"}],"prompt":"\\ud800"}',
    "not a number": b'{"temperature":NaN}',
    "infinite": b'{"temperature":-Infinity}',
    "long number": b'{"n":' + b"1" * 10_000 + b"}",
    "deep list": b"[" * 50_000 + b"]" * 50_000,
    "deep object": b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    "deep and open": b"[" * 100_000,
    "list": b"[]",
    "null": b"null",
    "word": b'"messages"',
    "empty": b"",
    "blank": b"  \n",
    "zeros": b"\0" * 100,
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_bad_bodies_are_bad_requests(client: httpx.Client, body: bytes, route: str) -> None:
    error = error_of(client.post(route, content=body), 400)
    assert error["type"] == "invalid_request_error"
    assert error["remedy"]


def test_a_huge_body_is_refused_by_its_length_and_by_its_size(client: httpx.Client) -> None:
    huge = json.dumps({**CHAT, "user": "a" * 300_000}).encode()
    error_of(client.post("/v1/chat/completions", content=huge), 413)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(huge), 4096):
            yield huge[start : start + 4096]

    error_of(client.post("/v1/chat/completions", content=chunks()), 413)


def test_deep_texts_are_no_deep_json(client: httpx.Client) -> None:
    text = "[{" * 5000 + '\\"]' * 10
    body = {**CHAT, "messages": [{"role": "user", "content": text[:1500]}]}
    assert client.post("/v1/chat/completions", json=body).status_code == 200
    assert depth_of(json.dumps([[text]]), enough=1) == 2


@pytest.mark.parametrize("end", ["", "\\", '"', '"}]'])
def test_a_text_that_is_cut_is_gone_over_once(end: str) -> None:
    # A second look from every quote would take hours.
    text = '[{"a":"' + '\\"[{' * 500_000 + end
    assert depth_of(text, enough=1) == 2


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_the_type_does_not_matter(client: httpx.Client, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    content = json.dumps(CHAT).encode()
    response = client.post("/v1/chat/completions", content=content, headers=headers)
    assert response.status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as sock:
        sock.settimeout(5)
        sock.sendall(b"POST /tokenize HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        assert b"408" in sock.recv(1000)


def test_no_http_at_all(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as sock:
        sock.settimeout(5)
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert b"400" in sock.recv(1000)
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/v1/chat/completions", 405)])
def test_routes_that_are_not_there(client: httpx.Client, path: str, status: int) -> None:
    error_of(client.get(path), status)
