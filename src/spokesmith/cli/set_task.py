"""The task that a set was trained for, as an export writes it down."""

from typing import TYPE_CHECKING

from spokesmith.cli.common import open_task

if TYPE_CHECKING:
    from spokesmith.export.card import TaskFiles
    from spokesmith.spokes import SpokesCard


def task_files(card: "SpokesCard", name_or_folder: str | None) -> "TaskFiles | None":
    """The prompt and schema that a set was trained with; None where they are not at hand.

    Raises:
        ValueError: a task was named, and it is none or not that of the set.
    """
    from spokesmith.export.card import TaskFiles
    from spokesmith.tasks.task import BUILT_IN_NAMES

    if name_or_folder is None and card.task not in BUILT_IN_NAMES:
        return None
    task = open_task(name_or_folder or card.task)
    same = (task.prompt_hash, task.schema_hash) == (card.prompt_hash, card.schema_hash)
    if not same and name_or_folder is None:
        return None
    if not same and card.prompt_hash:
        raise ValueError(
            f"the set was trained with another prompt or schema than '{name_or_folder}' has: name "
            "the task that it was trained on, or leave --task out"
        )
    return TaskFiles(
        name=task.name, prompt=task.prompt, schema=task.schema, max_tokens=task.max_tokens
    )
