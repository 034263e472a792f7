"""Who may call: keys, and pages of other sites.

Middleware before all routes. `/health` needs no key. A browser may be asked for the key as a
password, with any user name, so that the page can be opened.
"""

import base64
import binascii
import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from spokesmith.server.errors import ApiError
from spokesmith.server.service import Settings

OPEN_PATHS = ("/health",)
READING = ("GET", "HEAD", "OPTIONS")


def is_local(host: str) -> bool:
    """Whether only this machine can reach a host's address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Access:
    """Middleware that refuses who may not call."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._keys = [key.encode() for key in settings.api_keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            headers = Headers(scope=scope)
            error = self._refusal(scope["method"], headers)
            if error is not None:
                scope["state"]["record"]["error"] = error.message
                response = error.response()
                if error.status == 401:
                    # In lines of their own: browsers do not find a scheme behind another.
                    for scheme in _schemes_after(headers):
                        response.headers.append("WWW-Authenticate", scheme)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> ApiError | None:
        if self._keys and not self._has_key(headers):
            return ApiError(
                "the request carries no valid key",
                remedy="send it as `Authorization: Bearer KEY` or `X-Api-Key: KEY`",
                status=401,
                code="invalid_api_key",
            )
        host = headers.get("host", "")
        if self._settings.only_local_names and not is_local(_name_of(host)):
            return ApiError(
                f"the request names the host '{host[:100]}', which is not this machine",
                remedy="use 127.0.0.1, or start the server with a key",
                status=403,
                code="foreign_host",
            )
        origin = headers.get("origin")
        if origin is None or method in READING or self._may_call(origin, headers):
            return None
        return ApiError(
            f"pages of '{origin[:100]}' may not call this server",
            remedy="start it with --cors-origin to let them",
            status=403,
            code="foreign_origin",
        )

    def _may_call(self, origin: str, headers: Headers) -> bool:
        allowed = self._settings.cors_origins
        return (
            "*" in allowed
            or origin in allowed
            or _netloc_of(origin) == headers.get("host", "")
            # Behind a proxy the host may be another than the page's. No script can set this header,
            # and browsers send it only over TLS or to loopback names, so a foreign name that leads
            # here does not come with it.
            or headers.get("sec-fetch-site") == "same-origin"
        )

    def _has_key(self, headers: Headers) -> bool:
        given = [_key_of(value) for value in headers.getlist("authorization")]
        given += [value.encode("latin-1") for value in headers.getlist("x-api-key")]
        # All are compared, each in constant time, so that time tells nothing.
        matches = [hmac.compare_digest(one, key) for one in given for key in self._keys]
        return any(matches)


def _schemes_after(headers: Headers) -> tuple[str, ...]:
    """How a key may be sent, after a request without a valid one.

    A page that sent one tells its user itself that it is wrong: its browser is not made to ask.
    """
    sent = headers.get("authorization", "").lower()
    return ("Bearer",) if sent.startswith("bearer ") else ("Bearer", 'Basic realm="spokesmith"')


def _key_of(authorization: str) -> bytes:
    # As bytes: the last one of "à" in UTF-8 is a space that a str would be stripped of.
    scheme, _, value = authorization.encode("latin-1").partition(b" ")
    value = value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return value if scheme.lower() == b"bearer" else b""


def _name_of(host: str) -> str:
    """The host that a request names, without its port and without the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, _, port = host.rpartition(":")
    return name if port.isdigit() and ":" not in name else host


def _netloc_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
