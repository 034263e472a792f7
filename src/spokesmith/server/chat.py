"""`POST /v1/chat/completions`."""

import asyncio
from typing import Any

from fastapi import FastAPI, Request, Response

from spokesmith.backends.completion import Completion
from spokesmith.server.chat_answer import ChatStream, chat_document
from spokesmith.server.chat_request import ChatPlan, ChatRequest, plan_chat
from spokesmith.server.event_stream import EventStream
from spokesmith.server.jobs import Answers, begin_asked, for_client
from spokesmith.server.record import note, note_answers
from spokesmith.server.service import Service


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the route."""

    @app.post("/v1/chat/completions", tags=["OpenAI"])
    @app.post("/chat/completions", include_in_schema=False)
    async def chat_completions(body: ChatRequest, http: Request) -> Any:
        """Go on with a chat.

        A set of spokes that gets one user message and nothing else answers with the encoding of
        its task. Whoever sends a system message or says what holds the answer gets that.
        """
        # Of a long text the schema that is held to it takes a while.
        plan = await asyncio.to_thread(plan_chat, service, body)
        note(http, model=plan.model.name, stream=bool(body.stream), task=plan.task)
        if service.settings.log_contents:
            note(http, messages=plan.requests[0].messages)
        if body.stream:
            return await for_client(http, _stream(service, http, plan, body))
        completions = await for_client(http, _whole(service, plan))
        await note_answers(http, service, plan.model.name, completions, plan.constraint)
        return chat_document(plan, completions, service.backend)


async def _whole(service: Service, plan: ChatPlan) -> list[Completion]:
    return await (await _begin(service, plan, stream=False)).completions()


async def _stream(service: Service, http: Request, plan: ChatPlan, body: ChatRequest) -> Response:
    answers = await _begin(service, plan, stream=True)

    async def on_end(completions: list[Completion]) -> None:
        await note_answers(http, service, plan.model.name, completions, plan.constraint)

    options = body.stream_options
    return EventStream(
        answers,
        ChatStream(plan, service.backend, include_usage=bool(options and options.include_usage)),
        keep_alive_s=service.settings.keep_alive_s,
        on_end=on_end,
    )


async def _begin(service: Service, plan: ChatPlan, *, stream: bool) -> Answers:
    return await begin_asked(
        service, plan.requests, stream=stream, prompt="messages", held=plan.held
    )
