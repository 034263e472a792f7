"""Text files: read with an error that a user can mend, written whole or not at all."""

import os
import re
from pathlib import Path

# Half of a pair of UTF-16: JSON and command lines can bring one into a string, UTF-8 has none.
SURROGATE = re.compile("[\ud800-\udfff]")


def read_text(path: Path) -> str:
    """A file's text. Raises ValueError, with the path, where it cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, with the folders that it needs, in one step: never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
