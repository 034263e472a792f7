"""What probes ask of an engine: one function, `complete`, and what they read of its answer.

Knows no engine. Any number of threads may call `complete` at once.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from spokesmith.tasks import Message


class Usage(Protocol):
    """Tokens of one completion; None where the engine does not count."""

    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...


class Timing(Protocol):
    """Seconds of one completion."""

    @property
    def total_s(self) -> float: ...


class Completion(Protocol):
    """An answer. `finish_reason` is `stop`, or `length` or `timeout` where it was cut."""

    @property
    def text(self) -> str: ...
    @property
    def finish_reason(self) -> str: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def timing(self) -> Timing: ...


class Complete(Protocol):
    """The one way to ask an engine for text; a schema constrains the decoding to it.

    It may raise ConnectionError where no engine can be reached, TimeoutError where the time was
    over and nothing came, ValueError or RuntimeError for any other answer that is none.
    """

    def __call__(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = ...,
        time_limit_s: float | None = ...,
    ) -> Completion: ...
