"""One answer under way: what is known of it, and what it takes from the logits of a step.

Knows no batch and no model.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch
from torch import Tensor

from spokesmith.decoding.closing import Closer
from spokesmith.decoding.drafting import Drafter
from spokesmith.decoding.grammar import Grammar
from spokesmith.decoding.request import CancelledError, Chosen, OnTokens, OnTruncation, Origin
from spokesmith.decoding.sampling import Sampler, Scores

STOP, LENGTH, TIMEOUT = "stop", "length", "timeout"


@dataclass(frozen=True, kw_only=True)
class Generation:
    """The tokens of an answer, without the one that ends it.

    Attributes:
        chosen: the tokens, with what was asked to be told of each.
        finish_reason: `stop` where the answer ended by itself, `length` where it was cut, `timeout`
            where its time was over.
        closed: whether it was cut and then given a valid ending.
        num_cached: tokens of the prompt that were not computed again.
        num_forwards: forward passes that the answer took part in.
        waiting_s: seconds in the queue; like the others they count from the request.
        first_token_s: seconds to the first token.
        total_s: seconds to the end.
    """

    chosen: tuple[Chosen, ...]
    finish_reason: str
    closed: bool = False
    num_cached: int = 0
    num_forwards: int = 0
    waiting_s: float = 0.0
    first_token_s: float
    total_s: float

    @property
    def tokens(self) -> list[int]:
        return [one.id for one in self.chosen]


@dataclass(kw_only=True, eq=False)
class Row:
    """A request, and the answer so far."""

    prompt: list[int]
    spokes: str | None
    max_tokens: int
    sampler: Sampler
    stop_ids: tuple[int, ...]
    grammar: Grammar | None = None
    drafter: Drafter | None = None
    on_truncation: OnTruncation = "cut"
    num_logprobs: int | None = None
    num_shared: int = 0
    on_tokens: OnTokens | None = None
    start: float = field(default_factory=time.monotonic)
    deadline: float = float("inf")
    appends_certain: bool = False
    future: "Future[Generation]" = field(default_factory=Future)
    masks: "Future[list[Tensor]] | None" = None
    cancelled: bool = False

    chosen: list[Chosen] = field(default_factory=list)
    num_computed: int = 0
    num_cached: int = 0
    num_forwards: int = 0
    keep_at: int = 0
    guessed: list[int] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    waiting_s: float = 0.0
    first_token_s: float = 0.0

    @property
    def length(self) -> int:
        """Tokens that are known: the prompt's and the answer's."""
        return len(self.prompt) + len(self.chosen)

    @property
    def to_prefill(self) -> int:
        """Tokens of the prompt that are not computed yet; below 0 once the answer's own are."""
        return len(self.prompt) - self.num_computed

    @property
    def is_prefilling(self) -> bool:
        return self.to_prefill > 0

    @property
    def room(self) -> int:
        """How many tokens the answer may still get."""
        return self.max_tokens - len(self.chosen)

    def pending(self) -> list[int]:
        """The known tokens whose keys and values are not computed yet."""
        if self.is_prefilling:
            return self.prompt[self.num_computed :]
        return [one.id for one in self.chosen[self.num_computed - len(self.prompt) :]]

    def take(self, scores: Scores) -> str | None:
        """Choose tokens from the scores after the last known token and after each guess.

        Args:
            scores: of 1 + guesses positions.

        Returns:
            Why the answer has ended, or None where it goes on.
        """
        if self.cancelled:
            self.guessed, self.origins = [], []
            return None
        known = self.length
        new: list[Chosen] = []
        ended = None
        for place in range(len(self.guessed) + 1):
            token = self._pick(scores, place)
            if token in self.stop_ids:
                ended = STOP
                break
            is_guess = place < len(self.guessed) and token == self.guessed[place]
            new.append(self._as_chosen(token, scores.logits[place], is_guess, place))
            self._accept(new[-1])
            ended = self._reason_to_end()
            if ended or not is_guess:
                break
        # What was computed for guesses that did not come true is written over.
        self.num_computed = known + len(new) - 1
        self.guessed, self.origins, self.masks = [], [], None
        if self.appends_certain and ended is None:
            ended = self._append_certain(new)
        return STOP if self._tell(new) else ended

    def close(self, reason: str, closer: Closer) -> bool:
        """Give an answer that was cut a valid ending, where that was asked for and there is one."""
        if self.grammar is None or self.on_truncation != "close":
            return False
        ending = closer.close(self.grammar) if was_cut(reason, self.chosen) else None
        if ending is None:
            return False
        new = [Chosen(id=token, origin="closing") for token in ending]
        self.chosen += new
        return not self._tell(new)

    def finish(self, reason: str, *, closed: bool = False) -> None:
        # Who holds the future may have cancelled it.
        if self.future.done():
            return
        self.future.set_result(
            Generation(
                chosen=tuple(self.chosen),
                finish_reason=reason,
                closed=closed,
                num_cached=self.num_cached,
                num_forwards=self.num_forwards,
                waiting_s=self.waiting_s,
                first_token_s=self.first_token_s,
                total_s=time.monotonic() - self.start,
            )
        )

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def drop(self) -> None:
        self.fail(CancelledError("the answer is not wanted any more"))

    @property
    def needs_masks(self) -> bool:
        """Whether each token of the next step needs to know all that may stand there."""
        return self.grammar is not None and not self.sampler.is_greedy

    def _pick(self, scores: Scores, place: int) -> int:
        logits, best, grammar = scores.logits[place], scores.best[place], self.grammar
        if grammar is None:
            return self.sampler.pick(logits, best, lambda _: True, lambda: None)

        def allowed() -> Tensor:
            masks = [] if self.masks is None else self.masks.result()
            mask = masks[place] if masks else torch.from_numpy(grammar.allowed())
            return mask.to(logits.device)

        return self.sampler.pick(logits, best, grammar.allows, allowed)

    def _append_certain(self, new: list[Chosen]) -> str | None:
        """Go on by tokens that are the only ones that may follow; no logits are needed for them."""
        ended = None
        while ended is None and self.grammar is not None and self.num_logprobs is None:
            token = self.grammar.only_choice()
            if token is None or token in self.stop_ids:
                break
            new.append(Chosen(id=token, origin="forced"))
            self._accept(new[-1])
            ended = self._reason_to_end()
        return ended

    def _as_chosen(self, token: int, logits: Tensor, is_guess: bool, place: int) -> Chosen:
        origin: Origin = self.origins[place] if is_guess else "model"
        if self.num_logprobs is None:
            return Chosen(id=token, origin=origin)
        logprobs = torch.log_softmax(logits.float(), dim=-1)
        values, tokens = logprobs.topk(self.num_logprobs)
        return Chosen(
            id=token,
            origin=origin,
            logprob=float(logprobs[token]),
            top=tuple(zip(tokens.tolist(), values.tolist(), strict=True)),
        )

    def _accept(self, one: Chosen) -> None:
        if not self.chosen:
            self.first_token_s = time.monotonic() - self.start
        if self.grammar is not None:
            self.grammar.accept(one.id)
        if self.drafter is not None:
            self.drafter.extend(one.id, forced=one.origin == "forced")
        self.sampler.accept(one.id)
        self.chosen.append(one)

    def _reason_to_end(self) -> str | None:
        if self.grammar is not None and self.grammar.has_ended:
            return STOP
        if len(self.chosen) >= self.max_tokens:
            return LENGTH
        if time.monotonic() > self.deadline:
            return TIMEOUT
        return None

    def _tell(self, new: Sequence[Chosen]) -> bool:
        """Whether the answer ends with one of the last tokens, as who hears of them wants it."""
        kept = self.on_tokens(new) if new and self.on_tokens is not None else None
        if kept is None:
            return False
        del self.chosen[len(self.chosen) - len(new) + kept :]
        return True


def was_cut(reason: str, chosen: Sequence[Chosen]) -> bool:
    """Whether an answer that ended for this reason had begun and was cut.

    Only an answer that has begun reaches a limit of tokens, even where they make no character yet.
    """
    return reason == LENGTH or (reason == TIMEOUT and bool(chosen))


def masks_along(grammar: Grammar, guessed: Sequence[int]) -> list[Tensor]:
    """Which tokens may follow now and after each guess, [V] each. The grammar stays as it is."""
    state = grammar.copy()
    masks = [torch.from_numpy(state.allowed())]
    for token in guessed:
        state.accept(token)
        masks.append(torch.from_numpy(state.allowed()))
    return masks
