"""The batch that training sees: sharing the prompt, padding and batching change no number."""

import numpy as np
import pytest
import torch
from torch import nn

from spokesmith.bases import Base
from spokesmith.data.prepare import Example
from spokesmith.spokes import SpokeSet, attach
from spokesmith.testing import FAMILY_SIZES, tiny_base
from spokesmith.training.objective import Collator, Objective

RANDOM = np.random.default_rng(0)
Result = tuple[torch.Tensor, list[torch.Tensor]]
PREFIX = RANDOM.integers(0, 250, 30).astype(np.int32)
EXAMPLES = [
    Example(tokens=RANDOM.integers(0, 250, length).astype(np.int32), answer_start=start)
    for length, start in ((12, 3), (25, 9), (40, 2), (8, 7))
]


# Those whose prompts can be shared; beside experts only residual spokes have a place.
SHARING = [name for name in FAMILY_SIZES if name not in ("qwen3_5_text", "gemma4_experts")]


@pytest.fixture(params=SHARING)
def base(request: pytest.FixtureRequest) -> Base:
    return tiny_base(request.param)


def with_spokes(base: Base, placement: str) -> Objective:
    spokes = SpokeSet.create(base.spokes_config(placement=placement, num_spokes=2, rank=4), seed=0)
    generator = torch.Generator().manual_seed(0)
    for index in spokes.config.layer_indices:
        nn.init.normal_(spokes.at(index).up, std=0.3, generator=generator)
    attach(base.model, base.sites(), spokes)
    return Objective(base, spokes)


def step(
    objective: Objective, examples: list[Example], *, share: bool, items: int | None = None
) -> Result:
    """The loss and every spoke's gradient of one batch."""
    batch = Collator(prefix=PREFIX, pad_id=257, share_prefix=share)(examples)
    batch.pop("num_tokens")
    objective.spokes.zero_grad()
    loss = objective(**batch, num_items_in_batch=items)["loss"]
    loss.backward()
    return loss.detach(), [parameter.grad.clone() for parameter in objective.spokes.parameters()]


def plain(objective: Objective, examples: list[Example]) -> Result:
    """One example at a time, all logits, the library's own cross-entropy."""
    objective.spokes.zero_grad()
    total, count = torch.zeros(()), 0
    for example in examples:
        ids = torch.from_numpy(np.concatenate([PREFIX, example.tokens]).astype(np.int64))[None]
        start = len(PREFIX) + example.answer_start
        logits = objective.model(input_ids=ids, use_cache=False).logits[0, start - 1 : -1]
        total = total + nn.functional.cross_entropy(logits, ids[0, start:], reduction="sum")
        count += ids.shape[1] - start
    loss = total / count
    loss.backward()
    return loss.detach(), [parameter.grad.clone() for parameter in objective.spokes.parameters()]


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("placement", ["residual", "ffn"])
def test_equals_the_plain_loop_with_gradients(base: Base, placement: str, share: bool) -> None:
    objective = with_spokes(base, placement)
    wanted_loss, wanted = plain(objective, EXAMPLES)
    loss, gradients = step(objective, EXAMPLES, share=share)
    torch.testing.assert_close(loss, wanted_loss, rtol=1e-5, atol=1e-5)
    for one, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_micro_batches_add_up(base: Base) -> None:
    objective = with_spokes(base, "ffn")
    items = sum(len(example.tokens) - example.answer_start for example in EXAMPLES)
    whole = step(objective, EXAMPLES, share=True)
    parts = [step(objective, EXAMPLES[i : i + 2], share=True, items=items) for i in (0, 2)]
    torch.testing.assert_close(parts[0][0] + parts[1][0], whole[0])
    for one, two, both in zip(parts[0][1], parts[1][1], whole[1], strict=True):
        torch.testing.assert_close(one + two, both, rtol=1e-3, atol=1e-5)


def test_collator_labels_the_answer_alone() -> None:
    batch = Collator(prefix=PREFIX, pad_id=257, share_prefix=True)(EXAMPLES[:2])
    assert batch["input_ids"].shape == (2, 24)
    assert batch["prefix_ids"].shape == (1, 30)
    first, second = EXAMPLES[:2]
    # The first label of any row is at position 2; before it there are none to keep.
    assert batch["labels"].shape == (2, 22)
    assert batch["labels"][0, :9].tolist() == first.tokens[3:].tolist()
    assert batch["labels"][0, 9:].eq(-100).all()
    assert batch["input_ids"][0, 11:].eq(257).all()
    assert batch["labels"][1, 6:].tolist() == second.tokens[9:].tolist()
    assert batch["labels"][1, :6].eq(-100).all()
    assert batch["num_tokens"] == 12 + 25 + 60
