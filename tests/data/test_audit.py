"""The audit finds each fault that a data set can have, and nothing in a good one."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from spokesmith.data.audit import CHECKS, audit, probe_texts
from spokesmith.data.generate import generate
from spokesmith.data.gold import entity, make_gold
from spokesmith.data.pairs import Pair
from spokesmith.data.shingles import TextsToAvoid
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
    assert result.lengths["text_characters"]["p0"] == len(other)


def test_empty_data_set() -> None:
    result = audit([], TASK)
    assert result.ok
    assert result.pairs == 0


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        (lambda gold: gold.pop("narrative"), {"keys"}),
        (lambda gold: gold.update(mood="calm"), {"keys"}),
        (lambda gold: gold.update(narrative=None), {"types"}),
        (lambda gold: gold.update(concepts=[["build"]]), {"types"}),
        (lambda gold: gold.update(outcome="maybe"), {"enums"}),
        (lambda gold: gold.update(salience=1.5), {"ranges", "rules"}),
        (lambda gold: gold.update(salience=0.6), {"rules"}),
        (lambda gold: gold.update(salience=0.42), {"rules"}),
        (lambda gold: gold.update(significance="critical"), {"rules"}),
        (lambda gold: gold.update(gist="the build " * 9), {"lengths"}),
        (lambda gold: gold.update(gist=gold.pop("gist")), {"key_order"}),
        (lambda gold: gold.update(salience=float("nan")), {"canonical"}),
        (lambda gold: gold.update(narrative="\ud83d"), {"canonical"}),
        (lambda gold: gold.update(concepts=("build",)), {"canonical"}),
        (lambda gold: gold.update(summary="The median run fell to 96 ms."), {"made_up"}),
        (lambda gold: gold.update(summary="The median run fell to 95 s."), {"made_up"}),
        (lambda gold: gold.update(summary="The median run fell from 34 ms."), {"made_up"}),
        (lambda gold: gold.update(summary="Then Ines Okonkwo moved it."), {"made_up"}),
        (lambda gold: gold.update(summary="It moved to runner-1."), {"made_up"}),
        (lambda gold: gold.update(summary="The log is /var/log/builds.txt."), {"made_up"}),
        (lambda gold: gold.update(summary='The log said "cache is cold".'), {"made_up"}),
        (lambda gold: gold.update(concepts=["ledger_dump"]), {"made_up"}),
        (
            lambda gold: gold["structured_concepts"]["entities"].append(
                entity("ledger", "project", "") | {"name": "ledgers"}
            ),
            {"rules"},
        ),
    ],
)
def test_corrupted_gold_is_caught_by_its_check_alone(change: Change, checks: set[str]) -> None:
    bad = with_gold(change)
    result = audit([bad], TASK)
    assert result.ok is not any(CHECKS[name] for name in checks)
    assert {name for name, check in result.checks.items() if check.count} == checks
    for name in checks:
        (finding,) = result.checks[name].examples
        assert finding.id == bad.id
        assert finding.reason


def test_keys_of_an_object_that_may_be_null_have_an_order() -> None:
    place = {"type": "object", "properties": {"street": {"type": "string"}, "city": {}}}
    schema = {"type": "object", "properties": {"home": {"anyOf": [place, {"type": "null"}]}}}
    task = replace(TASK, name="own", schema=schema)

    def out_of_order(home: dict[str, str] | None) -> int:
        return audit([replace(pair(), gold={"home": home})], task).checks["key_order"].count

    assert out_of_order({"city": "c", "street": "s"}) == 1
    assert out_of_order({"street": "s", "city": "c"}) == 0
    assert out_of_order(None) == 0


def test_duplicates() -> None:
    spaced = TEXT.replace(" ", "\n", 3)
    assert found_by(pair(), pair("a-2", text=spaced)) == {"duplicates_within_split": 1}
    across = audit([pair(), pair("a-2", text=spaced, split="eval")], TASK)
    assert not across.ok
    assert across.checks["duplicates_across_splits"].count == 1
    assert "a-1" in across.checks["duplicates_across_splits"].examples[0].reason
    assert across.checks["near_duplicates_across_splits"].count == 0
    assert found_by(pair(), pair(text="Another lamp went out.")) == {"ids": 1}


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


def test_a_lost_number_is_caught() -> None:
    bad = with_gold(lambda gold: gold.update(content="", narrative="", summary="", gist=""))
    result = audit([bad], TASK)
    assert not result.ok
    assert result.checks["numbers_lost"].count == 1


def test_a_text_of_a_probe_set_leaks() -> None:
    probes = {"mine": {"p-1": TEXT.upper()}}
    result = audit([pair()], TASK, probes=probes)
    assert not result.ok
    (finding,) = result.checks["probe_leakage"].examples
    assert "p-1" in finding.reason
    assert audit([pair()], TASK, probes={}).ok


def test_a_target_far_longer_than_its_text_is_caught() -> None:
    bad = with_gold(lambda gold: gold.update(narrative="the build " * 99))
    assert audit([bad], TASK).checks["too_long"].count == 1


def test_boilerplate_is_words_that_the_texts_lack() -> None:
    """Six words in a row in most targets, which their texts lack."""
    phrase = "as one can see from this"

    def pairs(in_text: str) -> list[Pair]:
        made = []
        for number in range(60):
            one = pair(f"b-{number}", text=f"The lamp of hall {number} went out. {in_text}")
            made.append(replace(one, gold={**one.gold, "narrative": phrase}))
        return made

    assert audit(pairs(""), TASK, probes={}).checks["boilerplate"].count > 0
    assert audit(pairs(phrase), TASK, probes={}).checks["boilerplate"].count == 0


def test_generated_pairs_pass_and_workers_change_nothing() -> None:
    probes = [text for by_id in probe_texts(TASK).values() for text in by_id.values()]
    pairs = list(generate(450, seed=11, is_taken=TextsToAvoid(probes).has))
    alone = audit(pairs, TASK, workers=1)
    assert alone.ok, {name: one for name, one in alone.checks.items() if one.count and one.fatal}
    assert audit(pairs, TASK, workers=2).to_json() == alone.to_json()
