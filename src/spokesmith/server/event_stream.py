"""Server-sent events from answers under way: keep-alive comments, and an end when the client goes.

Knows no format: a `Renderer` says what becomes of each event.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Protocol

from fastapi import Response
from starlette.types import Receive, Scope, Send

from spokesmith.backends.completion import Completion, Piece
from spokesmith.server.errors import ApiError, as_api_error
from spokesmith.server.jobs import Answers, stop_tasks, until_gone

DONE = "data: [DONE]\n\n"
KEEP_ALIVE = ": the answer is still being made\n\n"
# Many clients end lines at these too. JSON holds them in strings only, where they may be escaped.
LINE_ENDS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\u0085\u2028\u2029"}
logger = logging.getLogger("spokesmith.server")


class Renderer(Protocol):
    """What the client hears of answers; each text that is returned is one whole event."""

    def piece(self, index: int, piece: Piece) -> Iterable[str]: ...

    def completion(self, index: int, completion: Completion) -> Iterable[str]: ...

    def error(self, error: ApiError) -> Iterable[str]:
        """An answer failed: the stream ends after this."""
        ...

    def end(self) -> Iterable[str]:
        """All answers are whole."""
        ...


def data_event(document: Any) -> str:
    """A JSON document as one event."""
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return f"data: {written.translate(LINE_ENDS)}\n\n"


class EventStream(Response):
    """Streams answers; gives them up where the client goes away.

    Args:
        answers: begun with `stream=True`.
        renderer: what is sent.
        keep_alive_s: a comment is sent where nothing was said for so long.
        on_end: told the answers that are whole, before the stream ends.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        answers: Answers,
        renderer: Renderer,
        *,
        keep_alive_s: float,
        on_end: Callable[[list[Completion]], Awaitable[None]] | None = None,
    ) -> None:
        # Proxies hold streams back unless they are told not to.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._answers = answers
        self._renderer = renderer
        self._keep_alive_s = keep_alive_s
        self._on_end = on_end
        self._done: list[Completion] = []
        # On the clock `time.monotonic`, when the client last heard something.
        self._said_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(self._send_all(send))
        watching = asyncio.ensure_future(until_gone(receive))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            self._answers.cancel()
            await stop_tasks(sending, watching)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        self._said_at = time.monotonic()
        async for text in self._texts():
            body = text.encode("utf-8", "replace")
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self._said_at = time.monotonic()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _texts(self) -> AsyncIterator[str]:
        while True:
            try:
                arrived = await self._answers.next(self._keep_alive_s)
            except TimeoutError:
                yield KEEP_ALIVE
                continue
            if arrived is None:
                break
            index, event = arrived
            if isinstance(event, Exception):
                logger.error("an answer failed in its stream", exc_info=event)
                for text in self._renderer.error(as_api_error(event)):
                    yield text
                return
            if isinstance(event, Piece):
                texts = list(self._renderer.piece(index, event))
                # Of a call nothing is said before it is whole.
                if not texts and time.monotonic() - self._said_at >= self._keep_alive_s:
                    texts = [KEEP_ALIVE]
            else:
                self._done.append(event)
                texts = self._renderer.completion(index, event)
            for text in texts:
                yield text
        if self._on_end is not None:
            await self._on_end(self._done)
        for text in self._renderer.end():
            yield text
