"""Field rules of `memory`: each broken rule is a line, faithful encodings break none."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.data.generate import generate
from spokesmith.metrics import SALIENCE_RANGES, Source, memory_problems
from spokesmith.tasks import load_task
from spokesmith.tasks.probe_records import read_probe_records

RECORDS, _ = read_probe_records(load_task("memory").probes_path)
GOLDS = {record["id"]: record for record in RECORDS}
LATENCY = GOLDS["latency-a"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "structured_concepts",
                    "entities",
                    "actions",
                    "causality",
                    "concepts",
                    "salience",
                    "significance",
                    "name",
                    "context",
                    "object",
                    "description",
                    "gist",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def problems_of(text: str, **changes: Any) -> list[str]:
    """Problems of the gold of a probe with some of its fields, or of its parts, replaced."""
    encoding = copy.deepcopy(LATENCY["gold"])
    for name, value in changes.items():
        part = encoding if name in encoding else encoding["structured_concepts"]
        part[name] = value
    return memory_problems(encoding, Source(text))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_shipped_golds_break_no_rule(record: dict[str, Any]) -> None:
    assert memory_problems(record["gold"], Source(record["text"])) == []


def test_fewer_than_one_in_a_hundred_generated_golds_break_a_rule() -> None:
    pairs = list(generate(300, seed=5))
    broken = [pair.id for pair in pairs if memory_problems(pair.gold, Source(pair.text))]
    assert len(broken) <= 3, broken


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"salience": 0.9}, "/salience"),
        ({"salience": 0.41}, "/salience"),
        ({"significance": "routine"}, "/salience"),
        ({"gist": " "}, "/gist"),
        ({"summary": ""}, "/summary"),
        ({"narrative": "Latency fell because the disk was replaced."}, "/narrative"),
        (
            {"entities": [{"name": "Elena", "type": "person", "context": "reports"}]},
            "/structured_concepts/entities/0/name",
        ),
        (
            {
                "entities": [
                    {"name": "Ravi", "type": "person", "context": "fired the whole sales team"}
                ]
            },
            "/structured_concepts/entities/0/context",
        ),
        (
            {"actions": [{"verb": "move", "object": "an old harbour", "details": ""}]},
            "/structured_concepts/actions/0/object",
        ),
        (
            {"actions": [{"verb": "move", "object": "the cache", "details": "by a cunning plan"}]},
            "/structured_concepts/actions/0/details",
        ),
        (
            {"causality": [{"relation": "caused_by", "description": "a memory leak in the proxy"}]},
            "/structured_concepts/causality/0",
        ),
    ],
)
def test_each_rule_names_its_field_and_the_value(changes: dict[str, Any], field: str) -> None:
    (problem,) = problems_of(LATENCY["text"], **changes)
    assert problem.startswith(f"{field}: ")


def test_causes_need_a_cue_and_the_words_of_the_text() -> None:
    cause = [{"relation": "caused_by", "description": "the cache was cold"}]
    line = "/structured_concepts/causality/0: the text tells of no such thing, 'the cache was cold'"
    text = LATENCY["text"] + " The cache was cold. The page was slow."
    assert problems_of(text, causality=cause) == [line]
    text = LATENCY["text"] + " The page was slow because the cache was cold."
    assert problems_of(text, causality=cause) == []
    foreign = [{"relation": "caused_by", "description": "a broken cooling fan"}]
    (problem,) = problems_of(text, causality=foreign)
    assert "words that the text lacks, 'a broken cooling fan'" in problem


def test_ranges_leave_no_step_out() -> None:
    steps = [round(low / 20, 2) for low in range(1, 20)]
    assert all(
        sum(low <= step <= high for low, high in SALIENCE_RANGES.values()) == 1 for step in steps
    )


@given(value=VALUES)
@settings(max_examples=60, deadline=None)
def test_no_value_raises(value: Any) -> None:
    assert all(": " in line for line in memory_problems(value, Source("Ana has 12 pears.")))
    json.dumps(memory_problems(value, Source("")))
