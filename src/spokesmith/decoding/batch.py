"""Answers under way: rows in slots, one step at a time, on one thread.

A step computes a part of the prompts that are new and, for every answer under way, its last token
and the guesses at what follows (`drafting`). What fails in it fails the answers that it was for.
Knows no lock, no queue and no caller.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from spokesmith.bases import Base
from spokesmith.decoding.captured import can_capture
from spokesmith.decoding.closing import Closer
from spokesmith.decoding.drafting import Drafter, Experience, alike_tokens
from spokesmith.decoding.forward import Work
from spokesmith.decoding.packing import fix_layout
from spokesmith.decoding.planning import Features, Planner
from spokesmith.decoding.prefixes import PrefixCache
from spokesmith.decoding.row import TIMEOUT, Row, masks_along
from spokesmith.decoding.runner import Runner
from spokesmith.decoding.sampling import NO_TOKEN, Scores


class Batch:
    """The answers that one base is writing.

    Args:
        base: the base; its spokes are attached.
        num_slots: most answers at once.
        features: what is switched on.
        token_bytes: what every token of the base stands for.

    Attributes:
        rows: by slot; None where it is free. A row that is put there is to `begin`.
        runner: computes the steps.
        prefixes: the beginnings of prompts that are kept.
        counts: tokens of prompts and of them cached ones, drafted tokens, tokens of answers by
            origin.
        experience: what the answers of each set have shown.
    """

    def __init__(
        self, base: Base, num_slots: int, *, features: Features, token_bytes: Sequence[bytes]
    ) -> None:
        captured = can_capture(base) if features.captured is None else features.captured
        joined = fix_layout(base) if features.fixed_layout else None
        self.runner = Runner(
            base, num_slots, captured=captured, compiled=features.compiled, joined=joined
        )
        self.prefixes = PrefixCache(
            self.runner.cache,
            max_bytes=features.prefix_bytes if features.prefix_cache else 0,
            has_states=self.runner.has_states,
        )
        self.counts: Counter[str] = Counter()
        self.rows: list[Row | None] = [None] * num_slots
        self._features = features
        self._alike = alike_tokens(token_bytes)
        self.experience: defaultdict[str | None, Experience] = defaultdict(
            lambda: Experience(self._alike)
        )
        self._planner = Planner(features, self.counts, has_states=self.runner.has_states)
        self._closer = Closer(token_bytes)
        self._masks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="masks")

    @property
    def running(self) -> list[tuple[int, Row]]:
        """The rows by their slots."""
        return [(slot, row) for slot, row in enumerate(self.rows) if row is not None]

    def begin(self, slot: int, row: Row) -> None:
        """Let a row begin with what is known of its prompt."""
        if self._features.prefix_cache:
            row.num_cached = self.prefixes.load(slot, row.spokes, row.prompt)
            row.num_computed = row.num_cached
            row.keep_at = self.prefixes.shared_length(row.spokes, row.prompt, row.num_shared)
        # It reads the rest as that is computed: those who wait hold no index of their prompts, and
        # a long one holds up nobody.
        if self._features.copying and not self.runner.has_states:
            row.drafter = Drafter(
                self._alike,
                row.prompt[: row.num_computed],
                self.experience[row.spokes],
                recalls=self._features.recalling,
            )
        self.counts["prompt_tokens"] += len(row.prompt)
        self.counts["cached_tokens"] += row.num_cached

    def drop_unwanted(self, now: float) -> None:
        """Let go of answers that were cancelled, and of those whose time is over."""
        for slot, row in self.running:
            if row.is_prefilling and (row.cancelled or now > row.deadline):
                # Of what was computed of it nobody has seen yet whether it is numbers.
                self.runner.cache.wipe(slot, row.num_computed)
            if row.cancelled:
                self._free(slot)
                row.drop()
            elif now > row.deadline:
                with self.own_faults(slot, row):
                    self._end(slot, row, TIMEOUT)

    def step(self) -> None:
        """Compute what comes next in every row; answers that end leave."""
        works, faults = self._planner.plan(self.running)
        for slot, row, error in faults:
            self._fail(slot, row, error)
        if not works:
            return
        for work in works:
            row = self._row_of(work)
            if work.wanted and row.needs_masks and row.grammar is not None:
                row.masks = self._masks.submit(masks_along, row.grammar, list(row.guessed))
        states = {work.row: self.runner.cache.states(work.row) for work in works}
        try:
            scores = self.runner.run(works)
        except Exception as error:
            # Whatever fails in a step belongs to the answers that it was for.
            self._run_apart(works, states, error)
            return
        for work in works:
            self._take(work, scores)

    def fail_all(self, error: Exception) -> None:
        """End all answers by a fault of this program."""
        for slot, row in self.running:
            self._fail(slot, row, error)

    def forget(self, spokes: str) -> None:
        """Drop what is remembered of a set's prompts and answers."""
        self.prefixes.forget(spokes)
        if self.runner.captured is not None:
            self.runner.captured.forget(spokes)
        self.experience.pop(spokes, None)

    def _run_apart(
        self, works: Sequence[Work], states: Mapping[int, dict[int, Any]], error: Exception
    ) -> None:
        """After a step failed: each answer by itself, so that only the faulty ones fail.

        Args:
            states: the running states of the rows before the step.
        """
        for work in works:
            failure: Exception | None = error
            scores: Mapping[int, Scores] = {}
            if len(works) > 1:
                self.runner.cache.set_states(work.row, states[work.row])
                try:
                    scores, failure = self.runner.run([work]), None
                except Exception as own_error:
                    failure = own_error
            if failure is None:
                self._take(work, scores)
            else:
                self._fail(work.row, self._row_of(work), failure)

    def _row_of(self, work: Work) -> Row:
        row = self.rows[work.row]
        assert row is not None
        return row

    def _take(self, work: Work, scores: Mapping[int, Scores]) -> None:
        """What a row makes of a step."""
        row = self._row_of(work)
        with self.own_faults(work.row, row):
            self._move_on(work, row, scores)

    @contextmanager
    def own_faults(self, slot: int, row: Row) -> Iterator[None]:
        """A grammar that gives up in the block, or a caller's fault, ends this answer alone."""
        try:
            yield
        except Exception as error:
            self._fail(slot, row, error)

    def _move_on(self, work: Work, row: Row, scores: Mapping[int, Scores]) -> None:
        row.num_forwards += 1
        if row.is_prefilling:
            row.num_computed += len(work.token_ids)
            if row.drafter is not None:
                row.drafter.read(work.token_ids)
            if row.num_computed == row.keep_at:
                self.prefixes.keep(work.row, row.spokes, row.prompt[: row.keep_at])
            if row.is_prefilling:
                return
        if NO_TOKEN in scores[work.row].best:
            raise FloatingPointError(
                f"the logits are no finite numbers: the weights of {row.spokes or 'the base'}, or "
                "of another set that is loaded, overflow in this precision"
            )
        before = len(row.chosen)
        ended = row.take(scores[work.row])
        for one in row.chosen[before:]:
            self.counts[one.origin] += 1
        if ended is not None:
            self._end(work.row, row, ended)

    def _end(self, slot: int, row: Row, reason: str) -> None:
        before = len(row.chosen)
        closed = row.close(reason, self._closer)
        self.counts["closing"] += len(row.chosen) - before
        self._free(slot)
        if row.drafter is not None:
            self.experience[row.spokes].add([one.id for one in row.chosen])
        row.finish(reason, closed=closed)

    def _fail(self, slot: int, row: Row, error: Exception) -> None:
        if isinstance(error, FloatingPointError):
            self.runner.cache.wipe(slot)
        self._free(slot)
        row.fail(error)

    def _free(self, slot: int) -> None:
        self.rows[slot] = None
        self.runner.cache.clear(slot)
