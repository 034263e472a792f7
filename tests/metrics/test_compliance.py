"""Strict schema compliance: every fault of form is found under its aspect, and none raises."""

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spokesmith.metrics import Compliance, check, parse_strict
from spokesmith.tasks import load_task

SCHEMA = load_task("memory").schema
ASPECTS = ("keys", "types", "sub_arrays", "enums", "ranges", "lengths")
GOOD: dict[str, Any] = {
    "gist": "Rollback of release 4.2.1",
    "summary": "The release 4.2.1 was rolled back after 12 minutes.",
    "content": "The release 4.2.1 was rolled back after 12 minutes.",
    "narrative": "",
    "concepts": ["rollback"],
    "structured_concepts": {
        "topics": [{"label": "rollback", "path": "software/deployment"}],
        "entities": [{"name": "4.2.1", "type": "identifier", "context": "release"}],
        "actions": [{"verb": "roll", "object": "release", "details": ""}],
        "causality": [{"relation": "led_to", "description": "a rollback"}],
    },
    "significance": "notable",
    "emotional_tone": "concerning",
    "outcome": "failure",
    "salience": 0.5,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(list(GOOD)) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=20,
)


def judged(value: Any) -> Compliance:
    return check(json.dumps(value), SCHEMA)


def failed(found: Compliance) -> set[str]:
    return {aspect for aspect in ASPECTS if getattr(found, aspect) is not True}


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    """A copy of the good answer with another value at `path`."""
    answer = copy.deepcopy(GOOD)
    place: Any = answer
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return answer


def test_good_answer_passes_every_aspect() -> None:
    found = judged(GOOD)
    assert found.valid
    assert found.json_valid
    assert failed(found) == set()
    assert set(found.fields) == set(GOOD)
    assert all(found.fields.values())
    assert found.problems == []


def test_white_space_and_key_order_do_not_matter() -> None:
    backwards = dict(reversed(GOOD.items()))
    assert check(f"\n {json.dumps(backwards, indent=2)} \t\n", SCHEMA).valid


@pytest.mark.parametrize(
    ("path", "value", "aspects"),
    [
        (["gist"], 7, {"types"}),
        (["gist"], None, {"types"}),
        (["gist"], "g" * 81, {"lengths"}),
        (["extra"], "no", {"keys"}),
        (["concepts"], "rollback", {"types", "sub_arrays"}),
        (["concepts", 0], 3, {"types", "sub_arrays"}),
        (["concepts"], ["c"] * 13, {"lengths"}),
        (["structured_concepts"], [], {"types", "sub_arrays"}),
        (["structured_concepts", "entities"], ["4.2.1"], {"types", "sub_arrays"}),
        (["structured_concepts", "entities", 0], {"name": "4.2.1"}, {"keys", "sub_arrays"}),
        (["structured_concepts", "topics", 0, "extra"], "no", {"keys", "sub_arrays"}),
        (["structured_concepts", "extra"], [], {"keys", "sub_arrays"}),
        (["structured_concepts", "actions", 0, "verb"], "v" * 41, {"lengths"}),
        (["significance"], "huge", {"enums"}),
        (["outcome"], None, {"enums"}),
        (["salience"], True, {"types"}),
        (["salience"], "0.5", {"types"}),
        (["salience"], 1.05, {"ranges"}),
        (["salience"], -1, {"ranges"}),
    ],
)
def test_fault_fails_its_aspects_only(path: list[Any], value: Any, aspects: set[str]) -> None:
    found = judged(changed(path, value))
    assert not found.valid
    assert found.json_valid
    assert failed(found) == aspects
    assert found.problems
    wrong = {name for name, good in found.fields.items() if not good}
    assert wrong == ({path[0]} & set(GOOD))


@pytest.mark.parametrize("name", list(GOOD))
def test_missing_field_fails_keys_and_that_field(name: str) -> None:
    answer = {key: value for key, value in GOOD.items() if key != name}
    found = judged(answer)
    assert failed(found) == {"keys"}
    assert [key for key, good in found.fields.items() if not good] == [name]


def test_problem_names_the_place() -> None:
    answer = changed(["structured_concepts", "entities", 0, "name"], 4.2)
    (problem,) = judged(answer).problems
    assert problem.startswith("/structured_concepts/entities/0/name: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "null and void",
        '{"gist": "a"',
        '{"gist": "a"} {"gist": "b"}',
        '{"gist": "a"}\n```',
        '```json\n{"gist": "a"}\n```',
        '{"gist": "a", "gist": "a"}',
        '{"a": {"b": 1, "b": 2}}',
        '{"salience": NaN}',
        '{"salience": -Infinity}',
        '{"salience": 1e999}',
        '{"salience": ' + "9" * 400 + "}",
        '{"salience": ' + "9" * 5000 + "}",
        '{"gist": "\\ud800"}',
        '{"\\udfff": 1}',
        '"\ud83d"',
        "{'gist': 'a'}",
        '{"gist": "a",}',
        '{"gist": "line\nbreak"}',
        "\ufeff{}",
        "[" * 200 + "]" * 200,
        "[" * 200_000,
        '{"a":' * 200_000,
    ],
)
def test_text_that_is_not_one_json_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_strict(text)
    found = check(text, SCHEMA)
    assert not found.valid
    assert not found.json_valid
    assert failed(found) == set(ASPECTS)
    assert not any(found.fields.values())
    assert len(found.problems) == 1


def test_strict_parsing_accepts_what_is_json() -> None:
    assert parse_strict(' \n["\\ud83d\\ude00", -0.0, 1e-999, 12] ') == ["😀", 0.0, 0.0, 12]
    assert parse_strict("[" * 100 + "]" * 100) is not None


@pytest.mark.parametrize("text", ["[]", '"text"', "3", "null"])
def test_answer_that_is_no_object_fails_everything(text: str) -> None:
    found = check(text, SCHEMA)
    assert found.json_valid
    assert failed(found) == set(ASPECTS)
    assert not any(found.fields.values())


@settings(max_examples=150, deadline=None)
@given(VALUES)
@example(dict.fromkeys(GOOD))
@example({**GOOD, "salience": float("inf")})
@example({**GOOD, "concepts": [{"a": []}], "structured_concepts": {"topics": {}}})
def test_no_json_value_raises(value: Any) -> None:
    found = judged(value)
    assert found.valid == (not found.problems)
    assert found.valid <= all(getattr(found, aspect) for aspect in ASPECTS)


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert not check(text, SCHEMA).valid


def test_aspects_that_a_schema_does_not_state_are_none() -> None:
    found = check('{"a": 1}', {"type": "object", "properties": {"a": {"type": "integer"}}})
    assert found.valid
    assert found.types is True
    assert [found.keys, found.sub_arrays, found.enums, found.ranges, found.lengths] == [None] * 5
    assert check("{", {"properties": {"enum": {"const": 1}}}).enums is False
    assert check("{", {"properties": {"enum": {}}}).enums is None


def test_union_reports_its_nearest_option() -> None:
    schema = {
        "properties": {
            "when": {
                "anyOf": [
                    {"type": "object", "required": ["year", "month", "day"]},
                    {"type": "string", "maxLength": 4},
                ]
            }
        }
    }
    found = check('{"when": "tomorrow"}', schema)
    assert found.lengths is False
    assert found.types is True
    assert found.fields == {"when": False}


def test_faulty_schema_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="not a JSON Schema"):
        check("1", {"type": "number?"})
    with pytest.raises(ValueError, match="leads nowhere"):
        check("1", {"$ref": "https://example.org/schema.json"})
