"""The bar of commands that take a while: on stderr, and only where that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spokesmith.cli.common import messages_console

# Steps on by a count, with new words beside the bar or "" to leave those that stand.
Step = Callable[[int, str], None]


@contextmanager
def progress(words: str, *, total: int, done: int = 0) -> Iterator[Step]:
    """A bar over a block of work.

    Args:
        words: beside the bar at first, as they are.
        total: what the whole counts.
        done: how much of it is there already.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = messages_console()
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns,
        TextColumn("{task.description}", markup=False),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(words, total=total, completed=done)
        yield lambda count, said: bar.update(task, advance=count, description=said or None)
