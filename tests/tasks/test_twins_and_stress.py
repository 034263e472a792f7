"""The twins and stress sets of the built-in task: what they hold, read as plain JSON."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spokesmith import tasks

FOLDER = Path(tasks.__file__).parent / "memory" / "probe_sets"
KEYS = {"id", "category", "text", "keep", "avoid", "twin", "origin", "licence"}
CONTRASTS = {
    "number", "role", "order", "negation", "outcome", "unit", "date", "version", "place", "cause",
}  # fmt: skip
LEAST_PAIRS = 60
LEAST_SHARED_WORDS = 0.6
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
WORD = re.compile(rf"{CJK.pattern}|(?:(?!{CJK.pattern})\w)+(?:[.,:/-](?:(?!{CJK.pattern})\w)+)*")


def read(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


TWINS = read("twins")
STRESS = read("stress")
BY_ID = {record["id"]: record for record in TWINS}

each_twin = pytest.mark.parametrize("record", TWINS, ids=[record["id"] for record in TWINS])
each_record = pytest.mark.parametrize(
    "record", TWINS + STRESS, ids=[record["id"] for record in TWINS + STRESS]
)


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(text.casefold()))


def test_there_are_enough_pairs_of_every_contrast() -> None:
    assert len(TWINS) % 2 == 0
    assert len(TWINS) >= 2 * LEAST_PAIRS
    counts = Counter(record["category"] for record in TWINS)
    assert set(counts) == CONTRASTS
    assert min(counts.values()) >= 10


def test_stress_holds_seven_kinds_of_hard_input() -> None:
    assert len(STRESS) == len({record["category"] for record in STRESS}) == 7


def test_ids_and_texts_are_unique() -> None:
    records = TWINS + STRESS
    assert len({record["id"] for record in records}) == len(records)
    assert len({record["text"] for record in records}) == len(records)


@each_record
def test_a_record_is_complete(record: dict[str, Any]) -> None:
    assert set(record) == KEYS
    assert record["text"].strip() == record["text"]
    assert record["origin"] == "written for spokesmith"
    assert record["licence"] == "Apache-2.0"


@each_record
def test_facts_to_keep_stand_in_the_text_and_facts_to_avoid_do_not(record: dict[str, Any]) -> None:
    text = record["text"].casefold()
    for name in ("keep", "avoid"):
        assert record[name]
        assert len(set(record[name])) == len(record[name])
        assert all(fact.strip() == fact and fact for fact in record[name])
    assert [fact for fact in record["keep"] if fact not in record["text"]] == []
    assert [fact for fact in record["avoid"] if fact.casefold() in text] == []


@each_twin
def test_twins_name_each_other_and_share_their_words(record: dict[str, Any]) -> None:
    twin = BY_ID[record["twin"]]
    assert twin is not record
    assert twin["twin"] == record["id"]
    assert twin["category"] == record["category"]
    shared = (words(record["text"]) & words(twin["text"])).total()
    larger = max(words(record["text"]).total(), words(twin["text"]).total())
    assert shared / larger >= LEAST_SHARED_WORDS


@each_twin
def test_what_a_twin_avoids_is_a_fact_of_the_other(record: dict[str, Any]) -> None:
    twin = BY_ID[record["twin"]]["text"]
    for fact in record["avoid"]:
        assert fact.casefold() in twin.casefold() or words(fact) <= words(twin)
        assert len(fact) > 2


@each_twin
def test_twins_are_short_and_keep_a_few_facts(record: dict[str, Any]) -> None:
    if CJK.search(record["text"]):
        assert 40 <= len(record["text"]) <= 120
    else:
        assert 15 <= len(record["text"].split()) <= 50
    assert 2 <= len(record["keep"]) <= 5


@pytest.mark.parametrize("record", STRESS, ids=[record["id"] for record in STRESS])
def test_stress_texts_are_long_and_dense_but_one(record: dict[str, Any]) -> None:
    assert record["twin"] is None
    if record["id"] == "works-now":
        assert record["text"] == "it works now"
    else:
        assert 100 <= len(record["text"]) <= 1500
        assert 5 <= len(record["keep"]) <= 15


def test_five_languages_stand_beside_english() -> None:
    prefixes = Counter(record["id"].split("-")[0] for record in TWINS)
    assert all(prefixes[language] >= 6 for language in ("de", "es", "fr", "zh", "ja"))
