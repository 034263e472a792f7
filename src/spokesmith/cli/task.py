"""`spokesmith task new` and `task check`."""

from pathlib import Path
from typing import Annotated

import typer

from spokesmith.cli.common import JsonOption, print_json, say

app = typer.Typer(help="Make and check tasks of your own.", no_args_is_help=True)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    schema: Annotated[Path, typer.Option("--schema", help="JSON Schema of an encoding.")],
    name: Annotated[str | None, typer.Option(help="Of the task; the folder's by default.")] = None,
    force: Annotated[bool, typer.Option(help="Replace a task that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Scaffold a task from a schema."""
    from spokesmith.tasks.scaffold import new_task

    made = new_task(folder, schema, name=name, force=force)
    if as_json:
        print_json({"folder": str(made.folder), "notes": made.notes})
        return
    for note in made.notes:
        say(f"note: {note}")
    say(f"made {made.folder}: edit prompt.md, add probes, then `spokesmith task check {folder}`")


@app.command()
def check(
    folder: Annotated[str, typer.Argument(help="Task folder or built-in name.")],
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with a task; exit status 1 if anything is."""
    from spokesmith.tasks.check import check_task

    report = check_task(folder)
    if as_json:
        print_json({"problems": report.problems, "notes": report.notes})
    else:
        for problem in report.problems:
            typer.echo(f"problem: {problem}")
        for note in report.notes:
            typer.echo(f"note: {note}")
        if not report.problems:
            typer.echo(f"{folder}: nothing is wrong")
    if report.problems:
        raise typer.Exit(1)
