"""Many at once: connections, a bounded queue, a failure in the middle, a stop under load."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from scripted_backend import BASE, ScriptedBackend
from serving import client_of, serve, service_over

from spokesmith.backends.request import BusyError, Request
from spokesmith.server.jobs import begin
from spokesmith.server.service import NUM_STARTERS


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": BASE, "messages": [{"role": "user", "content": text}], **more}


def said(request: Request) -> str:
    return "re " + (request.messages or ())[-1]["content"]


def ask_all(url: str, bodies: list[dict[str, Any]], limit_s: float = 60) -> list[httpx.Response]:
    """Ask for all at once, each over a connection of its own."""

    async def run() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=url, timeout=limit_s, limits=limits) as client:
            asked = [client.post("/v1/chat/completions", json=body) for body in bodies]
            return list(await asyncio.gather(*asked))

    return asyncio.run(run())


def test_200_connections_on_8_slots_all_get_their_own_answer() -> None:
    backend = ScriptedBackend(said, first_delay_s=0.02)
    bodies = [chat(f"text {index}", stream=index % 2 == 0) for index in range(200)]
    with serve(service_over(backend)) as url:
        answers = ask_all(url, bodies)
    assert [answer.status_code for answer in answers] == [200] * 200
    for index, answer in enumerate(answers):
        if index % 2:
            content = answer.json()["choices"][0]["message"]["content"]
            assert content == f"re text {index}"
        else:
            assert answer.text.rstrip().endswith("[DONE]")
    assert backend.most_running == 8


def test_a_full_queue_refuses_and_loses_nothing_that_it_took() -> None:
    backend = ScriptedBackend(said, first_delay_s=0.3, num_slots=2, max_waiting=4)
    with serve(service_over(backend)) as url:
        answers = ask_all(url, [chat(f"{index}") for index in range(40)])
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 6
        assert all(
            "retry-after" in answer.headers for answer in answers if answer.status_code == 503
        )
        assert ask_all(url, [chat("later")])[0].status_code == 200


def test_a_failure_in_the_middle_of_a_batch_is_that_requests_alone() -> None:
    backend = ScriptedBackend(said, delay_s=0.002, fail_at={"re bad": 4})
    bodies = [chat("bad" if index == 3 else "good", seed=index) for index in range(8)]
    with serve(service_over(backend)) as url:
        answers = ask_all(url, bodies)
    assert [answer.status_code for answer in answers] == [200] * 3 + [500] + [200] * 4


def test_the_server_answers_others_while_requests_are_prepared() -> None:
    may_start = threading.Event()

    class Slow(ScriptedBackend):
        def start(self, *args: Any, **named: Any) -> Any:
            assert may_start.wait(15)
            return super().start(*args, **named)

    with serve(service_over(Slow("a"))) as url:

        async def run() -> tuple[int, int]:
            async with httpx.AsyncClient(base_url=url, timeout=20) as client:
                asking = asyncio.ensure_future(client.post("/v1/chat/completions", json=chat("a")))
                await asyncio.sleep(0.05)
                health = await client.get("/health")
                may_start.set()
                return health.status_code, (await asking).status_code

        assert asyncio.run(run()) == (200, 200)


@pytest.mark.parametrize(
    ("method", "path", "asks_for"),
    [
        ("GET", "/props", "stats"),
        ("GET", "/metrics", "stats"),
        ("POST", "/v1/completions", "models"),
        ("POST", "/v1/chat/completions", "models"),
    ],
)
def test_the_server_answers_others_while_a_route_waits_for_the_engine(
    method: str, path: str, asks_for: str
) -> None:
    asking, may_answer = threading.Event(), threading.Event()
    backend = ScriptedBackend("a")
    known = getattr(backend, asks_for)

    def slowly() -> Any:
        asking.set()
        assert may_answer.wait(15)
        return known()

    setattr(backend, asks_for, slowly)
    with client_of(backend) as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.request, method, path, json=chat("a", prompt="a"))
        assert asking.wait(10)
        assert client.get("/health", timeout=5).status_code == 200
        may_answer.set()
        assert asked.result().status_code == 200


def test_a_refusal_that_nobody_waits_for_is_no_fault() -> None:
    may_start, told = threading.Event(), []

    class Full(ScriptedBackend):
        def start(self, *args: Any, **named: Any) -> Any:
            assert may_start.wait(15)
            raise BusyError("full")

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        service = service_over(Full("a"))
        service.engine.run()
        asking = asyncio.ensure_future(begin(service, [Request(messages=[])]))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait([asking])
        may_start.set()
        service.starters.shutdown(wait=True)
        await asyncio.sleep(0.05)
        gc.collect()

    asyncio.run(run())
    assert told == []


def test_a_start_that_nobody_waits_for_is_not_made() -> None:
    may_start, starting = threading.Event(), threading.Event()

    class Slow(ScriptedBackend):
        def start(self, *args: Any, **named: Any) -> Any:
            starting.set()
            assert may_start.wait(15)
            return super().start(*args, **named)

    backend = Slow("a")

    async def run() -> None:
        service = replace(service_over(backend), starters=ThreadPoolExecutor(1))
        service.engine.run()
        first, second = (
            asyncio.ensure_future(begin(service, [Request(messages=[], max_tokens=tokens)]))
            for tokens in (1, 2)
        )
        assert await asyncio.to_thread(starting.wait, 10)
        second.cancel()
        await asyncio.wait([second])
        may_start.set()
        assert len(await (await first).completions()) == 1
        service.starters.shutdown(wait=True)

    asyncio.run(run())
    assert [request.max_tokens for request in backend.requests] == [1]


def test_answers_that_have_ended_hold_no_jobs() -> None:
    async def run() -> tuple[int, int]:
        service = service_over(ScriptedBackend("a"))
        service.engine.run()
        answers = await begin(service, [Request(messages=[])] * 2)
        before = len(answers.jobs)
        await answers.completions()
        return before, len(answers.jobs)

    assert asyncio.run(run()) == (2, 0)


def test_who_could_not_even_be_prepared_in_time_may_come_again() -> None:
    all_answered = threading.Event()

    class Slow(ScriptedBackend):
        def start(self, *args: Any, **named: Any) -> Any:
            # However late the last request comes, none finds a starter that is free again.
            assert all_answered.wait(60)
            return super().start(*args, **named)

    with serve(service_over(Slow("a"), compile_limit_s=0.2)) as url:
        answers = ask_all(url, [chat(f"{index}") for index in range(NUM_STARTERS + 10)])
        all_answered.set()
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(400) == NUM_STARTERS
    assert statuses.count(503) == 10


def test_who_has_waited_for_most_of_the_time_may_come_again_though_he_has_begun() -> None:
    first_may_start = threading.Event()
    all_answered = threading.Event()

    class Slow(ScriptedBackend):
        def start(self, request: Request, **named: Any) -> Any:
            assert (first_may_start if request.max_tokens == 1 else all_answered).wait(60)
            return super().start(request, **named)

    async def run() -> None:
        service = replace(
            service_over(Slow("a"), compile_limit_s=1.0), starters=ThreadPoolExecutor(1)
        )
        service.engine.run()
        first, second = (
            asyncio.ensure_future(begin(service, [Request(messages=[], max_tokens=tokens)]))
            for tokens in (1, 2)
        )
        await asyncio.sleep(0.7)
        first_may_start.set()
        assert len(await (await first).completions()) == 1
        with pytest.raises(BusyError, match="ask again later"):
            await second
        all_answered.set()
        service.starters.shutdown(wait=True)

    asyncio.run(run())


def test_what_runs_is_finished_when_the_server_stops() -> None:
    backend = ScriptedBackend("abc" * 10, delay_s=0.02)
    service = service_over(backend)

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(timeout=20) as client:
            with serve(service) as url:
                asking = asyncio.ensure_future(
                    client.post(f"{url}/v1/chat/completions", json=chat("a"))
                )
                while not backend.jobs:
                    await asyncio.sleep(0.005)
            # The server was told to stop and has stopped.
            return await asking

    def run_in_loop() -> httpx.Response:
        return asyncio.run(asyncio.wait_for(run(), 30))

    assert run_in_loop().json()["choices"][0]["message"]["content"] == "abc" * 10
    assert backend.closed


def test_clients_that_only_connect_cost_nothing() -> None:
    import socket

    backend = ScriptedBackend("a")
    with client_of(backend) as client:
        address = (client.base_url.host, client.base_url.port or 0)
        idle = [socket.create_connection(address) for _ in range(100)]
        for one in idle[:50]:
            one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n")
        response = client.post("/v1/chat/completions", json=chat("a"))
        assert response.status_code == 200
        for one in idle:
            one.close()
