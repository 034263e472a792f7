"""From the engine's threads to the event loop: answers that are awaited, streamed and given up.

The event loop never waits for the engine: starts run in threads, pieces and ends arrive in a queue.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from fastapi import Request as HttpRequest

from spokesmith.backends.completion import Completion, Piece
from spokesmith.backends.request import (
    Backend,
    BusyError,
    ConstraintError,
    ContextError,
    Job,
    Request,
)
from spokesmith.server.constraints import Held
from spokesmith.server.errors import ApiError, ClientGone, as_api_error
from spokesmith.server.service import Service

Event = Piece | Completion | Exception
Receive = Callable[[], Awaitable[Any]]
Result = TypeVar("Result")
logger = logging.getLogger("spokesmith.server")


class Answers:
    """The answers to one HTTP request, while they are made. `begin` makes it.

    Whoever holds it calls `cancel` in the end, whatever happened; on answers that are whole that
    does nothing.

    Args:
        num_answers: how many there will be.
        note_end: hears how each ended, in the engine's thread.
    """

    def __init__(
        self, num_answers: int, note_end: Callable[[Completion | Exception], None]
    ) -> None:
        self.jobs: list[Job] = []
        # On the clock `time.monotonic`, when the start of all jobs began; None before.
        self.started_at: float | None = None
        self._num_open = num_answers
        self._note_end = note_end
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[tuple[int, Event]] = asyncio.Queue()
        self._peeked: deque[tuple[int, Event]] = deque()

    async def next(self, timeout_s: float | None = None) -> tuple[int, Event] | None:
        """What comes next and the index of its answer; None when all answers have ended.

        Each answer ends with a Completion or an Exception.

        Raises:
            TimeoutError: nothing came in time.
        """
        if not self._peeked and not self._num_open:
            return None
        if not self._peeked:
            await self._fetch(timeout_s)
        return self._peeked.popleft()

    async def peek(self, timeout_s: float) -> None:
        """Wait for the first sign of life, so that an early failure is a plain HTTP error.

        Raises:
            Exception: an answer failed before any piece of one was there.
        """
        try:
            await self._fetch(timeout_s)
        except TimeoutError:
            return
        event = self._peeked[0][1]
        if isinstance(event, Exception):
            raise event

    async def completions(self) -> list[Completion]:
        """All answers, whole and in order.

        Raises:
            Exception: the first failure; the other answers are given up.
        """
        done: dict[int, Completion] = {}
        try:
            while (arrived := await self.next()) is not None:
                index, event = arrived
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, Completion):
                    done[index] = event
        finally:
            self.cancel()
        return [done[index] for index in sorted(done)]

    def cancel(self) -> None:
        """Give up what has not ended, and let go of all: each job holds this object too."""
        while self.jobs:
            self.jobs.pop().cancel()

    def start(self, backend: Backend, requests: Sequence[Request], *, stream: bool) -> None:
        """Start all jobs, or none; called in a thread."""
        self.started_at = time.monotonic()
        try:
            for index, request in enumerate(requests):
                on_piece = self._on_piece(index) if stream else None
                self.jobs.append(
                    backend.start(request, on_piece=on_piece, on_end=self._on_end(index))
                )
        except BaseException:
            self.cancel()
            raise

    async def _fetch(self, timeout_s: float | None) -> None:
        async with asyncio.timeout(timeout_s):
            index, event = await self._arrived.get()
        if not isinstance(event, Piece):
            self._num_open -= 1
        self._peeked.append((index, event))

    def _on_piece(self, index: int) -> Callable[[Piece], None]:
        return lambda piece: self._put(index, piece)

    def _on_end(self, index: int) -> Callable[[Job], None]:
        def on_end(job: Job) -> None:
            try:
                event: Completion | Exception = job.result(0)
            except Exception as error:
                event = error
            # Several answers to one request say no more of the engine than one.
            if index == 0:
                self._note_end(event)
            self._put(index, event)

        return on_end

    def _put(self, index: int, event: Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, (index, event))


async def begin(service: Service, requests: Sequence[Request], *, stream: bool = False) -> Answers:
    """Start the answers to `requests`; pieces come only where `stream` asks for them.

    Raises:
        ApiError: the engine is not there, or compiling what the answers are held to takes too long.
        ValueError, BusyError: the engine refuses one of the requests; none is started then.
    """
    answers = Answers(len(requests), service.note_end)
    starting = service.starters.submit(answers.start, service.backend, requests, stream=stream)
    limit_s = service.settings.compile_limit_s
    waiting = asyncio.wrap_future(starting)
    # Where nobody waits any more, nobody has to hear that it failed.
    waiting.add_done_callback(lambda one: one.cancelled() or one.exception())
    try:
        async with asyncio.timeout(limit_s):
            await asyncio.shield(waiting)
    except TimeoutError as error:
        if not starting.cancel():
            _cancel_when_started(starting, answers)
        # What stood in the queue for most of the time has not shown that it takes too long.
        began = answers.started_at
        if began is None or time.monotonic() - began < limit_s / 2:
            raise BusyError("too many requests are being prepared: ask again later") from error
        raise ApiError(
            f"the request could not be prepared within {limit_s:g} s",
            remedy="ask again, or use a shorter text or a simpler schema or grammar",
            code="too_complex",
        ) from error
    except asyncio.CancelledError:
        if not starting.cancel():
            _cancel_when_started(starting, answers)
        raise
    return answers


async def begin_stream(service: Service, requests: Sequence[Request]) -> Answers:
    """As `begin`, with pieces; waits for the first, so that an early failure is raised here."""
    answers = await begin(service, requests, stream=True)
    try:
        await answers.peek(service.settings.keep_alive_s)
    except BaseException:
        answers.cancel()
        raise
    return answers


async def begin_asked(
    service: Service,
    requests: Sequence[Request],
    *,
    stream: bool,
    prompt: str,
    held: Held | None = None,
) -> Answers:
    """As `begin` or `begin_stream`; what the engine refuses is told with its field.

    Args:
        prompt: the field with what the answers go on from.
        held: what holds them by a field of the request.
    """
    try:
        if stream:
            return await begin_stream(service, requests)
        return await begin(service, requests)
    except ContextError as error:
        raise as_api_error(error, param=prompt) from error
    except ConstraintError as error:
        raise as_api_error(error, param=held.field if held else None) from error


async def for_client(request: HttpRequest, work: Coroutine[Any, Any, Result]) -> Result:
    """Do `work` as long as the client is there.

    Raises:
        ClientGone: it went away; the work was cancelled.
    """
    doing = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(until_gone(request.receive))
    try:
        await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientGone
        return doing.result()
    finally:
        await stop_tasks(doing, watching)


async def complete(
    service: Service, http: HttpRequest, request: Request, *, prompt: str, held: Held | None = None
) -> Completion:
    """One whole answer, given up when the client goes away; refused as by `begin_asked`."""

    async def ask() -> Completion:
        answers = await begin_asked(service, [request], stream=False, prompt=prompt, held=held)
        return (await answers.completions())[0]

    return await for_client(http, ask())


async def until_gone(receive: Receive) -> None:
    """Return when the client has closed its connection; its body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def stop_tasks(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _cancel_when_started(starting: Future[None], answers: Answers) -> None:
    starting.add_done_callback(lambda _: answers.cancel())
