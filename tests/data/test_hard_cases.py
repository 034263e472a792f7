"""The hard cases: each in its share, and in each what a small model gets wrong is right."""

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from spokesmith.data.generate import generate, kind_names
from spokesmith.data.gold import SALIENCE_RANGES, collapse
from spokesmith.data.kinds import load_kinds
from spokesmith.data.kinds.family import Written, write, write_twin
from spokesmith.data.kinds.same_names import NEAR
from spokesmith.data.mix import STANDARD, read_mix
from spokesmith.data.pairs import Pair
from spokesmith.metrics.strings import strings_of
from spokesmith.tasks import load_task

COUNT = 5000
TOLERANCE = 0.015
LONGEST_COMMON = 6
COMMON = 0.02
NEGATION = re.compile(
    r"(?:\bnot|n't|n’t|\bnever|\bnobody|\bneither|\bnor)\s+(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)
LONG_IDENTIFIER = re.compile(
    r"[0-9a-f]{40,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|https?://\S+"
)
ENGLISH = re.compile(r"\b(?:the|and|with|from|which)\b")
FOREIGN = ("romance", "germanic_slavic", "east_asian")
MIX = read_mix(STANDARD, kind_names())


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return list(generate(COUNT, seed=24))


def of_case(pairs: list[Pair], case: str) -> list[Pair]:
    return [pair for pair in pairs if pair.kind in MIX.hard[case].kinds]


def all_texts(kind: str, seeds: str = "abcdef") -> Iterator[tuple[int, str, Written]]:
    """Texts of every template of a kind: its number, the seed, what it wrote."""
    found = load_kinds()[kind]
    for number in range(len(found.templates)):
        for seed in seeds:
            yield number, seed, write(found, number, seed)


def said(written: Written | Pair) -> str:
    """What a gold says beside its content."""
    rest = {key: value for key, value in written.gold.items() if key != "content"}
    return "\n".join(string for _, string in strings_of(rest))


@pytest.mark.parametrize("case", list(MIX.hard))
def test_a_hard_case_has_its_share(pairs: list[Pair], case: str) -> None:
    share = len(of_case(pairs, case)) / COUNT
    assert share == pytest.approx(MIX.hard[case].share, abs=TOLERANCE)


def test_twins_and_evaluation_have_their_shares(pairs: list[Pair]) -> None:
    twins = sum(pair.twin is not None for pair in pairs) / COUNT
    assert twins == pytest.approx(MIX.twins, abs=TOLERANCE)
    evaluation = sum(pair.split == "eval" for pair in pairs) / COUNT
    assert evaluation == pytest.approx(MIX.eval, abs=TOLERANCE)


def test_no_topic_concept_or_verb_dominates(pairs: list[Pair]) -> None:
    counts: dict[str, dict[str, int]] = {
        name: defaultdict(int) for name in ("path", "verb", "word")
    }
    actions = 0
    for pair in pairs:
        parts = pair.gold["structured_concepts"]
        for path in {topic["path"] for topic in parts["topics"]}:
            counts["path"][path] += 1
        for concept in pair.gold["concepts"]:
            counts["word"][concept] += 1
        for action in parts["actions"]:
            counts["verb"][action["verb"]] += 1
            actions += 1
    assert max(counts["path"].values()) <= 0.04 * COUNT
    assert max(counts["word"].values()) <= 0.04 * COUNT
    assert max(counts["verb"].values()) <= 0.08 * actions
    assert len(counts["verb"]) >= 100


def test_a_table_keeps_every_number_and_twins_swap_them() -> None:
    kind = load_kinds()["table"]
    for number, seed, written in all_texts("table"):
        assert "\n" in written.text
        assert written.gold["content"] == collapse(written.text)
        if kind.templates[number].swap:
            other = write_twin(kind, number, seed)
            assert sorted(re.findall(r"\d+", other.text)) == sorted(
                re.findall(r"\d+", written.text)
            )
            assert other.gold["summary"] != written.gold["summary"]


def test_before_and_after_stand_in_the_order_of_the_text() -> None:
    seen = 0
    for number, _, written in all_texts("before_after"):
        values = [written.slots[slot] for slot in "ab" if slot in written.slots]
        if len(values) < 2:
            continue
        pattern = re.compile("|".join(rf"(?<!\d){re.escape(value)}(?!\d)" for value in values))
        order = pattern.findall(written.text)
        for string in (written.gold["gist"], written.gold["summary"]):
            found = pattern.findall(string)
            if len(set(found)) == 2:
                assert found == order[: len(found)], (number, string, written.text)
                seen += 1
    assert seen > 60


def test_long_identifiers_are_whole_wherever_they_stand(pairs: list[Pair]) -> None:
    seen = 0
    for pair in of_case(pairs, "identifiers"):
        text = collapse(pair.text)
        for _, string in strings_of(pair.gold):
            for identifier in LONG_IDENTIFIER.findall(string):
                assert identifier.rstrip(".,;'") in text
                seen += 1
    assert seen > 200


def test_near_names_are_kept_apart() -> None:
    seen = 0
    for _, _, written in all_texts("same_names"):
        one = written.slots.get("near")
        if one is None:
            continue
        names = {entity["name"] for entity in written.gold["structured_concepts"]["entities"]}
        assert {one, NEAR[one]} <= {name.title() for name in names} | names
        seen += 1
    assert seen >= 12


def test_no_action_is_told_that_its_text_denies(pairs: list[Pair]) -> None:
    for pair in pairs:
        text = collapse(pair.text)
        for action in pair.gold["structured_concepts"]["actions"]:
            verb = re.escape(action["verb"])
            places = [found.start() for found in re.finditer(rf"\b{verb}\b", text, re.IGNORECASE)]
            denied = [bool(NEGATION.search(text[max(0, at - 40) : at])) for at in places]
            assert not denied or not all(denied), (action, text)


@pytest.mark.parametrize("number", range(len(load_kinds()["negation"].templates)))
def test_the_gold_keeps_the_negation(number: int) -> None:
    negated = re.compile(
        r"\bnot\b|n['’]t\b|\bno\b|never|neither|nor\b|without|nobody|none|denies|hardly|\bnto\b|w/o",
        re.IGNORECASE,
    )
    for text_seed in "abcdefgh":
        written = write(load_kinds()["negation"], number, text_seed)
        assert not negated.search(written.text) or negated.search(said(written)), written.text


@pytest.mark.parametrize("kind", FOREIGN)
def test_texts_of_other_languages_have_golds_in_their_language(kind: str) -> None:
    for _, _, written in all_texts(kind):
        assert not ENGLISH.search(said(written)), written.gold
        assert collapse(written.gold["summary"]).rstrip(".。") in collapse(written.text)


def test_orders_in_a_text_are_told_and_not_obeyed() -> None:
    keys = list(load_task("memory").schema["properties"])
    for number, _, written in all_texts("injection", seeds="abcdefghij"):
        gold = written.gold
        assert list(gold) == keys
        assert gold["content"] == collapse(written.text)
        low, high = SALIENCE_RANGES[gold["significance"]]
        assert low <= gold["salience"] <= high
        assert gold["significance"] != "critical"
        order = written.slots.get("order") or written.slots.get("befehl") or ""
        assert order in said(written) or number in (2, 3, 7, 12, 13), (number, gold)
        fact = written.slots.get("fact", "")
        assert fact[1:] in said(written), (number, gold)


def test_no_boilerplate(pairs: list[Pair]) -> None:
    counts: dict[str, int] = defaultdict(int)
    for pair in pairs:
        own = set(sequences(pair.text))
        found = {one for _, string in strings_of(pair.gold) for one in sequences(string)}
        for sequence in found - own:
            counts[sequence] += 1
    assert max(counts.values()) <= COMMON * COUNT


def sequences(text: str) -> Iterator[str]:
    """Every six words in a row."""
    words = re.findall(r"\w+", text.casefold())
    for start in range(len(words) - LONGEST_COMMON + 1):
        yield " ".join(words[start : start + LONGEST_COMMON])
