"""Running the application: a socket of its own, signals, and a stop that lets answers end."""

import asyncio
import socket

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

KEEP_ALIVE_S = 75
HEAD_LIMIT_S = 30
BACKLOG = 2048


class Connection(H11Protocol):
    """A connection that is closed where the head of a request does not come in time.

    uvicorn itself waits for ever for what a client has begun, or has never begun.
    """

    _head_limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._limit_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._limit_head()

    def _limit_head(self) -> None:
        """Set the end of the wait, or give it up; a head that comes in drops does not move it."""
        awaits_head = self.conn.their_state is h11.IDLE
        if awaits_head and self._head_limit is None:
            self._head_limit = self.loop.call_later(HEAD_LIMIT_S, self.transport.close)
        elif not awaits_head and self._head_limit is not None:
            self._head_limit.cancel()
            self._head_limit = None


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens, so that from now on clients wait; port 0 takes a free one.

    Raises:
        ValueError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(
            f"cannot listen on {host}:{port} ({reason}): give another --host or --port"
        ) from error
    return bound


def address_of(bound: socket.socket) -> str:
    """Where a socket is, as a URL."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: FastAPI, bound: socket.socket, *, shutdown_limit_s: float) -> None:
    """Serve until a signal comes; then take nothing new, and let what runs end in time."""
    uvicorn.Server(config_of(app, shutdown_limit_s=shutdown_limit_s)).run(sockets=[bound])


def config_of(app: FastAPI, *, shutdown_limit_s: float) -> uvicorn.Config:
    """How uvicorn runs the application."""
    return uvicorn.Config(
        app,
        http=Connection,
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(shutdown_limit_s)),
        server_header=False,
    )
