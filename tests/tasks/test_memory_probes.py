"""The probes of the built-in task: their make-up, and that each gold is what the task asks for."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from spokesmith.tasks import load_task
from spokesmith.tasks.probe_records import read_probe_records, strings_in

RECORDS, PROBLEMS = read_probe_records(load_task("memory").probes_path)
BY_ID = {record["id"]: record for record in RECORDS}
LONG_TEXT = 500
WORD = re.compile(r"[^\W_]+(?:['_.:/-][^\W_]+)*")

each_probe = pytest.mark.parametrize("record", RECORDS, ids=[record["id"] for record in RECORDS])


def collapsed(text: str) -> str:
    return " ".join(text.split())


def parts(record: dict[str, Any], name: str) -> list[dict[str, str]]:
    return record["gold"]["structured_concepts"][name]


def claims(record: dict[str, Any]) -> Iterator[str]:
    """The strings of the gold that speak about the text; labels such as types are left out."""
    gold = record["gold"]
    yield from (gold[name] for name in ("gist", "summary", "content", "narrative"))
    yield from gold["concepts"]
    for entity in parts(record, "entities"):
        yield from (entity["name"], entity["context"])
    for action in parts(record, "actions"):
        yield from (action["object"], action["details"])
    yield from (cause["description"] for cause in parts(record, "causality"))


def test_the_set_is_made_up_as_planned() -> None:
    assert PROBLEMS == []
    counts = Counter(record["category"] for record in RECORDS)
    assert counts == {"domain": 8, "twin": 6, "minimal": 3, "dense": 2, "edge": 6}
    assert len({record["text"] for record in RECORDS}) == 25
    assert all(record["keep"] and record["gold"] for record in RECORDS)


@each_probe
def test_texts_are_of_a_realistic_length(record: dict[str, Any]) -> None:
    least = 1 if record["category"] == "minimal" else 40
    assert least <= len(record["text"]) <= 700


@pytest.mark.parametrize("name", [one for one in BY_ID if BY_ID[one]["category"] == "twin"])
def test_twins_have_the_same_words_and_other_facts(name: str) -> None:
    record = BY_ID[name]
    twin = BY_ID[record["twin"]]
    assert twin["twin"] == name
    assert sorted(WORD.findall(record["text"])) == sorted(WORD.findall(twin["text"]))
    assert record["gold"] != twin["gold"]
    # What tells the twins apart is asked for, and stands in one of them only.
    assert any(fact not in twin["text"] for fact in record["keep"])
    own = [fact for fact in record["keep"] if fact not in twin["text"]]
    assert not any(fact in string for fact in own for string in strings_in(twin["gold"]))


@each_probe
def test_golds_hold_no_number_and_no_name_that_the_text_lacks(record: dict[str, Any]) -> None:
    known = set(WORD.findall(record["text"]))
    openings = {"a", "at", "for", "on", "the"} | {word.lower() for word in known}
    for claim in claims(record):
        for sentence in re.split(r"(?<=[.!?]) ", claim):
            for place, word in enumerate(WORD.findall(sentence)):
                specific = any(c.isdigit() or c.isupper() for c in word)
                opening = place == 0 and word.lower() in openings
                assert word in known or opening or not specific, f"'{word}' in '{claim}'"


@each_probe
def test_golds_copy_what_is_to_be_copied(record: dict[str, Any]) -> None:
    text = collapsed(record["text"])
    assert all(entity["name"] in text for entity in parts(record, "entities"))
    assert all(cause["description"] in text for cause in parts(record, "causality"))
    for action in parts(record, "actions"):
        assert action["object"] in text
        assert action["details"] in text
    assert all(concept in text.lower() for concept in record["gold"]["concepts"])
    content = record["gold"]["content"]
    if len(text) <= LONG_TEXT:
        assert content == text
    else:
        sentences = re.split(r"(?<=[.!?]) ", content)
        places = [text.index(sentence) for sentence in sentences]
        assert places == sorted(places)


@each_probe
def test_golds_keep_to_their_sizes(record: dict[str, Any]) -> None:
    gold = record["gold"]
    text = collapsed(record["text"])
    assert len(gold["summary"]) <= 220
    assert len(gold["narrative"]) <= 250
    assert len(gold["content"]) <= 600
    assert len(load_task("memory").canonical(gold)) <= 1600
    assert not gold["gist"].endswith((".", "…"))
    if len(record["text"]) <= 80 and "\n" not in record["text"].strip():
        assert gold["gist"] == text.removesuffix(".")
    for string in strings_in(gold):
        assert string == collapsed(string)
    for name, most in (("topics", 2), ("entities", 6), ("actions", 3), ("causality", 2)):
        assert len(parts(record, name)) <= most
    assert all(len(entity["context"].split()) <= 8 for entity in parts(record, "entities"))


@each_probe
def test_salience_fits_significance(record: dict[str, Any]) -> None:
    gold = record["gold"]
    ranges = {"routine": (0.05, 0.3), "notable": (0.35, 0.55), "important": (0.6, 0.75)}
    low, high = ranges[gold["significance"]]
    assert low <= gold["salience"] <= high
    assert gold["salience"] == round(round(gold["salience"] * 20) / 20, 2)


@pytest.mark.parametrize("name", [one for one in BY_ID if BY_ID[one]["category"] == "minimal"])
def test_minimal_golds_claim_next_to_nothing(name: str) -> None:
    record = BY_ID[name]
    gold = record["gold"]
    assert gold["gist"] == gold["summary"] == gold["content"] == record["text"]
    assert gold["narrative"] == ""
    assert len(gold["concepts"]) <= 1
    assert not any(parts(record, part) for part in ("topics", "actions", "causality"))
    assert gold["salience"] <= 0.2


def test_golds_share_no_six_words_that_are_not_in_their_texts() -> None:
    counts: Counter[str] = Counter()
    for record in RECORDS:
        text = collapsed(record["text"])
        runs: set[str] = set()
        for claim in claims(record):
            words = claim.split()
            runs |= {" ".join(words[place : place + 6]) for place in range(len(words) - 5)}
        counts.update(run for run in runs if run not in text)
    # Two twins may share what their texts share.
    assert [run for run, count in counts.items() if count > 2] == []
