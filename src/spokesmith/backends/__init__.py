"""Backends: one way to ask for a text, `complete`, whatever engine answers."""

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.backends.local import LocalBackend

__all__ = ["Completion", "LocalBackend", "Timing", "Usage"]
