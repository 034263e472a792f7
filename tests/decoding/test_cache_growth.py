"""More room for the rows of a batch: all layers get it, or none does."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from spokesmith.decoding import Engine, Features
from spokesmith.decoding.cache import BLOCK
from spokesmith.testing import tiny_base


class ScarceMemory(TorchDispatchMode):
    """The third tensor with more than the usual positions is refused, once."""

    def __init__(self) -> None:
        super().__init__()
        self.num_large = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.num_large += found.dim() == 4 and found.shape[1] > BLOCK
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
