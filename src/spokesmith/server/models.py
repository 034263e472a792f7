"""Models and sets of spokes: what there is, and loading and unloading while the server runs."""

from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from spokesmith.backends.request import Model, UnknownModelError
from spokesmith.server.service import Service

OWNER = "spokesmith"


class LoadRequest(BaseModel):
    """A set of spokes to load."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        min_length=1,
        max_length=4096,
        description="A folder on the server's machine, or a shipped name.",
    )
    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$",
        description="What requests will call it; the name of its task if left out.",
    )


def add_routes(app: FastAPI, service: Service) -> None:
    """Add the routes."""

    @app.get("/v1/models", tags=["OpenAI"])
    @app.get("/models", include_in_schema=False)
    async def models() -> dict[str, Any]:
        """The base, every set of spokes and the embedding model; 503 until all are loaded."""
        service.require_all()
        documents = [
            model_document(model, context_length=service.backend.context_length)
            for model in service.backend.models()
        ]
        if service.embedder is not None:
            name = service.embedder.value.name
            documents.append(
                {"id": name, "object": "model", "created": service.started, "owned_by": OWNER}
            )
        return {"object": "list", "data": documents}

    @app.get("/v1/models/{name:path}", tags=["OpenAI"])
    async def model(name: str) -> dict[str, Any]:
        """One model."""
        documents = {one["id"]: one for one in (await models())["data"]}
        if name not in documents:
            raise UnknownModelError(f"no model '{name}' here: use one of {', '.join(documents)}")
        return documents[name]

    @app.get("/v1/spokes", tags=["spokesmith"])
    async def sets() -> dict[str, Any]:
        """The sets of spokes beside the base."""
        return {"object": "list", "data": [_set(one) for one in service.backend.models()[1:]]}

    @app.post("/v1/spokes", status_code=201, tags=["spokesmith"])
    async def load(body: LoadRequest) -> dict[str, Any]:
        """Load a set; requests under way go on."""
        return _set(await run_in_threadpool(service.backend.load_set, body.source, name=body.name))

    @app.delete("/v1/spokes/{name:path}", tags=["spokesmith"])
    async def unload(name: str) -> dict[str, Any]:
        """Unload a set once the answers that use it have ended."""
        await run_in_threadpool(service.backend.unload_set, name)
        return {"id": name, "object": "spokes", "deleted": True}


def model_document(model: Model, *, context_length: int) -> dict[str, Any]:
    """A model as OpenAI lists it, with what clients of other servers look for beside it."""
    return {
        "id": model.name,
        "object": "model",
        "created": model.created,
        "owned_by": OWNER,
        "root": model.base,
        "parent": None if model.folder is None else model.base,
        "max_model_len": context_length,
        "task": model.task.name if model.task else None,
    }


def _set(model: Model) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "spokes",
        "created": model.created,
        "base": model.base,
        "folder": model.folder,
        "task": model.task.name if model.task else None,
    }
