"""What a step computes: parts of new prompts and, of every answer, its last token and guesses.

Knows rows and how many tokens a step may have; knows no model.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from spokesmith.decoding.drafting import guess
from spokesmith.decoding.forward import Work
from spokesmith.decoding.row import Row


@dataclass(frozen=True, kw_only=True)
class Features:
    """What makes the engine fast. None of it changes an answer.

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
        packs_rows: whether a row can be cut back after a wrong guess.
    """

    def __init__(self, features: Features, counts: Counter[str], *, packs_rows: bool) -> None:
        self.features = features
        self.counts = counts
        self.packs_rows = packs_rows

    def plan(
        self, running: Sequence[tuple[int, Row]]
    ) -> tuple[list[Work], list[tuple[int, Row, Exception]]]:
        """The work of a step over rows by their slots, and the rows whose grammar gave up."""
        answering = sum(not row.is_prefilling for _, row in running)
        shares = self._shares_of_prompts([row for _, row in running if row.is_prefilling])
        for_guesses = self.features.guess_tokens - answering
        works: list[Work] = []
        faults: list[tuple[int, Row, Exception]] = []
        for slot, row in running:
            if row.is_prefilling:
                stop = row.num_computed + shares[row]
                if row.num_computed < row.keep_at:
                    stop = min(stop, row.keep_at)
                tokens = row.prompt[row.num_computed : stop]
                wanted = int(stop == len(row.prompt))
            else:
                room = min(for_guesses // answering, self.features.longest_guess, row.room - 1)
                try:
                    self._guess(row, room)
                except Exception as error:
                    # A grammar that gives up is one answer's affair.
                    faults.append((slot, row, error))
                    continue
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

    def _shares_of_prompts(self, rows: Sequence[Row]) -> dict[Row, int]:
        """How many tokens of each new prompt a step computes: what a short one leaves is for the
        longer ones, and none waits for another."""
        left, shares = self.features.step_tokens, {}
        ordered = sorted(rows, key=lambda row: len(row.prompt) - row.num_computed)
        for place, row in enumerate(ordered):
            share = max(left // (len(ordered) - place), 1)
            shares[row] = min(len(row.prompt) - row.num_computed, share)
            left -= shares[row]
        return shares

    def _guess(self, row: Row, room: int) -> None:
        if room < 1 or not self.packs_rows:
            return
        row.guessed, row.origins = guess(
            row.drafter,
            row.grammar,
            row.stop_ids,
            room,
            copy_room=max(row.copy_room, room // 2),
            forced_too=self.features.forced,
        )
        self.counts["drafted"] += len(row.guessed)
