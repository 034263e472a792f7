"""What every backend answers."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Token counts of one completion."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds from the request to the first token and to the end."""

    first_token_s: float
    total_s: float

    def tokens_per_s(self, completion_tokens: int) -> float:
        return completion_tokens / self.total_s if self.total_s else 0.0


@dataclass(frozen=True, kw_only=True)
class Completion:
    """An answer. `finish_reason` is `stop` or `length` (it was cut)."""

    text: str
    finish_reason: str
    usage: Usage
    timing: Timing
