"""Running out of memory: smaller micro-batches, the same step; said once; never a lost example."""

from pathlib import Path

import numpy as np
import pytest
import torch
from run_tiny import run
from sabotage import NO_MEMORY, no_memory_above

from spokesmith.bases import Base
from spokesmith.bases.out_of_memory import is_out_of_memory
from spokesmith.data.generate import generate
from spokesmith.data.pairs import write_pairs
from spokesmith.data.prepare import Example
from spokesmith.spokes import SpokeSet, attach, load_spokes
from spokesmith.testing import tiny_base
from spokesmith.training.callbacks import read_log
from spokesmith.training.microbatches import MicroBatches, rows_of
from spokesmith.training.objective import Collator, Objective

RANDOM = np.random.default_rng(0)
PREFIX = RANDOM.integers(0, 250, 20).astype(np.int32)
EXAMPLES = [
    Example(tokens=RANDOM.integers(0, 250, length).astype(np.int32), answer_start=3)
    for length in (9, 14, 14, 21, 30)
]
NUM_ITEMS = 123


def objective_of(base: Base) -> Objective:
    spokes = SpokeSet.create(base.spokes_config(num_spokes=2, rank=4), seed=0)
    generator = torch.Generator().manual_seed(0)
    for index in spokes.config.layer_indices:
        torch.nn.init.normal_(spokes.at(index).up, std=0.3, generator=generator)
    attach(base.model, base.sites(), spokes)
    return Objective(base, spokes)


def batch_of(examples: list[Example], *, share: bool = True) -> dict[str, torch.Tensor]:
    batch = Collator(prefix=PREFIX, pad_id=257, share_prefix=share)(examples)
    batch.pop("num_tokens")
    return batch


def gradients_of(objective: Objective) -> list[torch.Tensor]:
    gradients = [parameter.grad for parameter in objective.spokes.parameters()]
    assert all(gradient is not None for gradient in gradients)
    return [gradient.clone() for gradient in gradients if gradient is not None]


@pytest.fixture(scope="module")
def wanted() -> tuple[float, list[torch.Tensor]]:
    """Loss and gradients of two batches, the second added to the first, with memory enough."""
    objective = objective_of(tiny_base("llama", num_layers=3))
    total = torch.zeros(())
    for batch in (batch_of(EXAMPLES[:2]), batch_of(EXAMPLES)):
        loss = objective(**batch, num_items_in_batch=NUM_ITEMS)["loss"]
        loss.backward()
        total = total + loss.detach()
    return float(total), gradients_of(objective)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_a_step_is_the_same_whatever_fits(
    wanted: tuple[float, list[torch.Tensor]], most: int, backward: bool
) -> None:
    base = tiny_base("llama", num_layers=3)
    refused = no_memory_above(base, most, layer=1, backward=backward)
    micro_batches = MicroBatches(objective_of(base), rows=5)
    loss = micro_batches.backward(batch_of(EXAMPLES[:2]), NUM_ITEMS)
    loss += micro_batches.backward(batch_of(EXAMPLES), NUM_ITEMS)
    assert loss == pytest.approx(wanted[0], rel=1e-5)
    for one, other in zip(gradients_of(micro_batches.objective), wanted[1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    assert micro_batches.rows == {1: 1, 2: 2, 3: 2, 5: 5}[most]
    assert bool(refused) == (most < 5)
    # The size that fits is kept: nothing fails a second time.
    count = len(refused)
    micro_batches.backward(batch_of(EXAMPLES), NUM_ITEMS)
    assert len(refused) == count


def test_it_is_said_once_and_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    base = tiny_base("llama")
    no_memory_above(base, 1)
    micro_batches = MicroBatches(objective_of(base), rows=5)
    for _ in range(2):
        micro_batches.backward(batch_of(EXAMPLES), NUM_ITEMS)
    assert capsys.readouterr().err == (
        "out of memory: from now on micro-batches of 1 instead of 5 rows; the rows of a step stay "
        "the same\n"
    )


def test_evaluation_survives_it_too() -> None:
    plain = MicroBatches(objective_of(tiny_base("llama")), rows=5).loss(batch_of(EXAMPLES))
    base = tiny_base("llama")
    refused = no_memory_above(base, 2)
    micro_batches = MicroBatches(objective_of(base), rows=5)
    assert micro_batches.loss(batch_of(EXAMPLES)) == pytest.approx(plain, rel=1e-5)
    assert refused
    assert all(parameter.grad is None for parameter in micro_batches.objective.spokes.parameters())


def test_not_even_one_row_is_a_clear_error_that_leaves_gradients_alone() -> None:
    base = tiny_base("llama")
    micro_batches = MicroBatches(objective_of(base), rows=4)
    micro_batches.backward(batch_of(EXAMPLES[:2]), NUM_ITEMS)
    before = gradients_of(micro_batches.objective)
    no_memory_above(base, 0, backward=True)
    with pytest.raises(ValueError, match=r"of up to 29 tokens.*max_length.*nf4.*--ple cpu"):
        micro_batches.backward(batch_of(EXAMPLES), NUM_ITEMS)
    after = gradients_of(micro_batches.objective)
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_other_errors_are_not_hidden() -> None:
    base = tiny_base("llama")

    def fail(*_: object) -> None:
        raise RuntimeError("shapes do not match")

    base.sites()[0].layer.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        MicroBatches(objective_of(base), rows=4).backward(batch_of(EXAMPLES), NUM_ITEMS)


def test_words_for_no_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(RuntimeError(NO_MEMORY))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: not enough memory: you tried"))
    assert not is_out_of_memory(RuntimeError("size mismatch"))


@pytest.mark.parametrize("share", [False, True])
def test_rows_are_cut_to_the_longest_of_them(share: bool) -> None:
    batch = batch_of(EXAMPLES, share=share)
    parts = [rows_of(batch, start, 2) for start in (0, 2, 4)]
    assert [part["input_ids"].shape[0] for part in parts] == [2, 2, 1]
    opening = 0 if share else len(PREFIX)
    assert [part["input_ids"].shape[1] - opening for part in parts] == [13, 20, 29]
    for part, examples in zip(parts, (EXAMPLES[:2], EXAMPLES[2:4], EXAMPLES[4:]), strict=True):
        alone = batch_of(examples, share=share)
        assert part.keys() == alone.keys()
        assert all(torch.equal(part[name], alone[name]) for name in alone)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "pairs.jsonl", generate(60, seed=1, kinds=["minimal", "url_only"]))
    return tmp_path


def test_a_run_without_memory_ends_with_the_same_weights(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choices = {"optimizer": "adamw", "learning_rate": 0.02, "max_steps": 4, "batch_size": 4}
    run(data, tmp_path / "plain", **choices)
    capsys.readouterr()
    run(data, tmp_path / "tight", spoil=lambda base: no_memory_above(base, 1), **choices)
    assert capsys.readouterr().err.count("out of memory: from now on") == 1
    sets = [load_spokes(tmp_path / name / "last")[0].state_dict() for name in ("plain", "tight")]
    for name, value in sets[0].items():
        torch.testing.assert_close(sets[1][name], value, rtol=1e-4, atol=1e-5)
    logs = [read_log(tmp_path / name / "log.jsonl") for name in ("plain", "tight")]
    for row, same in zip(*logs, strict=True):
        assert row["step"] == same["step"]
        for key in {"loss", "eval_loss", "grad_norm"} & same.keys():
            assert row[key] == pytest.approx(same[key], rel=1e-4)
