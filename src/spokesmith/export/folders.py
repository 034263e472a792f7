"""A folder that appears whole or not at all."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# It says what is exported, and that a folder is an export, so that --force replaces no other one.
FACTS_NAME = "spokesmith.json"


@contextmanager
def whole_folder(out: Path, *, force: bool) -> Iterator[Path]:
    """A new folder beside `out` to write into; it becomes `out` when the block has ended well.

    Raises:
        ValueError: something stands at `out`, and it is no export, or `force` is not given; or the
            disk is full.
    """
    # A link stays, and what it leads to is replaced.
    out = out.resolve()
    check_out(out, force=force)
    with full_disk_told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            yield partial
            # What has come to be at `out` meanwhile is the user's.
            check_out(out, force=force)
            # Temporary folders start readable by their owner alone.
            partial.chmod(0o755)
            _put(partial, out)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def full_disk_told(out: Path) -> Iterator[None]:
    """Inside the block a full disk is an error that says what to do.

    Raises:
        ValueError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ValueError(
            f"the disk became full while {out} was written, of which nothing is kept: free disk "
            "space, or give another --out"
        ) from error


def check_out(out: Path, *, force: bool) -> None:
    """Refuse what would write over a user's files.

    Raises:
        ValueError: something stands at `out`, and it is no export, or `force` is not given; or a
            disk is mounted there.
    """
    # No folder can be renamed to a mount point.
    if os.path.ismount(out):
        raise ValueError(f"{out} is where a disk is mounted: name a folder inside it with --out")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / FACTS_NAME).is_file():
        raise ValueError(f"{out} is there already, and is no export: give another --out")
    if not force:
        raise ValueError(f"{out} is there already: give another --out, or --force to replace it")


def check_space(out: Path, needed: int) -> None:
    """Refuse early what the disk cannot take.

    Raises:
        ValueError: fewer than `needed` bytes are free where `out` is to be.
    """
    place = next(parent for parent in out.resolve().parents if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise ValueError(
            f"{out} needs {needed / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free at {place}: free "
            "disk space, or give another --out"
        )


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    (folder / FACTS_NAME).write_text(text, encoding="utf-8")


def _put(partial: Path, out: Path) -> None:
    """Rename a folder to `out`; what stood there is kept until that has happened."""
    if not out.exists():
        os.rename(partial, out)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        os.rename(out, aside / "old")
        try:
            os.rename(partial, out)
        except OSError:
            os.rename(aside / "old", out)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
