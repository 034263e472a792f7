"""POST /v1/encode: a text in, the encoding of a set's task out, checked strictly.

The plain answer is the object and nothing else. With `facts` it stands in an envelope that tells
where each fact comes from; with `stream` its pieces arrive as they are made, the envelope last.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote

from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from spokesmith.backends.completion import Completion, Piece
from spokesmith.backends.request import Backend, Constraint, Model, Request, Sampling
from spokesmith.server.errors import ApiError
from spokesmith.server.event_stream import DONE, EventStream, data_event
from spokesmith.server.fields import MAX_SEED, ModelName
from spokesmith.server.jobs import begin_asked, complete, for_client
from spokesmith.server.origins import OriginSegments
from spokesmith.server.record import note, note_answers
from spokesmith.server.service import Service
from spokesmith.server.verdict import encoding_of, verdict_of
from spokesmith.tasks import Task, canonical_json, load_task

DEFAULT_TASK = "memory"


class EncodeBody(BaseModel):
    """What a client sends. A field of another name is an error, so that no typing slip is lost."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    text: str = Field(description="What to encode.")
    source: str | None = Field(
        None, description="Where the text came from; told again in the envelope, not to the model."
    )
    type: str | None = Field(
        None, description="What the text is; told again in the envelope, not to the model."
    )
    model: ModelName | None = Field(
        None, description="A set of spokes, whose task is done; None: the default."
    )
    facts: bool = Field(
        False, description="Answer with an envelope: the encoding, its facts and their places."
    )
    stream: bool = Field(False, description="Send events: start, piece (many), result or error.")
    max_tokens: int | None = Field(
        None, ge=1, description="Most tokens of the answer; None: what the task allows."
    )
    on_truncation: Literal["cut", "close"] = Field(
        "cut", description="An answer that reaches max_tokens is an error, or gets a valid ending."
    )
    temperature: float = Field(0.0, ge=0, le=5, description="0 takes the most likely token.")
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        description="The same seed gives the same answer, up to near ties in bfloat16.",
    )

    @field_validator("text")
    @classmethod
    def _has_words(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("it is empty: send a text")
        return text


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the route."""

    @app.post("/v1/encode", tags=["spokesmith"])
    async def encode(body: EncodeBody, http: HttpRequest) -> Response:
        """The encoding of one text, checked strictly: 422 where the answer does not fit."""
        model = service.model(body.model)
        task = model.task or _default_task()
        # Of a long text the schema that is held to it takes a while.
        request = await asyncio.to_thread(_request, body, model, task)
        note(http, model=model.name, stream=body.stream, task=task.name)
        if service.settings.log_contents:
            note(http, messages=request.messages)

        async def count(completions: list[Completion]) -> None:
            constraint = Constraint(kind="schema", value=task.schema)
            await note_answers(http, service, model.name, completions, constraint)

        if body.stream:
            answers = await for_client(
                http, begin_asked(service, [request], stream=True, prompt="text")
            )
            events = EncodingEvents(service.backend, body, model, task)

            async def on_end(completions: list[Completion]) -> None:
                await count(completions)
                await asyncio.to_thread(events.judge, completions[0])

            keep_alive_s = service.settings.keep_alive_s
            return EventStream(answers, events, keep_alive_s=keep_alive_s, on_end=on_end)
        assert request.constraint is not None
        is_held = task.is_held(request.constraint.value)
        completion = await complete(service, http, request, prompt="text")
        await count([completion])
        content = await asyncio.to_thread(_content, completion, body, model, task)
        headers = {
            # A header is Latin-1, a name may be anything.
            "X-Model": quote(model.name, safe="/:"),
            "X-Closed": str(completion.closed).lower(),
            # Not where the text is too long for that.
            "X-Held-To-Text": str(is_held).lower(),
        }
        return Response(content, media_type="application/json", headers=headers)


class EncodingEvents:
    """One encoding as events, each a JSON object with its `type`.

    `start` names the model and gives the task's schema; `piece` has segments of text, each with
    the origin of its tokens, and counts the tokens; `result` is the envelope; `error` ends the
    stream where it fails.
    """

    def __init__(self, backend: Backend, body: EncodeBody, model: Model, task: Task) -> None:
        self._body, self._model, self._task = body, model, task
        self._segments = OriginSegments(backend.token_bytes)
        self._has_begun = False
        self._verdict: dict[str, Any] | ApiError | None = None

    def judge(self, completion: Completion) -> None:
        """Make the last event; may take a while."""
        try:
            self._verdict = _envelope(completion, self._body, self._model, self._task)
        except ApiError as error:
            self._verdict = error

    def piece(self, index: int, piece: Piece) -> Iterable[str]:
        yield from self._start()
        segments = self._segments.of(piece)
        tokens = Counter(token.origin for token in piece.tokens)
        if segments or tokens:
            yield data_event({"type": "piece", "segments": segments, "tokens": tokens})

    def completion(self, index: int, completion: Completion) -> Iterable[str]:
        yield from self._start()

    def error(self, error: ApiError) -> Iterable[str]:
        yield data_event({"type": "error", **error.body()})

    def end(self) -> Iterable[str]:
        if isinstance(self._verdict, ApiError):
            yield from self.error(self._verdict)
        else:
            yield data_event({"type": "result", "result": self._verdict})
        yield DONE

    def _start(self) -> Iterable[str]:
        if not self._has_begun:
            self._has_begun = True
            yield data_event(
                {
                    "type": "start",
                    "model": self._model.name,
                    "task": self._task.name,
                    "schema": self._task.schema,
                }
            )


@lru_cache(maxsize=1)
def _default_task() -> Task:
    """What models without a task of their own are asked for: the bare base too can be tried."""
    return load_task(DEFAULT_TASK)


def _request(body: EncodeBody, model: Model, task: Task) -> Request:
    return Request(
        messages=task.messages(body.text),
        model=model.name,
        made_for=model if model.task else None,
        constraint=Constraint(kind="schema", value=task.schema_for(body.text)),
        max_tokens=body.max_tokens or task.max_tokens,
        sampling=Sampling(temperature=body.temperature, top_p=body.top_p, seed=body.seed),
        on_truncation=body.on_truncation,
    )


def _content(completion: Completion, body: EncodeBody, model: Model, task: Task) -> str:
    if body.facts:
        return canonical_json(_envelope(completion, body, model, task))
    return encoding_of(completion, task)


def _envelope(completion: Completion, body: EncodeBody, model: Model, task: Task) -> dict[str, Any]:
    told = {"model": model.name, "task": task.name, "source": body.source, "type": body.type}
    return {**told, **verdict_of(completion, task, body.text)}
