"""The list of models, and sets of spokes that come and go while the server runs."""

import threading
from collections.abc import Iterator

import httpx
import pytest
from scripted_backend import BASE, SET, ScriptedBackend
from serving import client_of, error_of, until


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend("{}")


@pytest.fixture
def client(backend: ScriptedBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def ask(client: httpx.Client, model: str) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "a"}]}
    return client.post("/v1/chat/completions", json=body)


def test_the_base_and_every_set_are_models(client: httpx.Client) -> None:
    answer = client.get("/v1/models").json()
    assert answer["object"] == "list"
    assert [one["id"] for one in answer["data"]] == [BASE, SET]
    assert {one["object"] for one in answer["data"]} == {"model"}
    assert answer["data"][1]["parent"] == BASE
    assert answer["data"][1]["task"] == "memory"
    assert client.get(f"/v1/models/{SET}").json() == answer["data"][1]


def test_a_model_that_is_not_there(client: httpx.Client) -> None:
    assert error_of(client.get("/v1/models/a/b"), 404)["code"] == "model_not_found"


def test_a_set_is_loaded_used_and_unloaded(client: httpx.Client, backend: ScriptedBackend) -> None:
    error_of(ask(client, "law"), 404)
    loaded = client.post("/v1/spokes", json={"source": "sets/law", "name": "law"})
    assert loaded.status_code == 201
    assert loaded.json()["id"] == "law"
    assert [one["id"] for one in client.get("/v1/spokes").json()["data"]] == [SET, "law"]
    assert ask(client, "law").status_code == 200
    assert backend.requests[0].model == "law"
    assert client.delete("/v1/spokes/law").json() == {
        "id": "law",
        "object": "spokes",
        "deleted": True,
    }
    error_of(ask(client, "law"), 404)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"source": "nowhere"}, None),
        ({"source": "sets/x", "name": SET}, None),
        ({"source": "sets/x", "name": "../x"}, "name"),
        ({"source": ""}, "source"),
        ({"source": "sets/x", "slots": 3}, "slots"),
        ({}, "source"),
    ],
)
def test_sets_that_cannot_be_loaded(client: httpx.Client, body: object, param: str | None) -> None:
    assert error_of(client.post("/v1/spokes", json=body), 400)["param"] == param


def test_a_set_that_is_not_there_cannot_be_unloaded(client: httpx.Client) -> None:
    error_of(client.delete("/v1/spokes/none"), 404)


def test_unloading_drops_no_request(client: httpx.Client, backend: ScriptedBackend) -> None:
    backend.first_delay_s = 0.2
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(ask(client, SET)))
    asking.start()
    until(lambda: backend.jobs)
    assert client.delete(f"/v1/spokes/{SET}").status_code == 200
    assert backend.jobs[0].ended.is_set()
    asking.join()
    assert answers[0].status_code == 200


def test_the_default_follows_the_sets(client: httpx.Client, backend: ScriptedBackend) -> None:
    assert ask(client, "").json()["model"] == SET
    client.delete(f"/v1/spokes/{SET}")
    assert ask(client, "").json()["model"] == BASE


def test_a_default_of_ones_choice() -> None:
    with client_of(ScriptedBackend("{}"), default_model=BASE) as client:
        assert ask(client, "").json()["model"] == BASE
