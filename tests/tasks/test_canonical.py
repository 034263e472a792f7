"""Canonical JSON and the outline, the two faces of a schema that training sees."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spokesmith.tasks import canonical_json, load_task, order_like
from spokesmith.tasks.outline import outline

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner)
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_it_is_json_and_stable(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_keys_follow_the_schema_at_every_depth() -> None:
    memory = load_task("memory")
    scrambled = {
        "salience": 0.5,
        "structured_concepts": {
            "causality": [{"description": "d", "relation": "caused_by"}],
            "topics": [{"path": "p", "label": "l"}],
        },
        "gist": "g",
    }
    assert memory.canonical(scrambled) == (
        '{"gist":"g","structured_concepts":{"topics":[{"label":"l","path":"p"}],'
        '"causality":[{"relation":"caused_by","description":"d"}]},"salience":0.5}'
    )


def test_keys_outside_the_schema_come_last() -> None:
    schema = {"properties": {"b": {}, "a": {}}}
    assert list(order_like({"x": 1, "a": 2, "b": 3}, schema)) == ["b", "a", "x"]


ADDRESS = {"type": "object", "properties": {"street": {}, "city": {}}}
ORDERS = [
    ({"anyOf": [{"type": "null"}, ADDRESS]}, {"city": "c", "street": "s"}),
    ({"oneOf": [ADDRESS, {"type": "null"}]}, {"city": "c", "street": "s"}),
    ({"anyOf": [{"type": "null"}, {"items": ADDRESS}]}, [{"city": "c", "street": "s"}]),
    ({"items": {"anyOf": [{"type": "string"}, ADDRESS]}}, ["x", {"city": "c", "street": "s"}]),
    ({"$ref": "#/$defs/a~1b"}, {"city": "c", "street": "s"}),
    ({"anyOf": [{"$ref": "#/$defs/a~1b"}, {"type": "null"}]}, {"city": "c", "street": "s"}),
]


@pytest.mark.parametrize(("part", "value"), ORDERS)
def test_keys_follow_alternatives_and_references(part: dict[str, Any], value: Any) -> None:
    schema = {"properties": {"home": part}, "$defs": {"a/b": ADDRESS}}
    assert '{"street":"s","city":"c"}' in canonical_json({"home": value}, schema)


def test_of_several_objects_the_one_that_fits_gives_the_order() -> None:
    circle = {"properties": {"kind": {"const": "circle"}, "x": {}, "y": {}}}
    square = {"properties": {"y": {}, "x": {}, "kind": {"const": "square"}}}
    wide = {"properties": {"width": {}, "x": {}}}
    schema = {"anyOf": [circle, square, wide]}
    assert list(order_like({"x": 1, "y": 2, "kind": "circle"}, schema)) == ["kind", "x", "y"]
    assert list(order_like({"x": 1, "kind": "square", "y": 2}, schema)) == ["y", "x", "kind"]
    assert list(order_like({"x": 1, "width": 2}, schema)) == ["width", "x"]


def test_keys_of_an_object_s_own_stand_before_those_of_its_alternatives() -> None:
    line = {"properties": {"x": {}, "y": {}}}
    schema = {"properties": {"id": {}}, "oneOf": [{"properties": {"z": {}}}, line]}
    assert list(order_like({"y": 1, "x": 2, "id": 3}, schema)) == ["id", "x", "y"]


def test_values_of_a_list_tell_alternatives_apart() -> None:
    circle = {"properties": {"kind": {"enum": ["circle", "ring"]}, "x": {}}}
    square = {"properties": {"x": {}, "kind": {"enum": ["square"]}}}
    value = {"kind": "square", "x": 1}
    assert list(order_like(value, {"anyOf": [circle, square]})) == ["x", "kind"]


def test_keys_that_are_absent_count_less_than_a_constant() -> None:
    person = {"properties": {"kind": {"const": "person"}, "name": {}, "born": {}, "died": {}}}
    tool = {"properties": {"name": {}, "kind": {"const": "tool"}}}
    value = {"name": "x", "kind": "person"}
    assert list(order_like(value, {"anyOf": [person, tool]})) == ["kind", "name"]


def test_references_in_a_circle_end() -> None:
    node = {"properties": {"name": {}, "inner": {"items": {"$ref": "#/$defs/node"}}}}
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node}}
    value = {"inner": [{"inner": [], "name": "b"}], "name": "a"}
    assert canonical_json(value, schema) == '{"name":"a","inner":[{"name":"b","inner":[]}]}'
    circle = {"one": {"$ref": "#/$defs/two"}, "two": {"$ref": "#/$defs/one"}}
    lost = {"$ref": "#/$defs/one", "$defs": circle}
    assert order_like({"b": 1, "a": 2}, lost) == {"b": 1, "a": 2}
    assert order_like({"b": 1, "a": 2}, {"$ref": "other.json"}) == {"b": 1, "a": 2}


def test_characters_stay_as_they_are() -> None:
    assert canonical_json({"ü": '日本 🎉\n"\\'}) == '{"ü":"日本 🎉\\n\\"\\\\"}'


@pytest.mark.parametrize("value", [math.nan, math.inf, [1, {"a": -math.inf}]])
def test_numbers_that_json_lacks_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        canonical_json({"a": "x\ud800"})


def test_the_outline_names_fields_choices_and_ranges() -> None:
    text = outline(load_task("memory").schema)
    assert text.startswith('{"gist":string,"summary":string,')
    assert '"significance":"routine"|"notable"|"important"|"critical"' in text
    assert '"entities":[{"name":string,"type":string,"context":string}]' in text
    assert text.endswith('"salience":number 0..1}')
    assert outline({"anyOf": [{"type": "null"}, {"const": 3}]}) == "null|3"
    assert outline({"type": ["string", "null"]}) == "string|null"


def test_the_prompt_holds_the_rules_and_then_the_outline() -> None:
    memory = load_task("memory")
    assert "{{schema}}" not in memory.prompt
    assert memory.prompt.endswith(outline(memory.schema))
    assert memory.prompt.index("Add no fact") < memory.prompt.index('{"gist"')
    assert memory.messages("  a text\n")[1] == {"role": "user", "content": "a text"}
