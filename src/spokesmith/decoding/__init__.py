"""Decoding: tokens in, tokens out, free or under a grammar. Knows no HTTP and no chat."""

from typing import TYPE_CHECKING, Any

from spokesmith.decoding.request import (
    BusyError,
    CancelledError,
    Chosen,
    Constraint,
    ContextError,
    Sampling,
)

if TYPE_CHECKING:
    from spokesmith.decoding.engine import Engine, Features, Generation, Ticket

__all__ = [
    "BusyError",
    "CancelledError",
    "Chosen",
    "Constraint",
    "ContextError",
    "Engine",
    "Features",
    "Generation",
    "Sampling",
    "Ticket",
]


def __getattr__(name: str) -> Any:
    """Load the engine when it is asked for: it needs torch, what is asked of it does not."""
    if name in ("Engine", "Features", "Generation", "Ticket"):
        from spokesmith.decoding import engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
