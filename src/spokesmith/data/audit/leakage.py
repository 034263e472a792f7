"""The probes that a data set must not hold: those of its task, and of files that are named."""

from collections.abc import Iterable
from pathlib import Path

from spokesmith.tasks import Task
from spokesmith.tasks.probe_records import RecordFile, read_probe_file, read_text_file

ProbeTexts = dict[str, dict[str, str]]


def probe_texts(task: Task, files: Iterable[Path] = (), *, split: str | None = None) -> ProbeTexts:
    """The texts of every probe set of a task and of some files, by set and id.

    Args:
        files: JSON lines with `id` and `text`: probes, or real texts.
        split: of the files, only the lines of this split.

    Raises:
        ValueError: a file cannot be read, or a line of it is no probe; names file, line, reason.
    """
    sets: ProbeTexts = {}
    for path in task.probe_files:
        # A further set may be called as the file of the task's own probes is.
        name = path.stem if path.stem not in sets else f"{path.parent.name}/{path.stem}"
        sets[name] = _by_id(read_probe_file(path))
    return sets | {str(path): _by_id(read_text_file(path, split=split)) for path in files}


def _by_id(found: RecordFile) -> dict[str, str]:
    if found.problems:
        raise ValueError(found.problems[0])
    return {record["id"]: record["text"] for record in found.records}
