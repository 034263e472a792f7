"""More room for the rows of a batch: all layers get it, or none does."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from generating import generate
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from spokesmith.decoding import ContextError, Engine, Features
from spokesmith.decoding.cache import BLOCK, SlotCache
from spokesmith.testing import tiny_base


class ScarceMemory(TorchDispatchMode):
    """The third tensor with more than the usual positions is refused, once."""

    def __init__(self) -> None:
        super().__init__()
        self.num_large = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.num_large += found.dim() == 4 and max(found.shape[1:3]) > BLOCK
        if self.num_large == 3:
            self.num_large += 1
            raise torch.OutOfMemoryError("no memory is left")
        return found


@pytest.mark.parametrize("model_type", ["llama", "qwen3_5_text"])
def test_memory_that_is_lacking_half_way_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch, model_type: str
) -> None:
    base = tiny_base(model_type, dtype="float64")
    prompts = [[65 + place] * (BLOCK - 10) for place in range(2)]
    features = Features(step_tokens=2 * BLOCK)

    def answers(engine: Engine) -> list[list[int]]:
        tickets = [engine.submit(prompt, spokes=None, max_tokens=30) for prompt in prompts]
        return [ticket.future.result(30).tokens for ticket in tickets]

    wanted = answers(Engine(base, num_slots=2, features=features))
    engine, scarce = Engine(base, num_slots=2, features=features), ScarceMemory()
    make_room = engine.runner.cache.make_room

    def make_scarce_room(columns: int) -> None:
        with scarce:
            make_room(columns)

    monkeypatch.setattr(engine.runner.cache, "make_room", make_scarce_room)
    assert answers(engine) == wanted
    assert scarce.num_large > 3


@pytest.mark.parametrize(
    "lacking",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: not enough memory"),
    ],
)
def test_an_answer_for_which_there_is_no_memory_fails_alone(
    monkeypatch: pytest.MonkeyPatch, lacking: RuntimeError
) -> None:
    base, longer_of, calls = tiny_base(dtype="float64"), SlotCache._longer, count()
    short, longer, long = ([65] * length for length in (20, 2 * BLOCK - 40, 4 * BLOCK))

    def scarce(cache: SlotCache, buffer: Tensor, capacity: int) -> Tensor:
        found = longer_of(cache, buffer, capacity)
        # Keys find room, values do not.
        if capacity > 2 * BLOCK and next(calls) % 2:
            raise lacking
        return found

    monkeypatch.setattr(SlotCache, "_longer", scarce)
    wanted = generate(Engine(base), short, spokes=None, max_tokens=60).tokens
    engine = Engine(base, num_slots=2)
    tickets = [engine.submit(one, spokes=None, max_tokens=60) for one in (long, short)]
    with pytest.raises(ContextError, match=f"room for {3 * BLOCK} tokens in each of 2 slots"):
        tickets[0].future.result(30)
    assert tickets[1].future.result(30).tokens == wanted
    after = generate(engine, longer, spokes=None, max_tokens=30).tokens
    assert after == generate(Engine(base), longer, spokes=None, max_tokens=30).tokens


def test_memory_that_the_system_only_promises_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(tiny_base(), num_slots=2)
    assert len(generate(engine, [65] * 20, spokes=None, max_tokens=5).tokens) == 5
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(ContextError, match="more than is free: shorten the text"):
        generate(engine, [65] * (BLOCK + 1), spokes=None, max_tokens=5)
    assert len(generate(engine, [65] * 20, spokes=None, max_tokens=5).tokens) == 5


def test_the_positions_of_a_head_stand_together_on_the_cpu() -> None:
    """Attention reads head by head there, and slower what other heads interrupt."""
    engine = Engine(tiny_base(num_key_value_heads=2), num_slots=2)
    for length in (20, BLOCK + 1):
        generate(engine, [65] * length, spokes=None, max_tokens=5)
        for buffer in engine.runner.cache.buffers[0]:
            assert buffer.shape[2] == 2
            assert buffer.transpose(1, 2).is_contiguous()
