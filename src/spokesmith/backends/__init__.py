"""Backends: one way to ask for a text, `complete`, whatever engine answers."""

from typing import TYPE_CHECKING, Any

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.backends.http import HttpBackend

if TYPE_CHECKING:
    from spokesmith.backends.local import LocalBackend

__all__ = ["Completion", "HttpBackend", "LocalBackend", "Timing", "Usage"]


def __getattr__(name: str) -> Any:
    """Load the local engine when it is asked for: it needs torch, a server does not."""
    if name == "LocalBackend":
        from spokesmith.backends.local import LocalBackend

        return LocalBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
