"""A teacher that is told once what is wrong with its answer, and answers again.

Knows no engine: it wraps any `complete` and is one itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from spokesmith.data.distill import STOP, reasons_against
from spokesmith.tasks import Message, Task

REQUEST = (
    "That answer is not right:\n{reasons}\n"
    "Answer again, with one whole JSON object for the same text and nothing else."
)


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
    """An answer. `finish_reason` is `stop` where the teacher ended it by itself."""

    @property
    def text(self) -> str: ...
    @property
    def finish_reason(self) -> str: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def timing(self) -> Timing: ...


class Complete(Protocol):
    """Asks an engine for text; it may raise where none came."""

    def __call__(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = ...,
        time_limit_s: float | None = ...,
    ) -> Completion: ...


@dataclass(frozen=True, kw_only=True)
class SummedUsage:
    """Tokens of two completions together."""

    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True, kw_only=True)
class SummedTiming:
    """Seconds of two completions together."""

    total_s: float


@dataclass(frozen=True, kw_only=True)
class SecondAnswer:
    """The second answer, with the tokens and seconds of both."""

    text: str
    finish_reason: str
    usage: SummedUsage
    timing: SummedTiming


def with_second_try(complete: Complete, task: Task) -> Complete:
    """A `complete` for the chats of a task that asks once more where an answer is no gold.

    The time limit is one for both answers. Where no second answer comes, the first one stays.
    """

    def ask_twice(
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = task.max_tokens,
        time_limit_s: float | None = None,
    ) -> Completion:
        first = complete(messages, schema, max_tokens=max_tokens, time_limit_s=time_limit_s)
        reasons = reasons_against(first.text, messages[-1]["content"], task)
        left = None if time_limit_s is None else time_limit_s - first.timing.total_s
        if first.finish_reason != STOP or not reasons or (left is not None and left <= 0):
            return first
        listed = "\n".join(f"- {reason}" for reason in reasons.values())
        again: list[Message] = [
            *messages,
            {"role": "assistant", "content": first.text},
            {"role": "user", "content": REQUEST.format(reasons=listed)},
        ]
        try:
            second = complete(again, schema, max_tokens=max_tokens, time_limit_s=left)
        except (ValueError, RuntimeError, TimeoutError, ConnectionError):
            return first
        return SecondAnswer(
            text=second.text,
            finish_reason=second.finish_reason,
            usage=SummedUsage(
                prompt_tokens=_sum(first.usage.prompt_tokens, second.usage.prompt_tokens),
                completion_tokens=_sum(
                    first.usage.completion_tokens, second.usage.completion_tokens
                ),
            ),
            timing=SummedTiming(total_s=first.timing.total_s + second.timing.total_s),
        )

    return ask_twice


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
