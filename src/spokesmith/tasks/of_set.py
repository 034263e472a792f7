"""The task that a set of spokes was trained for: a copy of it lies in the set's folder.

A built-in task as it was needs no copy, and has more probes. Knows of a set's card only what it
says of its task.
"""

from pathlib import Path
from typing import Protocol

from spokesmith.tasks.task import BUILT_IN_NAMES, Task, load_task, read_settings

FOLDER_NAME = "task"


class TaskRecord(Protocol):
    """What a set's card says of its task: name and hashes, each empty where it is not known."""

    @property
    def task(self) -> str: ...

    @property
    def schema_hash(self) -> str: ...

    @property
    def prompt_hash(self) -> str: ...


def task_of_set(folder: Path, card: TaskRecord) -> Task | None:
    """The task of the set in `folder`; None where its card names none.

    Raises:
        ValueError: it is not to be had as it was when the set was trained.
    """
    own = folder / FOLDER_NAME
    if built_in := built_in_task(card):
        return built_in
    if not (own / "task.toml").is_file():
        if not card.task:
            return None
        raise ValueError(
            f"the set at {folder} was trained for the task '{card.task}', which is not with it: "
            f"copy that task's folder to {own}"
        )
    task = _load_copy(own)
    if not is_trained_on(card, task):
        raise ValueError(
            f"the set at {folder} was trained with another prompt or schema than {own} has: copy "
            f"the folder of the task '{card.task}' there, as it was then"
        )
    return task


def built_in_task(record: TaskRecord) -> Task | None:
    """The built-in task of a record's name, where prompt and schema are those of the record."""
    task = load_task(record.task) if record.task in BUILT_IN_NAMES else None
    return task if task is not None and is_trained_on(record, task) else None


def _load_copy(folder: Path) -> Task:
    """A task whose parts all lie in its folder: a set may come from anywhere, and may not make
    whoever loads it tell what stands in other files."""
    settings = read_settings(folder / "task.toml")
    for key in ("schema", "prompt", "probes"):
        if not (folder / settings[key]).resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"{folder / 'task.toml'}: {key} = {settings[key]!r} lies outside of the set: copy "
                "the file into the folder"
            )
    return load_task(folder)


def is_trained_on(card: TaskRecord, task: Task) -> bool:
    """Whether a set's prompt and schema are those of a task, as far as its card tells."""
    return card.prompt_hash in ("", task.prompt_hash) and card.schema_hash in ("", task.schema_hash)
