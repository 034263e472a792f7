"""One answer of llama.cpp's under way: its events become tokens, checked text and an ending.

Knows no queue and no model.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from spokesmith.backends.completion import Completion, Piece, Timing, Usage
from spokesmith.backends.llamacpp.engine import LlamaCppEngine
from spokesmith.backends.llamacpp.tokens import Event, TokenReader
from spokesmith.backends.request import CancelledError, Chosen, ConstraintError, Job
from spokesmith.backends.text_stream import TextStream
from spokesmith.decoding.closing import Closer
from spokesmith.decoding.grammar import Grammar
from spokesmith.decoding.row import LENGTH, STOP, TIMEOUT, was_cut

CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one answer needs.

    Attributes:
        body: what llama.cpp is asked.
        num_prompt_tokens: of the prompt.
        grammar: what the answer is held to, at its start.
        closer: gives a valid ending to an answer that is cut; None leaves it cut.
        time_limit_s: after so many seconds, waiting included, the answer is cut.
    """

    body: dict[str, Any]
    num_prompt_tokens: int
    grammar: Grammar | None
    closer: Closer | None
    time_limit_s: float | None


class LlamaCppJob:
    """An answer under way.

    Args:
        on_interrupt: called, at most once, when the answer is not to go on. It says whether the
            answer was waiting still; then nobody else will end it.
        on_release: called once, before anybody is told of the outcome.
    """

    def __init__(
        self,
        plan: Plan,
        reader: TokenReader,
        stream: TextStream,
        *,
        on_piece: Callable[[Piece], None] | None,
        on_end: Callable[[Job], None] | None,
        on_interrupt: Callable[["LlamaCppJob"], bool],
        on_release: Callable[["LlamaCppJob"], None],
    ) -> None:
        self.plan = plan
        self.reader = reader
        self._stream = stream
        self._on_piece = on_piece
        self._on_end = on_end
        self._on_interrupt = on_interrupt
        self._on_release = on_release
        self._chosen: list[Chosen] = []
        # Tokens behind a stop text, which are no part of the answer.
        self._num_behind = 0
        self._future: Future[Completion] = Future()
        self._lock = threading.Lock()
        self._interruption: str | None = None
        self._stop_reading: Callable[[], None] | None = None
        self._start = time.monotonic()
        self._waiting_s = 0.0
        self._first_token_s = 0.0
        self._timer: threading.Timer | None = None
        if plan.time_limit_s is not None:
            self._timer = threading.Timer(plan.time_limit_s, self._interrupt, [TIMEOUT])
            self._timer.daemon = True

    def cancel(self) -> None:
        self._interrupt(CANCELLED)

    def result(self, timeout: float | None = None) -> Completion:
        return self._future.result(timeout)

    def start_clock(self) -> None:
        """From now on the time limit counts."""
        if (timer := self._timer) is not None:
            timer.start()

    def run(self, engine: LlamaCppEngine) -> None:
        """Ask for the answer and see it through; called in a worker."""
        self._waiting_s = time.monotonic() - self._start
        try:
            reason = self._ask(engine)
            self._finish(self._interruption_or(reason))
        except Exception as error:
            self._end(error)

    def count(self) -> Counter[str]:
        """What the answer adds to the counts of the engine."""
        counts = Counter[str](one.origin for one in self._chosen)
        reader = self.reader
        if reader.has_begun:
            counts["prompt_tokens"] = self.plan.num_prompt_tokens
            counts["cached_tokens"] = reader.num_cached
        counts["drafted"] = reader.num_drafted
        # Beside the prompt and the proposals each step puts its last token through a forward.
        num_steps = max(counts["model"] + reader.num_stops - 1, 0)
        counts["forward_tokens"] = reader.num_computed + reader.num_drafted + num_steps
        return counts

    def _ask(self, engine: LlamaCppEngine) -> str:
        """The events of the answer, up to why it ended."""
        try:
            events = engine.answer(self.plan.body)
            with self._lock:
                self._stop_reading = events.interrupt
            if self._interruption is not None:
                events.interrupt()
            with events.read() as found:
                for event in found:
                    reason = self._take(event)
                    if reason is not None:
                        return reason
        except (OSError, HTTPException) as error:
            if self._interruption is None:
                raise RuntimeError(f"llama.cpp broke off the answer: {error}") from error
        if self._interruption is None:
            raise RuntimeError("llama.cpp broke off the answer")
        return self._interruption

    def _interruption_or(self, reason: str) -> str:
        with self._lock:
            self._stop_reading = None
            return self._interruption or reason

    def _interrupt(self, why: str) -> None:
        with self._lock:
            if self._interruption is not None or self._future.done():
                return
            self._interruption = why
            stop_reading = self._stop_reading
        if stop_reading is not None:
            stop_reading()
        elif self._on_interrupt(self):
            self._waiting_s = time.monotonic() - self._start
            self._finish(why)

    def _take(self, event: Event) -> str | None:
        """Go on by an event; why the answer has ended, if it has."""
        tokens = self.reader.read(event)
        if tokens:
            self._add(tokens)
        if self._stream.stopped:
            return STOP
        grammar = self.plan.grammar
        is_last = bool(event.get("stop"))
        if self.reader.num_stops or (is_last and event["stop_type"] != "limit"):
            if grammar is not None and not (grammar.has_ended or grammar.may_end):
                raise ConstraintError(
                    "llama.cpp ended an answer where its grammar does not end: give a simpler "
                    "schema or grammar"
                )
            return STOP
        if not is_last:
            return None
        return STOP if grammar is not None and grammar.has_ended else LENGTH

    def _add(self, tokens: Sequence[Chosen]) -> None:
        if not self._chosen:
            self._first_token_s = time.monotonic() - self._start
        grammar = self.plan.grammar
        if grammar is not None:
            # llama.cpp lets go of a grammar that is too much work, and says so in its log alone.
            ids = [one.id for one in tokens]
            num_taken = grammar.advance(ids)
            # Asking says so where the grammar itself has given up.
            if num_taken < len(ids) and not grammar.allows(ids[num_taken]):
                raise ConstraintError(
                    "llama.cpp could not hold the answer to its grammar: give a simpler schema or "
                    "grammar"
                )
        self._num_behind += len(tokens) - self._append(tokens)

    def _append(self, tokens: Sequence[Chosen]) -> int:
        """Go on by tokens, up to one that ends a stop text; how many of them count."""
        piece = self._stream.piece(tokens)
        self._chosen += piece.tokens
        self._tell(piece)
        return len(piece.tokens)

    def _finish(self, reason: str) -> None:
        """The answer has ended by itself or was interrupted."""
        if reason == CANCELLED:
            self._end(CancelledError("the answer is not wanted any more"))
            return
        closed = self._close(reason)
        if rest := self._stream.end():
            self._tell(Piece(text=rest))
        reader = self.reader
        # Tokens that left a character unfinished at the very end were made too.
        num_made = max(reader.num_predicted - reader.num_stops - self._num_behind, 0)
        num_closing = sum(one.origin == "closing" for one in self._chosen)
        self._end(
            Completion(
                text=self._stream.text,
                finish_reason=STOP if self._stream.stopped else reason,
                # A stop text may come in the ending too: then the text lacks the rest of it.
                closed=closed and not self._stream.stopped,
                usage=Usage(
                    prompt_tokens=self.plan.num_prompt_tokens,
                    completion_tokens=num_made + num_closing,
                    cached_tokens=reader.num_cached,
                ),
                timing=Timing(
                    first_token_s=self._first_token_s,
                    total_s=time.monotonic() - self._start,
                    waiting_s=self._waiting_s,
                ),
                tokens=tuple(self._chosen),
                num_forwards=reader.num_forwards,
                stop_text=self._stream.stop_text,
            )
        )

    def _close(self, reason: str) -> bool:
        """Give an answer that was cut a valid ending, where that was asked for and there is one."""
        grammar, closer = self.plan.grammar, self.plan.closer
        if grammar is None or closer is None or self._stream.stopped:
            return False
        ending = closer.close(grammar) if was_cut(reason, self._chosen) else None
        if ending:
            self._append([Chosen(id=token, origin="closing") for token in ending])
        return ending is not None

    def _tell(self, piece: Piece) -> None:
        if self._on_piece is not None:
            self._on_piece(piece)

    def _end(self, outcome: Completion | Exception) -> None:
        if self._timer is not None:
            # It holds the job in turn.
            self._timer.cancel()
            self._timer = None
        self._on_release(self)
        if isinstance(outcome, Exception):
            self._future.set_exception(outcome)
        else:
            self._future.set_result(outcome)
        if self._on_end is not None:
            self._on_end(self)
