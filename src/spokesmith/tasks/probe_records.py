"""The lines of a probe file, and of a file of real texts: one JSON object a line.

Only `id` and `text` are a must. `keep` holds what a faithful encoding keeps letter by letter,
`avoid` what it must not say, `twin` the id of the probe with the same words and opposite facts,
`edit` the probe that this one is with one slot changed, `gold` an encoding that a person has
checked, `origin` and `licence` where the text comes from. Knows no schema: whether a gold fits one,
`check_task` says.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spokesmith.tasks.files import SURROGATE, read_text

PROBE_KEYS = (
    "id", "category", "text", "keep", "avoid", "twin", "edit", "gold", "origin", "licence",
)  # fmt: skip
# Of a task's folder: more sets of probes, a file each.
SETS_FOLDER = "probe_sets"
# How the task's own probes and real texts are called where a set is named.
GOLD, TEXTS = "gold", "texts"
EDIT_KEYS = ("of", "old", "new")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RecordFile:
    """What a file holds: its good lines, a line for each problem, and how many lines are bad."""

    records: list[Record]
    problems: list[str]
    left_out: int


def read_probe_file(path: Path) -> RecordFile:
    """Read a probe file. A line that refers to a bad line is bad too; blank lines are passed over.

    A record holds `id` and `text`; the other keys where the line has them.
    """
    return _read(path, _probe_problems, _reference_problems)


def read_probe_records(path: Path) -> tuple[list[Record], list[str]]:
    """The good records of a probe file, and one line for each problem."""
    found = read_probe_file(path)
    return found.records, found.problems


def read_text_file(path: Path, *, split: str | None = None) -> RecordFile:
    """Read real texts as probes without expectations; a text's `domain` becomes its category, and
    its `split` stays.

    Args:
        path: JSON lines with at least `id` and `text`.
        split: keep the lines whose `split` is this; None keeps all.
    """
    found = _read(path, lambda _: [], lambda _record, _others: [])
    records = [
        {
            "id": record["id"],
            "text": record["text"],
            **({"category": record["domain"]} if isinstance(record.get("domain"), str) else {}),
            **({"split": record["split"]} if record.get("split") is not None else {}),
        }
        for record in found.records
        if split is None or record.get("split") == split
    ]
    return RecordFile(records=records, problems=found.problems, left_out=found.left_out)


def appears_in(words: str, text: str) -> bool:
    """Whether `words` stand in `text` as whole words, whatever the case; within words in CJK."""
    folded = unicodedata.normalize("NFKC", words).casefold()
    before = r"(?<!\w)" if _is_bounded(folded[0]) else ""
    after = r"(?!\w)" if _is_bounded(folded[-1]) else ""
    # A number ends neither at the point of 12.5 nor at the colon of 12:30.
    if folded[0].isdigit():
        before = r"(?<!\w)(?<!\d[.,:])"
    if folded[-1].isdigit():
        after = r"(?!\w)(?![.,:]\d)"
    pattern = before + re.escape(folded) + after
    return re.search(pattern, unicodedata.normalize("NFKC", text).casefold()) is not None


def strings_in(value: Any) -> Iterator[str]:
    """Every string value of a JSON value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings_in(part)


def _is_bounded(character: str) -> bool:
    return (character.isalnum() or character == "_") and not CJK.match(character)


def _read(
    path: Path,
    own_problems: Callable[[Record], list[str]],
    reference_problems: Callable[[Record, dict[str, Record]], list[str]],
) -> RecordFile:
    """Read a file line by line, then drop the lines whose references fail until none is left."""
    try:
        content = read_text(path)
    except ValueError as error:
        return RecordFile(records=[], problems=[str(error)], left_out=0)
    good: dict[int, Record] = {}
    problems: dict[int, list[str]] = {}
    # Not splitlines(): a JSON string may hold U+2028, which is no end of a JSON line.
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            problems[number] = [f"{where} is not JSON ({error}): mend the line"]
            continue
        found = _shared_problems(record) or own_problems(record)
        if found:
            problems[number] = [f"{where}: {problem}" for problem in found]
        else:
            good[number] = record

    def leave_out(bad: dict[int, list[str]]) -> None:
        for number, found in bad.items():
            del good[number]
            problems[number] = [f"{path}, line {number}: {problem}" for problem in found]

    leave_out(_doubles(good))
    # What refers to a line that is left out is bad too.
    while bad := _referring_badly(good, reference_problems):
        leave_out(bad)
    return RecordFile(
        records=list(good.values()),
        problems=[problem for number in sorted(problems) for problem in problems[number]],
        left_out=len(problems),
    )


def _doubles(good: dict[int, Record]) -> dict[int, list[str]]:
    counts = Counter(record["id"] for record in good.values())
    return {
        number: [f"id '{record['id']}' is not the only one: rename it"]
        for number, record in good.items()
        if counts[record["id"]] > 1
    }


def _referring_badly(
    good: dict[int, Record],
    reference_problems: Callable[[Record, dict[str, Record]], list[str]],
) -> dict[int, list[str]]:
    by_id = {record["id"]: record for record in good.values()}
    return {
        number: found
        for number, record in good.items()
        if (found := reference_problems(record, by_id))
    }


def _shared_problems(record: Any) -> list[str]:
    if not isinstance(record, dict):
        return [f"holds {type(record).__name__}, want a JSON object with id and text"]
    if any(map(SURROGATE.search, strings_in(record))):
        return ["holds half of a surrogate pair: replace it"]
    return [
        f"{key} is {record.get(key)!r}: give a string that is not empty"
        for key in ("id", "text")
        if not isinstance(record.get(key), str) or not record[key].strip()
    ]


def _probe_problems(record: Record) -> list[str]:
    """What is wrong with a line by itself."""
    problems: list[str] = []
    unknown = [key for key in record if key not in PROBE_KEYS]
    if unknown:
        known = ", ".join(PROBE_KEYS)
        problems.append(f"unknown key '{unknown[0]}': known keys are {known}")
    problems += [
        f"{key} is {record[key]!r}: give a string"
        for key in ("category", "origin", "licence")
        if not isinstance(record.get(key, ""), str)
    ]
    if not isinstance(record.get("twin"), str | None):
        problems.append(f"twin is {record['twin']!r}: give the id of a probe or null")
    if not isinstance(record.get("gold"), dict | None):
        problems.append(f"gold is {type(record['gold']).__name__}: give an encoding or null")
    return problems + _edit_problems(record) + _keep_problems(record) + _avoid_problems(record)


def _edit_problems(record: Record) -> list[str]:
    edit = record.get("edit")
    if edit is None:
        return []
    if not isinstance(edit, dict) or set(edit) != set(EDIT_KEYS):
        return [f'edit is {edit!r}: give {{"of": id, "old": words, "new": words}} or null']
    wrong = [key for key in EDIT_KEYS if not isinstance(edit[key], str) or not edit[key]]
    return [f"edit's {key} is {edit[key]!r}: give a string that is not empty" for key in wrong]


def _keep_problems(record: Record) -> list[str]:
    keep = record.get("keep", [])
    if not _is_list_of_strings(keep):
        return [f"keep is {keep!r}: give a list of strings that are not empty"]
    return [
        f"keep '{fact}' does not stand in the text: copy it letter by letter"
        for fact in keep
        if fact not in record["text"]
    ]


def _avoid_problems(record: Record) -> list[str]:
    avoid = record.get("avoid", [])
    if not _is_list_of_strings(avoid):
        return [f"avoid is {avoid!r}: give a list of strings that are not empty"]
    return [
        f"avoid '{fact}' stands in the text, so an answer may say it: take it out"
        for fact in avoid
        if appears_in(fact, record["text"])
    ]


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)


def _reference_problems(record: Record, by_id: dict[str, Record]) -> list[str]:
    """What is wrong with a line's twin and edit, given the other good lines."""
    problems: list[str] = []
    twin = record.get("twin")
    if twin is not None:
        if twin not in by_id or twin == record["id"]:
            problems.append(f"twin '{twin}' is no other probe: give the other's id or null")
        elif by_id[twin].get("twin") != record["id"]:
            problems.append(
                f"twin '{twin}' does not name '{record['id']}' as its own twin: "
                "twins name each other, mend one of them"
            )
    edit = record.get("edit")
    if edit is not None:
        problems += _edited_text_problems(record, edit, by_id.get(edit["of"]))
    return problems


def _edited_text_problems(record: Record, edit: Record, other: Record | None) -> list[str]:
    if other is None or other is record:
        return [f"edit's of '{edit['of']}' is no other probe: give the other's id"]
    count = other["text"].count(edit["old"])
    if count != 1:
        return [
            f"edit's old '{edit['old']}' stands {count} times in the text of '{edit['of']}': "
            "name words that stand there once"
        ]
    if other["text"].replace(edit["old"], edit["new"]) != record["text"] or (
        edit["old"] == edit["new"]
    ):
        return [
            f"the text is not that of '{edit['of']}' with '{edit['old']}' replaced by "
            f"'{edit['new']}': mend the text or the edit"
        ]
    return []
