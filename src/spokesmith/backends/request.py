"""What a client asks of a backend and what it hears while the answer is made.

`complete` is the plain way to ask for one text. Whoever streams, cancels, or needs more than that
starts a job. Knows no engine and no HTTP.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from spokesmith.backends.completion import Completion, Piece
from spokesmith.decoding.request import (
    BusyError,
    CancelledError,
    Chosen,
    Constraint,
    ConstraintError,
    ContextError,
    OnTruncation,
    Origin,
    Sampling,
)
from spokesmith.tasks import Message, Task

__all__ = [
    "Backend",
    "BusyError",
    "CancelledError",
    "Chosen",
    "Constraint",
    "ConstraintError",
    "ContextError",
    "Job",
    "Model",
    "OnTruncation",
    "Origin",
    "Request",
    "Sampling",
    "Stats",
    "UnknownModelError",
    "first_request",
]


class UnknownModelError(ValueError):
    """No model of the name that was asked for."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One answer that is wanted. Exactly one of `messages` and `prompt` is given.

    Attributes:
        messages: a chat, rendered in the base's turn format.
        prompt: token ids to go on from, as they are, or a text, before which the start token is put
            where texts of the base begin with it.
        template_options: what the chat template is told beside the messages.
        model: the base's name or that of a set; None takes the default.
        made_for: the model whose task gave `messages` and `constraint`; the request is refused
            where another set has its name by now.
        constraint: what the answer is held to; None decodes freely.
        max_tokens: most tokens of the answer; None lets it run to the end of the context.
        sampling: how tokens are chosen.
        stop: texts at which the answer ends; they are no part of it.
        num_logprobs: how many of the most likely tokens are reported with each one; 0 reports the
            token's own probability only, None nothing.
        on_truncation: what becomes of a held answer whose tokens or whose time are over once it has
            begun: it is `cut`, or it gets the shortest ending that its grammar allows (`close`), on
            top of `max_tokens`.
        time_limit_s: after so many seconds, waiting included, the answer is cut.
    """

    messages: Sequence[Message] | None = None
    prompt: str | Sequence[int] | None = None
    template_options: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    made_for: "Model | None" = None
    constraint: Constraint | None = None
    max_tokens: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    num_logprobs: int | None = None
    on_truncation: OnTruncation = "cut"
    time_limit_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Model:
    """One name that requests may ask for.

    Attributes:
        name: the base's name or that of a set of spokes.
        base: name of the base.
        folder: where the set was loaded from; None for the base itself.
        task: what the set was trained for; None for the base.
        created: Unix time in seconds at which it was loaded.
    """

    name: str
    base: str
    folder: str | None
    task: Task | None
    created: int


def first_request(model: Model) -> Request | None:
    """What a set is asked before others ask, so that its prompt and its grammar are ready; None for
    what has no task."""
    task = model.task
    if task is None:
        return None
    return Request(
        messages=task.messages("Ready?"),
        model=model.name,
        constraint=Constraint(kind="schema", value=task.schema),
        max_tokens=1,
    )


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Counts since the start, and what is there now.

    `tokens_*` count tokens of answers by origin; `drafted_tokens` those that were proposed, of
    which `tokens_copied` and `tokens_forced` were kept.
    """

    running: int
    waiting: int
    num_slots: int
    forwards: int
    forward_tokens: int
    prompt_tokens: int
    cached_tokens: int
    tokens_model: int
    tokens_forced: int
    tokens_copied: int
    tokens_closing: int
    drafted_tokens: int
    prefix_cache_bytes: int


class Job(Protocol):
    """An answer under way."""

    def cancel(self) -> None:
        """Stop the work; harmless where it has ended. `result` then raises CancelledError."""
        ...

    def result(self, timeout: float | None = None) -> Completion:
        """Wait for the answer. Raises what went wrong."""
        ...


class Backend(Protocol):
    """What a server needs of an engine. All methods may be called from any thread."""

    @property
    def context_length(self) -> int: ...

    @property
    def chat_template(self) -> str: ...

    def models(self) -> list[Model]:
        """The base first, then the sets."""
        ...

    def start(
        self,
        request: Request,
        *,
        on_piece: Callable[[Piece], None] | None = None,
        on_end: Callable[[Job], None] | None = None,
    ) -> Job:
        """Begin an answer.

        Args:
            on_piece: called with each piece as it becomes final, in a thread of the engine's; it
                must return at once.
            on_end: called once, after the last piece, when `result` will no longer wait.

        Raises:
            ContextError: the prompt does not fit.
            UnknownModelError: no such model.
            BusyError: the queue is full.
            ConstraintError: what the answer is to be held to cannot be enforced.
            ValueError: the request cannot be met.
        """
        ...

    def tokenize(
        self, text: str, *, add_special: bool = False, parse_special: bool = True
    ) -> list[int]: ...

    def detokenize(self, token_ids: Sequence[int]) -> str: ...

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for."""
        ...

    def prompt_ids(self, request: Request) -> list[int]:
        """The token ids of a request's prompt."""
        ...

    def load_set(self, source: str, *, name: str | None = None) -> Model:
        """Put a set of spokes (a folder or a shipped name) beside the base, while it runs.

        Raises:
            ValueError: it is no set for this base, or the name is taken.
        """
        ...

    def unload_set(self, name: str) -> None:
        """Take a set away; answers that use it are finished first.

        Raises:
            UnknownModelError: no such set.
        """
        ...

    def stats(self) -> Stats: ...

    def close(self, *, finish: bool = True) -> None:
        """Stop; what is under way is finished first unless `finish` is false."""
        ...
