"""A real server in a thread that answers well, badly, slowly or not at all."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from spokesmith.backends.http import HttpBackend
from spokesmith.tasks import Message

MESSAGES: list[Message] = [{"role": "user", "content": "hello"}]
GOOD = {
    "choices": [{"message": {"content": '{"gist": "x"}'}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5},
}
Respond = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers every POST by the server's `respond` and keeps what was asked."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers.get("Authorization"), body))  # type: ignore[attr-defined]
        try:
            self.server.respond(self)  # type: ignore[attr-defined]
        except OSError:
            self.close_connection = True

    def answer(self, body: bytes, *, status: int = 200, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def serving(respond: Respond) -> Iterator[tuple[str, list[Any]]]:
    """The URL of a server on this machine, and what it is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    asked: list[Any] = []
    server.respond, server.asked = respond, asked  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def sends(value: Any, **settings: Any) -> Respond:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return lambda handler: handler.answer(body, **settings)


def test_a_good_answer_and_what_was_asked() -> None:
    with serving(sends(GOOD)) as (url, asked):
        backend = HttpBackend(url, model="m", api_key="secret")
        answer = backend.complete(MESSAGES, {"type": "object"}, max_tokens=9, time_limit_s=5)
        HttpBackend(url + "/v1/").complete(MESSAGES, time_limit_s=5)
    assert (answer.text, answer.finish_reason) == ('{"gist": "x"}', "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 5)
    assert 0 < answer.timing.total_s < 5
    path, key, body = asked[0]
    assert (path, key) == ("/v1/chat/completions", "Bearer secret")
    assert body == {
        "model": "m",
        "messages": MESSAGES,
        "max_tokens": 9,
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "encoding", "strict": True, "schema": {"type": "object"}},
        },
    }
    path, key, body = asked[1]
    assert (path, key) == ("/v1/chat/completions", None)
    assert set(body) == {"messages", "max_tokens", "temperature"}


def choice(**changes: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "x"}, "finish_reason": "stop", **changes}]}


def test_counts_that_the_server_does_not_tell_are_unknown() -> None:
    with serving(sends(choice())) as (url, _):
        usage = HttpBackend(url).complete(MESSAGES, time_limit_s=5).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (None, None)


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (sends({"error": {"message": "out of\n memory"}}, status=500), "HTTP 500: out of memory"),
        (sends({"error": "no such model"}, status=404), "HTTP 404: no such model"),
        (sends(b"<html>" + b"bad " * 999, status=502), "HTTP 502: <html>bad .* …"),
        (sends(b"", status=503), r"HTTP 503: \(nothing\)"),
        (sends(b"\xff\xfe", status=500), "HTTP 500: "),
        (sends(b"", status=302), "HTTP 302"),
        (sends(b"<html>welcome</html>"), "the body is not JSON: <html>welcome"),
        (sends(b""), "the body is empty"),
        (sends(json.dumps(GOOD).encode()[:40], length=200), "the connection broke off"),
        (sends(json.dumps(GOOD).encode()[:40]), "the body is not JSON"),
        (sends(b"[" * 100_000), "the body is not JSON"),
        (sends([]), "no chat completion"),
        (sends({"choices": []}), "no chat completion"),
        (sends({"choices": {"0": 1}}), "no chat completion"),
        (sends({"choices": [{"message": "x"}]}), "no chat completion"),
        (sends(choice(message={"content": None})), "the message has no content"),
        (sends(choice(message={"content": [{"text": "x"}]})), "the message has no content"),
        (sends(choice(finish_reason=None)), "finish_reason is None"),
        (lambda handler: handler.connection.close(), "the connection broke off"),
        (lambda handler: handler.wfile.write(b"garbage\r\n\r\n"), "the connection broke off"),
        (sends(b" " * (17 * 2**20)), "longer than 16 MiB"),
    ],
)
def test_what_is_no_completion_is_told_on_one_line(respond: Respond, reason: str) -> None:
    with serving(respond) as (url, _), pytest.raises(ValueError, match=reason) as caught:
        HttpBackend(url).complete(MESSAGES, time_limit_s=5)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def hang(handler: Handler) -> None:
    time.sleep(10)


@pytest.mark.parametrize("respond", [drip, drip_headers, hang])
def test_the_time_limit_holds_however_bytes_come(respond: Respond) -> None:
    start = time.monotonic()
    with serving(respond) as (url, _), pytest.raises(TimeoutError, match=r"within 0\.3 s"):
        HttpBackend(url).complete(MESSAGES, time_limit_s=0.3)
    assert time.monotonic() - start < 3


def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    with serving(hang) as (url, _):
        pass
    with pytest.raises(ConnectionError, match=f"cannot reach {url}"):
        HttpBackend(url).complete(MESSAGES, time_limit_s=5)


def test_threads_do_not_wait_for_one_another() -> None:
    meeting = threading.Barrier(4, timeout=5)

    def together(handler: Handler) -> None:
        meeting.wait()
        handler.answer(json.dumps(GOOD).encode())

    with serving(together) as (url, _):
        backend = HttpBackend(url)
        texts: list[str] = []

        def ask() -> None:
            texts.append(backend.complete(MESSAGES, time_limit_s=5).text)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert texts == ['{"gist": "x"}'] * 4


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://x", "http://", "", "http://x:99999", "x y"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="give http://HOST:PORT"):
        HttpBackend(url)


@pytest.mark.parametrize("key", ["sk-\n1", "sk\t"])
def test_a_key_that_no_header_takes_is_refused_unsaid(key: str) -> None:
    with pytest.raises(ValueError, match="no header takes") as refused:
        HttpBackend("http://x", api_key=key)
    assert "sk" not in str(refused.value)


def test_a_key_may_have_any_letters() -> None:
    with serving(sends(GOOD)) as (url, asked):
        HttpBackend(url, api_key="schlüssel").complete(MESSAGES)
    assert asked[0][1].encode("latin-1").decode() == "Bearer schlüssel"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "nowhere://127.0.0.1"])
def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ValueError, match="proxy that the environment names cannot be used"):
        HttpBackend("http://127.0.0.1:9")


def test_a_server_needs_no_torch() -> None:
    code = "import sys, spokesmith.backends.http; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
