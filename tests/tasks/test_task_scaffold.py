"""A scaffolded task is sound, tells what it changed, and never costs anybody a file."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from spokesmith.tasks import load_task
from spokesmith.tasks.check import check_task
from spokesmith.tasks.scaffold import new_task

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "role": {"type": "string"}},
    "required": ["name"],
}
OPEN: dict[str, Any] = {
    "description": 'A "letter",\n in short',
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "sender": {"$ref": "#/$defs/person", "description": "who wrote"},
        "others": {"type": "array", "items": {"$ref": "#/$defs/person"}},
    },
    "$defs": {"person": PERSON},
}
STRICT: dict[str, Any] = {
    "type": "object",
    "properties": {"subject": {"type": "string"}},
    "required": ["subject"],
    "additionalProperties": False,
}


def schema_file(folder: Path, schema: Any) -> Path:
    path = folder / "given.json"
    path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return path


def parts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_round_trip(tmp_path: Path) -> None:
    made = new_task(tmp_path / "deep" / "letter", schema_file(tmp_path, OPEN))
    assert made.folder == tmp_path / "deep" / "letter"
    assert check_task(made.folder).problems == []
    task = load_task(made.folder)
    assert task.name == "letter"
    assert task.description == 'A "letter", in short'
    assert '{"subject":string,"sender":{"name":string,"role":string}' in task.prompt
    assert sorted(parts(made.folder)) == ["probes.jsonl", "prompt.md", "schema.json", "task.toml"]
    assert [path.name for path in made.folder.parent.iterdir()] == ["letter"]


def test_objects_are_closed_and_completed_and_it_is_told(tmp_path: Path) -> None:
    made = new_task(tmp_path / "letter", schema_file(tmp_path, OPEN))
    schema = load_task(made.folder).schema
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["subject", "sender", "others"]
    assert schema["properties"]["sender"]["description"] == "who wrote"
    assert schema["properties"]["others"]["items"]["required"] == ["name", "role"]
    assert "$defs" not in schema
    told = "\n".join(made.notes)
    assert "#: closed the object" in told
    assert "#/properties/others/items: closed the object" in told
    assert "#/properties/sender: made role required" in told
    assert "#/properties/sender: wrote '#/$defs/person'" in told


def test_a_strict_schema_is_copied_letter_by_letter(tmp_path: Path) -> None:
    given = schema_file(tmp_path, json.dumps(STRICT, indent=7))
    made = new_task(tmp_path / "letter", given)
    assert made.notes == []
    assert (made.folder / "schema.json").read_text() == given.read_text()


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "žluťoučký 🐎"])
def test_any_printable_name_survives(tmp_path: Path, name: str) -> None:
    made = new_task(tmp_path / "letter", schema_file(tmp_path, STRICT), name=name)
    assert load_task(made.folder).name == name


@pytest.mark.parametrize("name", ["", "  ", "two\nlines"])
def test_a_name_that_cannot_be_printed_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a task"):
        new_task(tmp_path / "letter", schema_file(tmp_path, STRICT), name=name)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("{", "not JSON"),
        ([], "root's type is 'list'"),
        ({"type": "string"}, "root's type is 'string'"),
        ({"type": "object", "properties": []}, "not valid under Draft 2020-12"),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}, "draft-04"),
        ({**STRICT, "additionalProperties": {"type": "string"}}, "not closed"),
        ({**OPEN, "$defs": {}}, "leads to nothing"),
        ({**OPEN, "$defs": {"person": {"$ref": "#/$defs/person"}}}, "back to itself"),
        ({**STRICT, "properties": {"subject": {"$ref": "#", "minLength": 1}}}, "'minLength' besid"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, "root's type is 'string'"),
    ],
)
def test_a_schema_that_cannot_be_made_strict_leaves_nothing(
    tmp_path: Path, schema: Any, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        new_task(tmp_path / "letter", schema_file(tmp_path, schema))
    assert [path.name for path in tmp_path.iterdir()] == ["given.json"]


def test_a_missing_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        new_task(tmp_path / "letter", tmp_path / "given.json")


def test_an_empty_folder_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "letter").mkdir()
    made = new_task(tmp_path / "letter", schema_file(tmp_path, STRICT))
    assert check_task(made.folder).ok


def test_a_task_is_replaced_only_by_force(tmp_path: Path) -> None:
    folder = new_task(tmp_path / "letter", schema_file(tmp_path, STRICT), name="old").folder
    (folder / "probes.jsonl").write_text('{"id": "a", "text": "x"}\n')
    before = parts(folder)
    with pytest.raises(ValueError, match="force"):
        new_task(folder, schema_file(tmp_path, STRICT))
    assert parts(folder) == before
    new_task(folder, schema_file(tmp_path, STRICT), force=True)
    assert load_task(folder).name == "letter"
    assert (folder / "probes.jsonl").read_text() == ""


def test_force_spares_a_folder_with_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "letter"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match=r"thesis\.txt"):
        new_task(folder, schema_file(tmp_path, STRICT), force=True)
    assert parts(folder) == {"thesis.txt": "years of work"}


def test_a_failed_replacement_brings_the_old_task_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_task(tmp_path / "letter", schema_file(tmp_path, STRICT), name="old").folder
    replace = os.replace

    def fail_on_new(source: Path, target: Path) -> None:
        if Path(source).name == "new":
            raise OSError("disk full")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_on_new)
    with pytest.raises(OSError, match="disk full"):
        new_task(folder, schema_file(tmp_path, STRICT), force=True)
    assert load_task(folder).name == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.json", "letter"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("x")
    with pytest.raises(ValueError, match="is a file"):
        new_task(tmp_path / "letter", schema_file(tmp_path, STRICT), force=True)
