"""What answers depend on: a run that was stopped goes on with the same settings only."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spokesmith.bases import loading
from spokesmith.cli.asking import Source
from spokesmith.probes import Asking, load_set
from spokesmith.probes.answers import AnswerLog, resumable
from spokesmith.tasks import Task, load_task

MEMORY = load_task("memory")
WITHOUT = replace(MEMORY, verbatim=())
GOLD = load_set("gold", MEMORY)
NEWEST = ("verbatim", "tokenizer")


def settings(task: Task, *, constrained: bool, verbatim: bool = True, **source: Any) -> Any:
    how = Asking(constrained=constrained, max_tokens=9, verbatim=verbatim)
    return Source(**source).settings(task, GOLD, how)


def test_answers_that_were_held_to_other_fields_are_not_gone_on_with(tmp_path: Path) -> None:
    held = settings(MEMORY, constrained=True)
    others = [
        settings(WITHOUT, constrained=True),
        settings(replace(MEMORY, verbatim=MEMORY.verbatim[:1]), constrained=True),
        settings(MEMORY, constrained=True, verbatim=False),
    ]
    for other in others:
        with AnswerLog(tmp_path / "answers.jsonl", other):
            pass
        with pytest.raises(ValueError, match="was made with another verbatim"):
            resumable(tmp_path / "answers.jsonl", held)


def test_free_answers_depend_on_no_fields() -> None:
    assert settings(MEMORY, constrained=False) == settings(WITHOUT, constrained=False)


def test_answers_of_a_file_that_does_not_say_it_are_gone_on_with(tmp_path: Path) -> None:
    """Not where they were held to the text, of which such a file says nothing."""
    path = tmp_path / "answers.jsonl"

    def can_go_on(now: dict[str, Any]) -> bool:
        with AnswerLog(path, {key: now[key] for key in now if key not in NEWEST}):
            pass
        try:
            resumable(path, now)
        except ValueError:
            return False
        return True

    assert can_go_on(settings(MEMORY, constrained=False))
    assert can_go_on(settings(WITHOUT, constrained=True))
    assert can_go_on(settings(MEMORY, constrained=True, verbatim=False, url="http://a"))
    assert not can_go_on(settings(MEMORY, constrained=True))


def test_answers_depend_on_the_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "base.gguf").write_bytes(b"GGUF")
    source = {"on_llamacpp": True, "model": str(tmp_path / "base.gguf")}
    own = settings(MEMORY, constrained=False, **source)
    given = settings(MEMORY, constrained=False, tokenizer="folder", **source)
    assert {key for key in own if own[key] != given[key]} == {"tokenizer"}


def test_answers_depend_on_the_precision_that_auto_means(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for native in (False, True):
        monkeypatch.setattr(loading, "_cpu_multiplies_bfloat16", lambda native=native: native)
        found.append(settings(MEMORY, constrained=True, device="cpu")["dtype"])
    assert found == ["float32", "bfloat16"]


def test_a_key_ends_where_its_words_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", " sk-1\n")
    assert Source(url="http://x", api_key_env="MY_KEY")._api_key() == "sk-1"
    monkeypatch.setenv("MY_KEY", " \n")
    with pytest.raises(ValueError, match="MY_KEY is not set"):
        Source(url="http://x", api_key_env="MY_KEY")._api_key()
