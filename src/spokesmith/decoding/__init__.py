"""Decoding: tokens in, tokens out, free or under a grammar. Knows no HTTP and no chat."""

from importlib import import_module
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
    from spokesmith.decoding.engine import Engine
    from spokesmith.decoding.planning import Features
    from spokesmith.decoding.row import Generation
    from spokesmith.decoding.ticket import Ticket

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
_MODULES = {"Engine": "engine", "Features": "planning", "Generation": "row", "Ticket": "ticket"}


def __getattr__(name: str) -> Any:
    """Load the engine when it is asked for: it needs torch, what is asked of it does not."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
