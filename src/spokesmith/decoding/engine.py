"""Continuous batching: answers join and leave a batch between steps.

Callers from any number of threads ask for one answer each; one worker thread runs the base, whose
steps are the business of the `batch`. Knows tokens only: no chat, no text, no HTTP.
"""

import atexit
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from spokesmith.bases import Base
from spokesmith.decoding.batch import Batch
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.planning import Features
from spokesmith.decoding.request import (
    BusyError,
    Constraint,
    ContextError,
    OnTokens,
    OnTruncation,
    Sampling,
)
from spokesmith.decoding.row import TIMEOUT, Row
from spokesmith.decoding.sampling import Sampler
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

    Attributes:
        batch: the answers under way. Its `runner`, `prefixes` and `counts` are the engine's too.
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
        self.token_bytes = self.grammars.all_token_bytes()
        self.batch = Batch(base, num_slots, features=self.features, token_bytes=self.token_bytes)
        self.runner = self.batch.runner
        self.prefixes = self.batch.prefixes
        self.counts = self.batch.counts
        self._waiting: deque[Row] = deque()
        self._actions: list[tuple[Callable[[], None], str | None, Future[None]]] = []
        self._wake = threading.Condition()
        self._worker: threading.Thread | None = None
        self._closing = False
        # The worker's own team is to be the only one.
        release_team()
        # A thread that the interpreter ends in the middle of a step takes the process down.
        atexit.register(_close_if_there, weakref.ref(self))

    @property
    def num_slots(self) -> int:
        return len(self.batch.rows)

    @property
    def num_running(self) -> int:
        return len(self.batch.running)

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
            on_tokens: called in the worker with the tokens of each step; must return at once. A
                number that it returns ends the answer after so many of them.

        Raises:
            ContextError: the prompt fills the context.
            BusyError: the queue is full.
            ValueError: the prompt is empty, a token is none of the base's, or the constraint cannot
                be enforced. An answer whose grammar gives up on the way ends with it too, and one
                for which memory is lacking with a ContextError.
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
            appends_certain=self.features.forced and self.runner.has_states,
            on_truncation=on_truncation,
            num_logprobs=num_logprobs,
            num_shared=num_shared,
            on_tokens=on_tokens,
            start=start,
            deadline=start + (NEVER if time_limit_s is None else time_limit_s),
        )
        with self._wake:
            self._start_worker()
            num_free = self.batch.rows.count(None)
            if self.max_waiting is not None and len(self._waiting) >= self.max_waiting + num_free:
                raise BusyError(f"{len(self._waiting)} answers are waiting: ask again later")
            self._waiting.append(row)
            self._wake.notify_all()
        return Ticket(row, self._notify)

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

    def _act(self) -> None:
        """Do what was asked for between steps, where its time has come."""
        with self._wake:
            in_use = {row.spokes for row in [*self._waiting, *filter(None, self.batch.rows)]}
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
                for row in [*self._waiting, *filter(None, self.batch.rows)]:
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

    def _work(self) -> None:
        """The worker's loop: let requests in, step, hand out what ended."""
        while True:
            with self._wake:
                while not (self._waiting or self._actions or any(self.batch.rows)):
                    if self._closing:
                        return
                    self._wake.wait()
            self._act()
            try:
                self._drop_unwanted()
                self._admit()
                self.batch.step()
            except Exception as error:
                # A fault of this program: nobody may wait for an answer that will not come.
                self.batch.fail_all(error)

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
        self.batch.drop_unwanted(now)

    def _admit(self) -> None:
        """Fill free slots with waiting requests, first come first served."""
        for slot, occupant in enumerate(self.batch.rows):
            if occupant is not None:
                continue
            with self._wake:
                if not self._waiting:
                    return
                row = self.batch.rows[slot] = self._waiting.popleft()
            row.waiting_s = time.monotonic() - row.start
            with self.batch.own_faults(slot, row):
                self.batch.begin(slot, row)


def _close_if_there(engine: "weakref.ref[Engine]") -> None:
    found = engine()
    if found is not None:
        found.close(finish=False)
