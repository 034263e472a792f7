"""What a step computes: parts of new prompts and, of every answer, its last token and guesses.

Knows rows and how many tokens a step may have; knows no model.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spokesmith.decoding.drafting import guess
from spokesmith.decoding.forward import Work
from spokesmith.decoding.row import Row

# What a pass of the base costs beside its tokens, in tokens: that many take as long again as one.
PASS_COST = 58


@dataclass(frozen=True, kw_only=True)
class Features:
    """What makes the engine fast. In exact arithmetic none of it changes an answer.

    Sums that are made in another order differ in their last bits. So in bfloat16, where two tokens
    are all but equally likely, it may also count which answers shared a step, and what was guessed.

    Attributes:
        forced: guess the tokens that a grammar leaves no choice about.
        copying: guess from the prompt and the answer so far.
        recalling: guess from earlier answers of the same set too.
        prefix_cache: compute shared beginnings of prompts once.
        fixed_layout: keep a copy of the base's matrices in the processor's own layout, and in it
            the spokes as units of the feed-forward blocks.
        captured: compute steps by passes of fixed shapes, which a GPU records; None does so where
            they can be recorded.
        compiled: compile the layers of such passes, which takes a minute or two.
        step_tokens: most tokens of prompts in one step.
        guess_tokens: most tokens of answers in one step, guesses included.
        longest_guess: most guesses for one answer in one step.
        prefix_bytes: most memory for beginnings of prompts.
    """

    forced: bool = True
    copying: bool = True
    recalling: bool = True
    prefix_cache: bool = True
    fixed_layout: bool = True
    captured: bool | None = None
    compiled: bool = False
    step_tokens: int = 256
    guess_tokens: int = 64
    longest_guess: int = 24
    prefix_bytes: int = 256 * 2**20


class Planner:
    """Plans steps.

    Args:
        features: what is switched on, and how much a step may hold.
        counts: of the engine; the guesses are added.
        has_states: whether layers keep a running state: then no row is cut back after a wrong
            guess, and nothing is guessed.
    """

    def __init__(self, features: Features, counts: Counter[str], *, has_states: bool) -> None:
        self.features = features
        self.counts = counts
        self.has_states = has_states

    def plan(
        self, running: Sequence[tuple[int, Row]]
    ) -> tuple[list[Work], list[tuple[int, Row, Exception]]]:
        """The work of a step over rows by their slots, and the rows whose grammar gave up."""
        prompts = [row for _, row in running if row.is_prefilling]
        needs = [row.to_prefill for row in prompts]
        of_prompts = dict(
            zip(prompts, shares(needs, self.features.step_tokens, least=1), strict=True)
        )
        faults = self._guess([(slot, row) for slot, row in running if not row.is_prefilling])
        faulty = {row for _, row, _ in faults}
        works: list[Work] = []
        for slot, row in running:
            if row in faulty:
                continue
            if row.is_prefilling:
                stop = row.num_computed + of_prompts[row]
                if row.num_computed < row.keep_at:
                    stop = min(stop, row.keep_at)
                tokens = row.prompt[row.num_computed : stop]
                wanted = int(stop == len(row.prompt))
            else:
                tokens = row.pending() + row.guessed
                wanted = len(row.guessed) + 1
            works.append(
                Work(
                    row=slot,
                    start=row.num_computed,
                    token_ids=tokens,
                    wanted=wanted,
                    spokes=row.spokes,
                )
            )
        return works, faults

    def _guess(self, answering: Sequence[tuple[int, Row]]) -> list[tuple[int, Row, Exception]]:
        """Guess how answers go on; the rows whose grammar gave up."""
        if self.has_states or not answering:
            return []
        least = least_chance(len(answering))
        faults: list[tuple[int, Row, Exception]] = []
        for slot, row in answering:
            try:
                row.guessed, row.origins = guess(
                    row.drafter,
                    row.grammar,
                    row.stop_ids,
                    min(self.features.longest_guess, row.room - 1),
                    least_chance=least,
                    forced_too=self.features.forced,
                )
            except Exception as error:
                # A grammar that gives up is one answer's affair.
                faults.append((slot, row, error))
        room = self.features.guess_tokens - len(answering)
        needs = [len(row.guessed) for _, row in answering]
        for (_, row), share in zip(answering, shares(needs, room), strict=True):
            row.guessed, row.origins = row.guessed[:share], row.origins[:share]
            self.counts["drafted"] += share
        return faults


def shares(needs: Sequence[int], room: int, *, least: int = 0) -> list[int]:
    """How much of `room` each gets: what one with a small need leaves is for those with larger
    ones, and none waits for another. Each gets `least` even where there is no room."""
    found = [0] * len(needs)
    for done, place in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        share = max(room // (len(needs) - done), least)
        found[place] = min(needs[place], share)
        room -= found[place]
    return found


def least_chance(num_answering: int) -> float:
    """The least chance of a guess that is worth its computation.

    A step with so many answers computes about 1.5 times the tokens that it yields, four an answer,
    and takes as long as that many tokens and `PASS_COST` further ones; a guess that comes true
    spares what one yielded token costs.
    """
    yielded = 4 * num_answering
    return yielded / (PASS_COST + 1.5 * yielded)
