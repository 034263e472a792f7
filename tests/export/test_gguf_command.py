"""`spokesmith export gguf` as a user meets it."""

import dataclasses
import errno
import json
from pathlib import Path
from typing import Any

import pytest
from gguf_parts import Parts, make_parts, read

from spokesmith import cli
from spokesmith.export import gguf_export
from spokesmith.export.gguf_types import engine_is_installed
from spokesmith.spokes import save_spokes
from spokesmith.tasks import load_task


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """A file of the base `tiny-llama`, and a set of the built-in task for it."""
    made, task = make_parts(tmp_path), load_task("memory")
    card = dataclasses.replace(
        made.card, task="memory", schema_hash=task.schema_hash, prompt_hash=task.prompt_hash
    )
    save_spokes(tmp_path / "set", made.spokes, card)
    return made


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    parts: Parts,
    tmp_path: Path,
) -> Any:
    """Run the command on the parts; return its status, stdout and stderr, the latter as a line."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        given = {"--spokes": tmp_path / "set", "--base-gguf": parts.path}
        given |= {"--out": tmp_path / "out.gguf"}
        for option in set(given) & set(arguments):
            del given[str(option)]
        words = [str(word) for pair in given.items() for word in pair] + [*map(str, arguments)]
        monkeypatch.setattr("sys.argv", ["spokesmith", "export", "gguf", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, error = capsys.readouterr()
        return int(ended.value.code or 0), out, error

    return call


def test_it_says_what_it_wrote(run: Any, parts: Parts, tmp_path: Path) -> None:
    status, text, error = run("--json")
    assert (status, error) == (0, "")
    document = json.loads(text)
    assert document["file"] == str(tmp_path / "out.gguf")
    assert document["bytes"] == (tmp_path / "out.gguf").stat().st_size
    assert document["base_bytes"] == parts.path.stat().st_size
    assert document["architecture"] == "llama"
    assert document["read_back"]["kept"] == 12
    assert document["engine"]["checked"] == engine_is_installed()
    assert document["notes"] == []
    assert document["modelfile"] == str(tmp_path / "Modelfile")
    task, header = load_task("memory"), read(tmp_path / "out.gguf")
    assert header.value("spokesmith.prompt") == task.prompt
    assert json.loads(str(header.value("spokesmith.schema"))) == task.schema
    status, text, error = run("--force")
    assert (status, text) == (0, "")
    now, before = document["bytes"], document["base_bytes"]
    assert f"{now / 1e6:.1f} MB, the base {before / 1e6:.1f} MB ({now / before - 1:+.1%})" in error
    assert f"lms import --copy {tmp_path / 'out.gguf'}" in error
    assert "read back: " in error
    assert "tensors byte for byte as in the base, 12 grown ones" in error
    assert "Ollama: ollama create NAME -f " in error
    said = "agrees with PyTorch on 20 prompts" if engine_is_installed() else "it is not installed"
    assert said in error


def test_a_modelfile_of_another_model_is_left(run: Any, tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text("FROM ./mine.gguf\n")
    status, _, error = run("--no-check-engine")
    assert status == 0
    assert "not compared with llama.cpp: it was left out with --no-check-engine" in error
    assert "is there already and of another model, so it was left as it is" in error
    assert (tmp_path / "Modelfile").read_text() == "FROM ./mine.gguf\n"


def test_a_modelfile_that_was_changed_is_replaced_only_by_force(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "Modelfile"
    path.write_text("FROM ./out.gguf\nPARAMETER temperature 0.7\n")
    status, text, _ = run("--no-check-engine", "--json")
    assert status == 0
    document = json.loads(text)
    assert document["modelfile"] is None
    assert "is there already with other words, so it was left as it is" in document["notes"][0]
    assert path.read_text() == "FROM ./out.gguf\nPARAMETER temperature 0.7\n"
    assert run("--no-check-engine", "--force")[0] == 0
    assert "PARAMETER temperature 0\n" in path.read_text()
    (tmp_path / "out.gguf").unlink()
    # What it would write itself is no other words.
    assert json.loads(run("--no-check-engine", "--json")[1])["modelfile"] == str(path)


def test_a_place_that_is_taken_is_seen_before_the_file_is_written(run: Any, tmp_path: Path) -> None:
    place = tmp_path / "models" / "spokesmith" / "out" / "out.gguf"
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    status, _, error = run("--no-check-engine", "--lm-studio", tmp_path / "models")
    assert status == 2
    assert f"{place} is there already: remove it, or --force" in error
    assert not (tmp_path / "out.gguf").exists()
    assert place.read_text() == "mine"


def test_what_lies_beside_the_file_can_be_chosen(run: Any, tmp_path: Path) -> None:
    models = tmp_path / "models"
    status, text, _ = run("--no-modelfile", "--no-check-engine", "--lm-studio", models, "--json")
    assert status == 0
    placed = models / "spokesmith" / "out" / "out.gguf"
    assert json.loads(text)["lm_studio"] == str(placed)
    assert placed.samefile(tmp_path / "out.gguf")
    assert not (tmp_path / "Modelfile").exists()
    status, _, error = run(
        "--no-check-engine", "--lm-studio", models, "--out", tmp_path / "out.gguf"
    )
    assert status == 2
    assert "is there already" in error
    again = ("--no-check-engine", "--lm-studio", models, "--force")
    assert run(*again)[0] == 0
    assert placed.samefile(tmp_path / "out.gguf")


def test_a_file_that_is_in_its_place_already_stays(run: Any, tmp_path: Path) -> None:
    out = tmp_path / "models" / "spokesmith" / "memory" / "memory.gguf"
    arguments = ("--no-check-engine", "--out", out, "--lm-studio", tmp_path / "models", "--json")
    for force in ((), ("--force",)):
        status, text, error = run(*arguments, *force)
        assert (status, error) == (0, "")
        assert json.loads(text)["lm_studio"] == str(out)
        assert not out.is_symlink()
        assert read(out).tensors


def test_a_base_that_is_in_that_place_is_never_taken_away(
    run: Any, parts: Parts, tmp_path: Path
) -> None:
    base = tmp_path / "models" / "spokesmith" / "out" / "out.gguf"
    base.parent.mkdir(parents=True)
    parts.path.rename(base)
    arguments = ("--base-gguf", base, "--lm-studio", tmp_path / "models", "--force")
    status, _, error = run("--no-check-engine", *arguments)
    assert status == 2
    assert "is the base itself" in error
    assert read(base).tensors
    assert not (tmp_path / "out.gguf").exists()


def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(run: Any, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    real, models = tmp_path / "disk" / "real.gguf", tmp_path / "models"
    real.write_text("old")
    (tmp_path / "out.gguf").symlink_to(real)
    assert run("--no-check-engine", "--force", "--lm-studio", models)[0] == 0
    assert (tmp_path / "out.gguf").is_symlink()
    assert read(real).tensors
    placed = models / "spokesmith" / "out" / "out.gguf"
    assert placed.samefile(real)
    assert not placed.is_symlink()


def test_a_disk_without_room_for_the_modelfile_leaves_none(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, text: str, **options: Any) -> int:
        if "Modelfile" in path.name:
            write(path, text[:4], **options)
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, text, **options)

    monkeypatch.setattr(Path, "write_text", full)
    status, _, error = run("--no-check-engine")
    assert status == 2
    assert f"the disk became full while {tmp_path / 'Modelfile'} was written" in error
    assert "free disk space" in error
    assert {path.name for path in tmp_path.iterdir()} == {"base.gguf", "out.gguf", "set"}


def test_the_other_layout(run: Any, tmp_path: Path) -> None:
    status, text, _ = run("--layout", "tensors", "--json")
    assert status == 0
    document = json.loads(text)
    assert document["layout"] == "tensors"
    assert document["engine"] == {
        "checked": False,
        "why_not": "stock llama.cpp does not load this layout",
    }
    assert "stock llama.cpp refuses" in document["notes"][0]
    assert document["modelfile"] is None
    assert len([name for name in read(tmp_path / "out.gguf").tensors if ".spoke." in name]) == 12


@pytest.mark.skipif(not engine_is_installed(), reason="pip install 'spokesmith[llamacpp]'")
def test_a_file_that_predicts_otherwise_is_status_1(run: Any, tmp_path: Path) -> None:
    other = make_parts(tmp_path, sizes={"seed": 3})
    status, text, error = run("--base-gguf", other.path)
    assert (status, text) == (1, "")
    assert "failed: llama.cpp and PyTorch predict different tokens" in " ".join(error.split())
    assert not (tmp_path / "out.gguf").exists()
    assert not (tmp_path / "Modelfile").exists()


def test_a_type_that_predicts_otherwise_gives_way_to_eight_bits(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, tried = gguf_export.export_gguf, []

    def only_eight_bits(*arguments: Any, touched: str, **options: Any) -> Any:
        tried.append(touched)
        if touched == "own":
            raise gguf_export.CheckFailedError("other tokens", types=frozenset({"q4_1"}))
        return export(*arguments, touched=touched, **options)

    monkeypatch.setattr(gguf_export, "export_gguf", only_eight_bits)
    status, _, error = run("--no-check-engine")
    assert (status, tried) == (0, ["own", "q8_0"])
    assert "own: other tokens; the next type is tried" in error
    assert (tmp_path / "out.gguf").is_file()
    tried.clear()
    status, _, error = run("--touched", "own", "--out", tmp_path / "other.gguf")
    assert (status, tried) == (1, ["own"])
    assert "failed: other tokens" in error
    assert not (tmp_path / "other.gguf").exists()


@pytest.mark.parametrize("types", [set(), {"q8_0"}])
def test_what_no_other_type_can_mend_is_not_tried_again(
    run: Any, monkeypatch: pytest.MonkeyPatch, types: set[str]
) -> None:
    tried: list[str] = []

    def fails(*_arguments: Any, touched: str, **_options: Any) -> Any:
        tried.append(touched)
        raise gguf_export.CheckFailedError("the disk is bad", types=frozenset(types))

    monkeypatch.setattr(gguf_export, "export_gguf", fails)
    status, text, error = run()
    assert (status, text, tried) == (1, "", ["own"])
    assert error == "failed: the disk is bad\n"


def test_a_mistake_is_one_line_and_status_2(run: Any, parts: Parts, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(parts.path.read_bytes()[:3000])
    (tmp_path / "small").mkdir()
    small = make_parts(tmp_path / "small", sizes={"hidden_size": 32}).path
    for arguments, words in (
        (("--touched", "q3"), "touched 'q3' is unknown: use auto, own, q8_0, f16"),
        (("--layout", "flat"), "layout 'flat' is unknown: use folded or tensors"),
        (("--spokes", "nowhere"), "no set of spokes at 'nowhere'"),
        (("--base-gguf", "nowhere.gguf"), "no file at nowhere.gguf"),
        (("--base-gguf", cut), "is damaged"),
        (("--base-gguf", tmp_path / "set" / "spokes.json"), "does not start with 'GGUF'"),
        (("--base-gguf", small), "its model width is 32, the set's 64"),
        (("--out", parts.path, "--force"), "is the base itself"),
        (("--out", parts.path), "is the base itself"),
        (("--out", tmp_path), "is a folder"),
        (("--task", "nowhere"), "no task at 'nowhere'"),
    ):
        status, text, error = run(*arguments)
        assert (status, text) == (2, ""), arguments
        assert words in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out.gguf").exists()
