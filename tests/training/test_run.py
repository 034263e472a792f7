"""Whole runs on a tiny base: resumed is uninterrupted, and what a run leaves behind."""

import errno
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lossy_operator import REFUSED, double
from rich.console import Console
from run_tiny import CHOICES, run
from safetensors import SafetensorError
from transformers import BitsAndBytesConfig

from spokesmith.bases import Base
from spokesmith.data.generate import generate
from spokesmith.data.pairs import read_pairs, write_pairs
from spokesmith.spokes import detach, hash_of_weights, load_spokes
from spokesmith.tasks import load_task
from spokesmith.testing import FAMILY_SIZES, tiny_base
from spokesmith.training import callbacks
from spokesmith.training import trainer as trainer_module
from spokesmith.training.callbacks import read_log
from spokesmith.training.config import make_config
from spokesmith.training.run import prepare_cached, train
from spokesmith.training.runfolder import last_checkpoint
from spokesmith.training.trainer import SpokeTrainer

SCRIPT = Path(__file__).parent / "run_tiny.py"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_pairs(folder / "pairs.jsonl", generate(120, seed=1, kinds=["minimal", "url_only"]))
    return folder


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(data, folder)
    return folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_spokes(folder)[0].state_dict()


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def test_a_run_leaves_log_sets_and_choices(finished: Path) -> None:
    rows = read_log(finished / "log.jsonl")
    steps = [row for row in rows if "loss" in row]
    assert [row["step"] for row in steps] == list(range(1, 13))
    assert all(row["tokens_per_s"] > 0 and row["grad_norm"] > 0 for row in steps)
    assert steps[-1]["loss"] < steps[0]["loss"]
    evals = [row["eval_loss"] for row in rows if "eval_loss" in row]
    assert len(evals) == 3
    _, card = load_spokes(finished / "best")
    assert card.training["eval_loss"] == min(evals)
    assert card.training["config"]["max_steps"] == 12
    assert card.task == "memory"
    assert load_task(finished / "best" / "task").prompt_hash == card.prompt_hash
    assert load_task(finished / "last" / "task").schema_hash == card.schema_hash
    assert load_spokes(finished / "last")[1].training["steps"] == 12
    assert json.loads((finished / "run.json").read_text())["config"]["optimizer"] == "muon"
    assert (finished / "log.csv").read_text().count("\n") == len(rows) + 1
    # The schedule ends at its minimum, and gates move at a tenth of the rate.
    assert steps[-1]["learning_rate"] < 0.2 * max(row["learning_rate"] for row in steps)


def test_the_same_run_twice_is_the_same(data: Path, finished: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "again")
    assert_same(weights(finished / "last"), weights(tmp_path / "again" / "last"))


@pytest.mark.parametrize("kill_after", [3, 9])
def test_a_killed_run_resumes_to_the_bit(
    data: Path, finished: Path, tmp_path: Path, kill_after: int
) -> None:
    out = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, SCRIPT, data, out], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        newest = last_checkpoint(out)
        if newest is not None and int(newest.name.rpartition("-")[2]) >= kill_after:
            break
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    assert not (out / "last").exists()
    run(data, out, resume=True)
    assert_same(weights(finished / "last"), weights(out / "last"))
    assert_same(weights(finished / "best"), weights(out / "best"))
    kept = ("step", "loss", "eval_loss", "learning_rate")
    logs = [
        [{key: row[key] for key in kept if key in row} for row in read_log(folder / "log.jsonl")]
        for folder in (finished, out)
    ]
    assert logs[0] == logs[1]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("lost", ["nothing", "last"])
def test_a_finished_run_that_is_resumed_stays_as_it_was(
    data: Path, finished: Path, tmp_path: Path, lost: str
) -> None:
    out = tmp_path / "resumed"
    shutil.copytree(finished, out)
    # A run may be killed after its last checkpoint and before its last set is written.
    shutil.rmtree(out / lost, ignore_errors=True)
    result = run(data, out, resume=True)
    assert result.steps == 12
    assert contents(out) == contents(finished)


@pytest.mark.parametrize("reason", ["patience", "target_loss"])
def test_a_run_that_was_stopped_stays_stopped_when_it_is_resumed(
    data: Path, tmp_path: Path, reason: str
) -> None:
    # So small a rate that no loss gets better; every step is evaluated and saved.
    choices = {"max_steps": 12, "eval_every": 1, "save_every": 1, "learning_rate": 1e-30}
    ends = {"patience": {"patience": 2}, "target_loss": {"target_loss": 100.0}}[reason]
    stopped = run(data, tmp_path / "run", **choices, **ends)
    assert stopped.steps < 12
    before = contents(tmp_path / "run")
    resumed = run(data, tmp_path / "run", resume=True, **choices, **ends)
    assert resumed.steps == stopped.steps
    assert contents(tmp_path / "run") == before


def test_a_half_written_checkpoint_is_passed_over(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(data, out, max_steps=6)
    whole = last_checkpoint(out)
    assert whole is not None
    assert whole.name == "checkpoint-6"
    (whole / "complete").unlink()
    earlier = last_checkpoint(out)
    assert earlier is not None
    assert earlier.name == "checkpoint-3"


def test_a_checkpoint_that_was_cut_after_its_weights_is_written_again(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(data, out, max_steps=6)
    newest = last_checkpoint(out)
    assert newest is not None
    for path in newest.iterdir():
        if path.name != "spokes.safetensors":
            path.unlink()
    assert run(data, out, resume=True, max_steps=6).steps == 6
    assert last_checkpoint(out) == newest


def test_a_checkpoint_holds_every_evaluation_and_the_newest_loss_alone(finished: Path) -> None:
    newest = last_checkpoint(finished)
    assert newest is not None
    history = json.loads((newest / "trainer_state.json").read_text())["log_history"]
    assert [row["step"] for row in history if "loss" in row] == [12]
    assert [row["step"] for row in history if "eval_loss" in row] == [4, 8, 12]


FULL = (
    ("spokesmith.spokes.files.save_file", SafetensorError("I/O error: No space left on device")),
    ("torch.save", RuntimeError("[enforce fail at inline_container.cc:858] . file write failed")),
    ("torch.save", OSError(errno.ENOSPC, "No space left on device")),
)


@pytest.mark.parametrize(("place", "error"), FULL)
def test_a_full_disk_is_told_and_the_run_goes_on_later(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    def fill(*_: object, **__: object) -> None:
        raise error

    choices = {"max_steps": 3, "eval_every": 0}
    with monkeypatch.context() as full:
        full.setattr(place, fill)
        words = f"takes no more files .*{error.args[-1].split()[-1]}.*: free disk space, .*--resume"
        with pytest.raises(ValueError, match=words):
            run(data, tmp_path / "run", **choices)
    assert run(data, tmp_path / "run", resume=True, **choices).steps == 3


def test_patience_stops_a_run_that_gets_no_better(data: Path, tmp_path: Path) -> None:
    result = run(
        data, tmp_path / "run", max_steps=40, eval_every=1, patience=2, learning_rate=1e-12
    )
    assert result.steps < 40
    evals = [
        row["eval_loss"] for row in read_log(tmp_path / "run" / "log.jsonl") if "eval_loss" in row
    ]
    assert min(evals) == evals[-3]


@pytest.mark.parametrize(
    "choices",
    [
        {"optimizer": "adamw", "learning_rate": 0.02},
        {"schedule": "wsd"},
        {"placement": "residual"},
        {"share_prefix": False},
        {"every_n_layers": 2},
    ],
)
def test_other_choices_learn_too(data: Path, tmp_path: Path, choices: dict[str, object]) -> None:
    run(data, tmp_path / "run", **choices)
    losses = [row["loss"] for row in read_log(tmp_path / "run" / "log.jsonl") if "loss" in row]
    assert min(losses[-3:]) < losses[0]


@pytest.mark.parametrize("checkpointing", ["none", "every"])
@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_every_family_learns(
    model_type: str, checkpointing: str, data: Path, tmp_path: Path
) -> None:
    placement = "residual" if model_type == "gemma4_experts" else "ffn"
    choices = {"placement": placement, "checkpointing": checkpointing, "max_steps": 8}
    run(data, tmp_path / "run", model_type=model_type, num_layers=4, **choices)
    losses = [row["loss"] for row in read_log(tmp_path / "run" / "log.jsonl") if "loss" in row]
    assert min(losses[-3:]) < losses[0]


def test_training_leaves_the_base_as_it_was(data: Path, tmp_path: Path) -> None:
    base, fresh = tiny_base("llama", num_layers=2), tiny_base("llama", num_layers=2)
    train(
        base=base,
        task=load_task("memory"),
        data_folder=data,
        run_folder=tmp_path / "run",
        config=make_config(CHOICES),
    )
    detach(base.model)
    for (name, one), other in zip(
        base.model.named_parameters(), fresh.model.parameters(), strict=True
    ):
        assert torch.equal(one, other), name


def test_a_run_resumes_in_a_later_pass_over_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pairs(data / "pairs.jsonl", generate(14, seed=3, kinds=["minimal"]))
    choices = {"eval_every": 0, "save_every": 5, "max_steps": 10}
    run(data, tmp_path / "whole", **choices)
    run(data, tmp_path / "parts", **choices)
    shutil.rmtree(tmp_path / "parts" / "checkpoints" / "checkpoint-10")
    shutil.rmtree(tmp_path / "parts" / "last")
    run(data, tmp_path / "parts", resume=True, **choices)
    assert_same(weights(tmp_path / "whole" / "last"), weights(tmp_path / "parts" / "last"))


def test_a_tracker_that_is_not_installed_is_named() -> None:
    with pytest.raises(ValueError, match=r"pip install 'spokesmith\[trackio\]'"):
        make_config({"trackers": ["trackio"]})
    with pytest.raises(ValueError, match="trackers = 'abacus' is unknown"):
        make_config({"trackers": ["abacus"]})


def test_a_run_is_never_written_over(data: Path, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not empty: --resume goes on"):
        run(data, finished)
    both = r"had another learning_rate \(0.08, not 0.05\), rows_of_a_step \(4, not 6\): resume it"
    with pytest.raises(ValueError, match=both):
        run(data, finished, resume=True, batch_size=3, learning_rate=0.05)
    with pytest.raises(ValueError, match="no run at"):
        run(data, tmp_path / "none", resume=True)


def test_a_run_that_reads_what_it_would_replace_is_refused(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    shutil.copytree(data, out / "data")
    with pytest.raises(ValueError, match=r"--force would remove .*best, which this run reads"):
        run(data, out, force=True, start_from=out / "best")
    with pytest.raises(ValueError, match=r"--force would remove .*data, which this run reads"):
        run(out / "data", out, force=True)
    assert contents(out / "best") == contents(finished / "best")
    assert run(data, out, force=True, max_steps=1, eval_every=0).steps == 1
    assert not (out / "data").exists()


def test_another_base_of_the_same_name_is_told(data: Path, finished: Path, tmp_path: Path) -> None:
    def with_another_template(base: Base) -> None:
        base.chat.template = base.chat.template.replace("assistant", "assistant now")

    others = {
        "dtype": lambda base: base.model.bfloat16(),
        "chat": with_another_template,
        "quantize": lambda base: setattr(
            base.model.config, "quantization_config", BitsAndBytesConfig(load_in_4bit=True)
        ),
    }
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    for name, spoil in others.items():
        with pytest.raises(ValueError, match=f"had another {name}: resume it with the same"):
            run(data, out, resume=True, spoil=spoil)
    # A run folder that says nothing of these goes on.
    record = out / "run.json"
    said = json.loads(record.read_text())
    record.write_text(json.dumps({key: said[key] for key in said if key not in others}))
    assert run(data, out, resume=True).steps == 12


def test_token_ids_are_made_anew_for_another_turn_format(data: Path) -> None:
    task = load_task("memory")
    base = tiny_base("llama", num_layers=2)
    before, _ = prepare_cached(data, task, base.name, base.chat, max_length=4096)
    base.chat.template = base.chat.template.replace("assistant", "assistant now")
    after, _ = prepare_cached(data, task, base.name, base.chat, max_length=4096)
    more = len(" now")
    for one, other in zip(before.splits["train"], after.splits["train"], strict=True):
        assert other.answer_start == one.answer_start + more


def test_a_run_goes_on_from_a_trained_set(data: Path, finished: Path, tmp_path: Path) -> None:
    # So small a rate that it cannot move a parameter in fp32: what was saved is what is trained.
    run(data, tmp_path / "still", start_from=finished / "last", learning_rate=1e-30)
    assert_same(weights(finished / "last"), weights(tmp_path / "still" / "last"))

    run(data, tmp_path / "on", start_from=finished / "last")
    first, on = (
        [row["loss"] for row in read_log(folder / "log.jsonl") if "loss" in row]
        for folder in (finished, tmp_path / "on")
    )
    assert on[0] < first[0]
    _, card = load_spokes(tmp_path / "on" / "best")
    assert card.training["start_from"] == hash_of_weights(finished / "last")


def test_a_run_that_goes_on_from_a_set_resumes_with_that_set(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    run(data, tmp_path / "whole", start_from=finished / "last")
    run(data, tmp_path / "cut", start_from=finished / "last")
    checkpoints = tmp_path / "cut" / "checkpoints"
    for later in ("checkpoint-9", "checkpoint-12"):
        shutil.rmtree(checkpoints / later)
    assert last_checkpoint(tmp_path / "cut") == checkpoints / "checkpoint-6"
    run(data, tmp_path / "cut", resume=True, start_from=finished / "last")
    assert_same(weights(tmp_path / "whole" / "last"), weights(tmp_path / "cut" / "last"))
    with pytest.raises(ValueError, match="had another start_from"):
        run(data, tmp_path / "cut", resume=True, start_from=tmp_path / "whole" / "last")


def test_a_set_of_another_shape_or_base_is_no_start(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="has rank 4, not 8: set it so"):
        run(data, tmp_path / "run", start_from=finished / "last", rank=8)
    with pytest.raises(ValueError, match="this base has fingerprint"):
        run(data, tmp_path / "run", start_from=finished / "last", num_layers=3)
    assert not (tmp_path / "run").exists()


def test_data_that_does_not_fit_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"into 64 tokens.*--set max_length=N"):
        run(data, tmp_path / "run", max_length=64)
    with pytest.raises(ValueError, match=r"no pairs\.jsonl in"):
        run(tmp_path, tmp_path / "run")


def test_examples_that_are_longer_than_the_context_are_refused(data: Path, tmp_path: Path) -> None:
    def shrink(base: Base) -> None:
        base.config.max_position_embeddings = 512

    words = r"the longest example has \d+ tokens, and the context of tiny-llama is 512.*=512 leaves"
    with pytest.raises(ValueError, match=words):
        run(data, tmp_path / "run", spoil=shrink)
    assert not (tmp_path / "run").exists()


WRONG = (
    {"eval_examples": 0},
    {"max_grad_norm": 0.0},
    {"decay_share": 1.5},
    {"min_rate_share": -0.1},
)


@pytest.mark.parametrize("choice", WRONG, ids=str)
def test_a_choice_out_of_its_range_is_named(choice: dict[str, object]) -> None:
    ((name, value),) = choice.items()
    with pytest.raises(ValueError, match=f"{name} = {value}: use a"):
        make_config(choice)


def test_pairs_that_are_too_long_are_counted(data: Path, finished: Path, tmp_path: Path) -> None:
    texts = [pair for pair in read_pairs(data / "pairs.jsonl") if pair.split == "train"]
    long = replace(texts[0], id="long", text="so it is " * 2000, split="eval")
    write_pairs(tmp_path / "data" / "pairs.jsonl", [*texts, long])
    result = run(tmp_path / "data", tmp_path / "run")
    assert result.lengths.dropped == {"train": 0, "eval": 1}
    assert result.lengths.kept == {"train": len(texts), "eval": 0}
    assert result.eval_loss is None


def test_an_error_in_a_step_gives_the_terminal_back(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True)
    monkeypatch.setattr(callbacks, "Console", lambda **_: terminal)

    def fail(*_: object) -> None:
        raise RuntimeError("the card is gone")

    monkeypatch.setattr(SpokeTrainer, "training_step", fail)
    with pytest.raises(RuntimeError, match="the card is gone"):
        run(data, tmp_path / "run")
    assert shown.getvalue().count(HIDE_CURSOR) == 1
    assert shown.getvalue().rstrip().endswith(SHOW_CURSOR)


def test_a_base_that_passes_no_gradient_on_from_a_step_on_ends_the_run(
    data: Path, tmp_path: Path
) -> None:
    def lose_gradients_later(base: Base) -> None:
        calls = itertools.count()
        base.sites()[1].ffn.register_forward_hook(
            lambda _module, _args, output: double(output) if next(calls) > 20 else output
        )

    with pytest.raises(ValueError, match=REFUSED):
        run(data, tmp_path / "run", spoil=lose_gradients_later)
    steps = [row for row in read_log(tmp_path / "run" / "log.jsonl") if "loss" in row]
    assert 0 < len(steps) < CHOICES["max_steps"]


def test_a_checkpoint_is_whole_where_folders_cannot_be_opened(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "os", SimpleNamespace(name="nt"))
    run(data, tmp_path / "run", max_steps=3, eval_every=0)
    assert last_checkpoint(tmp_path / "run") == tmp_path / "run" / "checkpoints" / "checkpoint-3"
