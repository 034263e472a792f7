"""A server on a port of the loopback interface, for as long as a test needs it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from spokesmith.backends.request import Backend
from spokesmith.server.app import create_app
from spokesmith.server.running import address_of, bind, config_of
from spokesmith.server.service import Loading, Service, Settings


def service_over(backend: Backend, **settings: Any) -> Service:
    """A service without embeddings over a backend that is there already."""
    return Service(engine=Loading("engine", lambda: backend), settings=Settings(**settings))


@contextmanager
def serve(service: Service, *, wait: bool = True) -> Iterator[str]:
    """The address of a running server; `wait` until it is ready."""
    bound = bind("127.0.0.1", 0)
    url = address_of(bound)
    server = uvicorn.Server(config_of(create_app(service), shutdown_limit_s=20))
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    until(lambda: server.started)
    if wait:
        until(lambda: service.state == "ready")
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


@contextmanager
def client_of(backend: Backend, **settings: Any) -> Iterator[httpx.Client]:
    """A client of a server over a backend."""
    with (
        serve(service_over(backend, **settings)) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        yield client


def until(condition: Any, *, limit_s: float = 10.0) -> None:
    """Wait until something holds; fail where it does not."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def events_of(response: httpx.Response) -> list[Any]:
    """The documents of a stream; its closing mark as the text [DONE]."""
    found: list[Any] = []
    for line in response.text.split("\n\n"):
        if line.startswith("data: "):
            data = line.removeprefix("data: ")
            found.append(data if data == "[DONE]" else json.loads(data))
    return found


def counts_of(client: httpx.Client) -> dict[str, float]:
    """What a server counts, by the names that `/metrics` gives, without what all begin with."""
    lines = client.get("/metrics").text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.removeprefix("spokesmith_"): float(value) for name, value in pairs}


def error_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """The error of a response, checked for its form."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"message", "type", "param", "code", "remedy"}
    assert body["error"]["message"]
    return body["error"]
