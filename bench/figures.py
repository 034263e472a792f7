"""Where figures are kept, what machine they come from, and how they stand in a document."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"


def machine() -> str:
    """The machine of a measurement on the CPU."""
    return f"{platform.machine()}, {os.cpu_count()} cores"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (headings, ["---"] * len(headings), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def between_marks(text: str, start: str, end: str, figures: str) -> str:
    """A text with the figures between its marks."""
    head, _, rest = text.partition(start)
    _, _, tail = rest.partition(end)
    return f"{head}{start}\n{figures}\n{end}{tail}"
