"""The application: all routes, in one order of middleware, over one service."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware

from spokesmith import __version__
from spokesmith.server import (
    chat,
    completions,
    docs_page,
    embeddings,
    encoding,
    errors,
    health,
    llama,
    models,
    page,
)
from spokesmith.server.access import Access
from spokesmith.server.bodies import Bodies
from spokesmith.server.record import Record
from spokesmith.server.service import Service

logger = logging.getLogger("spokesmith.server")


class ErrorDetail(BaseModel):
    """What is wrong, where, and what to do about it."""

    message: str
    type: str
    param: str | None
    code: str | None
    remedy: str | None


class ErrorBody(BaseModel):
    """Every answer with a status of 400 or more."""

    error: ErrorDetail


def create_app(service: Service) -> FastAPI:
    """The server's application. Its parts are loaded when it starts."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        for part in service.parts:
            part.begin()
        yield
        # Requests have ended, or their time is up: nothing is left to finish.
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="spokesmith",
        version=__version__,
        description="Text to JSON that fits a schema, behind OpenAI's interface.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={
            400: {"model": ErrorBody, "description": "The request is wrong: `remedy` says how."},
            503: {"model": ErrorBody, "description": "Still loading, or too many requests."},
        },
    )
    errors.add_handlers(app)
    for routes in (chat, completions, models, llama, health, encoding, embeddings):
        routes.add_routes(app, service)
    has_keys = bool(service.settings.api_keys)
    page.add_routes(app, asks_for_key=has_keys)
    docs_page.add_routes(app)
    _describe(app, has_keys=has_keys)
    # The last one added sees a request first.
    app.add_middleware(Bodies, settings=service.settings)
    app.add_middleware(Access, settings=service.settings)
    if service.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["X-Request-Id", "Retry-After"],
        )
    app.add_middleware(Record, service=service)
    return app


def _describe(app: FastAPI, *, has_keys: bool) -> None:
    """Make the OpenAPI document say what this server does: 400 where FastAPI would say 422."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        if has_keys:
            document["components"]["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            }
            document["security"] = [{"bearer": []}, {"header": []}]
        return document

    app.openapi = openapi
