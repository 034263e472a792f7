"""What `spokesmith train` says: of its data, of a base in parts, of an interruption."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from typer.testing import CliRunner, Result

from spokesmith.bases import load_base
from spokesmith.cli import app
from spokesmith.data.generate import generate
from spokesmith.data.pairs import Pair, write_pairs
from spokesmith.tasks import load_task, save_task
from spokesmith.testing import byte_tokenizer, tiny_base
from spokesmith.training.trainer import SpokeTrainer

CHOICES = ("max_steps=1", "num_spokes=1", "rank=2", "max_length=4096")
SHORT = [replace(pair, split="train") for pair in generate(12, seed=1, kinds=["minimal"])]
MEMORY = load_task("memory")


def train(folder: Path, pairs: list[Pair], *more: str, base: str = "tiny-llama") -> Result:
    write_pairs(folder / "data" / "pairs.jsonl", pairs)
    options = [word for choice in CHOICES for word in ("--set", choice)]
    where = ("--data", str(folder / "data"), "--out", str(folder / "run"))
    return CliRunner().invoke(app, ["train", "--base", base, *where, *options, *more])


def words_of(result: Result) -> str:
    return " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("long_splits", "words"),
    [
        ([], ()),
        (["train"], ("1 of 13 pairs are longer than 4096 tokens and left out",)),
        (["train", "eval"], ("2 of 14 pairs", "no pair is left to evaluate on")),
    ],
)
def test_pairs_that_are_left_out_are_told(
    long_splits: list[str], words: tuple[str, ...], tmp_path: Path
) -> None:
    long: list[Pair] = [
        replace(SHORT[0], id=f"long-{split}", text="so it is " * 1000, split=split)
        for split in long_splits
    ]
    result = train(tmp_path, [*SHORT, *long])
    assert result.exit_code == 0, result.exception
    said = words_of(result)
    assert all(word in said for word in words)
    assert ("left out" in said) == bool(long)


@pytest.mark.parametrize("chosen", [None, "second"])
def test_a_base_in_parts_recomputes_every_layer_unless_it_is_told(
    chosen: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[str] = []
    monkeypatch.setattr(
        "spokesmith.training.run.set_checkpointing", lambda _base, mode: modes.append(mode)
    )
    more = () if chosen is None else ("--set", f"checkpointing={chosen}")
    result = train(tmp_path, SHORT, "--device-map", "auto", *more)
    assert result.exit_code == 0, result.exception
    assert modes[0] == (chosen or "every")
    assert ("so every layer recomputes" in words_of(result)) == (chosen is None)


@pytest.mark.parametrize(
    ("steps_taken", "words"),
    [(0, "no checkpoint was written yet"), (1, "checkpoint-1 is kept")],
)
def test_an_interruption_says_how_to_go_on(
    steps_taken: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step = SpokeTrainer.training_step

    def step_or_stop(self: SpokeTrainer, *given: object) -> torch.Tensor:
        if self.state.global_step == steps_taken:
            raise KeyboardInterrupt
        return take_step(self, *given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(SpokeTrainer, "training_step", step_or_stop)
    more = ("--set", "max_steps=3", "--set", "save_every=1")
    result = train(tmp_path, SHORT, *more)
    assert result.exit_code != 0
    assert f"{words}: the same command with --resume goes on" in words_of(result)
    monkeypatch.undo()
    assert train(tmp_path, SHORT, *more, "--resume").exit_code == 0


def test_beside_four_bits_a_cpu_run_learns_as_beside_the_weights_that_they_stand_for(
    tmp_path: Path,
) -> None:
    pytest.importorskip("bitsandbytes", reason="quantize nf4 needs bitsandbytes")
    widths = {"hidden_size": 128, "intermediate_size": 128, "head_dim": 64}
    model = tiny_base("llama", **widths).model
    model.save_pretrained(tmp_path / "whole")
    byte_tokenizer().save_pretrained(tmp_path / "whole")
    in_four_bits = load_base(str(tmp_path / "whole"), quantize="nf4", device="cpu", unpack=True)
    model.load_state_dict(in_four_bits.model.state_dict())
    shutil.copytree(tmp_path / "whole", tmp_path / "rounded")
    model.save_pretrained(tmp_path / "rounded")
    sets: list[bytes] = []
    for base, options in (("whole", ("--quantize", "nf4")), ("rounded", ())):
        more = (*options, "--device=cpu", "--no-preflight")
        more = (*more, "--set=max_steps=2", "--set=batch_size=1", "--set=warmup_steps=0")
        result = train(tmp_path / f"of-{base}", SHORT[:3], *more, base=str(tmp_path / base))
        assert result.exit_code == 0, result.exception
        sets.append((tmp_path / f"of-{base}" / "run" / "last" / "spokes.safetensors").read_bytes())
    assert sets[0] == sets[1]


def test_a_run_is_not_replaced_by_one_that_begins_with_its_set(tmp_path: Path) -> None:
    assert train(tmp_path, SHORT).exit_code == 0
    best = tmp_path / "run" / "best"
    result = train(tmp_path, SHORT, "--force", "--from", str(best))
    assert f"--force would remove {best}, which this run reads" in str(result.exception)
    assert (best / "spokes.safetensors").is_file()


def test_answers_that_the_task_would_cut_are_told(tmp_path: Path) -> None:
    save_task(replace(MEMORY, name="short", max_tokens=50), tmp_path / "task")
    result = train(tmp_path, SHORT, "--task", str(tmp_path / "task"))
    assert result.exit_code == 0, result.exception
    words = "and the task 'short' ends answers after 50: raise max_tokens in its task.toml"
    assert words in words_of(result)


def test_overfit_with_a_base_that_is_shared_out_is_refused_at_once(tmp_path: Path) -> None:
    result = train(tmp_path, SHORT, "--overfit", "1", "--set", "shard_base=true")
    assert "leave out shard_base" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_overfit_lets_an_answer_be_as_long_as_its_gold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int] = []

    def complete(_backend: object, _messages: object, *, max_tokens: int) -> SimpleNamespace:
        limits.append(max_tokens)
        return SimpleNamespace(text="")

    monkeypatch.setattr("spokesmith.backends.LocalBackend.complete", complete)
    assert train(tmp_path, SHORT, "--overfit", "2").exit_code == 1
    # A tiny base's tokens are bytes; one more ends the answer.
    assert limits == [len(MEMORY.canonical(pair.gold).encode()) + 1 for pair in SHORT[:2]]
