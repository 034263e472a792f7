"""A teacher that is told once what is wrong with its answer, and answers again.

Knows no engine: it wraps any `complete` and is one itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spokesmith.data.distill import STOP, reasons_against
from spokesmith.tasks import Message, Task

REQUEST = (
    "That answer is not right:\n{reasons}\n"
    "Answer again, with one whole JSON object for the same text and nothing else."
)
# `complete` of a backend, whose completions are dataclasses with `usage` and `timing`.
Complete = Callable[..., Any]


def with_second_try(complete: Complete, task: Task) -> Complete:
    """A `complete` for the chats of a task that asks once more where an answer is no gold.

    The time limit is one for both answers; tokens and seconds are those of both. Where no second
    answer comes, the first one stays.
    """

    def ask_twice(
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int,
        time_limit_s: float,
    ) -> Any:
        first = complete(messages, schema, max_tokens=max_tokens, time_limit_s=time_limit_s)
        reasons = reasons_against(first.text, messages[-1]["content"], task)
        left = time_limit_s - first.timing.total_s
        if first.finish_reason != STOP or not reasons or left <= 0:
            return first
        listed = "\n".join(f"- {reason}" for reason in reasons.values())
        again = [
            *messages,
            Message(role="assistant", content=first.text),
            Message(role="user", content=REQUEST.format(reasons=listed)),
        ]
        try:
            second = complete(again, schema, max_tokens=max_tokens, time_limit_s=left)
        except (ValueError, RuntimeError, TimeoutError, ConnectionError):
            return first
        return _with_costs_of(first, second)

    return ask_twice


def _with_costs_of(first: Any, second: Any) -> Any:
    """The second completion, with the tokens and seconds of both."""
    usage = replace(
        second.usage,
        prompt_tokens=_sum(first.usage.prompt_tokens, second.usage.prompt_tokens),
        completion_tokens=_sum(first.usage.completion_tokens, second.usage.completion_tokens),
    )
    timing = replace(second.timing, total_s=first.timing.total_s + second.timing.total_s)
    return replace(second, usage=usage, timing=timing)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
