"""Running the application: a socket of its own, signals, and a stop that lets answers end."""

import socket

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE_S = 75
BACKLOG = 2048


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
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(shutdown_limit_s)),
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[bound])
