"""POST /v1/embeddings: texts or token ids in, vectors out, in OpenAI's form.

The model runs in one thread of its own, a batch at a time, so that requests take turns and the
event loop never waits. Bounded: requests at once, inputs of a request, tokens of an input.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, TypeVar, cast

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from spokesmith.backends.request import BusyError, ContextError, UnknownModelError
from spokesmith.server.embedding_model import EmbeddingModel, Window
from spokesmith.server.errors import ApiError
from spokesmith.server.fields import ModelName
from spokesmith.server.jobs import for_client
from spokesmith.server.service import Service

MAX_INPUTS = 2048
MAX_INPUT_TOKENS = 8192
MAX_REQUEST_TOKENS = 300_000
MAX_REQUESTS = 64
BATCH_SIZE = 16
Value = TypeVar("Value")


def _checked_input(value: Any) -> Any:
    """Refuses what is no input in words of our own, since a union's errors are hard to read."""
    items = value if isinstance(value, list) else [value]
    kinds = {type(item) for item in items}
    if value in ("", [], [[]]) or "" in items or [] in items:
        raise ValueError("it holds nothing to embed: leave empty texts out")
    if kinds == {list}:
        kinds = {list, *(type(id) for item in items for id in item)}
    allowed = ({str}, {int}, {list, int}) if isinstance(value, list) else ({str},)
    if kinds not in allowed:
        raise ValueError("it is of another form: send a string, an array of strings, or token ids")
    return value


class EmbeddingsBody(BaseModel):
    """What a client sends; fields that are not named here are taken and change nothing."""

    model_config = ConfigDict(extra="allow")

    input: Annotated[
        StrictStr | list[StrictStr] | list[StrictInt] | list[list[StrictInt]],
        BeforeValidator(_checked_input),
    ] = Field(
        description="A text, an array of texts, or token ids of the embedding model's own "
        "tokenizer, special tokens included; at most 2048 inputs."
    )
    model: ModelName | None = Field(None, description="The embedding model; may be left out.")
    encoding_format: Literal["float", "base64"] | None = Field(
        None, description="base64: of 32-bit floats, little-endian."
    )
    dimensions: int | None = Field(
        None, description="Length of the vectors; only the model's own is taken."
    )
    user: str | None = Field(None, description="Taken, and changes nothing.")


class Embedder:
    """The embedding model with its thread. Requests take turns, batch by batch.

    Args:
        model: loaded.
    """

    def __init__(self, model: EmbeddingModel) -> None:
        self.model = model
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._num_requests = 0

    @property
    def name(self) -> str:
        return self.model.name

    async def vectors(self, given: Sequence[str | list[int]]) -> tuple[list[np.ndarray], int]:
        """A vector of each input, and the tokens that they have in all.

        Raises:
            ValueError: token ids are of another tokenizer, or there are too many tokens in all.
            ContextError: an input is too long.
            BusyError: too many requests are waiting.
        """
        if self._num_requests >= MAX_REQUESTS:
            raise BusyError(f"{MAX_REQUESTS} requests for embeddings are waiting: ask again later")
        self._num_requests += 1
        try:
            inputs = await self._run(lambda: self._windows(given))
            return await self._embed(inputs)
        finally:
            self._num_requests -= 1

    async def _run(self, work: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._worker, _apart, work)

    def _windows(self, given: Sequence[str | list[int]]) -> list[list[Window]]:
        inputs: list[list[Window]] = []
        total = 0
        for number, one in enumerate(given):
            windows = self.model.windows(one if isinstance(one, str) else self.model.text_of(one))
            num_tokens = sum(window.num_tokens for window in windows)
            if num_tokens > MAX_INPUT_TOKENS:
                raise ContextError(
                    f"input {number} has {num_tokens} tokens, more than the {MAX_INPUT_TOKENS} "
                    "that are embedded as one: split it"
                )
            total += num_tokens
            if total > MAX_REQUEST_TOKENS:
                raise ValueError(
                    f"the inputs have more than {MAX_REQUEST_TOKENS} tokens in all: "
                    "send fewer at once"
                )
            inputs.append(windows)
        return inputs

    async def _embed(self, inputs: list[list[Window]]) -> tuple[list[np.ndarray], int]:
        windows = [window for input in inputs for window in input]
        # Windows of like length share a batch, since a batch is padded to its longest.
        order = sorted(range(len(windows)), key=lambda at: windows[at].num_tokens)
        vectors = np.empty((len(windows), self.model.dimensions), dtype=np.float32)
        for first in range(0, len(order), BATCH_SIZE):
            batch = order[first : first + BATCH_SIZE]
            texts = [windows[at].text for at in batch]
            vectors[batch] = await self._run(lambda texts=texts: self.model.embed(texts))
        means: list[np.ndarray] = []
        first = 0
        for input in inputs:
            weights = [window.num_tokens for window in input]
            means.append(self.model.mean(vectors[first : first + len(input)], weights))
            first += len(input)
        return means, sum(window.num_tokens for window in windows)


def _apart(work: Callable[[], Value]) -> Value:
    """Do it in a thread that ends: helpers that wait for a thread's next batch slow the engine."""
    with ThreadPoolExecutor(1, thread_name_prefix="embed-batch") as thread:
        return thread.submit(work).result()


def open_embedder(name: str, *, device: str = "cpu") -> Embedder:
    """Load the embedding model of a name or folder. Raises ValueError where it is not there."""
    return Embedder(EmbeddingModel.open(name, device=device))


def embeddings_router(service: Service) -> APIRouter:
    """The route, over the service's embedder."""
    router = APIRouter()

    @router.post("/v1/embeddings", tags=["OpenAI"])
    @router.post("/embeddings", include_in_schema=False)
    async def embeddings(body: EmbeddingsBody, http: Request) -> Response:
        """Vectors of texts, in the order that they came in."""
        embedder = _embedder(service)
        given = _inputs(body.input)
        _check(body, given, embedder.model)
        vectors, num_tokens = await for_client(http, embedder.vectors(given))
        content = await asyncio.to_thread(
            _document, vectors, num_tokens, embedder.name, body.encoding_format
        )
        return Response(content, media_type="application/json")

    return router


def _embedder(service: Service) -> Embedder:
    if service.embedder is None:
        raise ApiError(
            "this server was started without embeddings",
            remedy="start it with --embeddings all-minilm-l6-v2",
            code="embeddings_off",
        )
    return cast("Embedder", service.embedder.value)


def _inputs(given: Any) -> list[str | list[int]]:
    """Each input by itself."""
    if isinstance(given, str) or isinstance(given[0], int):
        return [given]
    return given


def _check(body: EmbeddingsBody, given: Sequence[object], model: EmbeddingModel) -> None:
    """What can be refused before any work."""
    if body.model and not model.answers_to(body.model):
        raise UnknownModelError(f"no embedding model '{body.model}' here: use {model.name}")
    if len(given) > MAX_INPUTS:
        raise ApiError(
            f"input has {len(given)} items, more than {MAX_INPUTS}",
            remedy="send fewer at once",
            param="input",
            code="invalid_value",
        )
    if body.dimensions not in (None, model.dimensions):
        raise ApiError(
            f"dimensions is {body.dimensions}, and {model.name} has vectors of "
            f"{model.dimensions} only",
            remedy="leave it out",
            param="dimensions",
            code="invalid_value",
        )


def _document(
    vectors: Sequence[np.ndarray], num_tokens: int, model: str, encoding_format: str | None
) -> bytes:
    def shown(vector: np.ndarray) -> str | list[float]:
        if encoding_format == "base64":
            return base64.b64encode(vector.astype("<f4").tobytes()).decode()
        return vector.tolist()

    document = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": shown(vector)}
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": num_tokens, "total_tokens": num_tokens},
    }
    return json.dumps(document, allow_nan=False).encode()
