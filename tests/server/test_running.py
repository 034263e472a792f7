"""Connections that ask for nothing, or never get done with asking, are closed."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from scripted_backend import ScriptedBackend
from serving import serve, service_over

from spokesmith.server import running

LIMIT_S = 0.4
REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(running, "HEAD_LIMIT_S", LIMIT_S)
    with serve(service_over(ScriptedBackend("{}", first_delay_s=2 * LIMIT_S))) as url:
        yield url


def connected(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((str(address.hostname), address.port), timeout=10)


def test_a_connection_that_asks_for_nothing_is_closed(url: str) -> None:
    with connected(url) as connection:
        assert connection.recv(1) == b""


@pytest.mark.parametrize("before", [b"", REQUEST], ids=["first", "second"])
def test_a_request_whose_head_comes_in_drops_is_closed(url: str, before: bytes) -> None:
    with connected(url) as connection:
        connection.sendall(before + b"GET /health HTTP/1.1\r\nX-Drops: ")
        start, is_open = time.monotonic(), True
        connection.settimeout(LIMIT_S / 8)
        while is_open:
            assert time.monotonic() < start + 10
            try:
                connection.sendall(b".")
                is_open = connection.recv(4096) != b""
            except TimeoutError:
                continue
            except ConnectionError:
                is_open = False
        assert time.monotonic() > start + LIMIT_S / 2


def test_an_answer_may_take_longer(url: str) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    assert httpx.post(f"{url}/v1/chat/completions", json=body).status_code == 200
