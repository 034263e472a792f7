"""The command line as a user meets it: documents, exit statuses, one line for a mistake."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spokesmith.bases import Base
from spokesmith.cli import app
from spokesmith.cli.diagnose import _samples, right_answers
from spokesmith.cli.encode import read_inputs
from spokesmith.cli.train import parse_choices
from spokesmith.spokes import SpokesCard, SpokeSet, save_spokes
from spokesmith.tasks import Task, load_task, save_task
from spokesmith.tasks.scaffold import new_task
from spokesmith.testing import tiny_base


def spokesmith(*arguments: str | Path, status: int = 0, stdin: str = "") -> tuple[str, str]:
    """Run the program; return its stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "spokesmith", *map(str, arguments)],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=280,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base as a folder."""
    folder = tmp_path_factory.mktemp("bases") / "tiny"
    base = tiny_base("llama", num_layers=2)
    base.model.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    spokesmith("data", "generate", "--out", folder, "--count", 40, "--kinds", "minimal,url_only")
    return folder


def test_help_names_every_command() -> None:
    out, _ = spokesmith("--help")
    commands = ("demo", "train", "diagnose", "encode", "probe", "data", "task", "bases", "convert")
    for command in commands:
        assert command in out


def test_bases_shows_sizes_and_licences() -> None:
    document = json.loads(spokesmith("bases", "--json")[0])
    (smollm2,) = document["embedded"]
    assert smollm2["name"] == "smollm2-135m"
    assert smollm2["licence"] == "Apache-2.0"
    names = [family["name"] for family in document["families"]]
    assert names == ["llama", "gemma3", "gemma4", "qwen3", "qwen3_5"]
    assert "Apache-2.0" in spokesmith("bases")[0]


def test_data_is_generated_prepared_and_audited(tiny: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    rows = [
        {"id": f"t{i}", "text": f"Ana moved {i} files to /srv/{i}.", "split": split}
        for i, split in enumerate(("train", "train", "eval"))
    ]
    texts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("--out", tmp_path / "d", "--texts", texts, "--texts-split", "train", "--json")
    document = json.loads(spokesmith("data", "generate", "--count", 60, *options)[0])
    assert document["pairs"] == 62
    lines = (tmp_path / "d" / "pairs.jsonl").read_text().splitlines()
    assert not any("/srv/2" in line for line in lines)
    _, error = spokesmith("data", "generate", "--count", 60, *options, status=2)
    assert "is there already" in error

    report = json.loads(
        spokesmith("data", "prepare", "--data", tmp_path / "d", "--base", tiny, "--json")[0]
    )
    kept = sum(report["kept"].values())
    assert kept + sum(report["dropped"].values()) == 62
    audit = json.loads(spokesmith("data", "audit", "--data", tmp_path / "d", "--json")[0])
    assert audit["ok"] is True

    broken = tmp_path / "broken"
    broken.mkdir()
    pair = json.loads(lines[0])
    pair["gold"]["salience"] = 7
    (broken / "pairs.jsonl").write_text(json.dumps(pair) + "\n")
    out, _ = spokesmith("data", "audit", "--data", broken, "--json", status=1)
    assert json.loads(out)["ok"] is False


def test_train_encode_and_probe_on_a_tiny_base(tiny: Path, data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    choices = ("max_steps=3", "num_spokes=1", "rank=4", "eval_every=0", "max_length=4096")
    options = [word for choice in choices for word in ("--set", choice)]
    arguments = ("train", "--data", data, "--out", run, "--base", tiny, *options)
    # A base of random weights is taken for a damaged one, and the preflight says so.
    _, error = spokesmith(*arguments, status=2)
    assert "the preflight says no (better than a uniform guess" in error
    out, error = spokesmith(*arguments, "--no-preflight", "--json")
    assert "memory: about" in error
    assert "checkpointing none" in error
    document = json.loads(out)
    assert document["steps"] == 3
    assert (run / "loss.png").read_bytes().startswith(b"\x89PNG")
    _, error = spokesmith(*arguments, status=2)
    assert "--resume goes on with its run, --force replaces it" in error

    going_on = ("--from", run / "best", "--out", tmp_path / "on", "--no-preflight", "--json")
    out, _ = spokesmith(*arguments, *going_on)
    assert json.loads(out)["loss"] < document["loss"]
    _, error = spokesmith(*arguments, "--from", "nowhere", "--out", tmp_path / "none", status=2)
    assert "no set of spokes at 'nowhere'" in error

    using = ("--base", tiny, "--spokes", run / "best")
    # Three steps teach nothing: a free answer does not fit, and the exit status says so.
    out, error = spokesmith("encode", "one", "two", "--free", "--max-tokens", 20, *using, status=1)
    assert out == "null\nnull\n"
    assert "input 2:" in error
    # A text that cannot be asked for costs the others nothing.
    long = "far too long " * 5000
    both = ("encode", long, "two", "--free", "--max-tokens", 20, "--json", *using)
    first, second = json.loads(spokesmith(*both, status=1)[0])
    assert (first["completion_tokens"], second["completion_tokens"]) == (0, 20)
    assert "the context is 4096: shorten the text" in first["problem"]
    out, _ = spokesmith("encode", "one", "--free", "--max-tokens", 20, *using, "--json", status=1)
    (result,) = json.loads(out)
    assert result["encoding"] is None
    assert result["problem"]

    report = tmp_path / "report.json"
    probing = ("probe", "--first", 2, "--max-tokens", 10, "--free", "--out", report, *using)
    out, _ = spokesmith(*probing, "--json", status=1)
    assert json.loads(out) == json.loads(report.read_text())
    assert len(json.loads(out)["probes"]) == 2
    _, error = spokesmith(*probing, status=2)
    assert "is there already" in error


def test_overfit_that_is_not_learned_is_a_failed_check(data: Path, tmp_path: Path) -> None:
    options = ("--set", "max_steps=2", "--set", "rank=2", "--set", "max_length=4096")
    arguments = ("train", "--data", data, "--out", tmp_path / "run", "--base", "tiny-gemma4_text")
    out, _ = spokesmith(*arguments, "--overfit", 1, *options, "--json", status=1)
    assert json.loads(out)["known_by_heart"] == 0


def test_diagnose_prints_a_verdict_a_question_and_exits_by_it(tiny: Path, tmp_path: Path) -> None:
    picture = tmp_path / "pictures" / "layers.png"
    out, _ = spokesmith("diagnose", "--base", "tiny-gemma4_text", "--picture", picture)
    assert [f"{number}. " in out for number in range(1, 6)] == [True] * 5
    assert "refused  reentrant checkpointing" in out
    assert out.rstrip().endswith("all right")
    assert picture.read_bytes().startswith(b"\x89PNG")
    _, error = spokesmith("diagnose", "--base", "tiny-llama", "--picture", picture, status=2)
    assert "is there already" in error
    out, _ = spokesmith("diagnose", "--base", tiny, "--length", 128, "--json", status=1)
    document = json.loads(out)
    assert document["ok"] is False
    (bad,) = [
        check["name"]
        for question in document["questions"]
        for check in question["checks"]
        if check["verdict"] == "no"
    ]
    assert bad == "better than a uniform guess"


def test_a_picture_that_cannot_be_drawn_costs_no_verdict(tmp_path: Path) -> None:
    options = ("--base", "tiny-gemma4_text", "--picture", str(tmp_path / "layers.xyz"))
    result = CliRunner().invoke(app, ["diagnose", *options])
    assert isinstance(result.exception, ValueError)
    assert "'xyz' is not supported" in str(result.exception)
    assert result.stdout.rstrip().endswith("all right")


def test_a_task_of_ones_own(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(
        json.dumps({"type": "object", "properties": {"title": {"type": "string", "maxLength": 40}}})
    )
    folder = tmp_path / "mine"
    spokesmith("task", "new", folder, "--schema", schema)
    out, _ = spokesmith("task", "check", folder)
    assert "nothing is wrong" in out
    (folder / "schema.json").write_text("{")
    out, _ = spokesmith("task", "check", folder, "--json", status=1)
    assert json.loads(out)["problems"]
    _, error = spokesmith("task", "new", folder, "--schema", schema, status=2)
    assert error.startswith("spokesmith: ")


def save_own_set(folder: Path, base: Base) -> Task:
    """Make a task, and a set that was trained for it and does not hold it."""
    schema = folder / "schema.json"
    schema.write_text(
        json.dumps({"type": "object", "properties": {"title": {"type": "string", "maxLength": 9}}})
    )
    new_task(folder / "mine", schema)
    mine = load_task(folder / "mine")
    spokes = SpokeSet.create(base.spokes_config(num_spokes=1, rank=2), seed=0)
    card = SpokesCard(
        spokes=spokes.config,
        base=base.name,
        base_fingerprint=base.fingerprint,
        task=mine.name,
        schema_hash=mine.schema_hash,
        prompt_hash=mine.prompt_hash,
    )
    save_spokes(folder / "set", spokes, card)
    return mine


def test_a_set_is_asked_what_it_was_trained_for(tmp_path: Path) -> None:
    mine = save_own_set(tmp_path, tiny_base())
    asking = ("encode", "A title", "--base", "tiny-llama", "--spokes", tmp_path / "set")
    _, error = spokesmith(*asking, status=2)
    assert "trained for the task 'mine', which is not with it: copy that task's folder to" in error
    save_task(mine, tmp_path / "set" / "task")
    out, _ = spokesmith(*asking)
    assert list(json.loads(out)) == ["title"]
    out, _ = spokesmith(*asking, "--task", "memory", "--free", "--max-tokens", 5, status=1)
    assert out == "null\n"


def test_a_diagnosis_asks_a_set_about_its_own_task(tiny: Path, tmp_path: Path) -> None:
    mine, folder = save_own_set(tmp_path, tiny_base(num_layers=2)), tmp_path / "set" / "task"
    save_task(mine, folder)

    def guess() -> tuple[str, str]:
        """The verdict on what is predicted, and what was said of it."""
        options = ("--base", tiny, "--spokes", tmp_path / "set", "--length", 64, "--json")
        result = CliRunner().invoke(app, ["diagnose", *map(str, options)])
        checks = json.loads(result.stdout)["questions"][3]["checks"]
        (verdict,) = [one["verdict"] for one in checks if one["name"].startswith("better than")]
        return verdict, " ".join(result.stderr.split())

    verdict, said = guess()
    assert verdict == "told"
    assert "fewer than 2 probes of the task 'mine' have a gold: settings are judged" in said
    probes = [
        {"id": "a", "text": "A title", "gold": {"title": "A"}},
        {"id": "b", "text": "No gold"},
        {"id": "c", "text": "Another title", "gold": {"title": "Another"}},
    ]
    (folder / "probes.jsonl").write_text("".join(json.dumps(one) + "\n" for one in probes))
    verdict, said = guess()
    assert verdict in ("yes", "no")
    assert said == ""
    task, base = load_task(folder), tiny_base()
    right = right_answers(task)
    assert right == [("A title", '{"title":"A"}'), ("Another title", '{"title":"Another"}')]
    (first, _) = _samples(base, task=task, pairs=right, length=9999)
    assert base.tokenizer.decode(first.tokens[first.answer_start :]) == '{"title":"A"}<|end|>'
    assert task.prompt in base.tokenizer.decode(first.tokens[: first.answer_start])


MISTAKES = [
    (("encode", "x", "--base", "no-such-base"), "cannot load base 'no-such-base'"),
    (("encode", " ", ""), "no text in ' ', '': give at least one"),
    (("encode", "x", "--task", "nope"), "no task at 'nope'"),
    (("encode", "x", "--bogus"), "No such option"),
    (("train", "--data", "nowhere", "--out", "run", "--set", "colour=red"), "'colour' is unknown"),
    (("train", "--data", "nowhere", "--out", "run", "--set", "rank"), "write it as name=value"),
    (("train", "--data", "nowhere", "--out", "run", "--set", "rank=0.5"), "rank = 0.5, want a int"),
    (("train", "--data", "d", "--out", "r", "--set", "checkpointing=third"), "use auto or none or"),
    (("diagnose", "--base", "tiny-mamba"), "'tiny-mamba' is no tiny base: use tiny-llama"),
    (("diagnose", "--length", "3"), "--length 3: use at least 16"),
    (("diagnose", "--reference", "gold"), "--reference gold is unknown: use auto or none"),
    (("encode", "x", "--quantize", "int2"), "quantize 'int2' is unknown: use none or nf4"),
    (("data", "generate", "--out", "d", "--kinds", "opera"), "no kind 'opera'"),
    (("data", "audit", "--data", "nowhere"), "no pairs at"),
    (("probe", "--set", "nowhere.jsonl"), "nowhere.jsonl"),
    (("task", "check", "nowhere"), "nowhere"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_one_line_and_status_2(
    arguments: tuple[str, ...], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    out, error = spokesmith(*arguments, status=1 if arguments[0] == "task" else 2)
    assert words in out + error
    if "No such option" not in words and arguments[0] != "task":
        assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (("encode", "x", "--spokes"), "--spokes FOLDER, or --spokes none for BASE alone"),
        (("probe", "--spokes"), "--spokes FOLDER, or --spokes none for BASE alone"),
        (("diagnose", "--spokes"), "--spokes FOLDER, or --spokes none for BASE alone"),
        (("serve", "--spokes"), "--spokes FOLDER, or --spokes none for BASE alone"),
        (("train", "--data", "d", "--out", "r", "--from"), "a set of its own, or leave out --from"),
    ],
)
def test_a_set_for_another_base_is_refused_before_a_weight_is_read(
    command: tuple[str, ...], remedy: str, tiny: Path, tmp_path: Path
) -> None:
    other = tiny_base("llama", num_layers=3)
    config = other.spokes_config(num_spokes=1, rank=2)
    card = SpokesCard(spokes=config, base="other", base_fingerprint=other.fingerprint)
    save_spokes(tmp_path / "set", SpokeSet.create(config, seed=0), card)
    bare = tmp_path / "bare"
    shutil.copytree(tiny, bare, ignore=shutil.ignore_patterns("*.safetensors"))
    result = CliRunner().invoke(app, [*command, str(tmp_path / "set"), "--base", str(bare)])
    assert isinstance(result.exception, ValueError)
    error = str(result.exception)
    assert f"was trained on other, and {bare} is another base" in error
    assert remedy.replace("BASE", str(bare)) in error
    assert "\n" not in error


def test_inputs_are_texts_files_and_lines(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("first\nsecond\n\n")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a"}\n{"text": "b", "id": 1}\n')
    assert read_inputs("just words", lines=False) == ["just words"]
    assert read_inputs(str(note), lines=False) == ["first\nsecond\n\n"]
    assert read_inputs(str(note), lines=True) == ["first", "second"]
    assert read_inputs(str(rows), lines=False) == ["a", "b"]
    assert read_inputs("x" * 5000, lines=False) == ["x" * 5000]
    separated = "a\u2028b\x0c\x85c"
    rows.write_text(json.dumps({"text": separated}, ensure_ascii=False) + "\r\n\n")
    assert read_inputs(str(rows), lines=False) == [separated]
    note.write_text(f"{separated}\r\nd")
    assert read_inputs(str(note), lines=True) == [separated, "d"]
    rows.write_text('{"text": "a"}\n{"words": "b"}\n')
    with pytest.raises(ValueError, match=r"rows\.jsonl, line 2"):
        read_inputs(str(rows), lines=False)
    note.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_inputs(str(note), lines=False)


def test_choices_are_read_as_toml_where_they_are() -> None:
    assert parse_choices(
        ["rank=8", "share_prefix=false", "schedule=wsd", "learning_rate=1e-2"]
    ) == {
        "rank": 8,
        "share_prefix": False,
        "schedule": "wsd",
        "learning_rate": 0.01,
    }


def test_an_older_checkpoint_becomes_a_set(tiny: Path, tmp_path: Path) -> None:
    import torch

    old, folder = tmp_path / "old.pt", tmp_path / "set"
    state = {}
    for layer in range(2):
        state[f"{layer}.gate_bias"] = torch.tensor(0.5)
        for spoke in range(2):
            state[f"{layer}.w_down.{spoke}.weight"] = torch.randn(3, 64)
            state[f"{layer}.w_up.{spoke}.weight"] = torch.randn(64, 3)
    config = {"num_spokes": 2, "spoke_rank": 3, "spoke_every_n": 1, "colour": "red"}
    torch.save({"spoke_config": config, "spoke_state_dict": state}, old)
    converting = ("convert", old, "--out", folder, "--base", tiny)
    document = json.loads(spokesmith(*converting, "--json")[0])
    assert document["folder"] == str(folder)
    assert document["layers"] == [0, 1]
    assert document["unused"] == ["colour"]
    card = json.loads((folder / "spokes.json").read_text())
    assert card["base"] == str(tiny)
    assert card["base_fingerprint"] == document["base_fingerprint"]
    assert card["training"] == {"converted_from": "old.pt"}
    # The set fits its base; random spokes answer nothing that fits the schema.
    using = ("--base", tiny, "--spokes", folder, "--max-tokens", 5)
    _, error = spokesmith("encode", "one", "--free", *using, status=1)
    assert "was trained on" not in error

    _, error = spokesmith(*converting, status=2)
    assert "is there already" in error
    assert error.count("\n") == 1
    out, error = spokesmith(*converting, "--force")
    assert out == ""
    assert "not used: colour" in error
    before = (folder / "spokes.safetensors").read_bytes()
    del state["1.gate_bias"]
    torch.save({"spoke_config": config, "spoke_state_dict": state}, old)
    _, error = spokesmith(*converting, "--force", status=2)
    assert "lacks 1.gate_bias" in error
    old.write_text("hello")
    _, error = spokesmith(*converting, "--force", status=2)
    assert "cannot be read" in error
    assert error.count("\n") == 1
    assert (folder / "spokes.safetensors").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.pt", "set"]
