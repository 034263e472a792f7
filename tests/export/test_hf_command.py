"""`spokesmith export hf` as a user meets it."""

import json
from pathlib import Path
from typing import Any

import pytest
from export_parts import busy_set, tiny_source
from multimodal_bases import multimodal

from spokesmith import cli
from spokesmith.bases import find_base, shape_fingerprint
from spokesmith.spokes import SpokesCard, save_spokes
from spokesmith.tasks import load_task
from spokesmith.testing import byte_tokenizer


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, str]:
    """A base, and a set of the built-in task that names it."""
    source = tiny_source("llama", tmp_path / "base", num_layers=2)
    spokes, task = busy_set(source), load_task("memory")
    card = SpokesCard(
        spokes=spokes.config,
        base=source.name,
        base_fingerprint=shape_fingerprint(source.config),
        task="memory",
        schema_hash=task.schema_hash,
        prompt_hash=task.prompt_hash,
    )
    save_spokes(tmp_path / "set", spokes, card)
    return {"base": source.name, "spokes": str(tmp_path / "set")}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the program; return its status, stdout and stderr."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["spokesmith", "export", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    return call


def test_the_command_folds_and_says_what_it_wrote(
    run: Any, parts: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, text, error = run("hf", "--spokes", parts["spokes"], "--out", out, "--json")
    assert status == 0, error
    document = json.loads(text)
    assert document["folder"] == str(out)
    assert document["layout"] == "folded"
    assert document["intermediate_size"] == [96, 104]
    assert document["files"] == 1
    assert document["dtype"] == "bf16"
    assert document["text_part_only"] is False
    assert (out / "prompt.md").read_text() == load_task("memory").prompt
    status, text, error = run("hf", "--spokes", parts["spokes"], "--out", out)
    assert (status, text) == (2, "")
    assert error.count("\n") == 1
    assert "is there already" in error
    again = ("--force", "--dtype", "fp32", "--base", parts["base"])
    status, text, error = run("hf", "--spokes", parts["spokes"], "--out", out, *again)
    assert (status, text) == (0, "")
    assert "width 104 (the base: 96)" in " ".join(error.split())


def test_measures_of_a_report_are_in_the_card(
    run: Any, parts: dict[str, str], tmp_path: Path
) -> None:
    report = Path(__file__).parents[2] / "docs" / "results" / "gold-free.json"
    arguments = ("--spokes", parts["spokes"], "--out", tmp_path / "out", "--report", report)
    assert run("hf", *arguments)[0] == 0
    card = (tmp_path / "out" / "README.md").read_text()
    total = json.loads(report.read_text())["totals"]["measures"]["SC"]["value"]
    assert f"| gold | free | SC | {total:.3f} |" in card
    assert "TFR_number" not in card


def test_the_prompt_of_another_task_is_not_passed_on(
    run: Any, parts: dict[str, str], tmp_path: Path
) -> None:
    card = Path(parts["spokes"]) / "spokes.json"
    entries = json.loads(card.read_text())
    card.write_text(json.dumps({**entries, "prompt_hash": "another"}))
    status, _, error = run("hf", "--spokes", parts["spokes"], "--out", tmp_path / "out")
    assert status == 0
    assert "the prompt of task 'memory' is not in it" in " ".join(error.split())
    assert not (tmp_path / "out" / "prompt.md").exists()
    named = ("--spokes", parts["spokes"], "--out", tmp_path / "two", "--task", "memory")
    status, _, error = run("hf", *named)
    assert status == 2
    assert "was trained with another prompt or schema" in error


def test_a_residual_set_is_written_for_the_plugin(run: Any, tmp_path: Path) -> None:
    source = tiny_source("llama", tmp_path / "base", num_layers=2)
    spokes = busy_set(source, placement="residual")
    fingerprint = shape_fingerprint(source.config)
    save_spokes(
        tmp_path / "set",
        spokes,
        SpokesCard(spokes=spokes.config, base=source.name, base_fingerprint=fingerprint),
    )
    arguments = ("hf", "--spokes", tmp_path / "set", "--out", tmp_path / "out")
    status, _, error = run(*arguments)
    assert status == 2
    assert "export hf --layout plugin" in error
    assert error.count("\n") == 1
    status, text, error = run(*arguments, "--layout", "plugin", "--json")
    assert status == 0, error
    assert json.loads(text)["layout"] == "plugin"


def test_that_only_the_text_part_of_a_base_is_written_is_said(run: Any, tmp_path: Path) -> None:
    multimodal("gemma4").save_pretrained(tmp_path / "base")
    byte_tokenizer().save_pretrained(tmp_path / "base")
    source = find_base(str(tmp_path / "base"))
    spokes, fingerprint = busy_set(source), shape_fingerprint(source.config)
    card = SpokesCard(spokes=spokes.config, base=source.name, base_fingerprint=fingerprint)
    save_spokes(tmp_path / "set", spokes, card)
    arguments = ("hf", "--spokes", tmp_path / "set", "--out", tmp_path / "out")
    status, text, error = run(*arguments, "--json")
    assert status == 0, error
    assert json.loads(text)["text_part_only"] is True
    status, _, error = run(*arguments, "--force")
    assert status == 0
    assert "only the part for text is in it, what takes pictures or" in " ".join(error.split())


def test_a_mistake_is_one_line_and_status_2(
    run: Any, parts: dict[str, str], tmp_path: Path
) -> None:
    other = tiny_source("llama", tmp_path / "other", num_layers=3).name
    note = tmp_path / "note.json"
    note.write_text("[]")
    base, spokes = ("--base", parts["base"]), ("--spokes", parts["spokes"])
    for arguments, words in (
        ((*spokes, "--layout", "flat"), "layout 'flat' is unknown: use folded or plugin"),
        ((*spokes, "--dtype", "int4"), "dtype 'int4' is unknown: use bf16 or fp32"),
        (("--spokes", "nowhere"), "no set of spokes at 'nowhere'"),
        ((*spokes, "--base", "nowhere"), "cannot load base 'nowhere'"),
        ((*spokes, "--base", other), "was trained on"),
        ((*spokes, *base, "--report", note), "is no report of `spokesmith probe --out`"),
        ((*spokes, *base, "--report", "no.json"), "cannot read no.json"),
    ):
        status, text, error = run("hf", "--out", tmp_path / "out", *arguments)
        assert (status, text) == (2, "")
        assert words in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
