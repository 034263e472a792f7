"""The audit finds each fault that a data set can have, and nothing in a good one."""

import copy
import json
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from spokesmith.data.audit import CHECKS, audit
from spokesmith.data.facts import find_facts, ungrounded
from spokesmith.data.gold import entity, make_gold
from spokesmith.data.pairs import Pair
from spokesmith.tasks import load_task

TASK = load_task("memory")
TEXT = (
    "Ines Okafor moved the build of ledger-api to runner-12 on Tuesday. The median run fell from "
    '340 ms to 95 ms, and the log at /var/log/build.txt said "cache is warm" 14 times.'
)
Change = Callable[[dict[str, Any]], object]


def pair(
    id: str = "a-1", *, text: str = TEXT, split: str = "train", twin: str | None = None
) -> Pair:
    gold = make_gold(
        text=text,
        concepts=["build"],
        entities=[entity("Ines Okafor", "person", "moved the build")] if text == TEXT else [],
        significance="notable",
        salience=0.45,
    )
    return Pair(id=id, kind="note", template="note/1", split=split, text=text, gold=gold, twin=twin)


def with_gold(change: Change) -> Pair:
    good = pair()
    gold = copy.deepcopy(good.gold)
    change(gold)
    return replace(good, gold=gold)


def found_by(*pairs: Pair) -> dict[str, int]:
    result = audit(pairs, TASK)
    return {name: check.count for name, check in result.checks.items() if check.count}


def test_good_pairs_pass() -> None:
    other = "Rain stopped the second session at 15:40, so the visitors kept their lead of 57 runs."
    result = audit([pair(), pair("a-2", text=other, split="eval")], TASK)
    assert result.ok
    assert set(result.checks) == set(CHECKS)
    assert not any(check.count or check.examples for check in result.checks.values())
    assert result.pairs == 2
    assert result.splits == {"eval": 1, "train": 1}
    assert result.kinds == {"note": {"train": 1, "eval": 1}}
    assert result.text_quantiles["p0"] == len(other)
    assert result.text_quantiles["p100"] == len(TEXT)
    assert result.target_quantiles["p100"] == len(TASK.canonical(pair().gold))


def test_empty_data_set() -> None:
    result = audit([], TASK)
    assert result.ok
    assert result.pairs == 0
    assert result.text_quantiles == {}


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        (lambda gold: gold.pop("narrative"), {"keys"}),
        (lambda gold: gold.update(mood="calm"), {"keys"}),
        (lambda gold: gold.update(narrative=None), {"types"}),
        (lambda gold: gold.update(concepts=[["build"]]), {"types"}),
        (lambda gold: gold.update(outcome="maybe"), {"enums"}),
        (lambda gold: gold.update(salience=1.5), {"ranges", "salience"}),
        (lambda gold: gold.update(salience=0.6), {"salience"}),
        (lambda gold: gold.update(salience=0.42), {"salience"}),
        (lambda gold: gold.update(significance="critical"), {"salience"}),
        (lambda gold: gold.update(gist="the build " * 9), {"lengths"}),
        (lambda gold: gold.update(gist=gold.pop("gist")), {"key_order"}),
        (lambda gold: gold.update(salience=float("nan")), {"canonical", "salience"}),
        (lambda gold: gold.update(narrative="\ud83d"), {"canonical"}),
        (lambda gold: gold.update(concepts=("build",)), {"canonical"}),
        (lambda gold: gold.update(summary="The median run fell to 96 ms."), {"facts"}),
        (lambda gold: gold.update(summary="The median run fell to 95 s."), {"facts"}),
        (lambda gold: gold.update(summary="The median run fell from 34 ms."), {"facts"}),
        (lambda gold: gold.update(summary="Then Ines Okonkwo moved it."), {"facts"}),
        (lambda gold: gold.update(summary="It moved to runner-1."), {"facts"}),
        (lambda gold: gold.update(summary="The log is /var/log/builds.txt."), {"facts"}),
        (lambda gold: gold.update(summary='The log said "cache is cold".'), {"facts"}),
        (lambda gold: gold.update(concepts=["ledger_api"]), {"facts"}),
        (
            lambda gold: gold["structured_concepts"]["entities"].append(
                entity("ledger", "project", "") | {"name": "ledgers"}
            ),
            {"entities"},
        ),
    ],
)
def test_corrupted_gold_is_caught_by_its_check_alone(change: Change, checks: set[str]) -> None:
    bad = with_gold(change)
    result = audit([bad], TASK)
    assert not result.ok
    assert {name for name, check in result.checks.items() if check.count} == checks
    for name in checks:
        (finding,) = result.checks[name].examples
        assert finding.id == bad.id
        assert finding.reason


def test_duplicates() -> None:
    spaced = TEXT.replace(" ", "\n", 3)
    assert found_by(pair(), pair("a-2", text=spaced)) == {"duplicates_within_split": 1}
    across = audit([pair(), pair("a-2", text=spaced, split="eval")], TASK)
    assert not across.ok
    assert across.checks["duplicates_across_splits"].count == 1
    assert "a-1" in across.checks["duplicates_across_splits"].examples[0].reason
    assert across.checks["near_duplicates_across_splits"].count == 0
    assert found_by(pair(), pair(text=TEXT + " It stayed.")) == {"ids": 1}


def test_near_duplicates_are_reported_and_do_not_fail() -> None:
    words = [f"word{number}" for number in range(120)]
    first, second = " ".join(words), " ".join([*words[:118], "other", "end"])
    result = audit([pair(text=first), pair("a-2", text=second, split="eval")], TASK)
    assert result.ok
    near = result.checks["near_duplicates_across_splits"]
    assert near.count == 1
    assert near.examples[0].id == "a-2"
    third = " ".join([*words[:60], "other", *words[61:]])
    apart = audit([pair(text=first), pair("a-2", text=third, split="eval")], TASK)
    assert apart.checks["near_duplicates_across_splits"].count == 1
    different = " ".join(words[:90] + [f"new{number}" for number in range(30)])
    assert found_by(pair(text=first), pair("a-2", text=different, split="eval")) == {}


def test_twins() -> None:
    first = "The backup of lab-3 finished at 04:10 and nothing was lost."
    second = "The backup of lab-3 failed at 04:10 and everything was lost."
    good = [pair("t-1", text=first, twin="t-2"), pair("t-2", text=second, twin="t-1")]
    assert found_by(*good) == {}
    equal = replace(good[1], gold=good[0].gold)
    assert found_by(good[0], equal) == {"twins": 2}
    assert found_by(good[0]) == {"twins": 1}
    apart = replace(good[1], split="eval")
    assert found_by(good[0], apart) == {"twins_across_splits": 2}


def test_json_form_and_example_limit() -> None:
    bad = [replace(with_gold(lambda gold: gold.pop("gist")), id=f"b-{n}") for n in range(9)]
    result = audit(bad, TASK)
    read = json.loads(json.dumps(result.to_json()))
    assert read["ok"] is False
    assert read["checks"]["keys"]["count"] == 9
    assert len(read["checks"]["keys"]["examples"]) == 5
    assert read["checks"]["keys"]["examples"][0]["id"] == "b-0"


def test_golds_of_any_shape_are_reported_not_raised() -> None:
    golds: list[Any] = [
        {},
        {"structured_concepts": {"entities": [3, {"name": 4}]}, "salience": "high"},
        {"significance": ["routine"], "salience": True},
        {"structured_concepts": []},
    ]
    broken = [replace(pair(f"c-{n}"), gold=gold) for n, gold in enumerate(golds)]
    assert found_by(*broken)["keys"] == 4


@pytest.mark.parametrize(
    ("string", "text", "missing"),
    [
        ("It took 12 ms.", "It took 12ms in all", []),
        ("It took 12.", "It took 12.5 s", ["12"]),
        ("It took 12.", "It took 0.12 s", ["12"]),
        ("It took 12.", "It took 112 s", ["12"]),
        ("It took 12, then 9.", "First 12, later 9.", []),
        ("At 3:12.", "At 3:12, or so", []),
        ("At 12.", "At 3:12", ["12"]),
        ("In 2024.", "On 2024-05-01", []),
        ("Costs $40.", "Costs 40", ["$40"]),
        ("Seen by Ada Lovelace.", "Ada Lovelace saw it", []),
        ("Seen by Ada King.", "Ada Lovelace saw it", ["Ada King"]),
        ("Nobody came.", "It rained", []),
        ("Use std::mem::swap now", "use std::mem::take now", ["std::mem::swap"]),
        ("See http://a.example/b", "see http://a.example/bc", ["http://a.example/b"]),
        ('They said "go home" twice', 'They said "go on" twice', ["go home"]),
        ("Call `sync_all` first", "Call `sync_all()` first", []),
        ("水 500ml，盐 3g", "加水 500ml 和盐 5g", ["3g"]),
        ("On eu-web-39 only", "at nobody@eu-web-39:5926", []),
        ("The line -split_row(17) went", "-    split_row(17)", []),
        ("rock and roll", "nothing alike", []),
    ],
)
def test_facts_stand_in_their_text(string: str, text: str, missing: list[str]) -> None:
    assert [fact.text for fact in ungrounded(string, text)] == missing


def test_kinds_of_facts() -> None:
    string = 'On Monday Ana Ruiz paid 40 EUR for v2.1 of app_core and said "fine then".'
    found = [(fact.kind, fact.text) for fact in find_facts(string)]
    assert found == [
        ("quotation", "fine then"),
        ("name", "Monday Ana Ruiz"),
        ("number", "40 EUR"),
        ("identifier", "v2.1"),
        ("identifier", "app_core"),
    ]


def test_many_pairs_are_quick() -> None:
    random = Random(5)
    words = [f"w{number}" for number in range(3000)]
    pairs = []
    for number in range(1500):
        text = " ".join(random.choices(words, k=60))
        pairs.append(pair(f"q-{number}", text=text, split="eval" if number % 10 == 0 else "train"))
    start = time.process_time()
    result = audit(pairs, TASK)
    assert result.checks["near_duplicates_across_splits"].count == 0
    assert time.process_time() - start < 5
