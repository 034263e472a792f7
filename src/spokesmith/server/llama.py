"""llama-server's own routes: `/completion`, `/tokenize`, `/detokenize`, `/props`."""

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, field_validator

from spokesmith import __version__
from spokesmith.backends import request as engine
from spokesmith.backends.completion import Completion, Piece
from spokesmith.backends.request import Backend, Chosen
from spokesmith.server.answers import how_made, timings, token_documents
from spokesmith.server.constraints import ConstraintFields, Held, held_by
from spokesmith.server.errors import ApiError
from spokesmith.server.event_stream import EventStream, data_event
from spokesmith.server.fields import (
    Items,
    TextFields,
    TokenId,
    TokenLimit,
    check_closing,
    check_count,
)
from spokesmith.server.jobs import begin_asked, complete, for_client
from spokesmith.server.record import note, note_answers
from spokesmith.server.service import Service

MS_PER_S = 1000
MS_PER_DAY = 24 * 3600 * MS_PER_S


class LlamaRequest(ConstraintFields, TextFields):
    """A text to go on from, in llama-server's words."""

    prompt: str | Items[TokenId | str] = Field(
        description="A text, token ids, or texts and ids mixed: one prompt."
    )
    n_predict: TokenLimit | None = Field(None, description="-1 runs to the context's end.")
    max_tokens: TokenLimit | None = Field(None, description="As n_predict.")
    n_probs: int | None = Field(None, ge=0, le=20)
    return_tokens: bool | None = None
    t_max_predict_ms: int | None = Field(
        None,
        le=MS_PER_DAY,
        description="The answer is cut after so long, waiting included; 0 or less: never.",
    )

    @field_validator("prompt")
    @classmethod
    def _one_prompt(cls, prompt: Any) -> Any:
        if not prompt:
            raise ValueError("an empty prompt has nothing to go on from: give a text")
        if isinstance(prompt, list) and len(prompt) > 1 and all(isinstance(p, str) for p in prompt):
            raise ValueError("these are several prompts: send one, or use /v1/completions")
        return prompt


class TokenizeRequest(BaseModel):
    """A text to cut into tokens."""

    content: str
    add_special: bool = False
    parse_special: bool = True
    with_pieces: bool = False


class DetokenizeRequest(BaseModel):
    """Tokens to put together."""

    tokens: Items[TokenId]


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the routes."""

    @app.post("/completion", tags=["llama-server"])
    @app.post("/completions", include_in_schema=False)
    async def completion(body: LlamaRequest, http: Request) -> Any:
        """Go on from a text."""
        request, held = await run_in_threadpool(_request, service, body)
        note(http, model=request.model, stream=bool(body.stream))
        if service.settings.log_contents:
            note(http, prompts=[body.prompt])
        if body.stream:
            return await for_client(http, _stream(service, http, request, held))
        done = await complete(service, http, request, prompt="prompt", held=held)
        await note_answers(http, service, request.model or "", [done], request.constraint)
        return _document(request, done, service.backend, with_tokens=bool(body.return_tokens))

    @app.post("/tokenize", tags=["llama-server"])
    async def tokenize(body: TokenizeRequest) -> dict[str, Any]:
        """The tokens of a text."""
        backend = service.backend
        tokens = await run_in_threadpool(
            backend.tokenize,
            body.content,
            add_special=body.add_special,
            parse_special=body.parse_special,
        )
        if not body.with_pieces:
            return {"tokens": tokens}
        return {
            "tokens": [{"id": one, "piece": _piece(backend.token_bytes(one))} for one in tokens]
        }

    @app.post("/detokenize", tags=["llama-server"])
    async def detokenize(body: DetokenizeRequest) -> dict[str, str]:
        """The text of tokens."""
        return {"content": await run_in_threadpool(service.backend.detokenize, body.tokens)}

    @app.get("/props", tags=["llama-server"])
    def props() -> dict[str, Any]:
        """What the server is set up with."""
        backend, model = service.backend, service.model()
        return {
            "default_generation_settings": {
                "id": 0,
                "n_ctx": backend.context_length,
                "params": {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "seed": -1},
            },
            "total_slots": backend.stats().num_slots,
            "model_alias": model.name,
            "model_path": model.folder or model.base,
            "chat_template": backend.chat_template,
            "modalities": {"vision": False, "audio": False},
            "build_info": f"spokesmith-{__version__}",
        }


class LlamaStream:
    """The events of a completion in llama-server's form, which has no closing mark."""

    def __init__(self, request: engine.Request, backend: Backend) -> None:
        self._request = request
        self._backend = backend

    def piece(self, index: int, piece: Piece) -> Iterable[str]:
        event: dict[str, Any] = {
            "index": index,
            "content": piece.text,
            "tokens": [token.id for token in piece.tokens],
            "stop": False,
            "id_slot": -1,
        }
        if self._request.num_logprobs:
            event["completion_probabilities"] = _probabilities(piece.tokens, self._backend)
        yield data_event(event)

    def completion(self, index: int, completion: Completion) -> Iterable[str]:
        document = _document(self._request, completion, self._backend, with_tokens=False)
        document.pop("completion_probabilities", None)
        yield data_event({**document, "content": ""})

    def error(self, error: ApiError) -> Iterable[str]:
        yield data_event(error.body())

    def end(self) -> Iterable[str]:
        return ()


def _request(service: Service, body: LlamaRequest) -> tuple[engine.Request, Held | None]:
    """What the body asks of the engine, and what holds the answer; may tokenise."""
    prompt: str | list[int]
    if isinstance(body.prompt, str):
        prompt = body.prompt
    elif len(body.prompt) == 1 and isinstance(body.prompt[0], str):
        prompt = body.prompt[0]
    else:
        backend = service.backend
        check_count(body.prompt, context_length=backend.context_length, param="prompt")
        prompt = []
        for place, part in enumerate(body.prompt):
            if isinstance(part, int):
                prompt.append(part)
            else:
                prompt += backend.tokenize(part, add_special=place == 0)
    held = held_by(body)
    limit = body.n_predict if body.n_predict is not None else body.max_tokens
    limit_ms = body.t_max_predict_ms or 0
    request = engine.Request(
        prompt=prompt,
        model=service.model(body.model).name,
        constraint=held.constraint if held else None,
        max_tokens=limit if limit is not None and limit > 0 else None,
        sampling=body.samplings(1)[0],
        stop=body.stops,
        num_logprobs=body.n_probs or None,
        on_truncation=body.on_truncation or "cut",
        time_limit_s=limit_ms / MS_PER_S if limit_ms > 0 else None,
    )
    check_closing(request)
    return request, held


async def _stream(
    service: Service, http: Request, request: engine.Request, held: Held | None
) -> Response:
    answers = await begin_asked(service, [request], stream=True, prompt="prompt", held=held)

    async def on_end(done: list[Completion]) -> None:
        await note_answers(http, service, request.model or "", done, request.constraint)

    return EventStream(
        answers,
        LlamaStream(request, service.backend),
        keep_alive_s=service.settings.keep_alive_s,
        on_end=on_end,
    )


def _document(
    request: engine.Request, done: Completion, backend: Backend, *, with_tokens: bool
) -> dict[str, Any]:
    ended = {"stop": "eos", "length": "limit", "timeout": "limit"}
    sampling = request.sampling
    document: dict[str, Any] = {
        "index": 0,
        "content": done.text,
        "tokens": [token.id for token in done.tokens] if with_tokens else [],
        "id_slot": -1,
        "stop": True,
        "model": request.model,
        "tokens_predicted": done.usage.completion_tokens,
        "tokens_evaluated": done.usage.prompt_tokens,
        "tokens_cached": done.usage.cached_tokens,
        "generation_settings": {
            "seed": sampling.seed,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "min_p": sampling.min_p,
            "n_predict": request.max_tokens if request.max_tokens is not None else -1,
            "stop": list(request.stop),
        },
        "prompt": request.prompt if isinstance(request.prompt, str) else "",
        "has_new_line": "\n" in done.text,
        "truncated": False,
        "stop_type": "word" if done.stop_text is not None else ended[done.finish_reason],
        "stopping_word": done.stop_text or "",
        "closed": done.closed,
        "timings": timings(done),
        "spokesmith": how_made([done]),
    }
    if request.num_logprobs:
        document["completion_probabilities"] = _probabilities(done.tokens, backend)
    return document


def _probabilities(tokens: Sequence[Chosen], backend: Backend) -> list[dict[str, Any]]:
    """Log probabilities with ids, as llama-server gives them."""
    documents = token_documents(tokens, backend)
    for document, token in zip(documents, tokens, strict=True):
        document["id"] = token.id
        for top, (token_id, _) in zip(document["top_logprobs"], token.top, strict=True):
            top["id"] = token_id
    return documents


def _piece(value: bytes) -> str | list[int]:
    """A token's text, or its bytes where they are no whole characters."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return list(value)
