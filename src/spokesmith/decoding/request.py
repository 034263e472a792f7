"""What may be asked of the engine, as values. Loads neither torch nor a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Origin = Literal["model", "forced", "copied", "closing"]
OnTruncation = Literal["cut", "close"]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How one answer's tokens are chosen; the defaults take the most likely token.

    Attributes:
        temperature: 0 takes the most likely token.
        top_p: draws are made from the most likely tokens that make up this share.
        top_k: draws are made from so many most likely tokens; 0 has no limit.
        min_p: draws are made from tokens at least so likely, relative to the most likely one.
        presence_penalty: taken once from the logit of every token that the answer holds.
        frequency_penalty: taken from a token's logit for each time that the answer holds it.
        logit_bias: added to logits, by token id.
        seed: of the draws; the same seed gives the same answer, up to near ties in bfloat16, where
            it counts which answers shared its steps.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    seed: int = 0

    @property
    def changes_logits(self) -> bool:
        """Whether logits are changed before a token is chosen."""
        return bool(self.logit_bias or self.presence_penalty or self.frequency_penalty)


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What an answer is held to.

    Attributes:
        kind: `schema` (a JSON Schema), `json` (any JSON object), `lark`, `gbnf` (a grammar in
            llama.cpp's notation) or `regex`.
        value: the schema, or the grammar's text; nothing for `json`.
    """

    kind: Literal["schema", "json", "lark", "gbnf", "regex"]
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One token of an answer.

    Attributes:
        id: of the token.
        origin: `model` took a forward of its own, `forced` was the only way to go on, `copied` was
            proposed from the prompt, the answer so far or an earlier one and confirmed by the
            model, `closing` ends an answer that was cut.
        logprob: natural logarithm of its probability before temperature and grammar, if asked for.
        top: the most likely tokens and theirs, if asked for.
    """

    id: int
    origin: Origin
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


# What hears the tokens of each step; a number ends the answer after so many of them.
OnTokens = Callable[[Sequence[Chosen]], int | None]


class ContextError(ValueError):
    """The prompt does not fit into the base's context, or an answer into the free memory."""


class ConstraintError(ValueError):
    """What the answer is to be held to cannot be enforced."""


class BusyError(RuntimeError):
    """The queue is full: ask again later."""


class CancelledError(RuntimeError):
    """The answer is not wanted any more."""
