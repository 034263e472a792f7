"""What a chat completion looks like, whole and as a stream."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from spokesmith.backends.completion import Completion, Piece
from spokesmith.backends.request import Backend
from spokesmith.server.answers import (
    finish_reason,
    how_made,
    is_whole,
    new_id,
    timings,
    token_documents,
    usage,
)
from spokesmith.server.chat_request import ChatPlan
from spokesmith.server.errors import ApiError
from spokesmith.server.event_stream import DONE, data_event
from spokesmith.server.tools import Call


def chat_document(
    plan: ChatPlan, completions: Sequence[Completion], backend: Backend
) -> dict[str, Any]:
    """The body of a chat completion."""
    return {
        "id": new_id("chatcmpl"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": plan.model.name,
        "choices": [
            _choice(plan, index, completion, backend)
            for index, completion in enumerate(completions)
        ],
        "usage": usage(list(completions)),
        "timings": timings(completions[0]),
        "spokesmith": {**how_made(completions), "task": plan.task},
    }


class ChatStream:
    """The events of a chat completion. A call is sent in one piece, when it is whole."""

    def __init__(self, plan: ChatPlan, backend: Backend, *, include_usage: bool) -> None:
        self._plan = plan
        self._backend = backend
        self._include_usage = include_usage
        self._frame = {
            "id": new_id("chatcmpl"),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": plan.model.name,
        }
        self._texts = [""] * len(plan.requests)
        self._sent = [0] * len(plan.requests)
        self._opened: set[int] = set()
        self._completions: list[Completion] = []

    def piece(self, index: int, piece: Piece) -> Iterable[str]:
        self._texts[index] += piece.text
        yield from self._open(index)
        text = self._ready_text(index)
        logprobs = None
        if self._plan.requests[index].num_logprobs is not None and piece.tokens:
            logprobs = {"content": token_documents(piece.tokens, self._backend), "refusal": None}
        if text or logprobs:
            yield self._chunk(index, {"content": text}, logprobs=logprobs)

    def completion(self, index: int, completion: Completion) -> Iterable[str]:
        self._completions.append(completion)
        yield from self._open(index)
        content, call = completion.text, None
        if self._plan.tools is not None:
            content, call = self._plan.tools.parse(completion.text, whole=is_whole(completion))
        if rest := content[self._sent[index] :]:
            yield self._chunk(index, {"content": rest})
        if call is not None:
            yield self._chunk(index, {"tool_calls": [{"index": 0, **_call_document(call)}]})
        yield self._chunk(
            index,
            {},
            finish_reason=finish_reason(completion, is_call=call is not None),
            closed=completion.closed,
            more={
                "timings": timings(completion),
                "spokesmith": {**how_made([completion]), "task": self._plan.task},
            },
        )

    def error(self, error: ApiError) -> Iterable[str]:
        yield data_event(error.body())

    def end(self) -> Iterable[str]:
        if self._include_usage:
            yield data_event({**self._frame, "choices": [], "usage": usage(self._completions)})
        yield DONE

    def _open(self, index: int) -> Iterable[str]:
        if index not in self._opened:
            self._opened.add(index)
            yield self._chunk(index, {"role": "assistant", "content": ""})

    def _ready_text(self, index: int) -> str:
        """What may be sent of the text so far: nothing that is, or may become, a call."""
        text, sent = self._texts[index], self._sent[index]
        end = len(text) if self._plan.tools is None else self._plan.tools.end_of_text(text)
        self._sent[index] = max(sent, end)
        return text[sent:end]

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        *,
        logprobs: dict[str, Any] | None = None,
        finish_reason: str | None = None,
        closed: bool = False,
        more: dict[str, Any] | None = None,
    ) -> str:
        choice: dict[str, Any] = {
            "index": index,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish_reason,
        }
        if finish_reason is not None:
            choice["closed"] = closed
        return data_event({**self._frame, "choices": [choice], **(more or {})})


def _choice(plan: ChatPlan, index: int, completion: Completion, backend: Backend) -> dict[str, Any]:
    content, call = completion.text, None
    if plan.tools is not None:
        content, call = plan.tools.parse(completion.text, whole=is_whole(completion))
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if call is not None:
        message["content"] = content or None
        message["tool_calls"] = [_call_document(call)]
    logprobs = None
    if plan.requests[index].num_logprobs is not None:
        logprobs = {"content": token_documents(completion.tokens, backend), "refusal": None}
    return {
        "index": index,
        "message": message,
        "logprobs": logprobs,
        "finish_reason": finish_reason(completion, is_call=call is not None),
        "closed": completion.closed,
    }


def _call_document(call: Call) -> dict[str, Any]:
    return {
        "id": new_id("call"),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
