"""Passes of fixed shapes, recorded on a GPU, give what plain ones give."""

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from generating import generate
from spoked_bases import STEPS, assert_alike, exact, noisy, rounded, spoked, squared_errors, work

from spokesmith.bases import Base
from spokesmith.bases.host_table import HostTable
from spokesmith.decoding import Constraint, Engine, Features
from spokesmith.decoding.captured import LARGE_BLOCK
from spokesmith.decoding.runner import Runner
from spokesmith.spokes import attach, attached_sets, detach
from spokesmith.testing import FAMILY_SIZES

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
PACKED = [name for name in FAMILY_SIZES if name != "qwen3_5_text"]
DENSE = [name for name in PACKED if name != "gemma4_experts"]
HELD = Constraint(
    kind="schema",
    value={
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 8},
            "level": {"enum": ["low", "lower", "high"]},
        },
        "required": ["name", "level"],
        "additionalProperties": False,
    },
)
PROMPTS = [f"Encode this, please: {text}\n" for text in ("a pump", "Marta moved a valve", "noon")]


@pytest.mark.parametrize("model_type", PACKED)
def test_fixed_shapes_give_the_logits_of_plain_passes(model_type: str) -> None:
    base = exact(model_type)
    fixed = Runner(base, 3, captured=True)
    assert_alike(fixed, Runner(base, 3), STEPS)
    assert fixed.captured is not None
    assert len(fixed.captured) > 4


@pytest.mark.slow
@pytest.mark.parametrize("model_type", ["llama", "gemma4_text"])
def test_compiled_layers_give_the_logits_of_plain_ones(model_type: str) -> None:
    base = spoked(model_type, dtype="float32")
    layers = list(base.decoder.layers)
    assert_alike(Runner(base, 3, captured=True, compiled=True), Runner(base, 3), STEPS)
    assert list(base.decoder.layers) == layers


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=on_a_gpu)])
@pytest.mark.parametrize("model_type", ["llama", "gemma4_text"])
def test_in_bfloat16_fixed_shapes_are_as_near_to_the_truth(model_type: str, device: str) -> None:
    """Sums are made in another order, so logits differ, but by no more than plain ones do."""
    truth = Runner(rounded(spoked(model_type, dtype="float32", device=device)), 3)
    base = spoked(model_type, dtype="bfloat16", device=device)
    runners = {"plain": Runner(base, 3), "fixed": Runner(base, 3, captured=True)}
    errors = squared_errors(runners, truth)
    assert 0 < errors["fixed"] < 1.5 * errors["plain"]


def test_a_table_on_the_host_is_read_before_the_pass() -> None:
    base = spoked("gemma4_text")
    plain = Runner(spoked("gemma4_text"), 3)
    table = base.family.per_layer_table
    setattr(base.decoder, table, HostTable(getattr(base.decoder, table)))
    assert_alike(Runner(base, 3, captured=True), plain, STEPS)


def test_rows_that_outgrow_the_buffers_go_on() -> None:
    base = spoked("llama", num_layers=1)
    steps = [
        [work(0, 0, 10), work(1, 0, 10)],
        *([work(0, start, 400)] for start in range(10, LARGE_BLOCK + 100, 400)),
        [work(1, 10, 1)],
    ]
    assert_alike(Runner(base, 2, captured=True), Runner(base, 2), steps)


class Recorder:
    """Stands in for the recording of a GPU, whose allocator ends a pool with its last graph."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.graphs: Counter[int] = Counter()
        self.streams: list[Any] = []
        self.fault: Exception | None = None
        self._next = itertools.count()
        recorder = self

        class Graph:
            pool: int | None = None

            def __del__(self) -> None:
                if self.pool is not None:
                    recorder.graphs[self.pool] -= 1

            def replay(self) -> None:
                pass

        monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: next(self._next))
        monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
        monkeypatch.setattr(torch.cuda, "graph", self.graph)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda: "the worker's")
        monkeypatch.setattr(torch.cuda, "set_stream", self.streams.append)

    @contextmanager
    def graph(self, graph: Any, *, pool: int, capture_error_mode: str) -> Iterator[None]:
        assert capture_error_mode == "thread_local"
        assert pool not in self.graphs or self.graphs[pool] > 0, "this pool has ended"
        self.graphs[pool] += 1
        graph.pool = pool
        yield
        if self.fault is not None:
            raise self.fault


def test_passes_are_recorded_again_once_the_buffers_have_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder(monkeypatch)
    runner = Runner(spoked("llama", num_layers=1), 2, captured=True)
    assert runner.captured is not None
    runner.captured._records = True  # pyright: ignore[reportPrivateUsage]
    for start in range(0, LARGE_BLOCK + 100, 400):
        runner.run([work(0, start, 400)])
    assert sorted(recorder.graphs) == [0, 1]
    assert recorder.graphs[0] == 0 < recorder.graphs[1]


@pytest.mark.parametrize("fault", [RuntimeError("not permitted"), torch.OutOfMemoryError("full")])
def test_a_pass_that_cannot_be_recorded_goes_on_as_a_plain_one(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    recorder = Recorder(monkeypatch)
    recorder.fault = fault
    base = spoked("llama", num_layers=1)
    runner = Runner(base, 3, captured=True)
    assert runner.captured is not None
    runner.captured._records = True  # pyright: ignore[reportPrivateUsage]
    assert_alike(runner, Runner(base, 3), STEPS)
    assert set(recorder.streams) == {"the worker's"}


def test_a_set_that_changes_is_seen() -> None:
    base = spoked("llama")
    # Loading gives a set other parameters than it was made with.
    noise = attached_sets(base.model)["noise"]
    noise.load_state_dict({k: v.clone() for k, v in noise.state_dict().items()}, assign=True)
    fixed, plain = Runner(base, 3, captured=True), Runner(base, 3)
    assert_alike(fixed, plain, STEPS[:1])
    with torch.no_grad():
        attached_sets(base.model)["noise"].at(1).up.mul_(3)
    assert_alike(fixed, plain, STEPS[:2])
    detach(base.model, "noise")
    attach(base.model, base.sites(), noisy(base, 5, rank=8), name="noise")
    assert_alike(fixed, plain, STEPS[:2])


def test_the_base_keeps_every_value() -> None:
    base = spoked("gemma4_text")
    before = {name: one.clone() for name, one in base.model.named_parameters()}
    Runner(base, 3, captured=True).run(STEPS[0])
    after = dict(base.model.named_parameters())
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_passes_of_a_set_that_goes_are_forgotten() -> None:
    base = spoked("llama")
    runner = Runner(base, 3, captured=True)
    assert runner.captured is not None
    runner.captured.record_usual()
    # `ffn` sets share their passes, `residual` ones have passes of their own.
    half = len(runner.captured) // 2
    runner.captured.forget("other")
    assert len(runner.captured) == half


def test_usual_steps_need_no_further_pass() -> None:
    engine = Engine(spoked("llama"), num_slots=4, features=Features(captured=True))
    warm_up = engine.warm_up()
    tickets = [
        engine.submit(
            engine.base.tokenizer(text).input_ids, spokes="noise", constraint=HELD, max_tokens=40
        )
        for text in PROMPTS * 3
    ]
    assert all(ticket.future.result().tokens for ticket in tickets)
    assert engine.runner.captured is not None
    assert len(engine.runner.captured) == warm_up.num_passes
    engine.close()


def answers(base: Base, spokes: str | None, **features: Any) -> list[list[int]]:
    engine = Engine(base, num_slots=3, features=Features(**features))
    if features.get("captured", True):
        engine.warm_up()
    tickets = [
        engine.submit(base.tokenizer(text).input_ids, spokes=spokes, constraint=HELD, max_tokens=60)
        for text in PROMPTS * 3
    ]
    found = [ticket.future.result().tokens for ticket in tickets]
    engine.close()
    return found


@on_a_gpu
@pytest.mark.parametrize("spokes", ["noise", "other", None])
@pytest.mark.parametrize("model_type", DENSE)
def test_a_gpu_s_recorded_passes_write_what_the_cpu_writes(
    model_type: str, spokes: str | None
) -> None:
    expected = answers(spoked(model_type), spokes, captured=False)
    base = spoked(model_type, device="cuda")
    assert answers(base, spokes) == expected
    assert answers(base, spokes, captured=False) == expected


@on_a_gpu
def test_a_mixture_of_experts_is_not_recorded() -> None:
    base = spoked("gemma4_experts", device="cuda", dtype="float32")
    engine = Engine(base)
    assert generate(engine, [65, 66], spokes="other", max_tokens=4).tokens
    assert engine.runner.captured is None


@on_a_gpu
@pytest.mark.parametrize("model_type", DENSE)
def test_a_gpu_s_recorded_passes_have_the_logits_of_plain_ones(model_type: str) -> None:
    base = spoked(model_type, device="cuda", dtype="float32")
    assert_alike(Runner(base, 3, captured=True), Runner(base, 3), STEPS * 2)


@on_a_gpu
@pytest.mark.parametrize("model_type", ["llama", "gemma4_text"])
def test_a_gpu_s_compiled_passes_have_the_logits_of_plain_ones(model_type: str) -> None:
    base = spoked(model_type, device="cuda", dtype="float32")
    assert_alike(Runner(base, 3, captured=True, compiled=True), Runner(base, 3), STEPS * 2)


@on_a_gpu
def test_a_table_on_the_host_serves_a_gpu_s_recorded_passes() -> None:
    base = spoked("gemma4_text", device="cuda", dtype="float32")
    plain = Runner(spoked("gemma4_text", device="cuda", dtype="float32"), 3)
    table = base.family.per_layer_table
    setattr(base.decoder, table, HostTable(getattr(base.decoder, table)))
    assert_alike(Runner(base, 3, captured=True), plain, STEPS * 2)
