"""`POST /v1/completions`: texts that go on from prompts as they are, without a chat's turns."""

import asyncio
import codecs
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from pydantic import Field, field_validator

from spokesmith.backends import request as engine
from spokesmith.backends.completion import Completion, Piece
from spokesmith.backends.request import Backend, Chosen
from spokesmith.server.answers import (
    finish_reason,
    how_made,
    new_id,
    timings,
    token_documents,
    usage,
)
from spokesmith.server.constraints import ConstraintFields, Held, held_by
from spokesmith.server.errors import ApiError
from spokesmith.server.event_stream import DONE, EventStream, data_event
from spokesmith.server.fields import (
    UNLIMITED,
    Items,
    StreamOptions,
    TextFields,
    TokenId,
    TokenLimit,
    check_closing,
)
from spokesmith.server.jobs import Answers, begin_asked, for_client
from spokesmith.server.record import note, note_answers
from spokesmith.server.service import Service

DEFAULT_MAX_TOKENS = 16


class CompletionRequest(ConstraintFields, TextFields):
    """Prompts to go on from: a text, token ids, or a list of either."""

    prompt: str | Items[str] | Items[TokenId] | Items[Items[TokenId]]
    max_tokens: TokenLimit | None = Field(
        None, description="16 if left out, as OpenAI does; -1 runs to the context's end."
    )
    n: int | None = Field(None, ge=1)
    logprobs: int | None = Field(None, ge=0, le=20)
    stream_options: StreamOptions | None = None

    @field_validator("prompt")
    @classmethod
    def _prompts_are_not_empty(cls, prompt: Any) -> Any:
        if not prompt or (isinstance(prompt, list) and [] in prompt):
            raise ValueError("an empty prompt has nothing to go on from: give a text")
        return prompt

    @property
    def prompts(self) -> Sequence[str | list[int]]:
        """Each prompt by itself, none of them copied: one may be millions of ids."""
        if isinstance(self.prompt, str) or isinstance(self.prompt[0], int):
            return [cast("str | list[int]", self.prompt)]
        return cast("list[str | list[int]]", self.prompt)


@dataclass(frozen=True, kw_only=True)
class CompletionPlan:
    """What the body asks of the engine: for each prompt in turn, all its answers."""

    model: engine.Model
    requests: list[engine.Request]
    held: Held | None
    num_prompts: int


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the route."""

    @app.post("/v1/completions", tags=["OpenAI"])
    async def completions(body: CompletionRequest, http: Request) -> Any:
        """Go on from texts."""
        # A schema may be large.
        plan = await asyncio.to_thread(plan_completions, service, body)
        note(http, model=plan.model.name, stream=bool(body.stream))
        if service.settings.log_contents:
            note(http, prompts=body.prompts)
        if body.stream:
            return await for_client(http, _stream(service, http, plan, body))

        async def whole() -> list[Completion]:
            return await (await _begin(service, plan, stream=False)).completions()

        done = await for_client(http, whole())
        await note_answers(http, service, plan.model.name, done, plan.requests[0].constraint)
        return _document(plan, done, service.backend)


def plan_completions(service: Service, body: CompletionRequest) -> CompletionPlan:
    """Turn a body into requests to the engine.

    Raises:
        ApiError: fields do not fit together, or ask for too much.
        UnknownModelError: no such model.
    """
    model = service.model(body.model)
    held = held_by(body)
    prompts, count = body.prompts, body.n or 1
    limit = service.settings.max_choices
    if count * len(prompts) > limit:
        raise ApiError(
            f"{len(prompts)} prompts with {count} answers each",
            remedy=f"ask for at most {limit} answers in all",
            param="n" if count > 1 else "prompt",
        )
    max_tokens = DEFAULT_MAX_TOKENS if body.max_tokens is None else body.max_tokens
    requests = [
        engine.Request(
            prompt=prompt,
            model=model.name,
            constraint=held.constraint if held else None,
            max_tokens=None if max_tokens == UNLIMITED else max_tokens,
            sampling=sampling,
            stop=body.stops,
            num_logprobs=body.logprobs,
            on_truncation=body.on_truncation or "cut",
        )
        for prompt in prompts
        for sampling in body.samplings(count)
    ]
    check_closing(requests[0])
    return CompletionPlan(model=model, requests=requests, held=held, num_prompts=len(prompts))


class CompletionStream:
    """The events of a text completion."""

    def __init__(self, plan: CompletionPlan, backend: Backend, *, include_usage: bool) -> None:
        self._plan = plan
        self._include_usage = include_usage
        self._frame = _frame(plan)
        self._logprobs = [_Logprobs(backend) for _ in plan.requests]
        self._completions: dict[int, Completion] = {}

    def piece(self, index: int, piece: Piece) -> Iterable[str]:
        logprobs = None
        if self._plan.requests[index].num_logprobs is not None and piece.tokens:
            logprobs = self._logprobs[index].document(piece.tokens)
        if piece.text or logprobs:
            yield self._chunk(index, piece.text, logprobs=logprobs)

    def completion(self, index: int, completion: Completion) -> Iterable[str]:
        self._completions[index] = completion
        yield self._chunk(
            index,
            "",
            ended=completion,
            more={"timings": timings(completion), "spokesmith": how_made([completion])},
        )

    def error(self, error: ApiError) -> Iterable[str]:
        yield data_event(error.body())

    def end(self) -> Iterable[str]:
        if self._include_usage:
            done = [self._completions[index] for index in sorted(self._completions)]
            yield data_event({**self._frame, "choices": [], "usage": _usage(self._plan, done)})
        yield DONE

    def _chunk(
        self,
        index: int,
        text: str,
        *,
        logprobs: dict[str, Any] | None = None,
        ended: Completion | None = None,
        more: dict[str, Any] | None = None,
    ) -> str:
        choice: dict[str, Any] = {
            "index": index,
            "text": text,
            "logprobs": logprobs,
            "finish_reason": None,
        }
        if ended is not None:
            choice |= {"finish_reason": finish_reason(ended), "closed": ended.closed}
        return data_event({**self._frame, "choices": [choice], **(more or {})})


async def _stream(
    service: Service, http: Request, plan: CompletionPlan, body: CompletionRequest
) -> Response:
    answers = await _begin(service, plan, stream=True)

    async def on_end(done: list[Completion]) -> None:
        await note_answers(http, service, plan.model.name, done, plan.requests[0].constraint)

    options = body.stream_options
    return EventStream(
        answers,
        CompletionStream(
            plan, service.backend, include_usage=bool(options and options.include_usage)
        ),
        keep_alive_s=service.settings.keep_alive_s,
        on_end=on_end,
    )


async def _begin(service: Service, plan: CompletionPlan, *, stream: bool) -> Answers:
    return await begin_asked(service, plan.requests, stream=stream, prompt="prompt", held=plan.held)


def _document(plan: CompletionPlan, done: list[Completion], backend: Backend) -> dict[str, Any]:
    return {
        **_frame(plan),
        "choices": [
            {
                "index": index,
                "text": one.text,
                "logprobs": None
                if plan.requests[index].num_logprobs is None
                else _Logprobs(backend).document(one.tokens),
                "finish_reason": finish_reason(one),
                "closed": one.closed,
            }
            for index, one in enumerate(done)
        ],
        "usage": _usage(plan, done),
        "timings": timings(done[0]),
        "spokesmith": how_made(done),
    }


def _frame(plan: CompletionPlan) -> dict[str, Any]:
    return {
        "id": new_id("cmpl"),
        "object": "text_completion",
        "created": int(time.time()),
        "model": plan.model.name,
    }


def _usage(plan: CompletionPlan, done: list[Completion]) -> dict[str, Any]:
    """Each prompt counts once, however many answers it had."""
    per_prompt = len(plan.requests) // plan.num_prompts
    return usage(done, prompts=done[::per_prompt])


class _Logprobs:
    """The older form of log probabilities, of one answer's tokens as they come.

    Offsets count characters of the answer; all tokens of one character stand where it does.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._num_characters = 0

    def document(self, tokens: Iterable[Chosen]) -> dict[str, Any]:
        documents = token_documents(tokens, self._backend)
        offsets: list[int] = []
        for document in documents:
            offsets.append(self._num_characters)
            self._num_characters += len(self._decoder.decode(bytes(document["bytes"])))
        return {
            "tokens": [_name(document) for document in documents],
            "token_logprobs": [document["logprob"] for document in documents],
            "top_logprobs": [
                {_name(top): top["logprob"] for top in document["top_logprobs"]}
                for document in documents
            ],
            "text_offset": offsets,
        }


def _name(token: dict[str, Any]) -> str:
    """What a token is called: its text, or its bytes, as OpenAI does, where they are no text."""
    value = bytes(token["bytes"])
    if value.decode("utf-8", "ignore").encode() == value:
        return token["token"]
    return "bytes:" + "".join(f"\\x{byte:02x}" for byte in value)
