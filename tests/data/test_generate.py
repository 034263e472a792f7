"""The procedural pairs: deterministic, valid, faithful by construction, varied, split cleanly."""

import re
from collections import Counter, defaultdict
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from spokesmith.data.digest import DIGEST, GOLD_LIMIT
from spokesmith.data.generate import generate, kind_names
from spokesmith.data.gold import (
    CONTENT_LIMIT,
    FACTS_LIMIT,
    GIST_LIMIT,
    VERBATIM_LIMIT,
    collapse,
    content_of,
    count_words,
    cut,
    is_brief,
)
from spokesmith.data.kinds import load_kinds
from spokesmith.data.kinds.family import write, write_twin
from spokesmith.data.pairs import Pair
from spokesmith.metrics.grounding import Source, stated_facts
from spokesmith.metrics.keeping import kept_facts
from spokesmith.metrics.strings import strings_of
from spokesmith.tasks import canonical_json, load_task

COUNT = 1500
JUDGED = 400


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return list(generate(COUNT, seed=11))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return load_task("memory").schema


def strings(value: Any) -> list[str]:
    """All strings of a gold."""
    return [string for _, string in strings_of(value)]


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
        assert len(pair.gold["gist"]) <= GIST_LIMIT
        limit = GOLD_LIMIT if pair.kind == DIGEST else 1900
        assert len(canonical_json(pair.gold)) <= limit, pair.text


def test_a_gold_states_only_what_its_text_states_and_keeps_its_numbers(
    pairs: list[Pair], schema: dict[str, Any]
) -> None:
    for pair in pairs[:JUDGED]:
        source = Source(pair.text)
        stated = stated_facts(pair.gold, source, schema)
        made_up = [one for one in stated if one.grounding.span is None]
        assert not made_up, (pair.text, made_up)
        lost = [one for one in kept_facts(stated, source) if not one.kept]
        assert not [one for one in lost if one.fact.kind == "number"], (pair.text, lost)


def test_strings_are_collapsed(pairs: list[Pair]) -> None:
    for pair in pairs:
        assert all(string == collapse(string) for string in strings(pair.gold)), pair.gold


def test_content_is_the_text_where_it_is_short_and_all_its_numbers_where_it_is_long(
    pairs: list[Pair],
) -> None:
    for pair in pairs:
        whole, content = collapse(pair.text), pair.gold["content"]
        if len(whole) <= VERBATIM_LIMIT:
            assert content == whole
        else:
            assert len(content) <= FACTS_LIMIT
            assert Counter(re.findall(r"\d+", content)) == Counter(re.findall(r"\d+", whole))


def test_a_long_text_loses_sentences_without_facts_only() -> None:
    facts = [f"Shelf {number} holds {number + 40} jars of honey." for number in range(11, 31)]
    plain = ["It was a quiet day in the shop and nobody had much to say."] * 8
    content = content_of(" ".join([*plain, *facts]))
    assert all(fact in content for fact in facts)
    assert len(content) > CONTENT_LIMIT
    assert "quiet day" not in content


@pytest.mark.parametrize(
    ("text", "limit", "head"),
    [
        ("rain in the north of the island", 20, "rain in the north"),
        ("Irina comes on Tuesday at 3:55 pm", 30, "Irina comes on Tuesday"),
        ("the tank holds 40 l. of water", 17, "the tank holds"),
        ("prices rose from 3 to 4 because", 24, "prices rose from 3 to 4"),
        ("https://example.org/a/long/address", 12, "https://exam"),
        ("库房现在缺少椅子，周二补货，共计一百二十把", 12, "库房现在缺少椅子"),
        ("今年一共售出椅子1250把之多", 10, "今年一共售出椅子"),
    ],
)
def test_a_cut_breaks_no_word_and_no_number(text: str, limit: int, head: str) -> None:
    assert cut(text, limit) == head


def test_words_of_scripts_without_spaces_count() -> None:
    assert count_words("kurz und gut") == 3
    assert count_words("会议改到周五，请带材料。") >= 5
    assert is_brief("谢谢")
    assert not is_brief("会议改到周五，请带上全部材料。")


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
    assert 0.07 * COUNT <= len(twins) <= 0.13 * COUNT
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
    assert 0.4 <= shares[1] <= 0.75
    assert shares[2] >= 0.1
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


def test_a_context_is_in_the_words_of_its_text(pairs: list[Pair]) -> None:
    for pair in pairs[:JUDGED]:
        said = set(re.findall(r"\w+", pair.text.casefold()))
        for entity in pair.gold["structured_concepts"]["entities"]:
            words = re.findall(r"\w+", entity["context"].casefold())
            # What stands for several slips or contractions may be changed in one place only.
            assert len(set(words) - said) <= 1, (pair.text, entity)


def test_an_address_alone_stays_alone(pairs: list[Pair]) -> None:
    texts = [pair.text for pair in pairs if pair.kind == "url_only"]
    assert texts
    assert all(len(text.split()) <= 3 for text in texts)
