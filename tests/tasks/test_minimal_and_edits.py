"""The sets `minimal` and `edits` of the built-in task, read as plain JSON lines."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import spokesmith.tasks

MEMORY = Path(spokesmith.tasks.__file__).parent / "memory"
KNOWN_KEYS = {"id", "category", "text", "keep", "avoid", "edit", "origin", "licence"}
KINDS_OF_SLOT = {
    "number",
    "unit",
    "name",
    "place",
    "date",
    "version",
    "path",
    "negation",
    "status",
    "word",
}
CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def lines_of(name: str) -> list[str]:
    content = (MEMORY / name).read_text(encoding="utf-8")
    assert content.endswith("\n")
    return content.removesuffix("\n").split("\n")


MINIMAL: list[dict[str, Any]] = [json.loads(line) for line in lines_of("probe_sets/minimal.jsonl")]
EDITS: list[dict[str, Any]] = [json.loads(line) for line in lines_of("probe_sets/edits.jsonl")]
BASES = {record["id"]: record for record in EDITS if "edit" not in record}
COPIES = [record for record in EDITS if "edit" in record]

each_record = pytest.mark.parametrize("record", MINIMAL + EDITS, ids=lambda record: record["id"])
each_minimal = pytest.mark.parametrize("record", MINIMAL, ids=lambda record: record["id"])
each_copy = pytest.mark.parametrize("record", COPIES, ids=lambda record: record["id"])


def times_in(words: str, text: str) -> int:
    """How often the words stand in the text on token boundaries."""
    return len(re.findall(rf"(?<!\w){re.escape(words)}(?!\w)", text))


def word_count(text: str) -> int:
    """Words between spaces that hold a letter or digit; each Chinese or Japanese sign is one."""
    words = [word for word in text.split() if any(sign.isalnum() for sign in word)]
    return sum(max(1, len(CJK.findall(word))) for word in words)


@pytest.mark.parametrize("name", ["probe_sets/minimal.jsonl", "probe_sets/edits.jsonl"])
def test_a_line_is_one_object_written_with_its_own_letters(name: str) -> None:
    for line in lines_of(name):
        assert line == json.dumps(json.loads(line), ensure_ascii=False)


def test_the_sets_are_large_and_varied() -> None:
    assert len(MINIMAL) >= 110
    assert len(COPIES) >= 104
    assert len(EDITS) == 2 * len(COPIES)
    assert len(Counter(record["category"] for record in MINIMAL)) >= 10
    kinds = Counter(record["category"] for record in COPIES)
    assert set(kinds) == KINDS_OF_SLOT
    assert min(kinds.values()) >= 8


def test_ids_and_texts_are_single() -> None:
    gold = [json.loads(line) for line in lines_of("probes.jsonl") if line]
    for key in ("id", "text"):
        counts = Counter(record[key].casefold() for record in MINIMAL + EDITS + gold)
        assert [value for value, count in counts.items() if count > 1] == []


@each_record
def test_a_record_holds_what_a_probe_needs(record: dict[str, Any]) -> None:
    assert set(record) <= KNOWN_KEYS
    assert record["category"]
    assert record["text"] == " ".join(record["text"].split())
    assert record["origin"] == "written for spokesmith"
    assert record["licence"] == "Apache-2.0"
    assert len(set(record["keep"])) == len(record["keep"])


@each_record
def test_what_is_kept_stands_in_the_text_and_what_is_avoided_does_not(
    record: dict[str, Any],
) -> None:
    assert all(times_in(fact, record["text"]) for fact in record["keep"])
    text = record["text"].casefold()
    assert not any(words.casefold() in text for words in record.get("avoid", []))


@each_minimal
def test_a_minimal_text_has_one_to_five_words(record: dict[str, Any]) -> None:
    assert 1 <= word_count(record["text"]) <= 5
    assert 1 <= len(record["avoid"]) <= 4


@each_minimal
def test_a_minimal_text_keeps_its_numbers(record: dict[str, Any]) -> None:
    numbers = re.findall(r"\d+", record["text"])
    assert all(any(number in fact for fact in record["keep"]) for number in numbers)


@each_copy
def test_a_copy_differs_from_its_base_in_one_slot(record: dict[str, Any]) -> None:
    edit = record["edit"]
    base = BASES[edit["of"]]
    assert record["id"] == f"{base['id']}-b"
    assert record["category"] == base["category"]
    assert record["text"] == base["text"].replace(edit["old"], edit["new"], 1)
    assert base["text"].casefold().count(edit["old"].casefold()) == 1
    assert times_in(edit["old"], base["text"]) == 1
    assert edit["new"].casefold() not in base["text"].casefold()
    assert edit["old"].casefold() not in record["text"].casefold()
    assert times_in(edit["new"], record["text"]) == 1
    for text in (base["text"], record["text"]):
        assert 10 <= word_count(text) <= 40


@each_copy
def test_a_copy_keeps_the_new_value_and_the_same_other_facts(record: dict[str, Any]) -> None:
    first, *others = record["keep"]
    assert first == record["edit"]["new"]
    assert BASES[record["edit"]["of"]]["keep"] == [record["edit"]["old"], *others]
    assert others
