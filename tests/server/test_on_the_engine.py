"""The server on the real engine: a tiny random base, which writes nonsense unless it is held."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import torch
from auto_tools import MARK, is_a_text_or_a_whole_call, with_mark
from bombs import BOMBS, ends_in_bounded_time
from serving import client_of, counts_of, error_of, events_of, until

from spokesmith.backends import LocalBackend
from spokesmith.backends.request import Request
from spokesmith.bases import Base
from spokesmith.bases.base import chat_of
from spokesmith.cli.serve import named_sets, open_serving_backend
from spokesmith.metrics import check
from spokesmith.spokes import SpokesCard, SpokeSet, save_spokes
from spokesmith.testing import tiny_base

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
NAME = "tiny-llama"
# As Qwen's: it opens a thought, or writes an empty one.
THINKING = (
    "{% for message in messages %}"
    "{{ '<|start|>' + message.role + '\n' + message.content + '<|end|>\n' }}{% endfor %}"
    "{{ '<|start|>assistant\n<think>\n' }}"
    "{% if enable_thinking is false %}{{ '\n</think>\n\n' }}{% endif %}"
)


def noisy_set(base: Base, folder: Path, seed: int) -> None:
    """A set that changes what the base says."""
    spokes = SpokeSet.create(base.spokes_config(placement="ffn", num_spokes=1, rank=8), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for index in spokes.config.layer_indices:
        torch.nn.init.normal_(spokes.at(index).up, std=3.0, generator=generator)
    card = SpokesCard(
        spokes=spokes.config,
        base=base.name,
        base_fingerprint=base.fingerprint,
        task="memory",
    )
    save_spokes(folder, spokes, card)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    base = tiny_base()
    for seed, name in enumerate(["one", "two"], start=1):
        noisy_set(base, folder / name, seed)
    return folder


@pytest.fixture(scope="module")
def backend(sets: Path) -> LocalBackend:
    backend = LocalBackend(tiny_base(), spokes=None, num_slots=8, max_waiting=64)
    backend.load_set(str(sets / "one"), name="memory")
    return backend


@pytest.fixture(scope="module")
def client(backend: LocalBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def chat(text: str = "Weather?", **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Hi"}, {"role": "user", "content": text}]
    return {"model": NAME, "messages": messages, "max_tokens": 60, **more}


def choice_of(client: httpx.Client, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/chat/completions", json=chat(**more))
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]


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


@pytest.mark.parametrize("is_thinking", [True, False])
def test_a_schema_holds_the_answer_where_the_template_opens_a_thought(is_thinking: bool) -> None:
    base = tiny_base("qwen3")
    base.tokenizer.chat_template = THINKING
    base = replace(base, chat=chat_of(base.tokenizer, base.family))
    backend = LocalBackend(base, spokes=None)
    options = {"enable_thinking": is_thinking}
    asked = chat(model=base.name, response_format=FORMAT, chat_template_kwargs=options)
    prompt = Request(messages=asked["messages"], template_options=options)
    assert backend.detokenize(backend.prompt_ids(prompt)).endswith("<think>\n") == is_thinking
    with client_of(backend) as client:
        response = client.post("/v1/chat/completions", json=asked)
    choice = response.json()["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert check(choice["message"]["content"], SCHEMA).valid


def test_a_bare_text_is_encoded_by_the_sets_task(client: httpx.Client) -> None:
    from spokesmith.tasks import load_task

    body = {
        "model": "memory",
        "messages": [{"role": "user", "content": "Marta moved the job."}],
        "max_tokens": 40,
        "on_truncation": "close",
    }
    choice = client.post("/v1/chat/completions", json=body).json()["choices"][0]
    assert check(choice["message"]["content"], load_task("memory").schema).valid
    assert choice["closed"] is True
    assert choice["finish_reason"] == "length"


def test_a_cut_answer_is_a_length(client: httpx.Client) -> None:
    choice = choice_of(client, response_format=FORMAT, max_tokens=3)
    assert choice["finish_reason"] == "length"
    assert choice["closed"] is False


@pytest.mark.parametrize("choice", ["required", {"function": {"name": "clock"}}])
def test_a_call_that_is_asked_for_is_made(client: httpx.Client, choice: Any) -> None:
    found = choice_of(client, tools=[TOOL, OTHER], tool_choice=choice, max_tokens=200)
    call = found["message"]["tool_calls"][0]["function"]
    schema = {"weather": SCHEMA, "clock": {"properties": {}, "additionalProperties": False}}
    assert check(call["arguments"], schema[call["name"]]).valid
    assert found["finish_reason"] == "tool_calls"


def test_texts_are_cut_into_tokens_as_asked(client: httpx.Client) -> None:
    def tokens_of(content: str, **more: Any) -> list[int]:
        return client.post("/tokenize", json={"content": content, **more}).json()["tokens"]

    (end,) = tokens_of("<|end|>")
    assert len(tokens_of("<|end|>", parse_special=False)) == len("<|end|>")
    assert tokens_of("a<|end|>") == [*tokens_of("a"), end]
    assert tokens_of("a", add_special=True) == tokens_of("a")


def test_sets_share_a_step(client: httpx.Client, backend: LocalBackend, sets: Path) -> None:
    shared: list[set[str | None]] = []
    run = backend.engine.runner.run

    def watched(works: Any) -> Any:
        shared.append({work.spokes for work in works})
        # Others come while this one is computed.
        time.sleep(0.05)
        return run(works)

    backend.load_set(str(sets / "two"), name="second")
    names = [NAME, "memory", "second"]
    backend.engine.runner.run = watched  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda name: choice_of(client, model=name, max_tokens=20), names))
    finally:
        backend.engine.runner.run = run
        backend.unload_set("second")
    assert max(map(len, shared)) == 3, shared


def test_references_in_parameters_are_enforced(client: httpx.Client) -> None:
    parameters = {
        "type": "object",
        "properties": {"when": {"$ref": "#/$defs/Day"}},
        "required": ["when"],
        "$defs": {"Day": {"enum": ["monday", "friday"]}},
    }
    tool = {"type": "function", "function": {"name": "book", "parameters": parameters}}
    found = choice_of(client, tools=[tool, OTHER], tool_choice="required", max_tokens=200)
    call = found["message"]["tool_calls"][0]["function"]
    if call["name"] == "book":
        assert json.loads(call["arguments"])["when"] in ("monday", "friday")
    else:
        assert call["arguments"] == "{}"


@pytest.mark.parametrize("then", [MARK, "<|end|>"])
def test_auto_is_a_text_or_a_whole_call(then: str) -> None:
    with client_of(LocalBackend(with_mark(tiny_base()), spokes=None)) as client:
        is_a_text_or_a_whole_call(client, then)


def test_a_grammar_of_llamas_notation(client: httpx.Client) -> None:
    choice = choice_of(client, grammar='root ::= "yes" | "no"')
    assert choice["message"]["content"] in ("yes", "no")


@pytest.mark.parametrize(
    "more",
    [
        {"response_format": {"type": "json_schema", "schema": {"not": {"type": "string"}}}},
        {"response_format": {"type": "json_schema", "schema": {"type": "strnig"}}},
        {"response_format": {"type": "json_schema", "schema": {"uniqueItems": True}}},
        {"response_format": {"type": "json_schema", "schema": {"$ref": "#/$defs/no"}}},
        {"response_format": {"type": "json_schema", "schema": {"pattern": "(", "type": "string"}}},
        {"response_format": {"type": "json_schema", "schema": False}},
        {"grammar": "root ::= ("},
        {"grammar": "start: /a/"},
    ],
)
def test_what_cannot_be_enforced_is_a_bad_request(
    client: httpx.Client, more: dict[str, Any]
) -> None:
    error = error_of(client.post("/v1/chat/completions", json=chat(**more)), 400)
    assert error["param"] in ("response_format.schema", "grammar")
    assert error["remedy"]


def test_an_over_long_prompt_names_both_numbers(client: httpx.Client) -> None:
    error = error_of(client.post("/v1/chat/completions", json=chat("a" * 5000)), 400)
    assert error["code"] == "context_length_exceeded"
    assert "4096" in error["message"]


def test_tokens_that_are_none_are_refused(client: httpx.Client) -> None:
    error_of(client.post("/v1/completions", json={"model": NAME, "prompt": [5000]}), 400)
    error_of(client.post("/detokenize", json={"tokens": [5000]}), 400)


def test_biases_of_tokens_that_are_none_are_refused(client: httpx.Client) -> None:
    bias = {"model": NAME, "prompt": "a", "logit_bias": {"5000": 1}, "json_schema": SCHEMA}
    # It is not the schema that is wrong.
    assert error_of(client.post("/v1/completions", json=bias), 400)["param"] is None


def test_the_same_seed_gives_the_same_text_and_another_another(client: httpx.Client) -> None:
    texts = [
        choice_of(client, temperature=1, seed=seed)["message"]["content"] for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_a_stream_says_what_the_whole_answer_says(client: httpx.Client) -> None:
    for more in ({"response_format": FORMAT}, {}, {"temperature": 1, "seed": 5}):
        whole = choice_of(client, **more)
        chunks = events_of(client.post("/v1/chat/completions", json=chat(stream=True, **more)))
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1]]
        text = "".join(delta.get("content", "") for delta in deltas)
        assert text == whole["message"]["content"]
        assert chunks[-2]["choices"][0]["finish_reason"] == whole["finish_reason"]


def test_log_probabilities_are_told(client: httpx.Client) -> None:
    choice = choice_of(client, logprobs=True, top_logprobs=3, max_tokens=5)
    for token in choice["logprobs"]["content"]:
        assert token["logprob"] <= 0
        assert len(token["top_logprobs"]) == 3
        assert token["top_logprobs"][0]["logprob"] >= token["logprob"] - 1e-4


def test_a_stop_text_ends_an_answer_and_is_named(client: httpx.Client) -> None:
    body = {"model": NAME, "prompt": "a", "n_predict": 40}
    text = client.post("/completion", json=body).json()["content"]
    stop = text[5:8]
    stopped = client.post("/completion", json={**body, "stop": [stop]}).json()
    assert stopped["content"] == text[: text.find(stop)]
    assert stopped["stop_type"] == "word"
    assert stopped["stopping_word"] == stop


def test_the_counts_are_those_of_the_engine(client: httpx.Client) -> None:
    asked = chat("Count!", json_schema=SCHEMA)
    client.post("/v1/chat/completions", json=asked)
    before = counts_of(client)
    used = client.post("/v1/chat/completions", json=asked).json()
    after = counts_of(client)
    more = {name: after[name] - before[name] for name in before}
    tokens = used["spokesmith"]["tokens"]
    for origin in ("model", "forced", "copied", "closing"):
        assert more[f'tokens_total{{origin="{origin}"}}'] == tokens.get(origin, 0)
    assert tokens["forced"] > 0
    assert more["drafted_tokens_total"] >= tokens["forced"] + tokens.get("copied", 0)
    assert more["forwards_total"] == used["spokesmith"]["forwards"]
    assert more["prompt_tokens_total"] == used["usage"]["prompt_tokens"]
    cached = used["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert more["cached_tokens_total"] == cached > 0
    computed = used["usage"]["prompt_tokens"] - cached
    assert more["forward_tokens_total"] >= computed + tokens["model"] - 1
    assert 0 < after["accepted_share"] <= 1
    assert after["running_answers"] == after["waiting_answers"] == 0


def test_who_goes_away_frees_the_slot(client: httpx.Client, backend: LocalBackend) -> None:
    body = chat(max_tokens=4000, json_schema=ENDLESS)
    with client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as response:
        assert response.status_code == 200
        # Kept, since the connection ends with it.
        parts = response.iter_bytes()
        assert next(parts).startswith(b"data: ")
        assert backend.stats().running == 1
    until(lambda: backend.stats().running == 0, limit_s=5)


def test_sets_differ_come_and_go_and_share_a_batch(client: httpx.Client, sets: Path) -> None:
    loaded = client.post("/v1/spokes", json={"source": str(sets / "two"), "name": "two"})
    assert loaded.status_code == 201, loaded.text
    models = (NAME, "memory", "two")
    alone = {
        model: choice_of(client, model=model, max_tokens=30)["message"]["content"]
        for model in models
    }
    assert len(set(alone.values())) == 3
    url = str(client.base_url)

    async def together() -> list[tuple[str, str]]:
        async with httpx.AsyncClient(base_url=url, timeout=60) as many:

            async def one(model: str) -> tuple[str, str]:
                body = chat(model=model, max_tokens=30)
                answer = (await many.post("/v1/chat/completions", json=body)).json()
                return model, answer["choices"][0]["message"]["content"]

            return list(await asyncio.gather(*(one(model) for model in models * 4)))

    for model, text in asyncio.run(together()):
        assert text == alone[model], f"{model}: {[o for o in alone if alone[o] == text]}"
    assert client.delete("/v1/spokes/two").status_code == 200
    error_of(client.post("/v1/chat/completions", json=chat(model="two")), 404)
    assert choice_of(client, max_tokens=30)["message"]["content"] == alone[NAME]


def test_names_of_sets_may_have_dots(sets: Path) -> None:
    named = named_sets(f"law.v1={sets / 'one'}")
    with client_of(open_serving_backend(tiny_base(), named, slots=1, max_waiting=1)) as client:
        body = {"source": str(sets / "two"), "name": "law.v2"}
        loaded = client.post("/v1/spokes", json=body)
        assert loaded.status_code == 201, loaded.text
        texts = [
            choice_of(client, model=model, max_tokens=30)["message"]["content"]
            for model in (NAME, "law.v1", "law.v2")
        ]
        assert len(set(texts)) == 3
        assert client.delete("/v1/spokes/law.v2").status_code == 200


def test_unloading_waits_for_what_runs(client: httpx.Client, sets: Path) -> None:
    client.post("/v1/spokes", json={"source": str(sets / "two"), "name": "two"})
    url = str(client.base_url)

    async def run() -> tuple[int, int]:
        async with httpx.AsyncClient(base_url=url, timeout=60) as many:
            body = chat(model="two", max_tokens=150, json_schema=ENDLESS)
            asking = asyncio.ensure_future(many.post("/v1/chat/completions", json=body))
            await asyncio.sleep(0.1)
            gone = await many.delete("/v1/spokes/two")
            return gone.status_code, (await asking).status_code

    assert asyncio.run(run()) == (200, 200)


@pytest.mark.parametrize(
    "body",
    [
        {"source": "nowhere", "name": "x"},
        {"source": "memory-smollm2-135m", "name": "x"},
        {"source": "SET", "name": "memory"},
        {"source": "SET", "name": NAME},
    ],
)
def test_sets_that_do_not_fit_are_refused(
    client: httpx.Client, sets: Path, body: dict[str, str]
) -> None:
    given = {**body, "source": body["source"].replace("SET", str(sets / "two"))}
    error_of(client.post("/v1/spokes", json=given), 400)


RUN_BOMBS = {
    **BOMBS,
    "optional": {
        "type": "object",
        "properties": {f"property{index}": {"type": "string"} for index in range(500)},
        "additionalProperties": False,
    },
    "enum": {"enum": [f"{index * 7919 % 100_003:06d}" for index in range(9_000)]},
}


@pytest.mark.parametrize("schema", RUN_BOMBS.values(), ids=RUN_BOMBS)
def test_bombs_end_in_bounded_time(client: httpx.Client, schema: dict[str, Any]) -> None:
    ends_in_bounded_time(client, chat(), schema)
    assert choice_of(client, max_tokens=3)["message"]["content"]


@pytest.mark.parametrize("schema", RUN_BOMBS.values(), ids=RUN_BOMBS)
def test_bombs_hold_up_no_answer_under_way_and_fill_no_memory(
    client: httpx.Client, schema: dict[str, Any]
) -> None:
    process = psutil.Process()
    before, gaps, largest = process.memory_info().rss, [0.0], 0
    given = chat(max_tokens=3000, response_format={"type": "json_schema", "schema": ENDLESS})
    with (
        ThreadPoolExecutor(1) as pool,
        client.stream("POST", "/v1/chat/completions", json={**given, "stream": True}) as response,
    ):
        events = response.iter_bytes()
        next(events)
        bomb = pool.submit(ends_in_bounded_time, client, chat(), schema)
        last = time.monotonic()
        for _ in events:
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
            largest = max(largest, process.memory_info().rss)
            if bomb.done():
                break
        bomb.result()
    assert len(gaps) > 2
    assert max(gaps) < 5
    assert largest - before < 2**30
