"""The task that a set of spokes was trained for: a copy of it lies in the set's folder.

A built-in task as it was needs no copy, and has more probes. Knows of a set's card only what it
says of its task.
"""

from pathlib import Path
from typing import Protocol

from spokesmith.tasks.task import BUILT_IN_NAMES, Task, load_task

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
    if card.task in BUILT_IN_NAMES and is_trained_on(card, load_task(card.task)):
        return load_task(card.task)
    if not (own / "task.toml").is_file():
        if not card.task:
            return None
        raise ValueError(
            f"the set at {folder} was trained for the task '{card.task}', which is not with it: "
            f"copy that task's folder to {own}"
        )
    task = load_task(own)
    if not is_trained_on(card, task):
        raise ValueError(
            f"the set at {folder} was trained with another prompt or schema than {own} has: copy "
            f"the folder of the task '{card.task}' there, as it was then"
        )
    return task


def is_trained_on(card: TaskRecord, task: Task) -> bool:
    """Whether a set's prompt and schema are those of a task, as far as its card tells."""
    return card.prompt_hash in ("", task.prompt_hash) and card.schema_hash in ("", task.schema_hash)
