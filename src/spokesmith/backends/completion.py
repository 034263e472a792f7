"""What every backend answers."""

from dataclasses import dataclass, field

from spokesmith.decoding.request import Chosen


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Token counts of one completion; `cached_tokens` of the prompt were not computed again."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds from the request to the first token and to the end; `waiting_s` in the queue."""

    first_token_s: float
    total_s: float
    waiting_s: float = 0.0

    def tokens_per_s(self, completion_tokens: int) -> float:
        return completion_tokens / self.total_s if self.total_s else 0.0


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of an answer while it is made: `text` goes on where the last piece ended.

    `text` may lag behind `tokens`, where a character is not whole yet or a stop text may begin.
    """

    text: str
    tokens: tuple[Chosen, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Completion:
    """An answer.

    Attributes:
        text: of the answer.
        finish_reason: `stop`, or `length` or `timeout` where it was cut.
        closed: whether the answer was cut and then given a valid ending.
        tokens: of the answer, with what was asked to be told of each.
        num_forwards: forward passes that the answer took part in.
        stop_text: the one of the request's stop texts that ended it.
    """

    text: str
    finish_reason: str
    usage: Usage
    timing: Timing
    closed: bool = False
    tokens: tuple[Chosen, ...] = field(default=(), repr=False)
    num_forwards: int = 0
    stop_text: str | None = None
