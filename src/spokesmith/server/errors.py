"""Errors as clients of OpenAI's interface expect them: a type, the field, what to do about it.

Every error that leaves the server has the one form made here. Knows no route.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from spokesmith.backends.request import BusyError, ContextError, UnknownModelError

INVALID, AUTHENTICATION, PERMISSION = (
    "invalid_request_error",
    "authentication_error",
    "permission_error",
)
NOT_FOUND, OVERLOADED, NOT_READY, SERVER = (
    "not_found_error",
    "overloaded_error",
    "not_ready_error",
    "server_error",
)
RETRY_AFTER_S = 2
CLIENT_GONE = 499
_TYPES = {401: AUTHENTICATION, 403: PERMISSION, 404: NOT_FOUND, 503: OVERLOADED}

FAULT_OF_FIELD = "fault_of_field"


class ClientGone(Exception):
    """The client closed its connection before it had its answer."""


class ApiError(Exception):
    """What becomes the body of an answer with a status of 400 or more.

    Args:
        message: what is wrong, with the value; no full stop at the end.
        remedy: what the client can do about it; it ends the message as well.
        status: of the HTTP answer.
        type: class of the error, one of this file's names; follows from the status if left out.
        param: the field of the request that is wrong, with dots (`response_format.json_schema`).
        code: a word that programs can compare.
        headers: further headers of the HTTP answer.
        logged: what the log says in its place, where the message holds a part of an answer.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        status: int = 400,
        type: str | None = None,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        logged: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = f"{message}: {remedy}" if remedy else message
        self.remedy = remedy
        self.status = status
        self.type = type or _TYPES.get(status, SERVER if status >= 500 else INVALID)
        self.param = param
        self.code = code
        self.headers = dict(headers or {})
        self.logged = logged or self.message

    def body(self) -> dict[str, Any]:
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
                "remedy": self.remedy,
            }
        }

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, self.headers)


def fault_of(field: str, words: str) -> PydanticCustomError:
    """A fault of one field that only a look at the whole body shows."""
    return PydanticCustomError(FAULT_OF_FIELD, "{words}", {"field": field, "words": words})


def not_ready(what: str, *, failure: str | None = None) -> ApiError:
    """A part of the server is still being loaded, or could not be (`failure`)."""
    if failure is not None:
        return ApiError(
            f"the {what} could not be loaded ({failure})",
            remedy="see the server's log, mend it and start the server again",
            status=503,
            type=SERVER,
            code="loading_failed",
        )
    return ApiError(
        f"the {what} is still being loaded",
        remedy="ask again in a few seconds; /health tells when it is ready",
        status=503,
        type=NOT_READY,
        code="loading",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def as_api_error(error: Exception, *, param: str | None = None) -> ApiError:
    """What a client is told of an error that a room below raised.

    ValueErrors are the user's to mend and say how, after their last colon. All others are the
    server's own: their words stay in its log.
    """
    if isinstance(error, ApiError):
        return error
    message, _, remedy = str(error).rpartition(": ")
    if not message:
        message, remedy = remedy, ""
    if isinstance(error, BusyError):
        return ApiError(
            message,
            remedy=remedy or "ask again later",
            status=503,
            code="overloaded",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    if isinstance(error, UnknownModelError):
        return ApiError(
            message,
            remedy=remedy or "GET /v1/models lists the names",
            status=404,
            param=param or "model",
            code="model_not_found",
        )
    if isinstance(error, ContextError):
        remedy = remedy or "send a shorter text"
        return ApiError(message, remedy=remedy, param=param, code="context_length_exceeded")
    if isinstance(error, ValueError):
        remedy = remedy or "change that part of the request"
        return ApiError(message, remedy=remedy, param=param, code="invalid_value")
    return ApiError(
        "the engine failed on this request",
        remedy="ask again; the server's log says what happened",
        status=500,
        code="engine_failed",
    )


def add_handlers(app: FastAPI) -> None:
    """Give every error of the application the one form."""

    def answer(request: Request, error: ApiError) -> JSONResponse:
        # The request's line in the log says what was wrong with it.
        getattr(request.state, "record", {})["error"] = error.logged
        return error.response()

    async def on_known(request: Request, error: Exception) -> JSONResponse:
        return answer(request, as_api_error(error))

    for kind in (ApiError, ValueError, BusyError):
        app.add_exception_handler(kind, on_known)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, _of_validation(error))

    @app.exception_handler(ClientGone)
    async def on_gone(_request: Request, _error: ClientGone) -> Response:
        # Nobody reads it; the log does.
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        remedy = {
            404: "GET /openapi.json lists the routes",
            405: "see the Allow header",
        }.get(error.status_code)
        return answer(
            request,
            ApiError(
                str(error.detail), remedy=remedy, status=error.status_code, headers=error.headers
            ),
        )


def _of_validation(error: RequestValidationError) -> ApiError:
    """The first fault of a body, in words; the place of a fault is the field's name."""
    fault = error.errors()[0]
    place = [str(part) for part in fault["loc"] if part not in ("body", "query", "path")]
    words = str(fault["msg"]).removeprefix("Value error, ")
    field = ".".join(place) or None
    message, _, remedy = words.rpartition(": ")
    if fault["type"] == FAULT_OF_FIELD:
        return ApiError(message, remedy=remedy, param=fault["ctx"]["field"], code="invalid_value")
    if field is None:
        if message:
            return ApiError(message, remedy=remedy)
        return ApiError(words, remedy="send a JSON object, as /openapi.json describes it")
    return ApiError(
        f"{field}: {message or remedy}",
        remedy=remedy if message else "/openapi.json describes what the field takes",
        param=field,
        code="missing" if fault["type"] == "missing" else "invalid_value",
    )
