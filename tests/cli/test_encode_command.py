"""`spokesmith encode` on a fake backend: every input has its line, whatever becomes of it."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.cli import app, encode
from spokesmith.cli.encode import read_inputs
from spokesmith.probes import load_probes
from spokesmith.tasks import load_task

MEMORY = load_task("memory")
ANSWER = MEMORY.canonical(load_probes(str(MEMORY.probes_path))[0].gold)


class Answering:
    """Gives every text the same answer, and fails on one."""

    def complete(self, messages: Any, **_: Any) -> Completion:
        if messages[-1]["content"] == "bad":
            raise RuntimeError("a step failed\nfar down")
        return Completion(
            text=ANSWER,
            finish_reason="stop",
            usage=Usage(prompt_tokens=1, completion_tokens=2),
            timing=Timing(first_token_s=0.1, total_s=0.2),
        )


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "open_base", lambda *_, **__: None)
    monkeypatch.setattr(encode, "open_backend", lambda *_, **__: Answering())


def spokesmith(*arguments: str | Path, stdin: str = "") -> tuple[int, str, str]:
    """Run the command in this process; return its status, stdout and stderr."""
    result = CliRunner().invoke(app, ["encode", *map(str, arguments)], input=stdin)
    if isinstance(result.exception, ValueError):
        return 2, result.stdout, str(result.exception)
    return result.exit_code, result.stdout, result.stderr


def test_a_step_that_fails_costs_one_text_its_answer() -> None:
    status, out, error = spokesmith("one", "bad", "two")
    assert (status, out.splitlines()) == (1, [ANSWER, "null", ANSWER])
    assert error == "input 2: a step failed far down\n"
    status, out, _ = spokesmith("one", "bad", "two", "--json")
    assert status == 1
    problems = [result["problem"] for result in json.loads(out)]
    assert problems == [None, "a step failed far down", None]


def test_an_input_without_text_keeps_its_place(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a"}\n{"text": " "}\n\n{"text": "b"}\n')
    lines = [ANSWER, "null", ANSWER]
    status, out, error = spokesmith(rows)
    assert (status, out.splitlines(), error) == (1, lines, "input 2: no text\n")
    status, out, error = spokesmith("-", "--lines", stdin="a\n\nb\n \n\n")
    assert (status, out.splitlines(), error) == (1, lines, "input 2: no text\n")
    (tmp_path / "empty.txt").touch()
    status, out, error = spokesmith("a", tmp_path / "empty.txt", "b")
    assert (status, out.splitlines(), error) == (1, lines, "input 2: no text\n")
    assert spokesmith(tmp_path / "empty.txt", "--lines")[0] == 2
    assert read_inputs(str(tmp_path / "empty.txt"), lines=True) == []


def test_an_input_with_half_a_character_keeps_its_place(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a"}\n{"text": "a \\ud83d"}\n{"text": "\\ud83d\\ude00"}\n')
    status, out, error = spokesmith(rows)
    assert (status, out.splitlines()) == (1, [ANSWER, "null", ANSWER])
    assert error == "input 2: the text holds half of a surrogate pair: replace it\n"


@pytest.mark.parametrize(
    "name", ["notes.txt", "rows.JSONL", "data/rows", "./note", "../größe.md", "tests/"]
)
def test_a_name_of_no_file_is_no_text(name: str) -> None:
    status, out, error = spokesmith("one", name)
    assert (status, out) == (2, "")
    assert error.startswith(f"no file at {name}: ")
    assert "through stdin, spokesmith encode -" in error
    assert spokesmith("-", stdin=name) == (0, f"{ANSWER}\n", "")


@pytest.mark.parametrize(
    "text", ["word", "https://example.org/notes.txt", "Ana moved a/b to notes.txt", "明日3/4開始。"]
)
def test_a_text_may_hold_names(text: str) -> None:
    assert spokesmith(text) == (0, f"{ANSWER}\n", "")


def test_a_text_that_is_too_long_to_be_held_to_is_told() -> None:
    status, out, error = spokesmith("one", " ".join(map(str, range(9000))))
    assert (status, out.splitlines()) == (0, [ANSWER, ANSWER])
    assert error.startswith("input 2: a note: the text is too long")
    _, out, _ = spokesmith("one", "--json")
    assert json.loads(out)[0]["held_to_text"] is True


def test_who_interrupts_does_not_wait_for_the_answers_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = threading.Event()

    class Slow(Answering):
        def complete(self, messages: Any, **options: Any) -> Completion:
            if messages[-1]["content"] == "first":
                return super().complete(messages, **options)
            assert closed.wait(30), "it waits for this answer"
            raise RuntimeError("given up")

        def close(self, *, finish: bool) -> None:
            assert not finish
            closed.set()

    class Interrupted:
        def write(self, _: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(encode, "open_backend", lambda *_, **__: Slow())
    monkeypatch.setattr(encode, "sys", SimpleNamespace(stdout=Interrupted()))
    status, _, _ = spokesmith("first", "second")
    assert status == 130
    assert closed.is_set()
