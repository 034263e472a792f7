"""The local engine as a backend: chats and texts in, texts out, several sets of spokes by name."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace

from spokesmith.backends.chats import ChatBackend
from spokesmith.backends.completion import Completion, Piece, Timing, Usage
from spokesmith.backends.request import (
    BusyError,
    Job,
    Model,
    Request,
    Stats,
    UnknownModelError,
    first_request,
)
from spokesmith.backends.text_stream import TextStream
from spokesmith.bases import Base
from spokesmith.decoding import Chosen, Engine, Features, Generation, Ticket
from spokesmith.decoding.engine import WarmUp
from spokesmith.decoding.row import STOP
from spokesmith.decoding.sets import load_set, names_of_sets, unload_set

# Loading a set waits so long for its prompt, which stands in the queue as others do.
MOST_PREFILL_S = 10.0


class LocalBackend(ChatBackend):
    """Answers with a base in this process and the sets of spokes beside it.

    Calls from several threads run as one batch.

    Args:
        base: the base, with its sets attached.
        spokes: the attached set that answers where a request names no model; None takes the base.
        num_slots: most answers at once.
        max_waiting: most answers in the queue; None for any number.
        features: what makes the engine fast.
    """

    def __init__(
        self,
        base: Base,
        *,
        spokes: str | None,
        num_slots: int = 1,
        max_waiting: int | None = None,
        features: Features | None = None,
    ) -> None:
        super().__init__(base.chat)
        self.base = base
        self.spokes = spokes
        self.engine = Engine(base, num_slots=num_slots, max_waiting=max_waiting, features=features)
        # Held for moments only; told of whenever a request has reached the engine.
        self._lock = threading.Condition()
        self._on_the_way: Counter[str] = Counter()
        self._base_model = Model(
            name=base.name, base=base.name, folder=None, task=None, created=int(time.time())
        )
        self._sets = {name: self._model(name) for name in names_of_sets(self.engine)}

    @property
    def context_length(self) -> int:
        return self.engine.context

    def models(self) -> list[Model]:
        """The base first, then the sets."""
        with self._lock:
            return [self._base_model, *self._sets.values()]

    def start(
        self,
        request: Request,
        *,
        on_piece: Callable[[Piece], None] | None = None,
        on_end: Callable[[Job], None] | None = None,
    ) -> "LocalJob":
        """Begin an answer; see `Backend.start`."""
        with self._set_in_use(request) as spokes:
            shared, rest = self.prompt_parts(request)
            job = LocalJob(TextStream(self.base.tokenizer, request.stop), on_piece, on_end)
            job.begin(
                self.engine.submit(
                    shared + rest,
                    num_shared=len(shared),
                    spokes=spokes,
                    max_tokens=request.max_tokens,
                    constraint=request.constraint,
                    sampling=request.sampling,
                    time_limit_s=request.time_limit_s,
                    num_logprobs=request.num_logprobs,
                    on_truncation=request.on_truncation,
                    on_tokens=job.on_tokens,
                ),
                num_prompt_tokens=len(shared) + len(rest),
            )
        return job

    def check_token(self, token: int) -> None:
        self.engine.check_token(token)

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for."""
        return self.engine.token_bytes[token_id]

    def load_set(self, source: str, *, name: str | None = None, prefill: bool = True) -> Model:
        """Put a set beside the base while it runs; see `Backend.load_set`.

        Args:
            prefill: whether to compute now what all prompts of its task begin with.
        """
        loaded = load_set(self.engine, source, name=name)
        model = replace(self._model(loaded.name), folder=loaded.folder, task=loaded.task)
        with self._lock:
            self._sets[loaded.name] = model
        request = first_request(model)
        if prefill and request is not None:
            # What fails here is told to those who ask for an answer.
            with suppress(Exception):
                self.start(request).result(MOST_PREFILL_S)
        return model

    def unload_set(self, name: str) -> None:
        """Take a set away; answers that use it are finished first."""
        with self._lock:
            if name not in self._sets:
                raise UnknownModelError(f"no set named '{name}': {self._known()}")
            del self._sets[name]
            # The engine waits for the requests that it knows; these it does not know yet.
            self._lock.wait_for(lambda: not self._on_the_way[name])
        unload_set(self.engine, name)

    def warm_up(self) -> WarmUp:
        """Do now what the first answers on a GPU would wait for; see `Engine.warm_up`."""
        return self.engine.warm_up()

    def stats(self) -> Stats:
        counts, runner = self.engine.counts, self.engine.runner
        return Stats(
            running=self.engine.num_running,
            waiting=self.engine.num_waiting,
            num_slots=self.engine.num_slots,
            forwards=runner.num_forwards,
            forward_tokens=runner.num_tokens,
            prompt_tokens=counts["prompt_tokens"],
            cached_tokens=counts["cached_tokens"],
            tokens_model=counts["model"],
            tokens_forced=counts["forced"],
            tokens_copied=counts["copied"],
            tokens_closing=counts["closing"],
            drafted_tokens=counts["drafted"],
            prefix_cache_bytes=self.engine.prefixes.num_bytes,
        )

    def close(self, *, finish: bool = True) -> None:
        self.engine.close(finish=finish)

    def _model(self, name: str) -> Model:
        return replace(self._base_model, name=name, created=int(time.time()))

    def _known(self) -> str:
        return "known are " + ", ".join([self._base_model.name, *self._sets])

    @contextmanager
    def _set_in_use(self, request: Request) -> Iterator[str | None]:
        """The set that a request's model means; it stays until the block has ended."""
        model = request.model
        if model is None or model == self._base_model.name:
            yield self.spokes if model is None else None
            return
        with self._lock:
            if model not in self._sets:
                raise UnknownModelError(f"no model '{model}': {self._known()}")
            if request.made_for is not None and request.made_for is not self._sets[model]:
                raise BusyError(f"'{model}' became another set just now: ask again")
            self._on_the_way[model] += 1
        try:
            yield model
        finally:
            with self._lock:
                self._on_the_way[model] -= 1
                self._lock.notify_all()


class LocalJob:
    """An answer of the local engine that is under way."""

    def __init__(
        self,
        stream: TextStream,
        on_piece: Callable[[Piece], None] | None,
        on_end: Callable[[Job], None] | None,
    ) -> None:
        self._stream = stream
        self._on_piece = on_piece
        self._on_end = on_end
        self._future: Future[Completion] = Future()
        self._ticket: Ticket | None = None
        self._num_prompt_tokens = 0

    def begin(self, ticket: Ticket, *, num_prompt_tokens: int) -> None:
        self._ticket = ticket
        self._num_prompt_tokens = num_prompt_tokens
        ticket.future.add_done_callback(self._ended)

    def cancel(self) -> None:
        ticket = self._ticket
        if ticket is not None:
            ticket.cancel()

    def result(self, timeout: float | None = None) -> Completion:
        return self._future.result(timeout)

    def on_tokens(self, tokens: Sequence[Chosen]) -> int | None:
        """Called by the engine with the tokens of a step; after how many a stop text has come."""
        piece = self._stream.piece(tokens)
        self._tell(piece)
        return len(piece.tokens) if self._stream.stopped else None

    def _ended(self, future: "Future[Generation]") -> None:
        error = future.exception()
        if error is not None:
            self._future.set_exception(error)
        else:
            rest = self._stream.end()
            if rest:
                self._tell(Piece(text=rest))
            self._future.set_result(self._completion(future.result()))
        if self._on_end is not None:
            self._on_end(self)
        # The engine's row holds this job: were it held too, both would stay, with all that the row
        # knows of its prompt, until somebody looks for such circles.
        self._ticket = None

    def _tell(self, piece: Piece) -> None:
        if self._on_piece is not None:
            self._on_piece(piece)

    def _completion(self, generation: Generation) -> Completion:
        stopped = self._stream.stopped
        return Completion(
            text=self._stream.text,
            finish_reason=STOP if stopped else generation.finish_reason,
            # A stop text may come in the ending too: then the text lacks the rest of it.
            closed=generation.closed and not stopped,
            usage=Usage(
                prompt_tokens=self._num_prompt_tokens,
                completion_tokens=len(generation.chosen),
                cached_tokens=generation.num_cached,
            ),
            timing=Timing(
                first_token_s=generation.first_token_s,
                total_s=generation.total_s,
                waiting_s=generation.waiting_s,
            ),
            tokens=generation.chosen,
            num_forwards=generation.num_forwards,
            stop_text=self._stream.stop_text,
        )
