"""The strict verdict on one answer: its properties, failures, and mutations of a valid document."""

import copy
import json
import unicodedata
from collections.abc import Callable
from typing import Any, Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.data.generate import generate
from spokesmith.data.pairs import Pair
from spokesmith.metrics import Judgement, judge, memory_problems
from spokesmith.tasks import load_task

TASK = load_task("memory")
SCHEMA = TASK.schema
PAIRS = list(generate(40, seed=9))
OPEN = {"type": "object"}
Form = Literal["NFC", "NFD"]
TEXTS = st.sampled_from([pair.text for pair in PAIRS])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(list(SCHEMA["properties"])) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=8,
)


def judged(value: Any, text: str, **options: Any) -> Judgement:
    return judge(
        json.dumps(value), text, SCHEMA, prompt=TASK.prompt, rules=memory_problems, **options
    )


def verdict(found: Judgement) -> dict[str, Any]:
    """What a judgement says apart from places and spellings."""
    return {
        "passes": found.passes,
        "fabrication": found.fabrication,
        "recall": found.recall(),
        "bind": found.bind,
        "soft": found.soft,
        "made_up": sorted(str(one.fact.key) for one in found.made_up),
        "rules": len(found.rules),
        "minimal": None if found.minimal is None else found.minimal.passes,
        "echo": found.echo,
    }


@given(value=VALUES, text=TEXTS | st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_json_value_raises(value: Any, text: str) -> None:
    found = judged(value, text)
    assert not found.failed
    json.dumps(found.to_json(), allow_nan=False)


@given(answer=st.text(max_size=40), text=st.text(max_size=40), finished=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_answer_raises(answer: str, text: str, finished: bool) -> None:
    found = judge(answer, text, SCHEMA, finished=finished, rules=memory_problems)
    json.dumps(found.to_json(), allow_nan=False)
    assert found.failed or finished


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_an_echo_has_no_fabrication_and_full_recall(pair: Pair) -> None:
    found = judge(json.dumps({"content": pair.text}), pair.text, OPEN)
    assert found.made_up == []
    assert found.recall() in (None, 1.0)
    assert found.bind in (None, 1.0)
    assert found.numbers_kept is not False
    assert found.soft in (None, 1.0)


@given(pair=st.sampled_from(PAIRS), form=st.sampled_from(get_args(Form)), indent=st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_key_order_white_space_and_normal_forms_change_nothing(
    pair: Pair, form: Form, indent: int
) -> None:
    backwards = dict(reversed(pair.gold.items()))
    answer = "\n " + json.dumps(backwards, indent=indent, ensure_ascii=False) + "\t"
    other = judge(
        unicodedata.normalize(form, answer),
        pair.text,
        SCHEMA,
        prompt=TASK.prompt,
        rules=memory_problems,
    )
    expected, found = verdict(judged(pair.gold, pair.text)), verdict(other)
    # A decomposed string may exceed a length that the composed one keeps.
    if form == "NFD" and not other.compliance.valid:
        expected["passes"] = False
    assert found == expected


@given(
    pair=st.sampled_from(PAIRS),
    fact=st.sampled_from(["8641.97 kg", "Zebulon Quackenbush", "1873-02-11", "/opt/xq/zz9.cfg"]),
    field=st.sampled_from(["summary", "narrative", "extra"]),
)
@settings(max_examples=50, deadline=None)
def test_adding_an_ungrounded_fact_never_lowers_fabrication(
    pair: Pair, fact: str, field: str
) -> None:
    before = judged(pair.gold, pair.text)
    worse = copy.deepcopy(pair.gold)
    worse[field] = f"{worse.get(field, '')} We heard of {fact} there.".strip()
    after = judged(worse, pair.text)
    assert len(after.made_up) > len(before.made_up)
    assert (after.fabrication or 0.0) >= (before.fabrication or 0.0)
    assert not after.passes


Mutation = Callable[[dict[str, Any]], str]


def changed(path: list[Any], value: Any) -> Mutation:
    def mutate(gold: dict[str, Any]) -> str:
        place: Any = gold
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return json.dumps(gold)

    return mutate


def without(path: list[Any]) -> Mutation:
    def mutate(gold: dict[str, Any]) -> str:
        place: Any = gold
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        return json.dumps(gold)

    return mutate


def written(old: str, new: str) -> Mutation:
    def mutate(gold: dict[str, Any]) -> str:
        answer = json.dumps(gold)
        assert old in answer
        return answer.replace(old, new, 1)

    return mutate


PARTS = ("topics", "entities", "actions", "causality")
MUTATIONS: list[Mutation] = [
    *(without([key]) for key in SCHEMA["properties"]),
    *(without(["structured_concepts", part]) for part in PARTS),
    *(changed([key], None) for key in SCHEMA["properties"]),
    *(changed(["structured_concepts", part], ["flat"]) for part in PARTS),
    *(changed(["structured_concepts", part], [{}]) for part in PARTS),
    changed(["structured_concepts"], ["latency", "cache"]),
    changed(["mood"], "good"),
    changed(["structured_concepts", "mood"], "good"),
    changed(["gist"], "g" * 81),
    changed(["concepts"], ["pear"] * 13),
    changed(["concepts"], "pear"),
    changed(["concepts"], [7]),
    changed(["significance"], "trivial"),
    changed(["outcome"], "Success"),
    changed(["salience"], 1.05),
    changed(["salience"], -0.05),
    changed(["salience"], "0.4"),
    changed(["salience"], True),
    changed(["salience"], float("nan")),
    changed(["salience"], float("inf")),
    written('"gist": ', '"gist": "twice", "gist": '),
    written('"topics": ', '"topics": [], "topics": '),
    lambda gold: json.dumps([gold]),
    lambda gold: json.dumps(gold) + " {}",
    lambda gold: json.dumps(gold)[:-1],
    lambda gold: f"```json\n{json.dumps(gold)}\n```",
]


@pytest.mark.parametrize("mutate", MUTATIONS, ids=map(str, range(len(MUTATIONS))))
def test_every_mutation_of_a_valid_document_fails(mutate: Mutation) -> None:
    for pair in PAIRS[:5]:
        assert judge(json.dumps(pair.gold), pair.text, SCHEMA).compliance.valid
        found = judge(mutate(copy.deepcopy(pair.gold)), pair.text, SCHEMA)
        assert not found.compliance.valid
        assert not found.passes


@pytest.mark.parametrize(
    ("answer", "finished"),
    [("", True), ("{", True), ('{"gist": "12 ms"}', False), ("NaN", True), ("12 ms", True)],
)
def test_failures_state_nothing_keep_nothing_and_pass_nothing(answer: str, finished: bool) -> None:
    found = judge(answer, "It took 12 ms.", OPEN, finished=finished, rules=memory_problems)
    assert found.failed
    assert not found.compliance.valid
    assert not found.passes
    assert (found.fabrication, found.recall(), found.bind, found.soft) == (1.0, 0.0, 0.0, 0.0)
    assert found.rules
    assert not found.numbers_kept


def test_a_source_without_facts_has_no_recall_and_a_silent_answer_no_fabrication() -> None:
    found = judge('{"note": "nothing much"}', "nothing much happened", OPEN)
    assert (found.fabrication, found.recall(), found.bind) == (None, None, None)
    assert judge("{", "nothing much happened", OPEN).recall() is None


def test_a_missing_number_fails_and_salience_keeps_none() -> None:
    pear = "Pruned the pear, 5 spurs left on each of the limbs."
    schema = {"properties": {"salience": {"type": "number", "minimum": 0, "maximum": 1}}}
    found = judge('{"note": "Pruned the pear", "salience": 0.15}', pear, schema)
    assert not found.numbers_kept
    assert not found.passes
    assert judge('{"note": "Pruned the pear, 5 spurs left"}', pear, schema).passes


def test_json_form_says_where_each_fact_stands() -> None:
    found = judge('{"note": "It took 12 ms, not 99 s."}', "It took 12 ms.", OPEN).to_json()
    kept, made_up = found["stated"]
    assert (kept["text"], kept["field"], kept["source_span"]) == ("12 ms", "/note", [8, 13])
    assert made_up["source_span"] is None
    assert made_up["reason"]
    assert found["kept"] == [{"kind": "number", "text": "12 ms", "span": [8, 13], "kept": True}]
