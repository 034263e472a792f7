"""The procedural pairs: deterministic, valid, faithful by construction, varied, split cleanly."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from spokesmith.data.generate import generate, kind_names
from spokesmith.data.gold import VERBATIM_LIMIT, collapse, is_brief
from spokesmith.data.kinds import load_kinds
from spokesmith.data.kinds.family import write, write_twin
from spokesmith.data.pairs import Pair
from spokesmith.tasks import canonical_json, load_task

COUNT = 1500
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return list(generate(COUNT, seed=11))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return load_task("memory").schema


def strings(value: Any) -> Iterator[str]:
    """All strings of a gold."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def stands_alone(number: str, text: str) -> bool:
    """Whether `number` is in `text` and no part of a longer number."""
    return bool(re.search(rf"(?<!\d)(?<!\d[.,]){re.escape(number)}(?!\d)(?![.,]\d)", text))


def test_the_same_seed_gives_the_same_pairs_and_another_seed_others(pairs: list[Pair]) -> None:
    first = list(generate(200, seed=12))
    assert list(generate(200, seed=12)) == first
    shared = {pair.text for pair in first} & {pair.text for pair in pairs}
    assert len(shared) <= 10


def test_count_is_exact_and_ids_are_unique(pairs: list[Pair]) -> None:
    assert len(pairs) == COUNT
    assert len({pair.id for pair in pairs}) == COUNT
    assert all(pair.id.startswith(f"{pair.kind}-") for pair in pairs)


def test_no_text_occurs_twice(pairs: list[Pair]) -> None:
    assert len({pair.text for pair in pairs}) == COUNT


def test_golds_are_valid_and_in_the_order_of_the_schema(
    pairs: list[Pair], schema: dict[str, Any]
) -> None:
    validator = Draft202012Validator(schema)
    for pair in pairs:
        assert not list(validator.iter_errors(pair.gold)), pair.text
        assert canonical_json(pair.gold) == canonical_json(pair.gold, schema)
        assert len(pair.gold["gist"]) <= 80
        assert len(canonical_json(pair.gold)) <= 1600, pair.text


def test_every_number_of_a_gold_stands_in_its_text(pairs: list[Pair]) -> None:
    for pair in pairs:
        for string in strings(pair.gold):
            for number in NUMBER.findall(string):
                assert stands_alone(number, pair.text), (number, string, pair.text)


def test_strings_are_collapsed(pairs: list[Pair]) -> None:
    for pair in pairs:
        assert all(string == collapse(string) for string in strings(pair.gold)), pair.gold


def test_content_is_the_text_where_it_is_short(pairs: list[Pair]) -> None:
    for pair in pairs:
        whole = collapse(pair.text)
        if len(whole) <= VERBATIM_LIMIT:
            assert pair.gold["content"] == whole
        else:
            assert len(pair.gold["content"]) <= 600


def test_named_things_actions_and_causes_are_words_of_the_text(pairs: list[Pair]) -> None:
    for pair in pairs:
        text = collapse(pair.text)
        found = pair.gold["structured_concepts"]
        for entity in found["entities"]:
            assert entity["name"] in text, (entity, text)
            assert len(entity["context"].split()) <= 8
        for action in found["actions"]:
            assert " " not in action["verb"]
            assert action["object"].lower() in text.lower(), (action, text)
            assert action["details"].lower() in text.lower(), (action, text)
        for cause in found["causality"]:
            assert cause["description"].lower() in text.lower(), (cause, text)


def test_brief_texts_have_brief_golds(pairs: list[Pair]) -> None:
    brief = [pair for pair in pairs if is_brief(pair.text)]
    assert len(brief) >= COUNT / 20
    for pair in brief:
        gold, found = pair.gold, pair.gold["structured_concepts"]
        assert gold["content"] == gold["summary"] == collapse(pair.text)
        assert gold["narrative"] == ""
        assert len(gold["concepts"]) <= 1
        assert found["topics"] == found["actions"] == found["causality"] == []
        assert len(found["entities"]) <= 1
        assert gold["salience"] <= 0.2


def test_salience_fits_significance_and_lies_on_the_grid(pairs: list[Pair]) -> None:
    ranges = {
        "routine": (0.05, 0.3),
        "notable": (0.35, 0.55),
        "important": (0.6, 0.75),
        "critical": (0.8, 0.95),
    }
    for pair in pairs:
        low, high = ranges[pair.gold["significance"]]
        assert low <= pair.gold["salience"] <= high
        assert round(pair.gold["salience"] * 20, 6).is_integer()


def test_twins_point_at_each_other_and_differ(pairs: list[Pair]) -> None:
    known = {pair.id: pair for pair in pairs}
    twins = [pair for pair in pairs if pair.twin is not None]
    assert 0.05 * COUNT <= len(twins) <= 0.16 * COUNT
    for pair in twins:
        other = known[pair.twin or ""]
        assert other.twin == pair.id
        assert other.text != pair.text
        assert other.gold != pair.gold
        assert (other.split, other.template) == (pair.split, pair.template)


def test_splits_are_disjoint_and_near_a_twentieth(pairs: list[Pair]) -> None:
    kinds = load_kinds()
    split_of: dict[str, set[str]] = defaultdict(set)
    share = sum(pair.split == "eval" for pair in pairs) / len(pairs)
    assert 0.03 <= share <= 0.075
    for pair in pairs:
        # Without its loose sentences and layout, a text is its template and slots.
        split_of[f"{pair.template} {collapse(pair.text)}"].add(pair.split)
    assert all(len(splits) == 1 for splits in split_of.values())
    kind = kinds["deploy"]
    for number, template in enumerate(kind.templates):
        if template.has_twin:
            assert write(kind, number, "x").key == write_twin(kind, number, "x").key


def test_every_kind_occurs(pairs: list[Pair]) -> None:
    assert {pair.kind for pair in pairs} == set(kind_names())


def test_kinds_can_be_chosen() -> None:
    assert {pair.kind for pair in generate(60, seed=1, kinds=["recipe", "deploy"])} == {
        "recipe",
        "deploy",
    }


@pytest.mark.parametrize(
    ("count", "kinds", "reason"),
    [(-1, None, "count is -1"), (5, ["novel"], "no kind 'novel'"), (5, [], "kinds is empty")],
)
def test_bad_arguments_are_refused(count: int, kinds: list[str] | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(generate(count, seed=1, kinds=kinds))


def test_no_phrase_of_six_words_recurs_that_its_texts_lack(pairs: list[Pair]) -> None:
    found: Counter[str] = Counter()
    for pair in pairs:
        text = collapse(pair.text).lower()
        phrases: set[str] = set()
        for string in strings(pair.gold):
            words = string.lower().split()
            phrases |= {" ".join(words[at : at + 6]) for at in range(len(words) - 5)}
        found.update(phrase for phrase in phrases if phrase not in text)
    assert found.most_common(1)[0][1] <= 0.02 * COUNT


def test_lengths_are_spread(pairs: list[Pair]) -> None:
    lengths = [len(pair.text) for pair in pairs]
    shares = [
        sum(low <= length < high for length in lengths) / COUNT
        for low, high in ((0, 60), (60, 250), (250, 500), (500, 2000))
    ]
    assert 0.05 <= shares[0] <= 0.2
    assert 0.4 <= shares[1] <= 0.7
    assert shares[2] >= 0.15
    assert 0.03 <= shares[3] <= 0.15


@pytest.mark.parametrize("name", sorted(load_kinds()))
def test_every_template_writes_and_no_mark_of_the_pattern_is_left(name: str) -> None:
    kind = load_kinds()[name]
    for number, template in enumerate(kind.templates):
        for seed in ("a", "b", "c"):
            written = write(kind, number, seed)
            assert not re.search(r"\{\^?[a-z]+\d?[!#]|\]\] |<<[a-z]:|\x1f", written.text)
            if template.has_twin:
                write_twin(kind, number, seed)
