"""Two processes on the CPU against one: the same numbers, the same files, and no dead lock.

Sums in another order differ in their last bit, and Muon, which orthogonalises in bfloat16, makes
that a hundredth in a few steps. So where Muon is at work one process does the same sums as two:
with one thread, as the launcher lets each of several have, and with rows and prompt taken as they
take them. AdamW needs no such care.
"""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from run_tiny import recorded, run
from safetensors.torch import load_file

from spokesmith.data.generate import generate
from spokesmith.data.pairs import write_pairs
from spokesmith.spokes import load_spokes
from spokesmith.testing import tiny_base
from spokesmith.training import processes
from spokesmith.training import run as run_module
from spokesmith.training.callbacks import read_log
from spokesmith.training.nonfinite import replay
from spokesmith.training.processes import start_processes

SCRIPT = Path(__file__).parent / "run_tiny.py"
TIME_LIMIT = 180
# All take 4 rows a step. The data has 13 examples, so that the last step of a pass is one row,
# and a process is left without any.
STEP = {"max_steps": 6, "save_every": 3, "eval_every": 3}
ONE: dict[str, dict[str, Any]] = {
    "llama": {**STEP, "batch_size": 2, "gradient_accumulation": 2, "share_prefix": False},
    "gemma3_text": {
        **STEP,
        "batch_size": 4,
        "gradient_accumulation": 1,
        "optimizer": "adamw",
        "learning_rate": 0.02,
    },
}
Runs = Callable[[str], Path]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    pairs = [
        dataclasses.replace(pair, split="eval" if index % 5 == 4 else "train")
        for index, pair in enumerate(generate(16, seed=1, kinds=["minimal"]))
    ]
    write_pairs(folder / "pairs.jsonl", pairs)
    return folder


@pytest.fixture(scope="module")
def one(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Finished runs of one process, by kind of base."""
    made: dict[str, Path] = {}

    def make(model_type: str) -> Path:
        if model_type not in made:
            made[model_type] = tmp_path_factory.mktemp("one") / model_type
            with recorded(made[model_type]):
                run(data, made[model_type], model_type=model_type, **ONE[model_type])
        return made[model_type]

    return make


def launch(
    data: Path, out: Path, *arguments: str, model_type: str = "llama", **choices: Any
) -> subprocess.CompletedProcess:
    """A run of two processes, as a user starts one."""
    choices = {**ONE[model_type], "batch_size": 2, "gradient_accumulation": 1, **choices}
    return subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", SCRIPT, data, out),
            *("--model-type", model_type, "--choices", json.dumps(choices), *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
    )


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest difference of any number, as a share of the largest number of its tensor."""
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max() / one[name].abs().max()) for name in one)


def assert_same_weights(one: Path, other: Path) -> None:
    states = [load_spokes(folder)[0].state_dict() for folder in (one, other)]
    assert difference(*states) < 1e-4


def assert_same_log(one: Path, other: Path) -> None:
    logs = [read_log(folder / "log.jsonl") for folder in (one, other)]
    assert len(logs[0]) == len(logs[1]) == 8
    for row, same in zip(*logs, strict=True):
        assert row == pytest.approx(same, rel=1e-5)


@pytest.mark.parametrize("shard_base", [False, True], ids=["replicated", "sharded"])
@pytest.mark.parametrize("model_type", ["llama", "gemma3_text"])
def test_two_processes_train_as_one(
    data: Path, one: Runs, tmp_path: Path, model_type: str, shard_base: bool
) -> None:
    out = tmp_path / "two"
    done = launch(data, out, model_type=model_type, shard_base=shard_base)
    assert done.returncode == 0, done.stderr
    wanted = one(model_type)
    gradients = load_file(wanted / "gradients-0.safetensors")
    for rank in (0, 1):
        assert difference(gradients, load_file(out / f"gradients-{rank}.safetensors")) < 1e-4
    for name in ("best", "last"):
        assert_same_weights(wanted / name, out / name)
    # Losses, norms, speeds (by a clock that ticks evenly) and evaluations count all processes.
    assert_same_log(wanted, out)
    assert done.stderr.count("step 6/6") == 1


@pytest.mark.parametrize("shard_base", [False, True], ids=["replicated", "sharded"])
def test_a_run_goes_on_with_another_number_of_processes(
    data: Path, one: Runs, tmp_path: Path, shard_base: bool
) -> None:
    whole, parts = one("llama"), tmp_path / "parts"
    shutil.copytree(whole, parts)
    for name in ("checkpoints/checkpoint-6", "last", "best"):
        shutil.rmtree(parts / name)
    done = launch(data, parts, "--resume", shard_base=shard_base)
    assert done.returncode == 0, done.stderr
    assert_same_weights(whole / "last", parts / "last")
    assert_same_log(whole, parts)
    shutil.rmtree(parts / "checkpoints" / "checkpoint-6")
    shutil.rmtree(parts / "last")
    with recorded(parts):
        run(data, parts, resume=True, **ONE["llama"])
    assert_same_weights(whole / "last", parts / "last")


def test_a_mistake_ends_every_process(data: Path, one: Runs) -> None:
    done = launch(data, one("llama"))
    assert done.returncode != 0
    assert done.stderr.count("ValueError: " + str(one("llama")) + " is not empty") == 2


@pytest.mark.parametrize(("shard_base", "backward"), [(False, True), (True, False), (True, True)])
def test_one_process_without_memory_holds_up_no_other(
    data: Path, one: Runs, tmp_path: Path, shard_base: bool, backward: bool
) -> None:
    out = tmp_path / "two"
    fault = json.dumps({"rows": 1, "layer": 1, "backward": backward})
    arguments = ("--fault", "no_memory_above", "--fault-rank", "1", "--fault-choices", fault)
    done = launch(data, out, *arguments, model_type="gemma3_text", shard_base=shard_base)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("out of memory: from now on micro-batches of 1 instead of 2") == 1
    assert_same_weights(one("gemma3_text") / "last", out / "last")
    assert_same_log(one("gemma3_text"), out)


@pytest.mark.parametrize("shard_base", [False, True], ids=["replicated", "sharded"])
def test_not_even_a_row_in_one_process_ends_every_process(
    data: Path, tmp_path: Path, shard_base: bool
) -> None:
    fault = json.dumps({"rows": 0, "only_training": True})
    arguments = ("--fault", "no_memory_above", "--fault-rank", "1", "--fault-choices", fault)
    done = launch(data, tmp_path / "two", *arguments, shard_base=shard_base)
    assert done.returncode != 0
    assert done.stderr.count("ValueError: out of memory with one example at a time") == 2


def test_a_step_that_is_not_finite_in_one_process_stops_every_process(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "two"
    fault = json.dumps({"layer": 1, "backward": True, "from_call": 4})
    arguments = ("--fault", "not_a_number", "--fault-rank", "1", "--fault-choices", fault)
    done = launch(data, out, *arguments, shard_base=True)
    assert done.returncode != 0
    message = "ValueError: stopped at step 5, before it changed anything"
    assert done.stderr.count(message) == 2
    assert done.stderr.count("the first that was not finite is a gradient of layer 1") == 2
    dump = out / "nonfinite-step-5"
    assert {path.name for path in dump.iterdir()} == {
        *("batch-0.safetensors", "batch-1.safetensors", "facts.json", "spokes.safetensors")
    }
    facts = json.loads((dump / "facts.json").read_text())
    assert (facts["process"], facts["layer"], facts["kind"]) == (1, 1, "gradient")
    # The fault was in the process, not in the weights or the rows.
    assert replay(dump, tiny_base("llama", num_layers=2)) is None


@pytest.mark.parametrize("strategy", ["FSDP", "DEEPSPEED"])
def test_a_launcher_that_would_wrap_the_model_is_refused(
    monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    monkeypatch.setenv(f"ACCELERATE_USE_{strategy}", "true")
    with pytest.raises(ValueError, match=f"--use_{strategy.lower()} would wrap the model"):
        start_processes()


def test_a_precision_that_scales_the_loss_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    with pytest.raises(ValueError, match="--mixed_precision fp16 would scale the loss: use"):
        start_processes()


class Asked(Exception):
    """With what a start was asked for."""


@pytest.mark.parametrize("on_cpu", [True, False])
def test_processes_that_are_to_work_on_the_cpu_leave_gpus_alone(
    monkeypatch: pytest.MonkeyPatch, on_cpu: bool
) -> None:
    def state(*, cpu: bool) -> None:
        raise Asked(cpu)

    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(processes, "PartialState", state)
    with pytest.raises(Asked) as asked:
        start_processes(on_cpu=on_cpu)
    assert asked.value.args == (on_cpu,)


@pytest.mark.parametrize("shard_base", [True, False])
def test_a_base_on_the_cpu_trains_there_unless_it_is_shared_out(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_base: bool
) -> None:
    def start(*, on_cpu: bool) -> None:
        raise Asked(on_cpu)

    monkeypatch.setattr(run_module, "start_processes", start)
    with pytest.raises(Asked) as asked:
        run(data, tmp_path / "run", shard_base=shard_base)
    assert asked.value.args == (not shard_base,)


def test_a_base_is_not_sharded_by_one_process(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shard_base = true needs several processes"):
        run(data, tmp_path / "run", shard_base=True)
    assert not (tmp_path / "run").exists()
