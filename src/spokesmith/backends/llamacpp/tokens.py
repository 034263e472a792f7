"""From llama.cpp's events to the tokens of an answer, with where each came from.

Knows no grammar and no text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spokesmith.decoding.request import Chosen, Origin

Event = Mapping[str, Any]


@dataclass(kw_only=True)
class TokenReader:
    """What the events of one answer say.

    llama.cpp tells of no token that leaves a character unfinished; the event of the token that
    finishes it has the text of all of them. Those before it are found again by their bytes. Where
    bytes can be cut in several ways, which tokens they were is a guess, and they have no
    log probabilities. Bytes that never become a character are lost, they are only counted.

    Attributes:
        token_bytes: what every token stands for.
        ids: the tokens that stand for some bytes.
        stop_ids: tokens that end an answer and are no part of it.
        num_logprobs: how many of the most likely tokens are reported with each; None for nothing.
        num_predicted: tokens that were made, those included that end the answer.
        num_stops: of them those that end it.
        num_computed: tokens of the prompt that were computed.
        num_cached: tokens of the prompt that were not computed again.
        num_drafted: tokens that were proposed.
        num_forwards: passes that the answer took part in.
        has_begun: whether it has left the queue.
    """

    token_bytes: Sequence[bytes]
    ids: Mapping[bytes, int]
    stop_ids: Sequence[int]
    num_logprobs: int | None = None
    num_predicted: int = 0
    num_stops: int = 0
    num_computed: int = 0
    num_cached: int = 0
    num_drafted: int = 0
    num_forwards: int = 0
    has_begun: bool = False
    _num_accepted: int = field(default=0, init=False)
    _num_copies: int = field(default=0, init=False)
    _held: Chosen | None = field(default=None, init=False)

    def read(self, event: Event) -> list[Chosen]:
        """The tokens that are known to be a part of the answer now."""
        self._read_counts(event)
        progress = event.get("prompt_progress")
        if progress is not None:
            # The first event of a prompt comes before anything is computed.
            self.num_forwards += self.has_begun
            self.has_begun = True
            return []
        known = [] if self._held is None else [self._held]
        self._held = None
        missing = event["tokens_predicted"] - self.num_predicted
        self.num_predicted += missing
        if event["stop"]:
            # llama.cpp knows more tokens that end an answer: the last one was such a one.
            ended_by_held = event["stop_type"] == "eos" and bool(known)
            self.num_stops += ended_by_held
            return [] if ended_by_held else known
        token = event["tokens"][0]
        before = self._unfinished(event["content"], token, missing - 1)
        known += [Chosen(id=one, origin=self._origin()) for one in before]
        origin = self._origin()
        if token in self.stop_ids:
            self.num_stops += 1
            return known
        chosen = self._chosen(token, origin, event)
        if event["content"]:
            return [*known, chosen]
        self._held = chosen
        return known

    def _read_counts(self, event: Event) -> None:
        timings = event.get("timings")
        if timings is None:
            return
        self.num_cached = timings["cache_n"]
        self.num_computed = timings["prompt_n"]
        self.num_drafted = timings.get("draft_n", 0)
        accepted = timings.get("draft_n_accepted", 0)
        # A step's accepted proposals come first, its own token last.
        self._num_copies += accepted - self._num_accepted
        self._num_accepted = accepted

    def _origin(self) -> Origin:
        if self._num_copies > 0:
            self._num_copies -= 1
            return "copied"
        # The first token comes out of the prompt's own pass.
        self.num_forwards += self.num_predicted > 1
        return "model"

    def _unfinished(self, text: str, last: int, count: int) -> list[int]:
        """The tokens before the last one of a text."""
        if count < 1:
            return []
        value = text.encode().removesuffix(self.token_bytes[last])
        return cut(value, count, self.ids) or []

    def _chosen(self, token: int, origin: Origin, event: Event) -> Chosen:
        if self.num_logprobs is None:
            return Chosen(id=token, origin=origin)
        told = event["completion_probabilities"][0]
        tops = told["top_logprobs"][: self.num_logprobs]
        return Chosen(
            id=token,
            origin=origin,
            logprob=told["logprob"],
            top=tuple((top["id"], top["logprob"]) for top in tops),
        )


def cut(value: bytes, count: int, ids: Mapping[bytes, int]) -> list[int] | None:
    """So many tokens that together stand for some bytes, long ones first; None where none do."""
    hopeless: set[tuple[int, int]] = set()

    def rest(start: int, left: int) -> list[int] | None:
        if left == 0:
            return [] if start == len(value) else None
        if (start, left) in hopeless:
            return None
        for end in range(len(value) - left + 1, start, -1):
            token = ids.get(value[start:end])
            if token is not None and (after := rest(end, left - 1)) is not None:
                return [token, *after]
        hopeless.add((start, left))
        return None

    return rest(0, count)
