"""One record a request: an id, a line in the log, the counts; and the last net for failures.

The line says what was asked and how it ended, never the contents unless the settings say so.
"""

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Iterable
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spokesmith.backends.completion import Completion
from spokesmith.backends.request import Constraint
from spokesmith.server.constraints import outcome
from spokesmith.server.errors import CLIENT_GONE, as_api_error
from spokesmith.server.service import Service

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
logger = logging.getLogger("spokesmith.server.requests")


def note(request: Request, **facts: Any) -> None:
    """Add facts to the line that the log will have of a request."""
    request.state.record.update(facts)


async def note_answers(
    request: Request,
    service: Service,
    model: str,
    completions: Iterable[Completion],
    constraint: Constraint | None,
) -> None:
    """Count answers that are whole and put them into the request's line."""
    done = list(completions)
    outcomes = [await asyncio.to_thread(outcome, constraint, one) for one in done]
    for one, held in zip(done, outcomes, strict=True):
        service.meters.count_answer(model, one, held)
    note(
        request,
        model=model,
        prompt_tokens=max(one.usage.prompt_tokens for one in done),
        completion_tokens=sum(one.usage.completion_tokens for one in done),
        finish_reason=[one.finish_reason for one in done],
        closed=any(one.closed for one in done),
        held=outcomes,
        waiting_ms=round(1000 * max(one.timing.waiting_s for one in done), 1),
        first_token_ms=round(1000 * max(one.timing.first_token_s for one in done), 1),
    )
    if service.settings.log_contents:
        note(request, answers=[one.text for one in done])


class Record:
    """Middleware: everything above, for every request."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else f"req-{secrets.token_hex(8)}"
        facts: dict[str, Any] = {}
        scope.setdefault("state", {})["record"] = facts
        status = 0
        gone = whole = False
        start = time.perf_counter()

        async def watched_receive() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or (message["type"] == "http.disconnect" and not whole)
            return message

        async def marked_send(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            elif not message.get("more_body"):
                whole = True
            await send(message)

        try:
            await self._app(scope, watched_receive, marked_send)
        except Exception as error:
            logger.exception("request %s failed", request_id)
            facts["error"] = type(error).__name__
            if status == 0:
                await as_api_error(error).response()(scope, receive, marked_send)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "unmatched")
            self._service.meters.count_request(route, status or CLIENT_GONE, seconds)
            line = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "request_id": request_id,
                "method": scope["method"],
                "path": scope["path"],
                "status": status or CLIENT_GONE,
                "total_ms": round(1000 * seconds, 1),
                "client_gone": gone,
                **facts,
            }
            logger.info(json.dumps(line, ensure_ascii=False))
