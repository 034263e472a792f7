"""The task that a set came with: its copy, the built-in one, or a clear refusal."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from spokesmith.tasks import Task, load_task, save_task, task_of_set
from spokesmith.tasks.of_set import FOLDER_NAME

MEMORY = load_task("memory")


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a set's card says of its task."""

    task: str = ""
    schema_hash: str = ""
    prompt_hash: str = ""


@pytest.fixture
def letter(tmp_path: Path) -> Task:
    folder = tmp_path / "letter"
    folder.mkdir()
    (folder / "task.toml").write_text(
        'name = "letter 三 \\"🙂\\""\nmax_tokens = 77\nverbatim = ["/who"]\n', encoding="utf-8"
    )
    properties = {"who": {"type": "string"}, "ä": {"type": "integer"}}
    (folder / "schema.json").write_text(json.dumps({"type": "object", "properties": properties}))
    (folder / "prompt.md").write_text("Who writes?\n{{schema}}\n")
    (folder / "probes.jsonl").write_text('{"id": "a", "text": "Ana left."}\n')
    return load_task(folder)


def card_of(task: Task) -> Card:
    return Card(task=task.name, schema_hash=task.schema_hash, prompt_hash=task.prompt_hash)


def test_a_saved_task_is_the_task(letter: Task, tmp_path: Path) -> None:
    save_task(letter, tmp_path / "copy")
    found = load_task(tmp_path / "copy")
    assert replace(found, probes_path=letter.probes_path) == letter
    assert found.probes_path.read_text() == letter.probes_path.read_text()
    assert (found.prompt_hash, found.schema_hash) == (letter.prompt_hash, letter.schema_hash)
    assert found.messages("x") == letter.messages("x")


def test_a_set_brings_its_task(letter: Task, tmp_path: Path) -> None:
    save_task(letter, tmp_path / "set" / FOLDER_NAME)
    found = task_of_set(tmp_path / "set", card_of(letter))
    assert found is not None
    assert (found.name, found.prompt) == (letter.name, letter.prompt)


def test_a_built_in_task_needs_no_copy(tmp_path: Path) -> None:
    assert task_of_set(tmp_path, card_of(MEMORY)) == MEMORY
    assert task_of_set(tmp_path, Card(task="memory")) == MEMORY
    assert task_of_set(tmp_path, Card()) is None


def test_another_task_of_a_built_in_name_is_not_taken_for_it(letter: Task, tmp_path: Path) -> None:
    namesake = replace(letter, name="memory")
    with pytest.raises(ValueError, match=rf"copy that task's folder to {tmp_path / FOLDER_NAME}"):
        task_of_set(tmp_path, card_of(namesake))
    save_task(namesake, tmp_path / FOLDER_NAME)
    found = task_of_set(tmp_path, card_of(namesake))
    assert found is not None
    assert found.schema == letter.schema


@pytest.mark.parametrize("part", ["schema", "prompt", "probes"])
def test_a_set_names_no_file_of_others(letter: Task, tmp_path: Path, part: str) -> None:
    save_task(letter, tmp_path / FOLDER_NAME)
    (tmp_path / "other").write_text("{}")
    for path in (tmp_path / "other", "../other"):
        with (tmp_path / FOLDER_NAME / "task.toml").open("a") as file:
            file.write(f'{part} = "{path}"\n')
        with pytest.raises(ValueError, match="lies outside of the set"):
            task_of_set(tmp_path, Card(task=letter.name))
        save_task(letter, tmp_path / FOLDER_NAME)


def test_a_task_that_is_not_there_or_another_is_refused(letter: Task, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which is not with it"):
        task_of_set(tmp_path, card_of(letter))
    save_task(replace(letter, prompt="Another."), tmp_path / FOLDER_NAME)
    with pytest.raises(ValueError, match="trained with another prompt or schema"):
        task_of_set(tmp_path, card_of(letter))
