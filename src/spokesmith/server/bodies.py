"""Bodies are read and looked at before any route: size, time, UTF-8, JSON and its depth.

Routes then get a body that is whole and parses without surprises.
"""

import asyncio
import json
import re
from typing import NoReturn

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spokesmith.server.access import READING
from spokesmith.server.errors import ApiError
from spokesmith.server.service import Settings

# A string that is not closed ends with the body, and none is gone over twice.
_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


class Gone(Exception):
    """The client went away before its body was there."""


class Bodies:
    """Middleware that lets only sound JSON bodies through."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
            check_json(body, max_depth=self._settings.max_json_depth)
        except Gone:
            return
        except ApiError as error:
            scope["state"]["record"]["error"] = error.message
            await error.response()(scope, receive, send)
            return
        # Clients that forget the type, or send a form's by default, mean JSON all the same.
        headers = MutableHeaders(scope=scope)
        headers["content-type"] = "application/json"
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        limit = self._settings.max_body_bytes
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared[:20]) > limit:
            raise _too_large(limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self._settings.body_limit_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    body += message.get("body", b"")
                    if len(body) > limit:
                        raise _too_large(limit)
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError as error:
            raise ApiError(
                f"the body was not there within {self._settings.body_limit_s:g} s",
                remedy="send it faster",
                status=408,
                code="body_timeout",
            ) from error


def check_json(body: bytes, *, max_depth: int) -> None:
    """Raise ApiError where a body is not empty and no sound JSON."""
    if not body.strip():
        return
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise ApiError(
            f"the body is not UTF-8 (at byte {error.start})",
            remedy="encode it as UTF-8",
            code="invalid_utf8",
        ) from error
    if depth_of(text, enough=max_depth) > max_depth:
        raise ApiError(
            f"the JSON nests deeper than {max_depth} levels",
            remedy="make it flatter",
            code="too_deep",
        )
    try:
        value = json.loads(text, parse_constant=_not_json)
        if _HALF_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ApiError(
            "a string holds half of a surrogate pair, which UTF-8 cannot carry",
            remedy="send whole characters",
            code="invalid_utf8",
        ) from error
    except ValueError as error:
        raise ApiError(
            f"the body is not JSON ({error})", remedy="mend it", code="invalid_json"
        ) from error


def depth_of(text: str, *, enough: int) -> int:
    """How deep the brackets of a JSON text nest; exact where it is more than `enough`."""
    if text.count("[") + text.count("{") <= enough:
        return 0
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        first = found.group()[0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _too_large(limit: int) -> ApiError:
    return ApiError(
        f"the body is larger than {limit} bytes",
        remedy="send less at once",
        status=413,
        code="body_too_large",
    )


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
