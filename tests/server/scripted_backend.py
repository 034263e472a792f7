"""A backend whose answers are scripted: it can be slow, full, cut, or fail, and tells what it saw.

Its tokens are bytes, so counts are easy to know. It keeps to a number of slots and a queue.
"""

import threading
import time
from collections.abc import Callable, Sequence

from spokesmith.backends.completion import Completion, Piece, Timing, Usage
from spokesmith.backends.request import (
    BusyError,
    CancelledError,
    ContextError,
    Job,
    Model,
    Request,
    Stats,
    UnknownModelError,
)
from spokesmith.decoding.request import Chosen
from spokesmith.tasks import Task, load_task

BASE, SET = "scripted", "memory"


class ScriptedJob:
    """An answer that a thread of its own writes."""

    def __init__(self, request: Request, on_end: Callable[[Job], None] | None) -> None:
        self.request = request
        self.cancelled = threading.Event()
        self.ended = threading.Event()
        self.outcome: Completion | Exception | None = None
        self._on_end = on_end

    def cancel(self) -> None:
        self.cancelled.set()

    def result(self, timeout: float | None = None) -> Completion:
        assert self.ended.wait(timeout)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        assert self.outcome is not None
        return self.outcome

    def end(self, outcome: Completion | Exception) -> None:
        self.outcome = outcome
        self.ended.set()
        if self._on_end is not None:
            self._on_end(self)


class ScriptedBackend:
    """Answers what it is told to.

    Attributes:
        answer: the text of every answer, or what makes it of a request.
        ending: what an answer that is cut is closed with.
        first_delay_s: before the first token.
        delay_s: between tokens.
        fail_at: raised after so many tokens, by what `answer` is; None never fails.
        refuse: raised by `start`.
        jobs: all that were started.
    """

    context_length = 2048
    chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"

    def __init__(self, answer: str | Callable[[Request], str] = "{}", **settings: object) -> None:
        self.answer = answer
        self.ending = ""
        self.first_delay_s = 0.0
        self.delay_s = 0.0
        self.fail_at: dict[str, int] = {}
        self.refuse: Exception | None = None
        self.num_slots = 8
        self.max_waiting = 1000
        for name, value in settings.items():
            assert hasattr(self, name), name
            setattr(self, name, value)
        self.jobs: list[ScriptedJob] = []
        self.closed = False
        self._slots = threading.Semaphore(self.num_slots)
        self._lock = threading.Lock()
        self._waiting = self._running = self.most_running = 0
        self._sets = {SET: _model(SET, folder="sets/memory", task=load_task("memory"))}

    def models(self) -> list[Model]:
        return [_model(BASE), *self._sets.values()]

    def start(
        self,
        request: Request,
        *,
        on_piece: Callable[[Piece], None] | None = None,
        on_end: Callable[[Job], None] | None = None,
    ) -> ScriptedJob:
        if request.model is not None and request.model not in [one.name for one in self.models()]:
            raise UnknownModelError(f"no model '{request.model}': use {BASE}")
        if self.refuse is not None:
            raise self.refuse
        num_prompt = len(self.prompt_ids(request))
        if num_prompt >= self.context_length:
            raise ContextError(
                f"the prompt has {num_prompt} tokens, the base's context is "
                f"{self.context_length}: shorten the text"
            )
        with self._lock:
            if self._running >= self.num_slots and self._waiting >= self.max_waiting:
                raise BusyError(f"{self._waiting} answers are waiting: ask again later")
            self._waiting += 1
        job = ScriptedJob(request, on_end)
        self.jobs.append(job)
        threading.Thread(
            target=self._work, args=(job, num_prompt, on_piece or (lambda _: None)), daemon=True
        ).start()
        return job

    @property
    def requests(self) -> list[Request]:
        return [job.request for job in self.jobs]

    def tokenize(
        self, text: str, *, add_special: bool = False, parse_special: bool = True
    ) -> list[int]:
        return list(text.encode())

    def detokenize(self, token_ids: Sequence[int]) -> str:
        if any(token > 255 for token in token_ids):
            raise ValueError("a token is none of the base's: give ids below 256")
        return bytes(token_ids).decode("utf-8", "replace")

    def token_bytes(self, token_id: int) -> bytes:
        return bytes([token_id])

    def prompt_ids(self, request: Request) -> list[int]:
        if request.messages is not None:
            return self.tokenize("".join(one["content"] for one in request.messages))
        if isinstance(request.prompt, str):
            return self.tokenize(request.prompt)
        self.detokenize(request.prompt or ())
        return list(request.prompt or ())

    def load_set(self, source: str, *, name: str | None = None) -> Model:
        name = name or source
        if not source.startswith("sets/"):
            raise ValueError(f"no set of spokes at '{source}': give a folder")
        if name in self._sets or name == BASE:
            raise ValueError(f"the name '{name}' is taken: give another")
        self._sets[name] = _model(name, folder=source, task=load_task("memory"))
        return self._sets[name]

    def unload_set(self, name: str) -> None:
        if name not in self._sets:
            raise UnknownModelError(f"no set named '{name}': GET /v1/spokes lists them")
        del self._sets[name]
        for job in [job for job in self.jobs if job.request.model == name]:
            job.ended.wait()

    def stats(self) -> Stats:
        made = sum(
            job.outcome.usage.completion_tokens
            for job in self.jobs
            if isinstance(job.outcome, Completion)
        )
        return Stats(
            running=self._running,
            waiting=self._waiting,
            num_slots=self.num_slots,
            forwards=made,
            forward_tokens=made,
            prompt_tokens=0,
            cached_tokens=0,
            tokens_model=made // 4,
            tokens_forced=made // 2,
            tokens_copied=made // 4,
            tokens_closing=0,
            drafted_tokens=made,
            prefix_cache_bytes=0,
        )

    def close(self, *, finish: bool = True) -> None:
        self.closed = True
        for job in self.jobs:
            if not finish:
                job.cancel()

    def _work(self, job: ScriptedJob, num_prompt: int, on_piece: Callable[[Piece], None]) -> None:
        start = time.monotonic()
        while not self._slots.acquire(timeout=0.005):
            if job.cancelled.is_set():
                break
        with self._lock:
            self._waiting -= 1
            self._running += 1
            self.most_running = max(self.most_running, self._running)
        waited_s = time.monotonic() - start
        try:
            outcome: Completion | Exception = self._write(
                job, num_prompt, start, waited_s, on_piece
            )
        except Exception as error:
            outcome = error
        with self._lock:
            self._running -= 1
        self._slots.release()
        job.end(outcome)

    def _write(
        self,
        job: ScriptedJob,
        num_prompt: int,
        start: float,
        waited_s: float,
        on_piece: Callable[[Piece], None],
    ) -> Completion:
        request = job.request
        if job.cancelled.wait(self.first_delay_s):
            raise CancelledError("given up")
        first_s = time.monotonic() - start
        whole = self.answer(request) if callable(self.answer) else self.answer
        text, stop = _until_stop(whole, request.stop)
        limit = self.context_length - num_prompt
        if request.max_tokens is not None:
            limit = min(limit, request.max_tokens)
        tokens: list[Chosen] = []
        written = ""
        for character in text:
            if job.cancelled.wait(self.delay_s) if self.delay_s else job.cancelled.is_set():
                raise CancelledError("given up")
            if len(tokens) >= self.fail_at.get(whole, 2**31):
                raise RuntimeError("the engine broke")
            if len(tokens) + len(character.encode()) > limit:
                break
            chosen = tuple(_chosen(byte, request.num_logprobs) for byte in character.encode())
            tokens += chosen
            written += character
            on_piece(Piece(text=character, tokens=chosen))
        cut = written != text
        closed = cut and request.on_truncation == "close" and request.constraint is not None
        if closed:
            on_piece(Piece(text=self.ending))
            written += self.ending
        return Completion(
            text=written,
            finish_reason="length" if cut else "stop",
            closed=closed,
            usage=Usage(prompt_tokens=num_prompt, completion_tokens=len(tokens)),
            timing=Timing(
                first_token_s=first_s, total_s=time.monotonic() - start, waiting_s=waited_s
            ),
            tokens=tuple(tokens),
            num_forwards=len(tokens),
            stop_text=None if cut else stop,
        )


def _model(name: str, *, folder: str | None = None, task: Task | None = None) -> Model:
    return Model(name=name, base=BASE, folder=folder, task=task, created=1_700_000_000)


def _until_stop(text: str, stops: Sequence[str]) -> tuple[str, str | None]:
    places = [(text.find(stop), stop) for stop in stops if stop in text]
    place, stop = min(places, default=(len(text), None))
    return text[:place], stop


def _chosen(byte: int, num_logprobs: int | None) -> Chosen:
    if num_logprobs is None:
        return Chosen(id=byte, origin="model")
    top = tuple((other, -1.0 - other) for other in range(num_logprobs))
    return Chosen(id=byte, origin="forced", logprob=float("-inf") if byte == 0 else -0.5, top=top)
