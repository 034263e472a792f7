"""Continuous batching: answers join and leave a batch between steps.

Callers from any number of threads ask for one answer each; one worker thread runs the base. A step
computes a part of the prompts that are new and, for every answer under way, its last token and the
guesses at what follows (`drafting`). Knows tokens only: no chat, no text, no HTTP.
"""

import atexit
import threading
import time
import weakref
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spokesmith.bases import Base
from spokesmith.decoding.captured import can_capture
from spokesmith.decoding.closing import Closer
from spokesmith.decoding.drafting import Drafter, Experience, alike_tokens
from spokesmith.decoding.forward import Work
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.packing import fix_layout
from spokesmith.decoding.planning import Features, Planner
from spokesmith.decoding.prefixes import PrefixCache
from spokesmith.decoding.request import (
    BusyError,
    Constraint,
    ContextError,
    OnTokens,
    OnTruncation,
    Sampling,
)
from spokesmith.decoding.row import TIMEOUT, Generation, Row, masks_along
from spokesmith.decoding.runner import Runner
from spokesmith.decoding.sampling import Sampler, Scores
from spokesmith.decoding.threads import release_team
from spokesmith.decoding.ticket import Ticket

NEVER = float("inf")


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """What an engine has done before its first answer: passes recorded, and how long it took."""

    num_passes: int
    seconds: float


class Engine:
    """Generates with one base and the sets of spokes beside it.

    Args:
        base: the base; while answers are under way nothing else may run on it.
        num_slots: most answers at once.
        max_waiting: most answers in the queue.
        features: what is switched on.
    """

    def __init__(
        self,
        base: Base,
        *,
        num_slots: int = 1,
        max_waiting: int | None = None,
        features: Features | None = None,
    ) -> None:
        if num_slots < 1:
            raise ValueError(f"num_slots is {num_slots}: an engine needs at least one")
        self.base = base
        self.features = features or Features()
        self.max_waiting = max_waiting
        self.vocabulary: int = base.model.get_output_embeddings().weight.shape[0]
        self.context: int = base.config.max_position_embeddings
        self.grammars = GrammarCompiler(base.tokenizer, base.chat.end_id, self.vocabulary)
        captured = self.features.captured
        captured = can_capture(base) if captured is None else captured
        joined = fix_layout(base) if self.features.fixed_layout else None
        self.runner = Runner(
            base, num_slots, captured=captured, compiled=self.features.compiled, joined=joined
        )
        self.prefixes = PrefixCache(
            self.runner.cache,
            max_bytes=self.features.prefix_bytes if self.features.prefix_cache else 0,
            has_states=not self.runner.packs_rows,
        )
        self.counts: Counter[str] = Counter()
        self.token_bytes = self.grammars.all_token_bytes()
        self._alike = alike_tokens(self.token_bytes)
        self._experience: defaultdict[str | None, Experience] = defaultdict(
            lambda: Experience(self._alike)
        )
        self._planner = Planner(self.features, self.counts, packs_rows=self.runner.packs_rows)
        self._closer = Closer(self.token_bytes)
        self._rows: list[Row | None] = [None] * num_slots
        self._waiting: deque[Row] = deque()
        self._actions: list[tuple[Callable[[], None], str | None, Future[None]]] = []
        self._masks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="masks")
        self._wake = threading.Condition()
        self._worker: threading.Thread | None = None
        self._closing = False
        # The worker's own team is to be the only one.
        release_team()
        # A thread that the interpreter ends in the middle of a step takes the process down.
        atexit.register(_close_if_there, weakref.ref(self))

    @property
    def num_slots(self) -> int:
        return len(self._rows)

    @property
    def num_running(self) -> int:
        return sum(row is not None for row in self._rows)

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    def submit(
        self,
        prompt_ids: Sequence[int],
        *,
        spokes: str | None,
        max_tokens: int | None = None,
        num_shared: int = 0,
        constraint: Constraint | None = None,
        sampling: Sampling | None = None,
        time_limit_s: float | None = None,
        num_logprobs: int | None = None,
        on_truncation: OnTruncation = "cut",
        on_tokens: OnTokens | None = None,
    ) -> Ticket:
        """Ask for the continuation of a prompt; may be called from many threads at once.

        Args:
            prompt_ids: the prompt.
            spokes: name of an attached set; None runs the bare base.
            max_tokens: most tokens of the answer; the base's context may allow fewer.
            num_shared: how many tokens at the beginning of the prompt other prompts share, where
                that is known.
            constraint: what the answer is held to; None decodes freely.
            sampling: how tokens are chosen; None takes the most likely ones.
            time_limit_s: after so many seconds the answer is cut.
            num_logprobs: how many of the most likely tokens to tell with each; None for nothing.
            on_truncation: what becomes of a held answer that is cut once it has begun.
            on_tokens: called in the worker with the tokens of each step; must return at once. The
                answer ends where it returns True.

        Raises:
            ContextError: the prompt fills the context.
            BusyError: the queue is full.
            ValueError: the prompt is empty, a token is none of the base's, or the constraint cannot
                be enforced. An answer whose grammar gives up on the way ends with it too.
        """
        if not prompt_ids:
            raise ValueError("the prompt is empty: give at least one token")
        room = self.context - len(prompt_ids)
        if room < 1:
            raise ContextError(
                f"the prompt has {len(prompt_ids)} tokens, the base's context is {self.context}: "
                "shorten the text"
            )
        if max_tokens is not None and max_tokens < 1:
            raise ValueError(f"max_tokens is {max_tokens}: give at least 1")
        sampling = sampling or Sampling()
        for token in (min(prompt_ids), max(prompt_ids), *sampling.logit_bias):
            self.check_token(token)
        start = time.monotonic()
        row = Row(
            prompt=list(prompt_ids),
            spokes=spokes,
            max_tokens=room if max_tokens is None else min(max_tokens, room),
            sampler=Sampler(sampling, self.base.device),
            stop_ids=self.base.chat.stop_ids,
            grammar=None if constraint is None else self.grammars.start(constraint),
            drafter=self._drafter(spokes, prompt_ids),
            appends_certain=self.features.forced and not self.runner.packs_rows,
            on_truncation=on_truncation,
            num_logprobs=num_logprobs,
            num_shared=num_shared,
            on_tokens=on_tokens,
            start=start,
            deadline=start + (NEVER if time_limit_s is None else time_limit_s),
        )
        with self._wake:
            self._start_worker()
            num_free = self._rows.count(None)
            if self.max_waiting is not None and len(self._waiting) >= self.max_waiting + num_free:
                raise BusyError(f"{len(self._waiting)} answers are waiting: ask again later")
            self._waiting.append(row)
            self._wake.notify_all()
        return Ticket(row, self._notify)

    def generate(
        self,
        prompt_ids: Sequence[int],
        *,
        spokes: str | None,
        max_tokens: int | None = None,
        num_shared: int = 0,
        constraint: Constraint | None = None,
        sampling: Sampling | None = None,
        time_limit_s: float | None = None,
    ) -> Generation:
        """Continue a prompt and wait for the answer; see `submit`."""
        ticket = self.submit(
            prompt_ids,
            spokes=spokes,
            max_tokens=max_tokens,
            num_shared=num_shared,
            constraint=constraint,
            sampling=sampling,
            time_limit_s=time_limit_s,
        )
        return ticket.future.result()

    def warm_up(self) -> WarmUp:
        """Do now what the first answers would wait for, with the sets that are there."""
        captured = self.runner.captured
        if captured is None:
            return WarmUp(num_passes=0, seconds=0.0)
        start, before = time.monotonic(), len(captured)
        self.between_steps(captured.record_usual).result()
        return WarmUp(num_passes=len(captured) - before, seconds=time.monotonic() - start)

    def check_token(self, token: int) -> None:
        """Raises ValueError where a token is none of the base's."""
        if not 0 <= token < self.vocabulary:
            raise ValueError(
                f"token {token} is none of the base's: give ids below {self.vocabulary}"
            )

    def between_steps(
        self, action: Callable[[], None], *, unused: str | None = None
    ) -> "Future[None]":
        """Have the worker do something while the base is at rest, such as to attach a set.

        Args:
            action: what is to be done.
            unused: wait until no answer uses this set.

        Raises:
            BusyError: the engine is closing.
        """
        future: Future[None] = Future()
        with self._wake:
            self._start_worker()
            self._actions.append((action, unused, future))
            self._wake.notify_all()
        return future

    def forget(self, spokes: str) -> None:
        """Drop what is remembered of a set's prompts and answers; for `between_steps`."""
        self.prefixes.forget(spokes)
        if self.runner.captured is not None:
            self.runner.captured.forget(spokes)
        self._experience.pop(spokes, None)

    def _act(self) -> None:
        """Do what was asked for between steps, where its time has come."""
        with self._wake:
            in_use = {row.spokes for row in [*self._waiting, *filter(None, self._rows)]}
            ready = [entry for entry in self._actions if entry[1] not in in_use - {None}]
            self._actions = [entry for entry in self._actions if entry not in ready]
        for action, _, future in ready:
            try:
                action()
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(None)

    def close(self, *, finish: bool = True) -> None:
        """Take no more requests; what is under way is finished first unless `finish` is false."""
        with self._wake:
            self._closing = True
            if not finish:
                for row in [*self._waiting, *filter(None, self._rows)]:
                    row.cancelled = True
            self._wake.notify_all()
        if self._worker is not None:
            self._worker.join()

    def _start_worker(self) -> None:
        """Let there be a worker. Raises BusyError where no more is taken."""
        if self._closing:
            raise BusyError("the engine is closing: ask another one")
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
            self._worker.start()

    def _notify(self) -> None:
        with self._wake:
            self._wake.notify_all()

    def _drafter(self, spokes: str | None, prompt_ids: Sequence[int]) -> Drafter | None:
        if not (self.features.copying and self.runner.packs_rows):
            return None
        return Drafter(
            self._alike, prompt_ids, self._experience[spokes], recalls=self.features.recalling
        )

    def _work(self) -> None:
        """The worker's loop: let requests in, step, hand out what ended."""
        while True:
            with self._wake:
                while not (self._waiting or self._actions or any(self._rows)):
                    if self._closing:
                        return
                    self._wake.wait()
            self._act()
            try:
                self._drop_unwanted()
                self._admit()
                self._step()
            except Exception as error:
                # A fault of this program: nobody may wait for an answer that will not come.
                self._fail_all(error)

    def _drop_unwanted(self) -> None:
        """Let go of answers that were cancelled, and of those whose time is over."""
        now = time.monotonic()
        gone: list[Row] = []
        kept: deque[Row] = deque()
        with self._wake:
            # Each is asked once: a row may be cancelled at any moment.
            for row in self._waiting:
                (gone if row.cancelled or now > row.deadline else kept).append(row)
            self._waiting = kept
        for row in gone:
            row.waiting_s = now - row.start
            if row.cancelled:
                row.drop()
            else:
                row.finish(TIMEOUT)
        for slot, row in enumerate(self._rows):
            if row is None:
                continue
            if row.cancelled:
                self._free(slot)
                row.drop()
            elif now > row.deadline:
                with self._own_faults(slot, row):
                    self._end(slot, row, TIMEOUT)

    def _admit(self) -> None:
        """Fill free slots with waiting requests, first come first served."""
        for slot, occupant in enumerate(self._rows):
            if occupant is not None:
                continue
            with self._wake:
                if not self._waiting:
                    return
                row = self._rows[slot] = self._waiting.popleft()
            row.waiting_s = time.monotonic() - row.start
            if self.features.prefix_cache:
                row.num_cached = self.prefixes.load(slot, row.spokes, row.prompt)
                row.num_computed = row.num_cached
                row.keep_at = self.prefixes.shared_length(row.spokes, row.prompt, row.num_shared)
            self.counts["prompt_tokens"] += len(row.prompt)
            self.counts["cached_tokens"] += row.num_cached

    def _step(self) -> None:
        running = [(slot, row) for slot, row in enumerate(self._rows) if row is not None]
        works, faults = self._planner.plan(running)
        for slot, row, error in faults:
            self._free(slot)
            row.fail(error)
        if not works:
            return
        for work in works:
            row = self._rows[work.row]
            if row is not None and work.wanted and row.needs_masks and row.grammar is not None:
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

    def _run_apart(
        self, works: Sequence[Work], states: Mapping[int, dict[int, Any]], error: Exception
    ) -> None:
        """After a step failed: each answer by itself, so that only the faulty ones fail.

        Args:
            states: the running states of the rows before the step.
        """
        for work in works:
            row = self._rows[work.row]
            assert row is not None
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
                self._free(work.row)
                row.fail(failure)

    def _take(self, work: Work, scores: Mapping[int, Scores]) -> None:
        """What a row makes of a step."""
        row = self._rows[work.row]
        assert row is not None
        with self._own_faults(work.row, row):
            self._move_on(work, row, scores)

    @contextmanager
    def _own_faults(self, slot: int, row: Row) -> Iterator[None]:
        """A grammar that gives up in the block, or a caller's fault, ends this answer alone."""
        try:
            yield
        except Exception as error:
            self._free(slot)
            row.fail(error)

    def _move_on(self, work: Work, row: Row, scores: Mapping[int, Scores]) -> None:
        row.num_forwards += 1
        if row.is_prefilling:
            row.num_computed += len(work.token_ids)
            if row.num_computed == row.keep_at:
                self.prefixes.keep(work.row, row.spokes, row.prompt[: row.keep_at])
            if row.is_prefilling:
                return
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
            self._experience[row.spokes].add([one.id for one in row.chosen])
        row.finish(reason, closed=closed)

    def _fail_all(self, error: Exception) -> None:
        for slot, row in enumerate(self._rows):
            if row is not None:
                self._free(slot)
                row.fail(error)

    def _free(self, slot: int) -> None:
        self._rows[slot] = None
        self.runner.cache.clear(slot)


def _close_if_there(engine: "weakref.ref[Engine]") -> None:
    found = engine()
    if found is not None:
        found.close(finish=False)
