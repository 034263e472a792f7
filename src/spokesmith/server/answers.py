"""What every answer tells of how it was made: its end, its tokens, its counts and durations.

Knows no route.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from spokesmith.backends.completion import Completion
from spokesmith.backends.request import Backend, Chosen

# The least that OpenAI reports: infinity is not JSON.
LEAST_LOGPROB = -9999.0


def new_id(kind: str) -> str:
    """An id as OpenAI's, for instance `chatcmpl-...`."""
    return f"{kind}-{secrets.token_hex(12)}"


def is_whole(completion: Completion) -> bool:
    """Whether a held answer has its end, be it a given one."""
    return completion.finish_reason == "stop" or completion.closed


def finish_reason(completion: Completion, *, is_call: bool = False) -> str:
    """OpenAI's word: an answer that was cut, for whatever reason, ended by its length."""
    if completion.finish_reason != "stop":
        return "length"
    return "tool_calls" if is_call else "stop"


def how_made(completions: Sequence[Completion]) -> dict[str, Any]:
    """What the engine did for answers: where their tokens came from, and for how many forwards."""
    origins = Counter(token.origin for one in completions for token in one.tokens)
    return {
        "closed": any(one.closed for one in completions),
        "tokens": dict(sorted(origins.items())),
        "forwards": sum(one.num_forwards for one in completions),
    }


def token_documents(tokens: Iterable[Chosen], backend: Backend) -> list[dict[str, Any]]:
    """The log probabilities of tokens, as OpenAI gives them."""

    def one(token_id: int, logprob: float | None) -> dict[str, Any]:
        value = backend.token_bytes(token_id)
        return {
            "token": value.decode("utf-8", "replace"),
            "logprob": max(LEAST_LOGPROB, logprob if logprob is not None else LEAST_LOGPROB),
            "bytes": list(value),
        }

    return [
        {**one(token.id, token.logprob), "top_logprobs": [one(*top) for top in token.top]}
        for token in tokens
    ]


def usage(
    completions: Sequence[Completion], *, prompts: Sequence[Completion] | None = None
) -> dict[str, Any]:
    """Token counts as OpenAI gives them.

    Args:
        completions: all answers of a request.
        prompts: one answer for each prompt; the first answer alone where all share one prompt.
    """
    counted = [one.usage for one in prompts or completions[:1]]
    prompt_tokens = sum(one.prompt_tokens for one in counted)
    completion_tokens = sum(one.usage.completion_tokens for one in completions)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": sum(one.cached_tokens for one in counted)},
    }


def timings(completion: Completion) -> dict[str, Any]:
    """Durations and rates as llama-server gives them."""
    counts, timing = completion.usage, completion.timing
    computed = max(0, counts.prompt_tokens - counts.cached_tokens)
    prompt_ms = 1000 * max(0.0, timing.first_token_s - timing.waiting_s)
    predicted_ms = 1000 * max(0.0, timing.total_s - timing.first_token_s)
    return {
        "cache_n": counts.cached_tokens,
        "waiting_ms": round(1000 * timing.waiting_s, 3),
        "prompt_n": computed,
        "prompt_ms": round(prompt_ms, 3),
        "prompt_per_token_ms": _quotient(prompt_ms, computed),
        "prompt_per_second": _quotient(1000 * computed, prompt_ms),
        "predicted_n": counts.completion_tokens,
        "predicted_ms": round(predicted_ms, 3),
        "predicted_per_token_ms": _quotient(predicted_ms, counts.completion_tokens),
        "predicted_per_second": _quotient(1000 * counts.completion_tokens, predicted_ms),
    }


def _quotient(value: float, by: float) -> float:
    return round(value / by, 3) if by else 0.0
