"""Where a base was placed, there it is trained, whatever else the machine has."""

from pathlib import Path

import pytest
import torch
from accelerate import dispatch_model
from run_tiny import run
from transformers import TrainingArguments

from spokesmith.bases import Base
from spokesmith.data.generate import generate
from spokesmith.data.pairs import write_pairs
from spokesmith.spokes import load_spokes
from spokesmith.training import trainer as trainer_module
from spokesmith.training.objective import Objective

CHOICES = {"max_steps": 2, "eval_every": 0, "save_every": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_pairs(folder / "pairs.jsonl", generate(20, seed=1, kinds=["minimal"]))
    return folder


def test_cards_that_the_base_is_not_on_are_left_alone(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = trainer_module._arguments

    def make_beside_two_cards(*given: object) -> TrainingArguments:
        with monkeypatch.context() as patched:
            patched.setattr(torch.cuda, "is_available", lambda: True)
            patched.setattr(torch.cuda, "device_count", lambda: 2)
            arguments = make(*given)  # pyright: ignore[reportArgumentType]
            assert (arguments.device.type, arguments.n_gpu) == ("cpu", 0)
        return arguments

    monkeypatch.setattr(trainer_module, "_arguments", make_beside_two_cards)
    assert run(data, tmp_path / "run", **CHOICES).steps == 2


def test_the_trainer_moves_no_base(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves: list[object] = []

    def move(self: Objective, *where: object) -> Objective:
        moves.append(where)
        return self

    monkeypatch.setattr(Objective, "to", move)
    run(data, tmp_path / "run", **CHOICES)
    assert moves == []


def test_a_base_under_a_device_map_trains_as_any(data: Path, tmp_path: Path) -> None:
    def spread(base: Base) -> None:
        dispatch_model(base.model, {"": "cpu"}, force_hooks=True)

    choices = {**CHOICES, "checkpointing": "every"}
    run(data, tmp_path / "plain", **choices)
    run(data, tmp_path / "spread", spoil=spread, **choices)
    plain, spread_out = (load_spokes(tmp_path / name / "last")[0] for name in ("plain", "spread"))
    for name, value in plain.state_dict().items():
        assert torch.equal(value, spread_out.state_dict()[name]), name
