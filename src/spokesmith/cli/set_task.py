"""The task that a command asks for: the one that is named, or else that of a set or of a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spokesmith.cli.common import DEFAULT_TASK, open_task

if TYPE_CHECKING:
    from spokesmith.bases.gguf_header import Header
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


def task_to_ask_of_file(name_or_folder: str | None, model: Path) -> "Task":
    """What is asked of a GGUF file.

    Raises:
        ValueError: the named task is none, or that of the file is not to be had.
    """
    from spokesmith.bases.gguf_reader import read_header

    found = None if name_or_folder else task_of_file(read_header(model))
    return found or open_task(name_or_folder or DEFAULT_TASK)


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """What a GGUF file says of its task, as a set's card does."""

    task: str
    schema_hash: str
    prompt_hash: str


def task_of_file(header: "Header") -> "Task | None":
    """The task that a GGUF file brings; None where it names none.

    Raises:
        ValueError: the file is damaged, or names a task that is not to be had as it was.
    """
    from spokesmith.tasks import Task
    from spokesmith.tasks.of_set import built_in_task
    from spokesmith.tasks.task import DEFAULT_MAX_TOKENS

    name, schema_hash, prompt_hash, prompt, schema, verbatim = (
        str(header.value(f"spokesmith.{key}") or "")
        for key in ("task", "schema_hash", "prompt_hash", "prompt", "schema", "verbatim")
    )
    if not name:
        return None
    record = FileRecord(task=name, schema_hash=schema_hash, prompt_hash=prompt_hash)
    if built_in := built_in_task(record):
        return built_in
    if not prompt or not schema:
        raise ValueError(
            f"{header.path} was made for the task '{name}', and its prompt is not in it: name the "
            "folder of the task with --task"
        )
    try:
        shape, fields = _parsed(schema, verbatim or "[]")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{header.path} holds no sound task ({error}): export it again") from error
    return Task(
        name=name,
        description="",
        schema=shape,
        prompt=prompt,
        probes_path=None,
        max_tokens=header.integer("spokesmith.max_tokens") or DEFAULT_MAX_TOKENS,
        verbatim=fields,
    )


def _parsed(schema: str, verbatim: str) -> tuple[Any, tuple[str, ...]]:
    """A schema, and the fields in it that are held to a text."""
    from spokesmith.tasks.verbatim import path_problem

    shape, fields = json.loads(schema), tuple(json.loads(verbatim))
    for field in fields:
        if problem := path_problem(shape, field):
            raise ValueError(f"{field}: {problem}")
    return shape, fields


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
        name=task.name,
        prompt=task.prompt,
        schema=task.schema,
        max_tokens=task.max_tokens,
        verbatim=task.verbatim,
    )
