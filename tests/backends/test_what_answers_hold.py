"""What answers hold of memory: nothing once they are done, and no index while they wait."""

import gc
import threading
import weakref
from typing import Any

import pytest

from spokesmith.backends import LocalBackend
from spokesmith.backends.request import BusyError, CancelledError, Request
from spokesmith.decoding.drafting import Drafter
from spokesmith.testing import tiny_base

MESSAGES: Any = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "x"}]


@pytest.fixture
def drafters(monkeypatch: pytest.MonkeyPatch) -> list["weakref.ref[Drafter]"]:
    """All that are made; each has an index of its answer's prompt."""
    found: list[weakref.ref[Drafter]] = []
    make = Drafter.__init__

    def noted(drafter: Drafter, *args: Any, **options: Any) -> None:
        make(drafter, *args, **options)
        found.append(weakref.ref(drafter))

    monkeypatch.setattr(Drafter, "__init__", noted)
    return found


def test_an_answer_that_is_done_is_let_go_of(drafters: list["weakref.ref[Drafter]"]) -> None:
    backend = LocalBackend(tiny_base(), spokes=None)
    gc.disable()
    try:
        job = backend.start(Request(messages=MESSAGES, max_tokens=5))
        assert job.result(30).usage.completion_tokens == 5
        # By then the worker has left the answer's last step.
        backend.engine.between_steps(lambda: None).result(10)
        assert [drafter() for drafter in drafters] == [None]
    finally:
        gc.enable()
    job.cancel()
    backend.close()


def test_who_waits_or_is_refused_has_no_index_of_his_prompt(
    drafters: list["weakref.ref[Drafter]"],
) -> None:
    backend = LocalBackend(tiny_base(), spokes=None, max_waiting=1)
    begun, endless = threading.Event(), Request(messages=MESSAGES, max_tokens=3000)
    running = backend.start(endless, on_piece=lambda _: begun.set())
    assert begun.wait(20)
    waiting = backend.start(endless)
    with pytest.raises(BusyError, match="are waiting"):
        backend.start(endless)
    assert len(drafters) == 1
    for job in (waiting, running):
        job.cancel()
        with pytest.raises(CancelledError):
            job.result(20)
    backend.close()
