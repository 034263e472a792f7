"""`spokesmith data audit`: the verdict on a data set, and its card."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spokesmith.cli.common import (
    DEFAULT_TASK,
    JsonOption,
    TaskOption,
    check_new_file,
    open_chat,
    open_task,
    print_json,
)
from spokesmith.cli.progress import progress

if TYPE_CHECKING:
    from rich.table import Table

    from spokesmith.data.audit import Audit, Section
    from spokesmith.data.pairs import Pair
    from spokesmith.tasks import Task


def audit(
    data: Annotated[Path, typer.Option("--data", help="Folder with pairs.jsonl.")],
    task: TaskOption = DEFAULT_TASK,
    base: Annotated[
        str | None, typer.Option("--base", help="Also count lengths in the tokens of this base.")
    ] = None,
    probes: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL (id, text) whose texts the set must not hold, beside the task's."),
    ] = None,
    probes_split: Annotated[
        str | None, typer.Option(help="Of the files of --probes the lines of one split.")
    ] = None,
    card: Annotated[Path | None, typer.Option(help="Also write the result as Markdown.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that judge; 0: one a core.")] = 0,
    force: Annotated[bool, typer.Option(help="Replace a card that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge every target, compare texts with one another and with probes, count what is there.

    Exit status 1 if any target is not right: against the schema, a fact made up, a number lost, a
    text in two splits or among the probes.
    """
    from spokesmith.data.audit import markdown, probe_texts
    from spokesmith.data.pairs import PAIRS_NAME, read_pairs
    from spokesmith.tasks.files import write_text

    if probes_split is not None and not probes:
        raise ValueError("--probes-split goes with the files of --probes: give one")
    if card is not None:
        check_new_file(card, force=force)
    path = data / PAIRS_NAME
    loaded_task = open_task(task)
    against = probe_texts(loaded_task, probes or [], split=probes_split)
    pairs = list(read_pairs(path))
    result = _audit_with_progress(
        pairs,
        loaded_task,
        against,
        workers=workers or os.cpu_count() or 1,
        count_tokens=None if base is None else _token_counter(base),
    )
    with path.open("rb") as file:
        file_hash = hashlib.file_digest(file, "sha256").hexdigest()
    if card is not None:
        write_text(card, markdown(result, name=data.resolve().name, file_hash=file_hash))
    if as_json:
        print_json({**result.to_json(), "file_hash": file_hash})
    else:
        _say(result, file_hash)
    if not result.ok:
        raise typer.Exit(1)


def _audit_with_progress(
    pairs: "list[Pair]",
    task: "Task",
    probes: dict[str, dict[str, str]],
    *,
    workers: int,
    count_tokens: Callable[[str], int] | None,
) -> "Audit":
    from spokesmith.data.audit import audit as run_audit

    with progress("judging", total=len(pairs)) as step:
        return run_audit(
            pairs,
            task,
            probes=probes,
            workers=workers,
            count_tokens=count_tokens,
            on_judged=lambda count: step(count, ""),
        )


def _token_counter(base: str) -> Callable[[str], int]:
    """Counts tokens of a string by a base's tokenizer; no weights are read."""
    tokenizer = open_chat(base).tokenizer
    return lambda string: len(tokenizer(string, add_special_tokens=False)["input_ids"])


def _say(result: "Audit", file_hash: str) -> None:
    from rich.console import Console

    from spokesmith.data.audit import sections

    console = Console()
    console.print(f"{result.pairs:,} pairs for the task {result.task}", highlight=False)
    for section in sections(result):
        console.print(_table(section))
    console.print(f"SHA-256 of the pairs: {file_hash}", highlight=False)
    console.print(f"SHA-256 of the texts: {result.texts_hash}", highlight=False)
    console.print("every target is right" if result.ok else "the data set fails")


def _table(section: "Section") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=section.title)
    for number, name in enumerate(section.columns):
        is_last = number == len(section.columns) - 1
        table.add_column(
            name,
            justify="left" if number == 0 or section.is_prose else "right",
            no_wrap=not (section.is_prose and is_last),
            overflow="fold",
        )
    for row in section.rows:
        # Text, not str: rich would read the brackets of a reason as markup.
        table.add_row(*map(Text, row))
    return table
