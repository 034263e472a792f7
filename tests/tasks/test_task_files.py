"""Text files: written whole or not at all, read with an error that names the file."""

from pathlib import Path

import pytest

from spokesmith.tasks.files import read_text, write_text


def test_a_file_is_written_with_its_folders_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_text(path, "first")
    write_text(path, "second: ä 三\n")
    assert read_text(path) == "second: ä 三\n"
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    write_text(path, "first")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half a pair: \ud800")
    assert read_text(path) == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "latin"
    path.write_bytes(b"\xe4")
    for bad in (path, tmp_path / "none"):
        with pytest.raises(ValueError, match=rf"cannot read {bad}"):
            read_text(bad)
