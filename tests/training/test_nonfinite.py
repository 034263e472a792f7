"""A step that is not finite: stopped before it changes anything, its layer named, replayable."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from run_tiny import run
from sabotage import not_a_number
from safetensors.torch import load_file

from spokesmith.bases import Base
from spokesmith.data.generate import generate
from spokesmith.data.pairs import write_pairs
from spokesmith.spokes import active_set, attach, attached_sets, load_spokes
from spokesmith.spokes.modules import SpokeSet
from spokesmith.testing import tiny_base
from spokesmith.training.callbacks import read_log
from spokesmith.training.nonfinite import replay
from spokesmith.training.runfolder import last_checkpoint
from spokesmith.training.trainer import SpokeTrainer

LAYERS = 4
CHOICES = {"max_steps": 8, "save_every": 2, "eval_every": 0}
Fault = Callable[[Base], object]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_pairs(folder / "pairs.jsonl", generate(60, seed=1, kinds=["minimal", "url_only"]))
    return folder


def stopped(data: Path, out: Path, *, spoil: Fault | None = None, **choices: object) -> str:
    """What a run says when it is stopped."""
    with pytest.raises(ValueError, match="stopped at step") as caught:
        run(data, out, num_layers=LAYERS, spoil=spoil, **{**CHOICES, **choices})
    return str(caught.value)


def facts_of(dump: Path) -> tuple[str, int | None]:
    facts = json.loads((dump / "facts.json").read_text())
    return facts["kind"], facts["layer"]


def inf_weight(base: Base, name: str) -> None:
    base.model.get_parameter(name).data[..., 0] = math.inf


def inf_in_training(name: str) -> Fault:
    """A weight of the base becomes infinite when training begins; calibration finds it sound."""

    def spoil(base: Base) -> None:
        def before_call(*_: object) -> None:
            if torch.is_grad_enabled():
                inf_weight(base, name)

        base.decoder.register_forward_pre_hook(before_call)

    return spoil


@pytest.mark.parametrize("share_prefix", [False, True])
def test_an_activation_of_the_base_is_traced_to_its_layer(
    data: Path, tmp_path: Path, share_prefix: bool
) -> None:
    out = tmp_path / "run"
    name = "model.layers.2.mlp.down_proj.weight"
    message = stopped(data, out, spoil=inf_in_training(name), share_prefix=share_prefix)
    assert "step 1," in message
    assert "an activation of layer 2" in message
    assert "No checkpoint had been written yet" in message
    dump = out / "nonfinite-step-1"
    assert facts_of(dump) == ("activation", 2)
    base = tiny_base("llama", num_layers=LAYERS)
    assert replay(dump, base) is None
    inf_weight(base, name)
    finding = replay(dump, base)
    assert finding is not None
    assert (finding.kind, finding.layer) == ("activation", 2)


@pytest.mark.parametrize("layer", [1, 3])
def test_a_gradient_is_traced_to_its_layer_and_changes_nothing(
    data: Path, tmp_path: Path, layer: int
) -> None:
    run(data, tmp_path / "whole", num_layers=LAYERS, **{**CHOICES, "max_steps": 4})
    shutil.rmtree(tmp_path / "whole" / "best")

    # Two micro-batches a step, and a prompt of its own pass in each: step 5 begins at call 17.
    def spoil(base: Base) -> None:
        not_a_number(base, layer=layer, backward=True, from_call=16)

    out = tmp_path / "run"
    message = stopped(data, out, spoil=spoil, max_steps=4 + 4)
    assert "step 5," in message
    assert f"a gradient of layer {layer}" in message
    newest = last_checkpoint(out)
    assert newest == out / "checkpoints" / "checkpoint-4"
    assert f"last good checkpoint is {newest}" in message
    saved, _ = load_spokes(newest)
    dumped = load_file(out / "nonfinite-step-5" / "spokes.safetensors")
    for name, value in saved.state_dict().items():
        assert torch.equal(value, dumped[name]), name
    assert not (out / "last").exists()
    assert [row["step"] for row in read_log(out / "log.jsonl")] == [1, 2, 3, 4]


def test_a_dump_holds_the_rows_of_the_whole_step(data: Path, tmp_path: Path) -> None:
    def spoil(base: Base) -> None:
        # The second micro-batch of the first step alone.
        not_a_number(base, layer=1, backward=False, from_call=2)

    stopped(data, tmp_path / "run", spoil=spoil, batch_size=2, gradient_accumulation=2)
    dump = tmp_path / "run" / "nonfinite-step-1"
    batch = load_file(dump / "batch-0.safetensors")
    assert batch.keys() == {"input_ids", "labels", "prefix_ids"}
    assert batch["labels"].shape[1] <= batch["input_ids"].shape[1]
    assert len(batch["input_ids"]) == 4
    facts = json.loads((dump / "facts.json").read_text())
    assert facts["num_items"] == int((batch["labels"] != -100).sum())
    assert facts["micro_batch_rows"] == 2


def test_poisoned_spokes_are_dumped_and_replayed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step = SpokeTrainer.training_step

    def poison_then_step(self: SpokeTrainer, *args: object) -> torch.Tensor:
        if self.state.global_step == 2:
            self.objective.spokes.at(1).up.data[3, 0] = math.inf
        return take_step(self, *args)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(SpokeTrainer, "training_step", poison_then_step)
    out = tmp_path / "run"
    message = stopped(data, out)
    assert "step 3," in message
    assert "an activation of layer 1" in message
    load_spokes(out / "checkpoints" / "checkpoint-2")
    base = tiny_base("llama", num_layers=LAYERS)
    mine = SpokeSet.create(base.spokes_config(num_spokes=1, rank=2), seed=0)
    attach(base.model, base.sites(), mine, name="mine")
    finding = replay(out / "nonfinite-step-3", base)
    assert finding is not None
    assert (finding.kind, finding.layer) == ("activation", 1)
    # The base is left as it was found.
    assert attached_sets(base.model) == {"mine": mine}
    assert active_set(base.model) == "mine"
    assert not base.model.training


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [
        ("model.embed_tokens.weight", "activation", "the embedding"),
        ("model.norm.weight", "loss", "the final norm or the head"),
    ],
)
def test_what_is_no_layer_is_named_too(
    data: Path, tmp_path: Path, name: str, kind: str, place: str
) -> None:
    message = stopped(data, tmp_path / "run", spoil=inf_in_training(name))
    assert place in message
    assert facts_of(tmp_path / "run" / "nonfinite-step-1") == (kind, None)


def test_an_evaluation_that_is_not_finite_ends_the_run(data: Path, tmp_path: Path) -> None:
    def spoil(base: Base) -> None:
        def poison(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
            # Calibration is the first pass without gradients, and has one row.
            quiet = torch.is_grad_enabled() or len(output) == 1
            return output if quiet else output * math.nan

        base.sites()[0].ffn.register_forward_hook(poison)

    with pytest.raises(ValueError, match=r"evaluation loss after step 2 is nan.*checkpoint"):
        run(data, tmp_path / "run", num_layers=2, spoil=spoil, eval_every=2, batch_size=4)
    assert not (tmp_path / "run" / "best").exists()


def test_a_base_that_is_not_finite_is_named_before_training(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="layer 2 of tiny-llama gets inputs of size nan"):
        run(
            data,
            tmp_path / "run",
            num_layers=LAYERS,
            spoil=lambda base: inf_weight(base, "model.layers.1.mlp.down_proj.weight"),
        )


def test_a_dump_that_does_not_fit_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no whole dump at"):
        replay(tmp_path, tiny_base("llama"))
    stopped(data, tmp_path / "run", spoil=inf_in_training("model.norm.weight"))
    with pytest.raises(ValueError, match="load that base"):
        replay(tmp_path / "run" / "nonfinite-step-1", tiny_base("llama", num_layers=2))
