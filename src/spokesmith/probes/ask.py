"""Ask an engine for the encodings of probes, several at once.

Whatever goes wrong with one answer is the failure of one probe and ends no run; a fault of this
program does. Knows no files and no scores.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from spokesmith.probes.answers import ERROR, LENGTH, STOP, TIMEOUT, Answer
from spokesmith.probes.engine import Complete
from spokesmith.probes.records import Probe
from spokesmith.tasks import Task

DEFAULT_CONCURRENCY = 8
DEFAULT_TIME_LIMIT_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How an engine is asked.

    `constrained` holds answers to the task's schema, and `verbatim` the fields that the task wants
    in the text's own words to these; an answer that reaches `max_tokens` or takes
    longer than `time_limit_s` counts as cut; `concurrency` is how many are asked for at once.
    """

    constrained: bool
    max_tokens: int
    verbatim: bool = True
    time_limit_s: float = DEFAULT_TIME_LIMIT_S
    concurrency: int = DEFAULT_CONCURRENCY

    def __post_init__(self) -> None:
        for name, least in (("max_tokens", 1), ("concurrency", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: give at least {least}")
        # Not `<= 0`: no number is no limit either.
        if not self.time_limit_s > 0:
            raise ValueError(f"the time limit is {self.time_limit_s}: give seconds above 0")


def ask(
    probes: Sequence[Probe],
    task: Task,
    complete: Complete,
    how: Asking,
    *,
    on_answer: Callable[[Answer], None] = lambda _: None,
) -> dict[str, Answer]:
    """The answer to every probe, in the probes' order.

    Args:
        on_answer: called in this thread with each answer as it comes, in any order.
    """
    waiting: SimpleQueue[Probe] = SimpleQueue()
    done: SimpleQueue[Answer | BaseException] = SimpleQueue()
    stopped = threading.Event()
    for probe in probes:
        waiting.put(probe)

    def work() -> None:
        while not stopped.is_set():
            try:
                probe = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put(ask_one(probe, task, complete, how))
            except BaseException as error:
                done.put(error)
                return

    # Daemons: an interrupted run does not wait for the answers that are under way.
    for _ in range(min(how.concurrency, len(probes))):
        threading.Thread(target=work, daemon=True).start()
    answers: dict[str, Answer] = {}
    try:
        while len(answers) < len(probes):
            answer = done.get()
            if isinstance(answer, BaseException):
                raise answer
            answers[answer.id] = answer
            on_answer(answer)
    finally:
        stopped.set()
    return {probe.id: answers[probe.id] for probe in probes}


def ask_one(probe: Probe, task: Task, complete: Complete, how: Asking) -> Answer:
    """The answer to one probe, which may be a failure."""
    start = time.perf_counter()
    schema = None
    if how.constrained:
        schema = task.schema_for(probe.text) if how.verbatim else task.schema
    try:
        completion = complete(
            task.messages(probe.text),
            schema=schema,
            max_tokens=how.max_tokens,
            time_limit_s=how.time_limit_s,
        )
    except (ValueError, RuntimeError, TimeoutError, ConnectionError) as error:
        timed_out = isinstance(error, TimeoutError)
        return Answer(
            id=probe.id,
            finish_reason=TIMEOUT if timed_out else ERROR,
            problem=f"no answer: {error}",
            latency_s=time.perf_counter() - start,
            reached=not isinstance(error, ConnectionError),
        )
    tokens = completion.usage.completion_tokens
    problems = {
        STOP: None,
        LENGTH: "cut by the limit of tokens" if tokens is None else f"cut after {tokens} tokens",
        TIMEOUT: f"cut after {how.time_limit_s:g} s",
    }
    reason = completion.finish_reason
    return Answer(
        id=probe.id,
        text=completion.text,
        finish_reason=reason if reason in problems else ERROR,
        problem=problems.get(reason, f"the engine ended with '{reason}'"),
        latency_s=completion.timing.total_s,
        prompt_tokens=completion.usage.prompt_tokens,
        completion_tokens=tokens,
    )
