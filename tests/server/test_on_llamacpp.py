"""The server on stock llama.cpp: a tiny random base, which writes nonsense unless it is held."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from auto_tools import MARK, is_a_text_or_a_whole_call, with_mark
from bombs import BOMBS, ends_in_bounded_time
from llamacpp_files import tiny_chat_base, write_tiny_gguf
from serving import client_of, counts_of, error_of, events_of, serve, until

from spokesmith.backends.llamacpp import LlamaCppBackend, LlamaCppOptions
from spokesmith.metrics import check, parse_strict
from spokesmith.server.service import Loading, Service
from spokesmith.tasks import canonical_json, load_task

pytest.importorskip("xllamacpp", reason="xllamacpp, the extra llamacpp, is not installed")

MEMORY = load_task("memory").schema
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 8},
        "days": {"type": "integer", "minimum": 1, "maximum": 99},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
ENDLESS = {"type": "array", "items": {"type": "integer"}, "minItems": 10_000}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
OTHER = {"type": "function", "function": {"name": "clock"}}
CLOSED = {"max_tokens": 60, "on_truncation": "close"}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(
        with_mark(tiny_chat_base()), tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    )


@pytest.fixture(scope="module")
def backend(path: Path) -> LlamaCppBackend:
    """Served by `client`, which closes it."""
    options = LlamaCppOptions(num_slots=8, context=4096, threads=1)
    chat = with_mark(tiny_chat_base()).chat
    return LlamaCppBackend(
        path, chat, name="memory", task=load_task("memory"), max_waiting=64, options=options
    )


@pytest.fixture(scope="module")
def client(backend: LlamaCppBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def body(text: str = "Weather?", **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Hi"}, {"role": "user", "content": text}]
    return {"messages": messages, "max_tokens": 60, **more}


def choice_of(client: httpx.Client, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/chat/completions", json=body(**more))
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]


def test_the_page_is_there(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "<textarea" in page.text


def test_the_file_is_the_one_model(client: httpx.Client) -> None:
    assert client.get("/health").json()["status"] == "ok"
    (model,) = client.get("/v1/models").json()["data"]
    assert (model["id"], model["root"], model["task"]) == ("memory", "tiny.gguf", "memory")
    assert model["max_model_len"] == 4096
    props = client.get("/props").json()
    assert (props["model_path"], props["total_slots"]) == ("tiny.gguf", 8)
    assert props["default_generation_settings"]["n_ctx"] == 4096
    assert client.get("/v1/spokes").json()["data"] == []
    source = {"source": "memory-smollm2-135m"}
    assert "export gguf" in error_of(client.post("/v1/spokes", json=source), 400)["message"]
    error_of(client.delete("/v1/spokes/memory"), 404)
    error_of(client.post("/v1/chat/completions", json=body(model="other")), 404)


def test_a_schema_is_held_to_the_last_brace(client: httpx.Client) -> None:
    for temperature in (0, 1):
        choice = choice_of(client, response_format=FORMAT, temperature=temperature, seed=3)
        assert choice["finish_reason"] == "stop"
        assert check(choice["message"]["content"], SCHEMA).valid


def test_any_json_object(client: httpx.Client) -> None:
    for temperature in (0, 1):
        choice = choice_of(
            client,
            response_format={"type": "json_object"},
            temperature=temperature,
            seed=3,
            on_truncation="close",
        )
        assert isinstance(json.loads(choice["message"]["content"]), dict)


def test_a_text_is_encoded(client: httpx.Client) -> None:
    response = client.post("/v1/encode", json={"text": "Marta moved the job.", **CLOSED})
    assert response.status_code == 200, response.text
    assert response.headers["x-closed"] == "true"
    assert check(response.text, MEMORY).valid
    assert canonical_json(parse_strict(response.text), MEMORY) == response.text
    told = client.post("/v1/encode", json={"text": "Marta moved.", "facts": True, **CLOSED}).json()
    assert told["model"] == told["task"] == "memory"
    error_of(client.post("/v1/encode", json={"text": "Marta moved.", "max_tokens": 5}), 422)


def test_an_encoding_is_streamed(client: httpx.Client) -> None:
    events = events_of(client.post("/v1/encode", json={"text": "a", "stream": True, **CLOSED}))
    assert [events[0]["type"], events[-2]["type"], events[-1]] == ["start", "result", "[DONE]"]
    text = "".join(part for piece in events[1:-2] for part, _ in piece["segments"])
    assert parse_strict(text) == events[-2]["result"]["encoding"]


def test_a_stream_says_what_the_whole_answer_says(client: httpx.Client) -> None:
    for more in ({"response_format": FORMAT}, {"temperature": 1, "seed": 5}):
        whole = choice_of(client, **more)
        chunks = events_of(client.post("/v1/chat/completions", json=body(stream=True, **more)))
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
        text = "".join(delta.get("content", "") for delta in deltas)
        assert text == whole["message"]["content"]
        assert chunks[-2]["choices"][0]["finish_reason"] == whole["finish_reason"]


def test_what_is_told_of_an_answer_is_true(client: httpx.Client) -> None:
    first, second = (
        client.post("/v1/chat/completions", json=body("Again?", response_format=FORMAT)).json()
        for _ in range(2)
    )
    used = second["usage"]
    assert used["prompt_tokens"] + used["completion_tokens"] == used["total_tokens"]
    assert used["prompt_tokens_details"]["cached_tokens"] == used["prompt_tokens"] - 1
    assert sum(second["spokesmith"]["tokens"].values()) == used["completion_tokens"]
    assert 0 < second["spokesmith"]["forwards"] <= first["spokesmith"]["forwards"]
    assert second["timings"]["predicted_n"] == used["completion_tokens"]
    text = second["choices"][0]["message"]["content"]
    tokens = client.post("/tokenize", json={"content": text}).json()["tokens"]
    assert len(tokens) == used["completion_tokens"]
    assert client.post("/detokenize", json={"tokens": tokens}).json()["content"] == text


@pytest.mark.parametrize("choice", ["required", {"function": {"name": "clock"}}])
def test_a_call_that_is_asked_for_is_made(client: httpx.Client, choice: Any) -> None:
    found = choice_of(client, tools=[TOOL, OTHER], tool_choice=choice, max_tokens=200)
    call = found["message"]["tool_calls"][0]["function"]
    schema = {"weather": SCHEMA, "clock": {"properties": {}, "additionalProperties": False}}
    assert check(call["arguments"], schema[call["name"]]).valid
    assert found["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("then", [MARK, "<|im_end|>"])
def test_auto_is_a_text_or_a_whole_call(client: httpx.Client, then: str) -> None:
    is_a_text_or_a_whole_call(client, then)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"response_format": {"type": "json_schema", "schema": {"uniqueItems": True}}}, None),
        ({"response_format": {"type": "json_schema", "schema": False}}, None),
        ({"grammar": "root ::= ("}, "grammar"),
        ({"logprobs": True}, None),
        ({"logit_bias": {"5000": 1}}, None),
    ],
)
def test_what_cannot_be_met_is_a_bad_request(
    client: httpx.Client, more: dict[str, Any], param: str | None
) -> None:
    error = error_of(client.post("/v1/chat/completions", json=body(**more)), 400)
    assert error["remedy"]
    if param:
        assert error["param"] == param


def test_an_over_long_prompt_names_both_numbers(client: httpx.Client) -> None:
    error = error_of(client.post("/v1/chat/completions", json=body("a" * 5000)), 400)
    assert error["code"] == "context_length_exceeded"
    assert "4096" in error["message"]


def test_a_stop_text_ends_an_answer_and_is_named(client: httpx.Client) -> None:
    asked = {"prompt": "a", "n_predict": 40, "json_schema": SCHEMA}
    text = client.post("/completion", json=asked).json()["content"]
    stopped = client.post("/completion", json={**asked, "stop": [text[5:8]]}).json()
    assert stopped["content"] == text[: text.find(text[5:8])]
    assert (stopped["stop_type"], stopped["stopping_word"]) == ("word", text[5:8])


def test_who_goes_away_frees_the_slot(client: httpx.Client, backend: LlamaCppBackend) -> None:
    long = body(max_tokens=4000, json_schema=ENDLESS, stream=True)
    with client.stream("POST", "/v1/chat/completions", json=long) as response:
        assert response.status_code == 200
        # Kept, since the connection ends with it.
        parts = response.iter_bytes()
        assert next(parts).startswith(b"data: ")
        assert backend.stats().running == 1
    until(lambda: backend.stats().running == 0, limit_s=5)
    # llama.cpp itself stops at its next token: then nothing is computed any more.
    time.sleep(0.3)
    before = backend.engine.num_forwards()
    time.sleep(0.2)
    assert backend.engine.num_forwards() == before


def test_many_at_once_answer_as_alone(client: httpx.Client) -> None:
    texts = [f"Text {number}?" for number in range(12)]
    alone = [choice_of(client, text=text, response_format=FORMAT) for text in texts]
    url = str(client.base_url)

    async def together() -> list[str]:
        async with httpx.AsyncClient(base_url=url, timeout=60) as many:

            async def one(text: str) -> str:
                asked = body(text, response_format=FORMAT)
                answer = (await many.post("/v1/chat/completions", json=asked)).json()
                return answer["choices"][0]["message"]["content"]

            return list(await asyncio.gather(*map(one, texts)))

    assert asyncio.run(together()) == [one["message"]["content"] for one in alone]


def test_the_counts_are_those_of_the_engine(client: httpx.Client) -> None:
    before = counts_of(client)
    asked = body("Count!", json_schema=MEMORY, **CLOSED)
    used = client.post("/v1/chat/completions", json=asked).json()
    after = counts_of(client)
    more = {name: after[name] - before[name] for name in before}
    assert more["prompt_tokens_total"] == used["usage"]["prompt_tokens"]
    assert more["forwards_total"] == used["spokesmith"]["forwards"]
    for origin in ("model", "copied", "closing"):
        told = used["spokesmith"]["tokens"].get(origin, 0)
        assert more[f'tokens_total{{origin="{origin}"}}'] == told
    assert after["slots"] == 8
    assert after["running_answers"] == after["waiting_answers"] == 0


@pytest.mark.parametrize("schema", BOMBS.values(), ids=BOMBS)
def test_bombs_end_in_bounded_time(client: httpx.Client, schema: dict[str, Any]) -> None:
    ends_in_bounded_time(client, body(), schema)
    assert choice_of(client, response_format=FORMAT)["finish_reason"] == "stop"


def test_a_file_that_cannot_be_loaded_is_a_failure_in_one_line(path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(path.read_bytes()[:-1000])
    chat = with_mark(tiny_chat_base()).chat
    service = Service(engine=Loading("engine", lambda: LlamaCppBackend(damaged, chat)))
    with serve(service, wait=False) as url, httpx.Client(base_url=url) as client:
        until(lambda: service.state != "loading", limit_s=30)
        assert client.get("/health").json()["status"] == "failed"
        message = error_of(client.get("/v1/models"), 503)["message"]
        assert "corrupted or incomplete" in message
        assert "\n" not in message
