"""`complete` by any OpenAI-compatible server.

Whatever a server answers becomes a completion or one of a few errors with a reason that fits on a
line; the time limit is one for the whole answer, however its bytes come. Nothing is asked twice.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from spokesmith.backends.completion import Timing
from spokesmith.tasks import Message

CONNECT_LIMIT_S = 10.0
MAX_BODY_BYTES = 16 * 2**20
QUOTED_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True)
class HttpUsage:
    """Token counts of one completion; None where the server does not tell."""

    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True, kw_only=True)
class HttpCompletion:
    """A server's answer. `finish_reason` is the server's own word."""

    text: str
    finish_reason: str
    usage: HttpUsage
    timing: Timing


class HttpBackend:
    """Answers by `POST {url}/v1/chat/completions`.

    Args:
        url: where the server is, with or without `/v1`.
        model: which of its models answers; None leaves the choice to the server.
        api_key: sent as a bearer token.

    Raises:
        ValueError: the address or the key is unusable, or the proxy that the environment names.
    """

    def __init__(self, url: str, *, model: str | None = None, api_key: str | None = None) -> None:
        self.url = _base_url(url)
        self.model = model
        if api_key and not api_key.isprintable():
            raise ValueError("the key holds characters that no header takes: mend it")
        self._headers = {b"Authorization": f"Bearer {api_key}".encode()} if api_key else {}
        # Reading the certificates takes longer than many an answer: once is enough.
        self._certificates = httpx.create_ssl_context()
        try:
            self._client()
        except (ImportError, ValueError) as error:
            raise ValueError(
                f"the proxy that the environment names cannot be used ({error}): unset it, or "
                "pip install 'httpx[socks]' for one of SOCKS"
            ) from error

    def complete(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = 1024,
        time_limit_s: float | None = None,
    ) -> HttpCompletion:
        """Answer a chat, greedily; may be called from many threads at once.

        Args:
            schema: sent as a strict `json_schema`; None asks for free text.
            time_limit_s: for the whole answer, from the request to the last byte.

        Raises:
            ConnectionError: no connection to the server.
            TimeoutError: the answer was not there in time.
            ValueError: what came is no completion.
        """
        request: dict[str, Any] = {
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        if self.model is not None:
            request["model"] = self.model
        if schema is not None:
            named = {"name": "encoding", "strict": True, "schema": schema}
            request["response_format"] = {"type": "json_schema", "json_schema": named}
        start = time.perf_counter()
        try:
            status, body = asyncio.run(self._post(request, time_limit_s))
        except TimeoutError as error:
            raise TimeoutError(f"nothing whole came within {time_limit_s:g} s") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            reason = str(error) or "no connection in time"
            raise ConnectionError(f"cannot reach {self.url}: {reason}") from error
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ValueError(f"the connection broke off: {reason}") from error
        if status != 200:
            raise ValueError(f"HTTP {status}: {_error_words(body)}")
        return _as_completion(body, time.perf_counter() - start)

    def _client(self) -> httpx.AsyncClient:
        timeout = httpx.Timeout(None, connect=CONNECT_LIMIT_S)
        return httpx.AsyncClient(verify=self._certificates, timeout=timeout)

    async def _post(self, request: dict[str, Any], time_limit_s: float | None) -> tuple[int, bytes]:
        """Status and body. One clock runs over all of it: httpx's own begin anew at every byte."""
        async with (
            asyncio.timeout(time_limit_s),
            self._client() as client,
            client.stream(
                "POST", f"{self.url}/v1/chat/completions", json=request, headers=self._headers
            ) as response,
        ):
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise ValueError(f"the body is longer than {MAX_BODY_BYTES >> 20} MiB")
            return response.status_code, bytes(body)


def _base_url(url: str) -> str:
    """The address before `/v1`."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise ValueError(f"'{url}' is no URL ({error}): give http://HOST:PORT") from error
    # A port that no socket takes would end a whole run.
    is_port = parsed.port is None or 0 < parsed.port < 2**16
    if parsed.scheme not in ("http", "https") or not parsed.host or not is_port:
        raise ValueError(f"'{url}' is no address of a server: give http://HOST:PORT")
    return url.strip().rstrip("/").removesuffix("/v1")


def _as_completion(body: bytes, total_s: float) -> HttpCompletion:
    if not body.strip():
        raise ValueError("the body is empty")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {_quoted(body)}") from error
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        content, finish_reason = message["content"], choice["finish_reason"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"the body is no chat completion: {_quoted(body)}") from error
    if not isinstance(content, str):
        raise ValueError(f"the message has no content: {_quoted(body)}")
    if not isinstance(finish_reason, str):
        raise ValueError(f"finish_reason is {finish_reason!r}, want stop or length")
    found = answer.get("usage")
    usage = found if isinstance(found, dict) else {}
    return HttpCompletion(
        text=content,
        finish_reason=finish_reason,
        usage=HttpUsage(
            prompt_tokens=_count(usage.get("prompt_tokens")),
            completion_tokens=_count(usage.get("completion_tokens")),
        ),
        timing=Timing(first_token_s=total_s, total_s=total_s),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _error_words(body: bytes) -> str:
    """The message of an OpenAI error, else the beginning of the body."""
    try:
        error = json.loads(body)["error"]
        words = error if isinstance(error, str) else error["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return _quoted(body)
    return _quoted(str(words).encode("utf-8", "replace"))


def _quoted(body: bytes) -> str:
    words = " ".join(body[: 8 * QUOTED_CHARACTERS].decode("utf-8", "replace").split())
    if len(words) > QUOTED_CHARACTERS:
        words = words[:QUOTED_CHARACTERS] + " …"
    return words or "(nothing)"
