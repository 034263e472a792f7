"""What becomes of one request is its own business: faults, cancelling, limits, sets that go."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from generating import generate

from spokesmith.bases import Base
from spokesmith.decoding import (
    BusyError,
    CancelledError,
    Constraint,
    ContextError,
    Engine,
    Features,
    Sampling,
)
from spokesmith.decoding.closing import Closer
from spokesmith.decoding.drafting import Drafter
from spokesmith.decoding.grammar import Grammar
from spokesmith.spokes import SpokeSet, attach
from spokesmith.testing import tiny_base

# A token that no answer holds by itself.
POISON = 302
PROMPT = list(range(65, 91))


@pytest.fixture
def base() -> Base:
    return tiny_base(dtype="float64")


@contextmanager
def failing_on(base: Base, token: int) -> Iterator[None]:
    """The base fails in every pass that a token takes part in."""

    def check(_module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if (kwargs["input_ids"] == token).any():
            raise RuntimeError("the processor is on fire")

    handle = base.decoder.register_forward_pre_hook(check, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def slowly(base: Base, seconds: float) -> Iterator[None]:
    handle = base.decoder.register_forward_pre_hook(lambda *_: time.sleep(seconds))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def held_up(base: Base) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The base waits in every pass: an event tells that it does, the other one lets it go on."""
    waits, go_on = threading.Event(), threading.Event()

    def wait(*_: Any) -> None:
        waits.set()
        assert go_on.wait(20)

    handle = base.decoder.register_forward_pre_hook(wait)
    try:
        yield waits, go_on
    finally:
        go_on.set()
        handle.remove()


class Clock:
    """The engine's time, which passes only where a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        module = SimpleNamespace(monotonic=lambda: self.now)
        for name in ("engine", "row"):
            monkeypatch.setattr(f"spokesmith.decoding.{name}.time", module)

    def pass_by(self, *_: Any) -> None:
        self.now += 100


@pytest.mark.parametrize("model_type", ["llama", "qwen3_5_text"])
def test_a_fault_in_the_middle_of_a_batch_is_one_answer_s(model_type: str) -> None:
    base = tiny_base(model_type, dtype="float64")
    wanted = [
        generate(Engine(base), [*PROMPT, place], spokes=None, max_tokens=24).tokens
        for place in range(6)
    ]
    engine = Engine(base, num_slots=8)
    with failing_on(base, POISON):
        good = [engine.submit([*PROMPT, place], spokes=None, max_tokens=24) for place in range(6)]
        bad = engine.submit([*PROMPT, POISON], spokes=None, max_tokens=24)
        with pytest.raises(RuntimeError, match="on fire"):
            bad.future.result(20)
        assert [one.future.result(20).tokens for one in good] == wanted
    assert generate(engine, [*PROMPT, POISON], spokes=None, max_tokens=2).tokens


def test_a_running_state_is_restored_where_another_answer_fails() -> None:
    """The good answer's pass comes first, since the prompt that fails has another length."""
    base = tiny_base("qwen3_5_text", dtype="float64")
    wanted = generate(Engine(base), PROMPT, spokes=None, max_tokens=24).tokens
    engine = Engine(base, num_slots=2)
    writes, joined = threading.Event(), threading.Event()

    def hold(_: Any) -> None:
        writes.set()
        assert joined.wait(20)

    with failing_on(base, POISON):
        good = engine.submit(PROMPT, spokes=None, max_tokens=24, on_tokens=hold)
        assert writes.wait(20)
        bad = engine.submit([POISON, *range(30, 50)], spokes=None, max_tokens=24)
        joined.set()
        with pytest.raises(RuntimeError, match="on fire"):
            bad.future.result(20)
        assert good.future.result(20).tokens == wanted


@pytest.mark.parametrize(
    ("placement", "captured"), [("ffn", False), ("residual", False), ("residual", True)]
)
def test_a_set_that_overflows_fails_and_leaves_nothing_in_its_slot(
    placement: str, captured: bool
) -> None:
    base = tiny_base(dtype="float32")
    wanted = generate(Engine(base), PROMPT, spokes=None, max_tokens=12).tokens
    spokes = SpokeSet.create(base.spokes_config(rank=2, placement=placement), seed=0)
    for parameter in spokes.parameters():
        torch.nn.init.constant_(parameter, 1e25)
    attach(base.model, base.sites(), spokes, name="wild")
    engine = Engine(base, num_slots=1, features=Features(captured=captured))
    for sampling in (Sampling(), Sampling(temperature=1.0, seed=1)):
        with pytest.raises(FloatingPointError, match="the weights of wild"):
            generate(engine, [*PROMPT] * 4, spokes="wild", max_tokens=3, sampling=sampling)
        assert generate(engine, PROMPT, spokes=None, max_tokens=12).tokens == wanted


def test_a_prompt_of_such_a_set_that_is_given_up_leaves_nothing_either() -> None:
    base = tiny_base(dtype="float32")
    wanted = generate(Engine(base), PROMPT, spokes=None, max_tokens=12).tokens
    spokes = SpokeSet.create(base.spokes_config(rank=2, placement="residual"), seed=0)
    for parameter in spokes.parameters():
        torch.nn.init.constant_(parameter, 1e25)
    attach(base.model, base.sites(), spokes, name="wild")
    engine = Engine(base, num_slots=1, features=Features(step_tokens=32))
    with slowly(base, 0.05):
        wild = engine.submit([*PROMPT] * 12, spokes="wild", max_tokens=3)
        while engine.runner.num_forwards < 2:
            time.sleep(0.01)
        wild.cancel()
        with pytest.raises(CancelledError):
            wild.future.result(20)
    assert generate(engine, PROMPT, spokes=None, max_tokens=12).tokens == wanted


def test_a_caller_s_fault_is_its_own(base: Base) -> None:
    engine = Engine(base, num_slots=2)

    def listen(_: Any) -> None:
        raise LookupError("no ear")

    bad = engine.submit(PROMPT, spokes=None, max_tokens=5, on_tokens=listen)
    good = engine.submit(PROMPT, spokes=None, max_tokens=5)
    with pytest.raises(LookupError, match="no ear"):
        bad.future.result(20)
    assert len(good.future.result(20).tokens) == 5


def test_a_guess_that_fails_is_one_answer_s_too(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose = Drafter.propose

    def fail(drafter: Drafter, guessed: Any) -> list[tuple[float, int]]:
        if POISON in drafter._own.last(100):
            raise ValueError("no idea")
        return propose(drafter, guessed)

    monkeypatch.setattr(Drafter, "propose", fail)
    engine = Engine(base, num_slots=2)
    bad = engine.submit([*PROMPT, POISON], spokes=None, max_tokens=9)
    good = engine.submit(PROMPT, spokes=None, max_tokens=9)
    with pytest.raises(ValueError, match="no idea"):
        bad.future.result(20)
    assert len(good.future.result(20).tokens) == 9


class GivesUp:
    """A grammar's matcher that has had too much work once tokens were tried out."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self._is_done = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._matcher, name)

    def try_consume_tokens(self, tokens: list[int]) -> int:
        self._is_done = True
        return self._matcher.try_consume_tokens(tokens)

    def rollback(self, num_tokens: int) -> bool:
        return not self._is_done and self._matcher.rollback(num_tokens)

    def is_error(self) -> bool:
        return self._is_done

    def get_error(self) -> str:
        return "too many items"


def test_a_grammar_that_gives_up_while_guessing_is_the_caller_s_fault(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(base, num_slots=2)
    start = engine.grammars.start

    def start_one_that_gives_up(constraint: Constraint) -> Grammar:
        grammar = start(constraint)
        grammar._matcher = GivesUp(grammar._matcher)  # pyright: ignore
        return grammar

    held = Constraint(kind="regex", value="[xy]abcdefgh")
    with monkeypatch.context() as patch:
        patch.setattr(engine.grammars, "start", start_one_that_gives_up)
        bad = engine.submit(PROMPT, spokes=None, constraint=held)
    good = engine.submit(PROMPT, spokes=None, constraint=held)
    with pytest.raises(ValueError, match="takes too much work"):
        bad.future.result(20)
    assert len(good.future.result(20).tokens) == 9


@pytest.mark.parametrize("limit", ["tokens", "time"])
def test_an_ending_that_is_not_found_is_one_answer_s_too(
    base: Base, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    clock = Clock(monkeypatch)

    def fail(closer: Closer, grammar: Any) -> list[int]:
        raise ValueError("no end in sight")

    monkeypatch.setattr(Closer, "close", fail)
    engine = Engine(base, num_slots=2)
    endless = Constraint(kind="regex", value="[a-z]{500}")
    limits: dict[str, Any] = {"max_tokens": 5}
    if limit == "time":
        limits = {"time_limit_s": 10, "on_tokens": clock.pass_by}
    with held_up(base) as (_, go_on):
        bad = engine.submit(
            PROMPT, spokes=None, constraint=endless, on_truncation="close", **limits
        )
        good = engine.submit(PROMPT, spokes=None, max_tokens=9)
        go_on.set()
        with pytest.raises(ValueError, match="no end in sight"):
            bad.future.result(20)
        assert len(good.future.result(20).tokens) == 9


def test_a_begun_answer_is_closed_where_its_time_is_over(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, engine = Clock(monkeypatch), Engine(base, features=Features(step_tokens=16))

    def ask(**more: Any) -> Any:
        held = Constraint(kind="regex", value="[a-z]{12}")
        return engine.submit(
            PROMPT, spokes=None, constraint=held, on_truncation="close", time_limit_s=10, **more
        ).future.result(20)

    begun = ask(on_tokens=clock.pass_by)
    assert (begun.finish_reason, begun.closed, len(begun.tokens)) == ("timeout", True, 12)
    assert engine.counts["closing"] == [one.origin for one in begun.chosen].count("closing") > 0
    handle = base.decoder.register_forward_pre_hook(clock.pass_by)
    in_its_prompt = ask()
    handle.remove()
    assert (in_its_prompt.finish_reason, in_its_prompt.closed) == ("timeout", False)
    assert in_its_prompt.tokens == []


def test_cancelling_stops_the_work_and_nothing_else(base: Base) -> None:
    engine = Engine(base, num_slots=2)
    wanted = generate(engine, PROMPT, spokes=None, max_tokens=60).tokens
    heard = threading.Event()
    with slowly(base, 0.01):
        unwanted = engine.submit(
            PROMPT, spokes=None, max_tokens=3000, on_tokens=lambda _: heard.set()
        )
        kept = engine.submit(PROMPT, spokes=None, max_tokens=60)
        waiting = engine.submit(PROMPT, spokes=None, max_tokens=3000)
        assert heard.wait(20)
        waiting.cancel()
        unwanted.cancel()
        for one in (unwanted, waiting):
            with pytest.raises(CancelledError):
                one.future.result(20)
        assert kept.future.result(20).tokens == wanted
    assert engine.num_running == engine.num_waiting == 0


def test_an_answer_that_is_cancelled_while_another_is_dropped_ends_once(base: Base) -> None:
    engine = Engine(base)
    wanted = generate(engine, PROMPT, spokes=None, max_tokens=20).tokens

    def ask(**more: Any) -> Any:
        return engine.submit(PROMPT, spokes=None, max_tokens=20, **more)

    with held_up(base) as (waits, go_on):
        running = ask()
        assert waits.wait(20)
        first, second, late, last = ask(), ask(), ask(time_limit_s=0), ask()
        first.future.add_done_callback(lambda _: second.cancel())
        first.cancel()
        go_on.set()
        for one in (first, second):
            with pytest.raises(CancelledError):
                one.future.result(20)
        assert late.future.result(20).finish_reason == "timeout"
        assert [one.future.result(20).tokens for one in (running, last)] == [wanted] * 2
    assert generate(engine, PROMPT, spokes=None, max_tokens=20).tokens == wanted


def test_a_future_that_its_holder_cancels_is_no_fault(base: Base) -> None:
    engine = Engine(base, num_slots=2)
    with held_up(base) as (_, go_on):
        kept = engine.submit(PROMPT, spokes=None, max_tokens=30)
        unwanted = engine.submit(PROMPT, spokes=None, max_tokens=5)
        assert unwanted.future.cancel()
        go_on.set()
        assert len(kept.future.result(20).tokens) == 30


def test_nobody_looks_while_a_request_goes_from_the_queue_to_its_slot(base: Base) -> None:
    """Or closing would miss it."""
    engine, looked = Engine(base), list[bool]()

    def look() -> bool:
        free = engine._wake.acquire(blocking=False)
        if free:
            engine._wake.release()
        return free

    class Slots(list[Any]):
        def __setitem__(self, slot: Any, row: Any) -> None:
            if row is not None:
                with ThreadPoolExecutor(1) as another:
                    looked.append(another.submit(look).result())
            super().__setitem__(slot, row)

    engine.batch.rows = Slots(engine.batch.rows)
    generate(engine, PROMPT, spokes=None, max_tokens=2)
    assert looked == [False]


def test_a_prompt_under_way_can_be_cancelled(base: Base) -> None:
    engine = Engine(base, features=Features(step_tokens=16))
    with slowly(base, 0.02):
        ticket = engine.submit([65] * 3000, spokes=None, max_tokens=5)
        time.sleep(0.1)
        ticket.cancel()
        with pytest.raises(CancelledError):
            ticket.future.result(20)
    assert engine.runner.num_tokens < 3000


def test_a_long_prompt_does_not_hold_up_the_others(base: Base) -> None:
    engine = Engine(base, num_slots=2, features=Features(step_tokens=64))
    done: list[str] = []
    with slowly(base, 0.005):
        long = engine.submit([65] * 3800, spokes=None, max_tokens=1)
        short = engine.submit(PROMPT, spokes=None, max_tokens=10)
        for name, one in (("short", short), ("long", long)):
            one.future.add_done_callback(lambda _, name=name: done.append(name))
        long.future.result(60)
    assert done == ["short", "long"]


def test_limits_are_refusals(base: Base) -> None:
    engine = Engine(base, max_waiting=2)
    with pytest.raises(ContextError, match="5000 tokens, the base's context is 4096"):
        engine.submit([65] * 5000, spokes=None)
    with pytest.raises(ValueError, match="the prompt is empty"):
        engine.submit([], spokes=None)
    for token in (-1, engine.vocabulary):
        with pytest.raises(ValueError, match=f"token {token} is none of the base's"):
            engine.submit([65, token, 65], spokes=None)
    with slowly(base, 0.05):
        tickets = [engine.submit(PROMPT, spokes=None, max_tokens=4)]
        while not engine.num_running:
            time.sleep(0.005)
        tickets += [engine.submit(PROMPT, spokes=None, max_tokens=4) for _ in range(2)]
        with pytest.raises(BusyError, match="2 answers are waiting"):
            engine.submit(PROMPT, spokes=None, max_tokens=4)
    for ticket in tickets:
        ticket.future.result(20)


def test_a_free_slot_is_no_place_in_the_queue(base: Base) -> None:
    engine = Engine(base, num_slots=2, max_waiting=0)
    with held_up(base) as (_, go_on):
        tickets = [engine.submit(PROMPT, spokes=None, max_tokens=4) for _ in range(2)]
        with pytest.raises(BusyError, match="ask again later"):
            engine.submit(PROMPT, spokes=None, max_tokens=4)
        go_on.set()
        for ticket in tickets:
            assert len(ticket.future.result(20).tokens) == 4


def test_time_that_is_over_ends_an_answer_in_the_queue_too(base: Base) -> None:
    engine = Engine(base)
    with slowly(base, 0.02):
        first = engine.submit(PROMPT, spokes=None, max_tokens=3000, time_limit_s=0.3)
        second = engine.submit(PROMPT, spokes=None, max_tokens=5, time_limit_s=0.1)
        waited = second.future.result(20)
        assert waited.finish_reason == "timeout"
        assert waited.waiting_s >= 0.1
        assert first.future.result(20).finish_reason == "timeout"


def test_closing_finishes_what_runs(base: Base) -> None:
    engine = Engine(base)
    tickets = [engine.submit(PROMPT, spokes=None, max_tokens=9) for _ in range(3)]
    engine.close()
    assert all(len(ticket.future.result(0).tokens) == 9 for ticket in tickets)
    with pytest.raises(BusyError, match="closing"):
        engine.submit(PROMPT, spokes=None)
    with pytest.raises(BusyError, match="closing"):
        engine.between_steps(lambda: None)


def test_what_is_done_between_steps_waits_for_its_set(base: Base) -> None:
    engine = Engine(base)
    order: list[str] = []
    with slowly(base, 0.01):
        ticket = engine.submit(PROMPT, spokes=None, max_tokens=20)
        ticket.future.add_done_callback(lambda _: order.append("answer"))
        engine.between_steps(lambda: order.append("soon")).result(20)
        ticket.future.result(20)
    assert order == ["soon", "answer"]
    with pytest.raises(ZeroDivisionError):
        engine.between_steps(lambda: order.append(str(1 // 0))).result(20)


def test_logprobs_are_those_of_the_base(base: Base) -> None:
    held = Constraint(kind="schema", value={"enum": ["low", "high"]})
    ticket = Engine(base).submit(PROMPT, spokes=None, constraint=held, num_logprobs=3)
    ids = list(PROMPT)
    for one in ticket.future.result(20).chosen:
        with torch.no_grad():
            logprobs = base.model(torch.tensor([ids])).logits[0, -1].float().log_softmax(-1)
        assert one.logprob == pytest.approx(float(logprobs[one.id]), abs=1e-5)
        assert [token for token, _ in one.top] == logprobs.topk(3).indices.tolist()
        ids.append(one.id)


def test_a_process_ends_in_the_middle_of_a_step() -> None:
    program = (
        "from spokesmith.testing import tiny_base\n"
        "from spokesmith.decoding import Engine\n"
        "engine = Engine(tiny_base(), num_slots=2)\n"
        "engine.submit([65, 66], spokes=None, max_tokens=3).future.result()\n"
        "engine.submit([65, 66], spokes=None, max_tokens=4000)\n"
        "engine.submit([65, 66], spokes=None, max_tokens=4000)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
