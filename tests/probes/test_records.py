"""Probe sets are found by name and read with their defaults."""

import json
from pathlib import Path

import pytest
from probe_fakes import MEMORY, PROBES

from spokesmith.data.audit import probe_texts
from spokesmith.probes import Probe, load_probes, load_set
from spokesmith.probes.records import Edit
from spokesmith.tasks import Task, load_task
from spokesmith.tasks.scaffold import new_task

SCHEMA = {
    "type": "object",
    "properties": {"subject": {"type": "string"}},
    "required": ["subject"],
    "additionalProperties": False,
}


@pytest.fixture
def letter(tmp_path: Path) -> Task:
    """A task of a user's, with a set of its own."""
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    folder = new_task(tmp_path / "letter", tmp_path / "schema.json").folder
    (folder / "probe_sets").mkdir()
    (folder / "probe_sets" / "hard.jsonl").write_text('{"id": "h", "text": "x"}\n')
    return load_task(folder)


def test_probes_are_loaded_with_their_defaults(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    edit = {"of": "a", "old": "x", "new": "9 ms"}
    second = {"id": "b", "text": "9 ms", "keep": ["9 ms"], "avoid": ["8 ms"], "edit": edit}
    path.write_text('{"id": "a", "text": "x"}\n\n' + json.dumps(second) + "\n")
    first, other = load_probes(path)
    assert first == Probe(id="a", text="x", category="other", keep=(), twin=None, gold=None)
    assert (other.keep, other.avoid, other.edit) == (
        ("9 ms",), ("8 ms",), Edit(of="a", old="x", new="9 ms"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"id": "a", "text": "x"}\nnot json\n', r"probes\.jsonl, line 2 is not JSON"),
        ('{"id": "a"}\n{"id": "b"}\n', r"probes\.jsonl, line 1: text is None.*\(and 1 more\)"),
        ("\n", "holds no probe to ask for"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "probes.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match=reason) as caught:
        load_probes(path)
    assert "\n" not in str(caught.value)


def test_bad_lines_are_left_out_where_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    path.write_text('{"id": "a", "text": "x"}\nnot json\n')
    found = load_set(str(path), MEMORY, keep_going=True)
    assert [probe.id for probe in found.probes] == ["a"]
    assert found.left_out == 1
    assert "line 2" in found.problems[0]


@pytest.mark.parametrize("keep_going", [False, True])
def test_a_missing_file_is_named(tmp_path: Path, keep_going: bool) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*none\.jsonl"):
        load_set(str(tmp_path / "none.jsonl"), MEMORY, keep_going=keep_going)


def test_a_set_is_gold_or_the_tasks_own_or_a_file(letter: Task, tmp_path: Path) -> None:
    assert load_set("gold", MEMORY).probes == PROBES
    assert [probe.id for probe in load_set("hard", letter).probes] == ["h"]
    with pytest.raises(ValueError, match=r"no probe set 'soft': .* one of gold, hard, texts"):
        load_set("soft", letter)


def test_no_other_file_takes_the_place_of_the_tasks_own_probes(letter: Task) -> None:
    assert letter.probes_path is not None
    letter.probes_path.write_text('{"id": "own", "text": "Pay 90 euros."}\n')
    own = [probe.id for probe in load_set("gold", letter).probes]
    for name in ("gold", letter.probes_path.stem):
        other = letter.probes_path.parent / "probe_sets" / f"{name}.jsonl"
        other.write_text('{"id": "other", "text": "Pay."}\n')
    assert [probe.id for probe in load_set("gold", letter).probes] == own
    texts = [set(by_id) for by_id in probe_texts(letter).values()]
    assert texts.count(set(own)) == 1
    assert texts.count({"other"}) == 2


def test_texts_need_their_file_and_no_other_set_takes_one(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"id": "1", "text": "x", "split": "eval"}\n{"id": "2", "text": "y"}\n')
    assert [one.id for one in load_set("texts", MEMORY, texts=path, split="eval").probes] == ["1"]
    with pytest.raises(ValueError, match="give it with --texts"):
        load_set("texts", MEMORY)
    with pytest.raises(ValueError, match="go with --set texts"):
        load_set("gold", MEMORY, texts=path)
    with pytest.raises(ValueError, match="holds no probe"):
        load_set("texts", MEMORY, texts=path, split="test")


def test_the_hash_is_of_ids_and_texts_alone(tmp_path: Path) -> None:
    def hash_of(content: str) -> str:
        path = tmp_path / "set.jsonl"
        path.write_text(content)
        return load_set(str(path), MEMORY).hash

    one = hash_of('{"id": "a", "text": "x"}\n{"id": "b", "text": "y"}\n')
    assert hash_of('{"id": "b", "text": "y"}\n{"id": "a", "text": "x", "keep": ["x"]}\n') == one
    assert hash_of('{"id": "a", "text": "x"}\n{"id": "b", "text": "z"}\n') != one
