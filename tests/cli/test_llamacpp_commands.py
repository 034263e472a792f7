"""`--engine llama.cpp`: encode, probe and serve on a tiny GGUF file, and mistakes of usage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from llamacpp_files import tiny_chat_base, write_tiny_gguf
from typer.testing import CliRunner

from spokesmith.cli import app
from spokesmith.cli.llamacpp import open_llamacpp, parse_options
from spokesmith.cli.set_task import task_to_ask_of_file
from spokesmith.metrics import check
from spokesmith.tasks import load_task

pytest.importorskip("xllamacpp", reason="xllamacpp, the extra llamacpp, is not installed")

ENGINE = ("--engine", "llama.cpp")
SMALL = ("--engine-option", "threads=1", "--engine-option", "context=4096")
TEXT = "Marta moved the backup job."


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base that says of itself that it was made for the task memory."""
    folder = tmp_path_factory.mktemp("gguf")
    return write_tiny_gguf(tiny_chat_base(), folder / "tiny.gguf", task="memory")


def spokesmith(*arguments: str | Path, status: int = 0) -> tuple[str, str]:
    """Run the program in this process; return its stdout and stderr, or a user's mistake."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if isinstance(result.exception, ValueError):
        assert status == 2
        assert "\n" not in str(result.exception)
        return "", str(result.exception)
    assert result.exit_code == status, (result.exception, result.stderr)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stdout, result.stderr


def test_texts_are_encoded(path: Path) -> None:
    model = [*ENGINE, "--model", path, *SMALL]
    out, err = spokesmith("encode", TEXT, *model, "--max-tokens", "30", status=1)
    assert out == "null\n"
    assert "cut at 30 tokens" in err


def test_probes_are_asked_and_the_report_says_of_what(path: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--first", "2", "--constrained", "--max-tokens", "30", "--out", report]
    model = [*ENGINE, "--model", path, *SMALL, "--engine-option", "speculation=none"]
    spokesmith("probe", *options, *model, status=1)
    document = json.loads(report.read_text())
    assert document["base"] == "tiny.gguf"
    made = document["made"]
    assert (made["engine"], made["spokes_hash"]) == ("llama.cpp", None)
    assert made["engine_options"] == ["threads=1", "context=4096", "speculation=none"]
    assert len(made["model_hash"]) == 64
    assert [one["problem"] for one in document["probes"]] == ["cut after 30 tokens"] * 2


def test_the_file_says_what_it_is_for(path: Path, tmp_path: Path) -> None:
    settings = ["threads=1", "num_slots=1", "context=2048"]
    for named, name in (({}, "memory"), ({"name": "mine"}, "mine")):
        backend = open_llamacpp(path, settings=settings, **named)
        assert [(one.name, one.task) for one in backend.models()] == [(name, load_task("memory"))]
        backend.close()
    plain = write_tiny_gguf(tiny_chat_base(), tmp_path / "plain.gguf", name="Tiny One")
    backend = open_llamacpp(plain, settings=settings)
    assert [(one.name, one.task) for one in backend.models()] == [("Tiny One", None)]
    backend.close()


@pytest.mark.parametrize(
    "keys", [{"task": "letter"}, {"prompt_hash": "0"}, {"schema_hash": "0"}], ids=str
)
def test_a_task_that_is_not_to_be_had_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, keys: dict[str, str]
) -> None:
    keys = {"task": "memory", **keys}
    file = write_tiny_gguf(tiny_chat_base(), tmp_path / "tiny.gguf", **keys)
    backend = open_llamacpp(file, settings=["threads=1", "num_slots=1", "context=512"])
    assert backend.models()[0].task is None
    assert "its prompt is not in it: name the folder of the task with" in capsys.readouterr().err
    with pytest.raises(ValueError, match="name the folder of the task with --task"):
        task_to_ask_of_file(None, file)
    assert task_to_ask_of_file("memory", file) == load_task("memory")
    backend.close()


def test_a_file_brings_its_task(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"who": {"type": "string", "maxLength": 5}},
        "required": ["who"],
        "additionalProperties": False,
    }
    keys = {"task": "letter", "prompt": "Who writes?", "schema": json.dumps(schema)}
    plain = write_tiny_gguf(tiny_chat_base(), tmp_path / "plain.gguf", **keys)
    task = task_to_ask_of_file(None, plain)
    assert (task.name, task.prompt, task.schema) == ("letter", "Who writes?", schema)
    assert task.verbatim == ()
    file = write_tiny_gguf(tiny_chat_base(), tmp_path / "f.gguf", **keys, verbatim='["/who"]')
    out, _ = spokesmith("encode", "zzz", *ENGINE, "--model", file, *SMALL)
    assert json.loads(out)["who"] in ("", "zzz")
    _, error = spokesmith("probe", *ENGINE, "--model", file, *SMALL, status=2)
    assert "no probe set 'gold': give a JSONL file" in error
    for wrong in ({"verbatim": '["/whom"]'}, {"verbatim": "["}, {"schema": "{"}):
        bad = write_tiny_gguf(tiny_chat_base(), tmp_path / "bad.gguf", **{**keys, **wrong})
        with pytest.raises(ValueError, match=r"holds no sound task .*: export it again"):
            task_to_ask_of_file(None, bad)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("encode", TEXT, *ENGINE), "give it, --model FILE"),
        (("encode", TEXT, *ENGINE, "--model", "no.gguf"), "no file at no.gguf"),
        (("encode", TEXT, "--model", "no.gguf"), "--model is not for --engine spokesmith"),
        (("encode", TEXT, "--engine", "other"), "use spokesmith or llama.cpp"),
        (("encode", TEXT, *ENGINE, "--model", "FILE", "--base", "x"), "--base is not for"),
        (("encode", TEXT, *ENGINE, "--model", "FILE", *SMALL, "--engine-option", "x"), "NAME="),
        (("encode", TEXT, *ENGINE, "--model", __file__), "is no GGUF file"),
        (
            ("encode", TEXT, *ENGINE, "--model", "FILE", "--engine-option", "context=64"),
            "the context is 64: give a larger one, --engine-option context=N",
        ),
        (("probe", *ENGINE, "--model", "FILE", "--url", "http://127.0.0.1:1"), "leave out --url"),
        (("probe", *ENGINE), "give it, --model FILE"),
        (("serve", "--task", "memory"), "--task is not for --engine spokesmith"),
        (("serve", *ENGINE, "--model", "no.gguf"), "no GGUF file at no.gguf"),
        (("serve", *ENGINE, "--model", "FILE", "--dtype", "float32"), "--dtype is not for"),
    ],
)
def test_a_mistake_is_one_line(path: Path, arguments: tuple[str, ...], words: str) -> None:
    given = [path if one == "FILE" else one for one in arguments]
    assert words in spokesmith(*given, status=2)[1]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("threads", "NAME=VALUE with one of num_slots, context"),
        ("colour=red", "NAME=VALUE"),
        ("threads=two", "'two' is no number"),
        ("repack=yes", "'yes' is no truth value"),
        ("threads=0", "threads is 0"),
    ],
)
def test_wrong_settings_are_said(setting: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_options([setting])


def test_settings_reach_the_options() -> None:
    settings = ["draft-tokens=3", "repack=false", "slot_similarity=0.5", "speculation=none"]
    found = parse_options([*settings, "context=1024"], num_slots=2, context=99)
    assert (found.draft_tokens, found.repack, found.slot_similarity) == (3, False, 0.5)
    assert (found.speculations, found.context, found.num_slots) == ((), 1024, 2)


def test_a_server_from_start_to_stop(path: Path) -> None:
    command = [sys.executable, "-m", "spokesmith", "serve", *ENGINE, "--model", str(path), *SMALL]
    process = subprocess.Popen(
        [*command, "--port", "0", "--embeddings", "none", "--slots", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    try:
        url = process.stderr.readline().split()[0]
        assert process.stderr.readline().strip() == f"ready: {url} serves memory"
        with httpx.Client(base_url=url, timeout=60) as client:
            body: dict[str, Any] = {"text": TEXT, "max_tokens": 40, "on_truncation": "close"}
            answer = client.post("/v1/encode", json=body)
            assert answer.status_code == 200, answer.text
            assert check(answer.text, load_task("memory").schema).valid
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(30) in (0, -signal.SIGTERM)
        assert time.monotonic() - start < 20
    finally:
        process.kill()
