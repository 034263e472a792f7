"""Whatever goes wrong with one answer is that probe's failure; a fault of the program is not."""

import threading
import time
from typing import Any

import pytest
from probe_fakes import MEMORY, PROBES, FakeEngine, Reply, Timing, Usage

from spokesmith.probes import Answer, Asking, ask

HOW = Asking(constrained=False, max_tokens=900, time_limit_s=7.0, concurrency=3)


def one_answer(reply: Any) -> Answer:
    engine = FakeEngine(lambda gold: reply)
    return ask(PROBES[:1], MEMORY, engine, HOW)[PROBES[0].id]


def test_the_engine_is_asked_as_the_task_says() -> None:
    engine = FakeEngine()
    how = Asking(constrained=False, max_tokens=900, time_limit_s=7.0, concurrency=1)
    ask(PROBES[:2], MEMORY, engine, how)
    assert engine.calls[0] == {
        "messages": MEMORY.messages(PROBES[0].text),
        "schema": None,
        "max_tokens": 900,
        "time_limit_s": 7.0,
    }
    ask(PROBES[:1], MEMORY, engine, Asking(constrained=True, max_tokens=900))
    assert engine.calls[-1]["schema"] == MEMORY.schema_for(PROBES[0].text) != MEMORY.schema
    plain = Asking(constrained=True, max_tokens=900, verbatim=False)
    ask(PROBES[:1], MEMORY, engine, plain)
    assert engine.calls[-1]["schema"] is MEMORY.schema


def test_answers_stand_in_the_probes_order_however_they_come() -> None:
    came: list[str] = []
    first_waits = threading.Event()

    def complete(messages: Any, schema: Any = None, **sampling: Any) -> Reply:
        if messages[-1]["content"] == PROBES[0].text.strip():
            assert first_waits.wait(5)
        return Reply("{}")

    def on_answer(answer: Answer) -> None:
        came.append(answer.id)
        if len(came) == len(PROBES) - 1:
            first_waits.set()

    answers = ask(PROBES, MEMORY, complete, HOW, on_answer=on_answer)
    assert list(answers) == [probe.id for probe in PROBES]
    assert came[-1] == PROBES[0].id


def test_as_many_are_asked_at_once_as_was_said() -> None:
    meeting = threading.Barrier(3, timeout=5)
    most = [0, 0]

    def complete(messages: Any, schema: Any = None, **sampling: Any) -> Reply:
        most[0] += 1
        most[1] = max(most)
        meeting.wait()
        time.sleep(0.01)
        most[0] -= 1
        return Reply("{}")

    ask(PROBES[:6], MEMORY, complete, HOW)
    assert most[1] <= 3


def test_what_an_engine_reports_is_kept() -> None:
    reply = Reply("{}", usage=Usage(11, 22), timing=Timing(3.5))
    assert one_answer(reply) == Answer(
        id=PROBES[0].id, text="{}", latency_s=3.5, prompt_tokens=11, completion_tokens=22
    )


@pytest.mark.parametrize(
    ("reason", "kept", "problem"),
    [
        ("length", "length", "cut after 50 tokens"),
        ("timeout", "timeout", "cut after 7 s"),
        ("content_filter", "error", "the engine ended with 'content_filter'"),
    ],
)
def test_an_answer_that_did_not_end_by_itself_says_why(
    reason: str, kept: str, problem: str
) -> None:
    answer = one_answer(Reply("{}", finish_reason=reason))
    assert (answer.finish_reason, answer.problem, answer.text) == (kept, problem, "{}")
    assert not answer.finished


@pytest.mark.parametrize(
    ("error", "reason", "reached"),
    [
        (ValueError, "error", True),
        (RuntimeError, "error", True),
        (TimeoutError, "timeout", True),
        (ConnectionError, "error", False),
    ],
)
def test_an_engine_that_fails_is_a_failure(
    error: type[Exception], reason: str, reached: bool
) -> None:
    def refuse(gold: dict[str, Any]) -> Any:
        if gold["gist"] == "ok":
            raise error("no reply")
        return gold

    answers = ask(PROBES, MEMORY, FakeEngine(refuse), HOW)
    (failed,) = [answer for answer in answers.values() if not answer.finished]
    assert (failed.finish_reason, failed.problem) == (reason, "no answer: no reply")
    assert failed.reached is reached
    assert failed.latency_s is not None
    assert failed.completion_tokens is None


def test_a_fault_of_the_program_is_not_hidden() -> None:
    def broken(gold: dict[str, Any]) -> Any:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        ask(PROBES, MEMORY, FakeEngine(broken), HOW)


@pytest.mark.parametrize(
    "settings",
    [{"max_tokens": 0}, {"concurrency": 0}, {"time_limit_s": 0.0}, {"time_limit_s": float("nan")}],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give"):
        Asking(**{"constrained": True, "max_tokens": 9, **settings})
