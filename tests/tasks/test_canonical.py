"""Canonical JSON and the outline, the two faces of a schema that training sees."""

import json
import math

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
