"""POST /v1/embeddings: texts or token ids in, vectors out, in OpenAI's form.

The event loop never waits for the model, which runs in a thread of its own (`embedder`).
"""

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from spokesmith.backends.request import UnknownModelError
from spokesmith.server.embedder import Embedder
from spokesmith.server.embedding_model import EmbeddingModel
from spokesmith.server.errors import ApiError
from spokesmith.server.fields import Items, ModelName
from spokesmith.server.jobs import for_client
from spokesmith.server.service import Service

MAX_INPUTS = 2048


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
        StrictStr | Items[StrictStr] | Items[StrictInt] | Items[Items[StrictInt]],
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


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the route."""

    @app.post("/v1/embeddings", tags=["OpenAI"])
    @app.post("/embeddings", include_in_schema=False)
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


def _embedder(service: Service) -> Embedder:
    if service.embedder is None:
        raise ApiError(
            "this server was started without embeddings",
            remedy="start it with --embeddings all-minilm-l6-v2",
            code="embeddings_off",
        )
    return service.embedder.value


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
