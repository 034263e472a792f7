"""POST /v1/encode: the object, the envelope with its facts, the stream, and what is no answer."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from echo_backend import MADE_UP_NAME, EchoBackend, encoding
from serving import client_of, error_of, events_of, until

from spokesmith.metrics import parse_strict
from spokesmith.tasks import canonical_json, load_task

TEXT = (
    "Marta moved the backup job from 02:00 to 04:30 because the nightly export was still "
    'running. She said "not before Monday" 😀 and paid 148 euros.'
)
SCHEMA = load_task("memory").schema


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with client_of(EchoBackend()) as made:
        yield made


def post(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/v1/encode", json={"text": TEXT, **body})


def pointed(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        value = value[int(part) if isinstance(value, list) else part]
    return value


def test_the_answer_is_the_object_itself_in_canonical_form(client: httpx.Client) -> None:
    answer = post(client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-model"] == "memory"
    assert answer.headers["x-closed"] == "false"
    assert answer.text == canonical_json(encoding(TEXT), SCHEMA)


def test_an_answer_in_another_form_is_made_canonical() -> None:
    given = dict(reversed(encoding(TEXT).items()))
    with client_of(EchoBackend(answer=json.dumps(given, indent=2))) as client:
        assert post(client).text == canonical_json(encoding(TEXT), SCHEMA)
        envelope = post(client, facts=True).json()
        assert list(envelope["encoding"]) == list(SCHEMA["properties"])


def test_the_task_and_the_request_reach_the_engine() -> None:
    backend = EchoBackend()
    with client_of(backend) as client:
        post(client, max_tokens=700, temperature=0.5, top_p=0.9, seed=7, on_truncation="close")
        post(client, model="echo")
    first, second = backend.requests
    task = load_task("memory")
    assert first.messages == task.messages(TEXT)
    assert first.constraint is not None
    assert first.constraint.value == task.schema_for(TEXT)
    assert (first.model, first.max_tokens, first.on_truncation) == ("memory", 700, "close")
    sampling = first.sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.5, 0.9, 7)
    # The bare base has no task of its own: it gets the built-in one.
    assert (second.model, second.max_tokens) == ("echo", task.max_tokens)
    assert second.messages == first.messages
    assert second.sampling.temperature == 0


def test_facts_have_their_places_in_the_answer_and_in_the_text(client: httpx.Client) -> None:
    envelope = post(client, facts=True, source="mail", type="note").json()
    assert envelope["encoding"] == encoding(TEXT)
    assert (envelope["source"], envelope["type"]) == ("mail", "note")
    assert (envelope["model"], envelope["task"]) == ("memory", "memory")
    for fact in envelope["grounded"] + envelope["ungrounded"]:
        start, end = fact["span"]
        assert pointed(envelope["encoding"], fact["field"])[start:end] == fact["text"]
    for fact in envelope["grounded"]:
        start, end = fact["source_span"]
        assert TEXT[start:end] == fact["text"]
    assert {one["text"] for one in envelope["grounded"]} >= {"Marta", "02:00", "148 euros"}
    made_up = {one["text"]: one for one in envelope["ungrounded"]}
    assert MADE_UP_NAME in made_up
    assert made_up[MADE_UP_NAME]["reason"]
    assert "source_span" not in made_up[MADE_UP_NAME]
    assert envelope["passes"] is False
    assert envelope["fields"] == dict.fromkeys(SCHEMA["properties"], True)


def test_quotes_tell_where_values_stand_in_the_text(client: httpx.Client) -> None:
    envelope = post(client, facts=True).json()
    assert {quote["field"] for quote in envelope["quotes"]} >= {"/gist", "/content"}
    for quote in envelope["quotes"]:
        start, end = quote["span"]
        first, last = quote["source_span"]
        words = pointed(envelope["encoding"], quote["field"])[start:end]
        assert words.casefold() == TEXT[first:last].casefold()


def test_what_the_answer_lacks_is_told() -> None:
    answer = canonical_json({**encoding("Tea is hot."), "narrative": ""})
    with client_of(EchoBackend(answer=answer)) as client:
        envelope = post(client, facts=True).json()
    lost = {one["text"]: one for one in envelope["lost"]}
    assert lost.keys() >= {"Marta", "148 euros"}
    start, end = lost["148 euros"]["source_span"]
    assert TEXT[start:end] == "148 euros"


def test_the_envelope_tells_how_the_answer_was_made(client: httpx.Client) -> None:
    envelope = post(client, facts=True).json()
    made, usage = envelope["spokesmith"], envelope["usage"]
    assert sum(made["tokens"].values()) == usage["completion_tokens"] > 50
    assert made["tokens"].keys() == {"model", "forced", "copied"}
    assert made["forwards"] < usage["completion_tokens"]
    assert envelope["timings"]["predicted_n"] == usage["completion_tokens"]


def test_a_stream_brings_pieces_with_origins_and_then_the_envelope(client: httpx.Client) -> None:
    answer = post(client, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    start, *pieces, result, done = events_of(answer)
    assert start == {"type": "start", "model": "memory", "task": "memory", "schema": SCHEMA}
    assert done == "[DONE]"
    assert {piece["type"] for piece in pieces} == {"piece"}
    segments = [segment for piece in pieces for segment in piece["segments"]]
    assert "".join(text for text, _ in segments) == canonical_json(encoding(TEXT), SCHEMA)
    assert ['"gist":', "forced"] in segments
    assert ["Marta", "copied"] in segments
    assert ["Ada", "model"] in segments
    counted: dict[str, int] = {}
    for piece in pieces:
        for origin, count in piece["tokens"].items():
            counted[origin] = counted.get(origin, 0) + count
    whole = post(client, facts=True).json()
    assert counted == whole["spokesmith"]["tokens"]
    assert result["type"] == "result"
    for name in whole.keys() - {"timings"}:
        assert result["result"][name] == whole[name], name


def test_a_cut_answer_is_an_error_with_a_remedy(client: httpx.Client) -> None:
    error = error_of(post(client, max_tokens=20), 422)
    assert error["code"] == "answer_cut"
    assert "20 tokens" in error["message"]
    assert "on_truncation" in error["remedy"]
    assert error_of(post(client, max_tokens=20, facts=True), 422)["code"] == "answer_cut"
    *_, last, done = events_of(post(client, max_tokens=20, stream=True))
    assert last["type"] == "error"
    assert last["error"]["code"] == "answer_cut"
    assert done == "[DONE]"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"salience": 7}, "/salience"),
        ({"outcome": "splendid"}, "/outcome"),
        ({"extra": 1}, "extra"),
        ({"gist": 5}, "/gist"),
    ],
)
def test_an_invalid_answer_is_never_a_success(change: dict[str, Any], reason: str) -> None:
    with client_of(EchoBackend(answer=json.dumps({**encoding(TEXT), **change}))) as client:
        for facts in (False, True):
            error = error_of(post(client, facts=facts), 422)
            assert error["code"] == "answer_invalid"
            assert reason in error["message"]
        *_, last, _ = events_of(post(client, stream=True))
        assert last["error"]["code"] == "answer_invalid"


def test_a_text_that_is_too_long_to_be_held_to_is_told() -> None:
    with client_of(EchoBackend(answer=json.dumps(encoding(TEXT)))) as client:
        for text, held in ((TEXT, "true"), (" ".join(map(str, range(9000))), "false")):
            response = client.post("/v1/encode", json={"text": text})
            assert response.headers["x-held-to-text"] == held


def test_the_log_does_not_tell_what_an_invalid_answer_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="spokesmith.server.requests")
    answer = json.dumps({**encoding(TEXT), "emotional_tone": "Marta owes Otto"})
    with client_of(EchoBackend(answer=answer)) as client:
        assert "Marta owes Otto" in error_of(post(client), 422)["message"]
        until(lambda: "does not fit the task's schema, at /emotional_tone" in caplog.text)
    assert "Marta owes" not in caplog.text


@pytest.mark.parametrize("answer", ["no JSON", '{"gist":"a","gist":"b"}', "{} trailing", "[]"])
def test_an_answer_that_is_no_object_of_the_task_is_an_error(answer: str) -> None:
    with client_of(EchoBackend(answer=answer)) as client:
        assert error_of(post(client), 422)["code"] == "answer_invalid"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": None}, "text"),
        ({"text": ["two", "texts"]}, "text"),
        ({"fact": True}, "fact"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"model": "a" * 257}, "model"),
        ({"on_truncation": "guess"}, "on_truncation"),
        ({"stream": "perhaps"}, "stream"),
    ],
)
def test_a_wrong_field_is_told_by_name(
    client: httpx.Client, body: dict[str, Any], param: str
) -> None:
    assert error_of(post(client, **body), 400)["param"] == param


def test_the_model_s_name_may_be_of_any_script() -> None:
    backend, name = EchoBackend(), "記憶/für:1 %"
    backend.load_set("sets/x", name=name)
    with client_of(backend) as client:
        answer = post(client, model=name)
    assert answer.status_code == 200, answer.text
    assert unquote(answer.headers["x-model"]) == name


def test_no_such_model(client: httpx.Client) -> None:
    assert error_of(post(client, model="unheard-of"), 404)["code"] == "model_not_found"
    assert error_of(post(client, model="unheard-of", stream=True), 404)["code"] == "model_not_found"


def test_an_engine_that_fails_is_a_500_or_ends_the_stream() -> None:
    with client_of(EchoBackend(failure=RuntimeError("secret words"))) as client:
        error = error_of(post(client), 500)
        assert "secret" not in json.dumps(error)
        *pieces, last = events_of(post(client, stream=True))
        assert pieces
        assert last["type"] == "error"
        assert "secret" not in json.dumps(last)


def test_the_work_stops_when_the_client_goes_away() -> None:
    backend = EchoBackend(delay_s=0.02)
    with client_of(backend) as client:
        with pytest.raises(httpx.TimeoutException):
            client.post("/v1/encode", json={"text": TEXT}, timeout=0.3)
        until(lambda: backend.jobs[0].cancelled.is_set())
        with client.stream("POST", "/v1/encode", json={"text": TEXT, "stream": True}) as response:
            next(response.iter_raw())
        until(lambda: backend.jobs[1].cancelled.is_set())


def test_encodings_are_counted(client: httpx.Client) -> None:
    post(client)
    counts = client.get("/metrics").text
    assert 'spokesmith_held_answers_total{model="memory",outcome="valid"}' in counts


def test_any_text_comes_back_as_sound_json(client: httpx.Client) -> None:
    text = '</script><b>&amp;"\\ \u2028 \x7f 東京 é 👩‍👩‍👧 مرحبا 2.5 km'
    answer = post(client, text=text)
    assert parse_strict(answer.text)["content"] == text
    envelope = post(client, text=text, facts=True).json()
    assert envelope["encoding"]["content"] == text
    number = next(one for one in envelope["grounded"] if one["text"] == "2.5 km")
    assert text[slice(*number["source_span"])] == "2.5 km"
