"""What callers get of a request at once: neither the answer nor the engine's own row."""

from collections.abc import Callable
from concurrent.futures import Future

from spokesmith.decoding.row import Generation, Row


class Ticket:
    """A caller's hold on an answer that is under way."""

    def __init__(self, row: Row, wake: Callable[[], None]) -> None:
        self._row = row
        self._wake = wake

    @property
    def future(self) -> "Future[Generation]":
        return self._row.future

    def cancel(self) -> None:
        """Stop the work before the next step; harmless where the answer has ended."""
        self._row.cancelled = True
        self._wake()
