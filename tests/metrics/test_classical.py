"""The classical measures: their published definitions, and what these let through."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.metrics.classical import (
    ClassicalRecord,
    classical,
    cross_contamination,
    entities_in,
    entity_preservation,
    fabrication_rate,
    measures_of,
    minimal_input_handling,
    number_preservation,
    numbers_in,
    parse_leniently,
    schema_compliance,
    template_echo,
)

TEXT = "Maria Chen tuned the cache: median wait fell from 12 to 9 ms over 5 runs of v2.4.0."
GOOD: dict[str, Any] = {
    "gist": "Maria Chen tuned the cache",
    "summary": TEXT,
    "content": TEXT,
    "narrative": "",
    "concepts": ["cache"],
    "structured_concepts": {
        "topics": [{"label": "cache", "path": "software/cache"}],
        "entities": [{"name": "Maria Chen", "type": "person", "context": "tuned the cache"}],
        "actions": [{"verb": "tune", "object": "cache", "details": ""}],
        "causality": [],
    },
    "significance": "notable",
    "emotional_tone": "neutral",
    "outcome": "success",
    "salience": 0.3,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(list(GOOD)) | st.text(max_size=4), inner, max_size=8)
    ),
    max_leaves=25,
)


def changed(**fields: Any) -> dict[str, Any]:
    return copy.deepcopy(GOOD) | fields


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != field}


def is_called_clean(answer: dict[str, Any], source: str = TEXT) -> bool:
    return (
        entity_preservation(source, answer) == number_preservation(source, answer) == 1.0
        and fabrication_rate(source, answer) == 0.0
        and schema_compliance(answer)
        and not template_echo(answer)
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("47,231 rows and 1,247.5 s", {"47231", "1247.5"}),
        ("a rate of 2.3e-4 and -0.5", {"2.3e-4", "-0.5"}),
        ("94.2% of 80%", {"94.2%", "80%"}),
        ("12/21 at 3e-4", {"12/21", "3", "4"}),
        ("-7 degrees", {"7"}),
        ("gpt4 twelve", {"4"}),
        ("1 200 and 1 200", {"1", "200"}),
    ],
)
def test_numbers_are_those_of_the_published_pattern(text: str, numbers: set[str]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("Maria Chen called.", {"Maria Chen", "Chen"}),
        ("Called by Maria, Bob; Eve", {"Maria", "Bob", "Eve"}),
        ("Yesterday. Maria called", set()),
        ("with Al, @jo and The Beatles", {"Beatles", "The"}),
        ("ask @jo_b about getName and MapReduce", {"jo_b", "MapReduce"}),
        ("v2.4.0 of src/a.py", {"v2.4.0", "2.4", "0", "src/a.py"}),
        ("logs in /var/log/x.1 not </var/y>", {"/var/log/x.1", "1"}),
        ("ΩMEGA Éva postgres SQLite", set()),
    ],
)
def test_entities_are_those_of_the_published_patterns(text: str, entities: set[str]) -> None:
    assert entities_in(text) == entities


@pytest.mark.parametrize(
    "text",
    [
        '{"gist": "a"}',
        '<think>{"gist": "b"}</think> {"gist": "a"}',
        '```json\n{"gist": "a"}\n```',
        '{"gist": "a"}<end_of_turn>',
        'Here it is: {"gist": "a"} {"gist": "b"}',
        '{"gist": "b", "gist": "a"}',
    ],
)
def test_an_answer_is_read_with_its_quirks(text: str) -> None:
    assert parse_leniently(text) == {"gist": "a"}


@pytest.mark.parametrize(
    "text",
    ["", "no", '{"gist": "a', "[1]", "3", '{"a": nul} {"b": 1}', '{"a":' + "[" * 100_000],
)
def test_an_answer_without_an_object_cannot_be_read(text: str) -> None:
    assert parse_leniently(text) is None


@pytest.mark.parametrize(("lists", "is_read"), [(99, True), (100, False), (991, False)])
def test_an_answer_too_deep_to_write_again_cannot_be_read(lists: int, is_read: bool) -> None:
    answer = '{"a":' + "[" * lists + "]" * lists + "}"
    assert (parse_leniently(answer) is not None) == is_read
    assert classical([ClassicalRecord(id="a", source=TEXT, answer=answer)])["SC"]["n"] == is_read


def test_preservation_is_a_share_of_distinct_entities() -> None:
    source = "Called by Maria about 12 and 12 and 9"
    assert entity_preservation(source, {"content": "maria, 12"}) == pytest.approx(2 / 3)
    assert number_preservation(source, {"content": "12"}) == 0.5
    assert number_preservation("1,247 rows", {"content": "1247 rows"}) == 1.0
    assert number_preservation("1247 rows", {"content": "1,247 rows"}) == 1.0


def test_case_counts_for_numbers_alone() -> None:
    assert number_preservation("at 2.3E-4", {"content": "2.3e-4"}) == 0.0
    assert entity_preservation("at 2.3E-4", {"content": "2.3e-4"}) == 1.0


def test_an_empty_denominator_counts_as_perfect() -> None:
    assert entity_preservation("nothing here", {}) == 1.0
    assert number_preservation("nothing here", {}) == 1.0
    assert fabrication_rate("nothing here", {"content": "nor here"}) == 0.0


def test_fabrication_is_a_share_of_the_entities_of_the_prose() -> None:
    answer = {"gist": "Told by Eve after 77 runs", "outcome": "from 12 ms", "concepts": ["88"]}
    assert fabrication_rate(TEXT, answer) == pytest.approx(2 / 3)
    assert fabrication_rate(TEXT, GOOD) == 0.0
    # The salience of 0.3 is a number that the text lacks, and no concept is prose.
    people = changed(concepts=["asked by Zoltan"], significance="so Zoltan said")
    assert fabrication_rate(TEXT, people) == 0.0


def test_template_echo_finds_the_published_prompt_in_any_field() -> None:
    assert template_echo(changed(gist="What happened in Under 60 Characters."))
    assert template_echo(changed(concepts=["3-5 Keywords"]))
    assert not template_echo(changed(gist="Say only what the text says."))


def test_cross_contamination_is_the_cosine_of_word_counts() -> None:
    assert cross_contamination({"gist": "a a b"}, {"gist": "a c"}) == pytest.approx(
        2 / math.sqrt(10)
    )
    assert cross_contamination(GOOD, GOOD) == pytest.approx(1.0)
    assert cross_contamination({"gist": "one"}, {"gist": "two"}) == 0.0
    assert cross_contamination({"gist": ""}, {"summary": "content"}) == 0.0
    assert cross_contamination({}, {}) == 1.0


@pytest.mark.parametrize(
    ("fields", "passes"),
    [
        ({}, True),
        ({"salience": 0.4}, False),
        ({"salience": "low"}, False),
        ({"salience": None}, False),
        ({"content": "x" * 150, "narrative": "x" * 200}, True),
        ({"content": "x" * 151}, False),
        ({"narrative": "x" * 201}, False),
        ({"content": 3}, False),
    ],
)
def test_a_minimal_text_has_a_small_answer(fields: dict[str, Any], passes: bool) -> None:
    assert minimal_input_handling(changed(content="WAL on.") | fields) == passes


def test_a_minimal_answer_without_salience_fails_and_without_prose_passes() -> None:
    assert not minimal_input_handling({"content": "WAL on."})
    assert minimal_input_handling({"salience": 0.1})


@pytest.mark.parametrize("field", GOOD)
def test_every_field_of_a_memory_is_required(field: str) -> None:
    assert schema_compliance(GOOD)
    assert not schema_compliance(without(field))


@pytest.mark.parametrize(
    "fields",
    [
        {"significance": "trivial"},
        {"emotional_tone": ["neutral"]},
        {"outcome": "done"},
        {"salience": 1.01},
        {"salience": "0.3"},
        {"salience": float("nan")},
        {"gist": "x" * 61},
        {"gist": 7},
        {"summary": "x" * 401},
        {"concepts": "cache"},
        {"concepts": ["cache", 7]},
        {"structured_concepts": {"topics": []}},
        {"structured_concepts": []},
        {
            "structured_concepts": {
                "topics": "cache",
                "entities": [],
                "actions": [],
                "causality": [],
            }
        },
    ],
)
def test_schema_compliance_fails(fields: dict[str, Any]) -> None:
    assert not schema_compliance(changed(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"gist": "x" * 60, "summary": "x" * 400},
        {"salience": 0, "outcome": "", "emotional_tone": None},
        {"structured_concepts": None},
        {"gist": ["a", "list"], "content": 5, "narrative": None},
        {"made_up_key": 1},
    ],
)
def test_schema_compliance_is_lax(fields: dict[str, Any]) -> None:
    assert schema_compliance(changed(**fields))


def test_an_echo_of_the_text_is_called_clean() -> None:
    echo = changed(gist=TEXT[:60], summary=TEXT, content=TEXT, narrative=TEXT)
    assert is_called_clean(echo)


def test_a_made_up_person_among_the_concepts_is_called_clean() -> None:
    answer = changed()
    answer["structured_concepts"]["entities"].append(
        {"name": "Zoltan Vary", "type": "person", "context": "approved by Zoltan Vary"}
    )
    assert is_called_clean(answer)


def test_two_swapped_numbers_are_called_clean() -> None:
    swapped = TEXT.replace("12 to 9 ms", "9 to 12 ms")
    assert is_called_clean(changed(summary=swapped, content=swapped))


def test_a_made_up_cause_in_lower_case_is_called_clean() -> None:
    answer = changed(narrative="It was slow because the disk was full and nobody had noticed.")
    answer["structured_concepts"]["causality"].append(
        {"relation": "caused_by", "description": "a full disk"}
    )
    assert is_called_clean(answer)


def test_flat_strings_where_objects_belong_are_called_clean() -> None:
    flat = {name: ["cache", "tuning"] for name in GOOD["structured_concepts"]}
    assert is_called_clean(changed(structured_concepts=flat))


def test_the_salience_keeps_a_number() -> None:
    silent = TEXT.replace("over 5 runs ", "")
    answer = changed(summary=silent, content=silent)
    assert number_preservation(TEXT, answer) < 1.0
    assert is_called_clean(answer | {"salience": 0.15})


def test_a_number_inside_a_longer_one_is_called_kept_and_grounded() -> None:
    answer = changed(content="It fell from 312 to 93 ms.", summary="5 v2.4.0")
    assert number_preservation(TEXT, answer) == 1.0
    assert fabrication_rate("It took 3120 ms.", {"content": "It took 12 ms."}) == 0.0


def record(name: str, answer: dict[str, Any] | str, **more: Any) -> ClassicalRecord:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return ClassicalRecord(id=name, source=TEXT, answer=text, **more)


def test_unreadable_answers_leave_every_average() -> None:
    clean = [record(str(number), GOOD) for number in range(3)]
    cut = [record("cut", json.dumps(GOOD)[:-20], minimal=True, twin="0")]
    found = classical(clean + cut)
    assert found == classical(clean)
    assert [found[name]["value"] for name in ("EPR", "FR", "NP", "TED", "SC")] == [1, 0, 1, 0, 1]
    assert [found[name]["n"] for name in ("EPR", "FR", "NP", "TED", "SC")] == [3] * 5
    assert found["MIH"] == found["CCS"] == {"value": None, "interval_95": None, "n": 0}


def test_averages_are_over_inputs_and_shares_over_those_asked() -> None:
    poor = {"content": "Told by Zoltan: encode this event into memory", "salience": 1}
    found = classical(
        [
            record("a", GOOD, twin="b"),
            record("b", GOOD, twin="a"),
            record("c", poor, twin="d", minimal=True),
            record("d", GOOD, minimal=True),
        ]
    )
    assert found["NP"]["value"] == pytest.approx(3 / 4)
    assert found["EPR"]["value"] == pytest.approx(3 / 4)
    assert found["FR"]["value"] == pytest.approx(1 / 4)
    assert found["TED"] | {"interval_95": []} == {"value": 0.25, "interval_95": [], "n": 4}
    assert found["SC"]["value"] == 0.75
    assert (found["MIH"]["value"], found["MIH"]["n"]) == (0.5, 2)
    assert (found["CCS"]["value"], found["CCS"]["n"]) == (0.5, 2)
    assert all(
        low <= entry["value"] <= high
        for entry in found.values()
        for low, high in [entry["interval_95"]]
    )


def test_one_answer_has_the_measures_asked_of_it() -> None:
    assert measures_of(record("a", GOOD)) == {"EPR": 1, "FR": 0, "NP": 1, "TED": False, "SC": True}
    assert (measures_of(record("a", GOOD, minimal=True)) or {})["MIH"] is True
    assert measures_of(record("a", "no object")) is None


def test_no_answers_have_no_values() -> None:
    assert {entry["value"] for entry in classical([]).values()} == {None}


@given(value=VALUES, other=VALUES, source=st.text(max_size=20) | st.just(TEXT))
@settings(max_examples=60, deadline=None)
def test_no_json_value_raises(value: Any, other: Any, source: str) -> None:
    found = classical(
        [
            ClassicalRecord(id="a", source=source, answer=json.dumps(value), minimal=True),
            ClassicalRecord(id="b", source=source, answer=json.dumps(other), twin="a"),
        ]
    )
    shares = [entry["value"] for entry in found.values() if entry["value"] is not None]
    assert all(0 <= share <= 1 for share in shares)
    assert found["SC"]["n"] == isinstance(value, dict) + isinstance(other, dict)
