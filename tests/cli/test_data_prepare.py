"""`spokesmith data prepare`: the token ids that `train` finds again, without a weight read."""

import json
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from spokesmith.bases import load_base
from spokesmith.cli import app
from spokesmith.data.generate import generate
from spokesmith.data.pairs import write_pairs
from spokesmith.tasks import load_task, save_task
from spokesmith.testing import tiny_base
from spokesmith.training.run import prepare_cached


def test_no_weight_is_read_and_training_finds_the_tokens(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "base"
    write_pairs(data / "pairs.jsonl", generate(8, seed=1, kinds=["minimal"]))
    tiny = tiny_base(num_layers=2)
    tiny.model.save_pretrained(folder)
    tiny.tokenizer.save_pretrained(folder)
    loaded = load_base(str(folder))
    (folder / "model.safetensors").unlink()
    where = ("--data", str(data), "--base", str(folder), "--max-length", "4096")
    result = CliRunner().invoke(app, ["data", "prepare", *where, "--json"])
    assert result.exit_code == 0, result.exception
    document = json.loads(result.stdout)
    assert sum(document["kept"].values()) == 8
    made = {path: path.stat().st_mtime_ns for path in data.rglob("tokens.safetensors")}
    _, found = prepare_cached(data, load_task("memory"), loaded.name, loaded.chat, max_length=4096)
    assert str(found) == document["folder"]
    assert made == {path: path.stat().st_mtime_ns for path in data.rglob("tokens.safetensors")}


def test_answers_that_the_task_would_cut_are_told(tmp_path: Path) -> None:
    data, task = tmp_path / "data", tmp_path / "task"
    write_pairs(data / "pairs.jsonl", generate(8, seed=1, kinds=["minimal"]))
    save_task(replace(load_task("memory"), name="short", max_tokens=50), task)
    options = ("--data", data, "--task", task, "--base", "tiny-llama", "--max-length", 4096)
    result = CliRunner().invoke(app, ["data", "prepare", *map(str, options)])
    assert result.exit_code == 0, result.exception
    assert "and the task 'short' ends answers after 50: raise max_tokens" in result.stderr
