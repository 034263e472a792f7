"""The task that a command asks for: the one that is named, or else the one that a set came with."""

from pathlib import Path
from typing import TYPE_CHECKING

from spokesmith.cli.common import DEFAULT_TASK, open_task

if TYPE_CHECKING:
    from spokesmith.export.card import TaskFiles
    from spokesmith.spokes import SpokesCard
    from spokesmith.tasks import Task


def task_to_ask(name_or_folder: str | None, spokes: str) -> "Task":
    """What is asked of a base with a set, `none` for the base alone.

    Raises:
        ValueError: the named task is none, or that of the set is not to be had.
    """
    from spokesmith.spokes.files import read_card
    from spokesmith.spokes.shipped import find_spokes
    from spokesmith.tasks import task_of_set

    if name_or_folder is None and spokes != "none":
        folder = find_spokes(spokes)
        found = task_of_set(folder, read_card(folder))
        if found is not None:
            return found
    return open_task(name_or_folder or DEFAULT_TASK)


def task_files(folder: Path, card: "SpokesCard", name_or_folder: str | None) -> "TaskFiles | None":
    """The prompt and schema that the set in `folder` was trained with, as an export writes them
    down; None where they are not at hand.

    Raises:
        ValueError: a task was named, and it is none or not that of the set.
    """
    from spokesmith.export.card import TaskFiles
    from spokesmith.tasks import task_of_set
    from spokesmith.tasks.of_set import is_trained_on

    if name_or_folder is None:
        try:
            task = task_of_set(folder, card)
        except ValueError:
            return None
        if task is None:
            return None
    else:
        task = open_task(name_or_folder)
        if not is_trained_on(card, task):
            raise ValueError(
                f"the set was trained with another prompt or schema than '{name_or_folder}' has: "
                "name the task that it was trained on, or leave --task out"
            )
    return TaskFiles(
        name=task.name, prompt=task.prompt, schema=task.schema, max_tokens=task.max_tokens
    )
