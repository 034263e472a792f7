"""The soak: when memory is flat, what is told of samples, and what counts as lost or wrong."""

import random
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "bench"))
    import soak

    return soak


@pytest.fixture
def outcome_of(soak: ModuleType) -> Iterator[Callable[[str, httpx.Response | Exception], str]]:
    """What a kind of visit is counted as where the server gives every request one answer."""
    requests: Any = import_module("soak_requests")
    served = requests.Served(
        url="http://127.0.0.1:9",
        base="tiny-llama",
        sets=("one", "two"),
        folder="two",
        vectors=None,
        num_slots=4,
        num_clients=1,
        context=10,
    )
    clients: list[Any] = []

    def outcome(kind: str, answer: httpx.Response | Exception) -> str:
        def handle(_request: httpx.Request) -> httpx.Response:
            if isinstance(answer, Exception):
                raise answer
            return answer

        client = requests.Client(served, requests.Tally(), 0)
        clients.append(client)
        client.http.close()
        client.http = httpx.Client(
            base_url=served.url, transport=httpx.MockTransport(handle), timeout=5
        )
        requests.once(client, getattr(requests, kind))
        assert client.tally.num_sent == 1
        [(_, found)] = client.tally.outcomes
        assert bool(client.tally.problems) == (found in ("lost", "wrong"))
        return found

    yield outcome
    for client in clients:
        client.http.close()


def samples(soak: ModuleType, *quarters: float) -> list[Any]:
    """Ten samples in each quarter, with noise."""
    noise = random.Random(0)
    levels = [level for level in quarters for _ in range(10)]
    return [
        soak.Sample(
            seconds=10 * number,
            resident_mb=level + noise.uniform(-5, 5),
            open_files=20,
            threads=9,
        )
        for number, level in enumerate(levels, start=1)
    ]


def test_memory_may_rise_in_the_first_quarter_and_hardly_later(soak: ModuleType) -> None:
    def is_flat(*quarters: float) -> bool:
        memory = soak.flatness(samples(soak, *quarters))
        return memory["resident_mb_rise"] <= memory["resident_mb_allowed"]

    assert is_flat(100, 500, 500, 500)
    assert is_flat(100, 500, 510, 520)
    assert not is_flat(100, 500, 520, 540)
    assert is_flat(100, 5000, 5050, 5100)
    assert not is_flat(100, 5000, 5100, 5200)


def test_samples_are_thinned_evenly_and_keep_both_ends(soak: ModuleType) -> None:
    given = samples(soak, 1, 2, 3, 4)
    few = soak.thinned(given, 14)
    assert len(few) == 14
    assert few[0] is given[0]
    assert few[-1] is given[-1]
    steps = [later.seconds - one.seconds for one, later in pairwise(few)]
    assert max(steps) - min(steps) <= 10
    assert soak.thinned(given, 60) == given


def answer(status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


FULL = {"code": "overloaded", "message": "full", "type": "overloaded_error"}
AGAIN = {"Retry-After": "2"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (answer(503, AGAIN, error=FULL), "full"),
        (answer(503, error=FULL), "wrong"),
        (answer(503, AGAIN, error={**FULL, "code": "loading"}), "wrong"),
        (answer(500, error=FULL), "wrong"),
        (answer(choices=[{"message": {"content": "{"}, "finish_reason": "stop"}]), "wrong"),
        (answer(choices=[{"message": {"content": "{}"}, "finish_reason": "stop"}]), "wrong"),
        (answer(choices=[{"message": {"content": "{}"}, "finish_reason": "length"}]), "wrong"),
        (answer(), "wrong"),
        (httpx.Response(200, text="no JSON"), "wrong"),
        (httpx.ReadTimeout("nothing came"), "lost"),
        (httpx.RemoteProtocolError("the connection ended"), "lost"),
    ],
)
def test_what_is_not_as_it_has_to_be_is_counted(
    outcome_of: Callable[..., str], given: Any, wanted: str
) -> None:
    assert outcome_of("chat_schema", given) == wanted


def test_bad_bodies_have_to_be_refused(outcome_of: Callable[..., str]) -> None:
    assert outcome_of("bad_body", answer(choices=[])) == "wrong"
    over_long = {"code": "context_length_exceeded", "message": "12 tokens, the context is 10"}
    assert outcome_of("over_long", answer(400, error=over_long)) == "ok"
    assert outcome_of("over_long", answer(400, error={**over_long, "message": "x"})) == "wrong"


def test_a_set_that_is_not_there_is_no_fault(outcome_of: Callable[..., str]) -> None:
    assert outcome_of("guest", answer(404, error=FULL)) == "not there"
    assert outcome_of("guest", answer(400, error=FULL)) == "wrong"
