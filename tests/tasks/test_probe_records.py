"""Each fault of a probe line is named with its file, line and reason, and ends no other line."""

import json
from pathlib import Path
from typing import Any

import pytest

from spokesmith.tasks.check import check_task
from spokesmith.tasks.probe_records import (
    appears_in,
    read_probe_file,
    read_probe_records,
    read_text_file,
)
from spokesmith.tasks.scaffold import new_task


def write(folder: Path, *records: Any) -> Path:
    path = folder / "set.jsonl"
    lines = [one if isinstance(one, str) else json.dumps(one) for one in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


GOOD = {"id": "a", "text": "Pump 7 runs at 12 ms."}
EDITED = {
    "id": "b",
    "text": "Pump 7 runs at 19 ms.",
    "edit": {"of": "a", "old": "12", "new": "19"},
}


def test_every_key_is_read(tmp_path: Path) -> None:
    full = {
        **GOOD,
        "category": "note",
        "keep": ["12 ms"],
        "avoid": ["19 ms", "2 ms"],
        "twin": "b",
        "gold": {"gist": "x"},
        "origin": "made up",
        "licence": "CC0-1.0",
    }
    records, problems = read_probe_records(write(tmp_path, full, {**EDITED, "twin": "a"}))
    assert problems == []
    assert records == [full, {**EDITED, "twin": "a"}]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"avoid": "x"}, "avoid is 'x': give a list"),
        ({"avoid": [" "]}, "avoid is"),
        ({"avoid": ["pump 7"]}, "avoid 'pump 7' stands in the text"),
        ({"keep": ["13 ms"]}, "keep '13 ms' does not stand in the text"),
        ({"origin": 3}, "origin is 3: give a string"),
        ({"licence": None}, "licence is None: give a string"),
        ({"edit": {"of": "b"}}, 'give {"of": id, "old": words, "new": words} or null'),
        ({"edit": {"of": "z", "old": "1", "new": ""}}, "edit's new is ''"),
        ({"edit": {"of": "z", "old": "1", "new": "2"}}, "edit's of 'z' is no other probe"),
        ({"edit": {"of": "a", "old": "1", "new": "2"}}, "edit's of 'a' is no other probe"),
        ({"edit": {"of": "c", "old": "7", "new": "8"}}, "'7' stands 2 times in the text of 'c'"),
        ({"edit": {"of": "c", "old": "9", "new": "8"}}, "'9' stands 0 times in the text of 'c'"),
        ({"edit": {"of": "c", "old": "fan", "new": "pipe"}}, "the text is not that of 'c' with"),
        ({"twin": "c"}, "twin 'c' does not name 'a' as its own twin"),
        ({"twin": "a"}, "twin 'a' is no other probe"),
        ({"mood": 1}, "unknown key 'mood'"),
        ({"text": "a \ud83d"}, "holds half of a surrogate pair: replace it"),
        ({"keep": ["\udc4d"]}, "holds half of a surrogate pair: replace it"),
    ],
)
def test_a_fault_is_one_line(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    other = {"id": "c", "text": "Pump 7 and fan 7 run."}
    found = read_probe_file(write(tmp_path, other, {**GOOD, **change}))
    (problem,) = found.problems
    assert problem.startswith(f"{tmp_path / 'set.jsonl'}, line 2: ")
    assert reason in problem
    assert (found.records, found.left_out) == ([other], 1)


def test_an_edit_that_changes_nothing_is_none(tmp_path: Path) -> None:
    edit = {"of": "a", "old": "12", "new": "12"}
    (problem,) = read_probe_file(write(tmp_path, GOOD, {**GOOD, "id": "b", "edit": edit})).problems
    assert "the text is not that of 'a'" in problem


def test_what_refers_to_a_bad_line_is_bad_too(tmp_path: Path) -> None:
    broken = {"id": "b", "text": "x", "twin": "a", "category": 3}
    found = read_probe_file(
        write(tmp_path, {**GOOD, "twin": "b"}, broken, "{", {"id": "d", "text": "y"}, "[]")
    )
    assert [record["id"] for record in found.records] == ["d"]
    assert found.left_out == 4
    lines = [problem.split("line ")[1][0] for problem in found.problems]
    assert lines == ["1", "2", "3", "5"]


def test_of_lines_with_one_id_none_is_taken(tmp_path: Path) -> None:
    found = read_probe_file(
        write(tmp_path, GOOD, {"id": "a", "text": "other"}, EDITED, {"id": "d", "text": "y"})
    )
    assert [record["id"] for record in found.records] == ["d"]
    assert found.left_out == 3
    assert "line 1: id 'a' is not the only one" in found.problems[0]
    assert "line 3: edit's of 'a' is no other probe" in found.problems[2]


def test_texts_are_read_by_split_and_keep_their_domain(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"id": "1", "text": "x", "domain": "note", "split": "eval", "source": 3},
        {"id": "2", "text": "y", "split": "train"},
        {"id": "3"},
    )
    found = read_text_file(path)
    assert [record["id"] for record in found.records] == ["1", "2"]
    assert found.records[0] == {"id": "1", "text": "x", "category": "note", "split": "eval"}
    assert found.left_out == 1
    assert [record["id"] for record in read_text_file(path, split="train").records] == ["2"]


@pytest.mark.parametrize(
    ("words", "text", "appears"),
    [
        ("Ann", "ann went", True),
        ("Ann", "annual", False),
        ("12", "at 12.", True),
        ("12", "12.5", False),
        ("12", "3:12", False),
        ("12", "112", False),
        ("5%", "at 5% more", True),
        ("東京", "今日東京へ", True),
        ("ＡＢ", "ab", True),
        ("(x)", "a(x)b", True),
    ],
)
def test_words_appear_as_whole_words_whatever_the_case(
    words: str, text: str, appears: bool
) -> None:
    assert appears_in(words, text) is appears


def test_a_task_is_checked_with_all_its_sets(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"subject": {"type": "string", "maxLength": 99}},
        "required": ["subject"],
        "additionalProperties": False,
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    folder = new_task(tmp_path / "letter", tmp_path / "schema.json").folder
    sets = folder / "probe_sets"
    sets.mkdir()
    (sets / "hard.jsonl").write_text('{"id": "a", "text": "x", "gold": {"subject": "x"}}\n')
    assert check_task(folder).ok
    (sets / "soft.jsonl").write_text('{"id": "a", "text": "x", "twin": "b"}\n')
    (problem,) = check_task(folder).problems
    assert "soft.jsonl, line 1: twin 'b' is no other probe" in problem
    (sets / "soft.jsonl").write_text('{"id": "a", "text": "x", "gold": {"subject": 1}}\n')
    (problem,) = check_task(folder).problems
    assert "soft.jsonl, gold of 'a' at #/subject" in problem
