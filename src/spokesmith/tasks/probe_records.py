"""The lines of a probe file: `{"id", "category", "text", "keep", "twin", "gold"}`, one a line.

`keep` holds what a faithful encoding keeps letter by letter, `twin` the id of the probe with the
same words and opposite facts, `gold` an encoding that a person has checked. Only `id` and `text`
are a must. Knows no schema: whether a gold fits one, `check_task` says.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spokesmith.tasks.task import read_text

PROBE_KEYS = ("id", "category", "text", "keep", "twin", "gold")


def read_probe_records(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Read a probe file: its well-formed records, and one line for each problem.

    A record holds `id` and `text`; `category`, `keep`, `twin` and `gold` where it has them.
    Blank lines are passed over.
    """
    try:
        content = read_text(path)
    except ValueError as error:
        return [], [str(error)]
    records: list[tuple[int, dict[str, Any]]] = []
    problems: list[str] = []
    # Not splitlines(): a JSON string may hold U+2028, which is no end of a JSON line.
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            problems.append(f"{path}, line {number} is not JSON ({error}): mend the line")
            continue
        found = _record_problems(record)
        problems += [f"{path}, line {number}: {problem}" for problem in found]
        if not found:
            records.append((number, record))
    ids = Counter(record["id"] for _, record in records)
    for number, record in records:
        where = f"{path}, line {number}: "
        if ids[record["id"]] > 1:
            problems.append(where + f"id '{record['id']}' is not the only one: rename it")
        twin = record.get("twin")
        if twin is not None and (twin not in ids or twin == record["id"]):
            problems.append(where + f"twin '{twin}' is no other probe: give the other's id or null")
    return [record for _, record in records], problems


def _record_problems(record: Any) -> list[str]:
    if not isinstance(record, dict):
        return [f"holds {type(record).__name__}, want a JSON object with id and text"]
    problems = [
        f"{key} is {record.get(key)!r}: give a string that is not empty"
        for key in ("id", "text")
        if not isinstance(record.get(key), str) or not record[key].strip()
    ]
    unknown = [key for key in record if key not in PROBE_KEYS]
    if unknown:
        known = ", ".join(PROBE_KEYS)
        problems.append(f"unknown key '{unknown[0]}': known keys are {known}")
    if not isinstance(record.get("category", ""), str):
        problems.append(f"category is {record['category']!r}: give a string")
    if not isinstance(record.get("twin"), str | None):
        problems.append(f"twin is {record['twin']!r}: give the id of a probe or null")
    if not isinstance(record.get("gold"), dict | None):
        problems.append(f"gold is {type(record['gold']).__name__}: give an encoding or null")
    keep = record.get("keep", [])
    if not isinstance(keep, list) or not all(isinstance(fact, str) and fact for fact in keep):
        return [*problems, f"keep is {keep!r}: give a list of strings that are not empty"]
    if isinstance(record.get("text"), str):
        problems += [
            f"keep '{fact}' does not stand in the text: copy it letter by letter"
            for fact in keep
            if fact not in record["text"]
        ]
    return problems


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
