"""Probes, and the sets of them: a task's own, a file, or real texts.

A set is read once and named by a hash of its ids and texts, so that answers can be matched to it
later. Knows no answers.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spokesmith.tasks import Task
from spokesmith.tasks.probe_records import (
    GOLD,
    TEXTS,
    RecordFile,
    read_probe_file,
    read_text_file,
)

NO_CATEGORY = "other"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """This probe's text is that of probe `of` with its only `old` replaced by `new`."""

    of: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Probe:
    """An input whose encoding is checked.

    `keep` is what a faithful encoding keeps letter by letter, `avoid` what it must not say; `twin`
    the id of the probe with the same words and opposite facts; `gold` an encoding that a person has
    checked; `origin` and `licence` where the text comes from.
    """

    id: str
    text: str
    category: str = NO_CATEGORY
    keep: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    twin: str | None = None
    edit: Edit | None = None
    gold: dict[str, Any] | None = None
    origin: str = ""
    licence: str = ""


@dataclass(frozen=True, kw_only=True)
class ProbeSet:
    """The probes of a set, and what was wrong with the lines that were left out."""

    name: str
    probes: list[Probe]
    problems: list[str]
    left_out: int

    @property
    def hash(self) -> str:
        """Of the ids and texts: all that answers depend on."""
        lines = sorted(json.dumps([probe.id, probe.text]) for probe in self.probes)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_set(
    name: str,
    task: Task,
    *,
    texts: Path | None = None,
    split: str | None = None,
    keep_going: bool = False,
) -> ProbeSet:
    """Read a probe set.

    Args:
        name: `gold`, a name in the task's `probe_sets/`, `texts`, or a JSONL file.
        texts: the file of real texts for the set `texts`.
        split: keep the texts whose `split` is this.
        keep_going: leave out bad lines instead of raising.

    Raises:
        ValueError: no such set, or a line of it is no probe; names file, line and reason.
    """
    if name == TEXTS:
        if texts is None:
            raise ValueError("--set texts needs a file of texts: give it with --texts")
        return _as_set(name, read_text_file(texts, split=split), texts, keep_going=keep_going)
    if texts is not None or split is not None:
        raise ValueError(f"--texts and --split go with --set texts, not with '{name}'")
    path = find_set(name, task)
    return _as_set(name, read_probe_file(path), path, keep_going=keep_going)


def load_probes(path: str | Path) -> list[Probe]:
    """Read a probe file.

    Raises:
        ValueError: the file cannot be read, or a line of it is no probe; names file, line, reason.
    """
    return _as_set(str(path), read_probe_file(Path(path)), Path(path), keep_going=False).probes


def find_set(name: str, task: Task) -> Path:
    """The file of a set: one of the task's, or a file of the user's."""
    # The task's own probes stand first, and no other file takes their name.
    own: dict[str, Path] = {}
    for path in task.probe_files:
        own.setdefault(GOLD if path == task.probes_path else path.stem, path)
    if name in own:
        return own[name]
    if Path(name).is_file() or name.endswith(".jsonl"):
        return Path(name)
    known = ", ".join([*own, TEXTS])
    raise ValueError(f"no probe set '{name}': give a JSONL file, or one of {known}")


def _as_set(name: str, found: RecordFile, path: Path, *, keep_going: bool) -> ProbeSet:
    unreadable = found.problems and not found.left_out
    if found.problems and (unreadable or not keep_going):
        more = f" (and {len(found.problems) - 1} more)" if len(found.problems) > 1 else ""
        raise ValueError(found.problems[0] + more)
    if not found.records:
        raise ValueError(f"{path} holds no probe to ask for: add lines, or change the options")
    return ProbeSet(
        name=name,
        probes=list(_as_probes(found.records)),
        problems=found.problems,
        left_out=found.left_out,
    )


def _as_probes(records: Iterable[dict[str, Any]]) -> Iterable[Probe]:
    for record in records:
        edit = record.get("edit")
        yield Probe(
            id=record["id"],
            text=record["text"],
            category=record.get("category", NO_CATEGORY),
            keep=tuple(record.get("keep", [])),
            avoid=tuple(record.get("avoid", [])),
            twin=record.get("twin"),
            edit=Edit(**edit) if edit else None,
            gold=record.get("gold"),
            origin=record.get("origin", ""),
            licence=record.get("licence", ""),
        )
