"""Long lists of like lines: every line is copied, once, and the gold ends in time."""

import re

import pytest
from jsonschema import Draft202012Validator

from spokesmith.bases import load_base
from spokesmith.data.gold import collapse
from spokesmith.data.kinds.family import Written
from spokesmith.data.listing import LISTING, TEXT_LIMIT, write_listing
from spokesmith.data.listing_sorts import SORTS
from spokesmith.metrics import judge
from spokesmith.tasks import canonical_json, load_task

COUNT = 300


@pytest.fixture(scope="module")
def written() -> list[Written]:
    return [write_listing(f"test/{number}") for number in range(COUNT)]


def test_a_seed_decides_the_text(written: list[Written]) -> None:
    assert write_listing("test/7") == written[7]
    assert len({one.text for one in written}) == COUNT


def test_every_sort_is_written_and_no_placeholder_stays(written: list[Written]) -> None:
    assert {one.template for one in written} == {f"{LISTING}/{SORTS.index(sort)}" for sort in SORTS}
    assert not any(re.search(r"[{}\x1f]|\[\[|<<", one.text) for one in written)


def test_texts_are_lists_of_many_lines_within_the_limit(written: list[Written]) -> None:
    assert max(len(one.text) for one in written) <= TEXT_LIMIT
    lines = [len(one.text.splitlines()) for one in written]
    assert sum(lines) / COUNT > 12


def test_no_line_of_a_list_stands_twice(written: list[Written]) -> None:
    for one in written:
        lines = [line for line in one.text.splitlines() if re.match(r"[-*•] ", line)]
        assert len(lines) == len(set(lines)), one.text


def test_the_title_and_what_is_said_first_speak_of_the_same_dish() -> None:
    texts = [write_listing(f"dish/{number}").text for number in range(COUNT)]
    told = [re.match(r"(?:# )?(\S+?)(?:的做法)?\n+(\S+?)是\S+的家常菜", text) for text in texts]
    assert any(told)
    assert all(match.group(1) == match.group(2) for match in told if match)


def test_golds_are_encodings_of_the_text_with_every_line_that_states_a_number(
    written: list[Written],
) -> None:
    schema = load_task("memory").schema
    validator = Draft202012Validator(schema)
    for one in written:
        assert validator.is_valid(one.gold)
        judgement = judge(canonical_json(one.gold, schema), one.text, schema)
        assert judgement.passes, (one.text, one.gold)
        content = one.gold["content"]
        for line in one.text.splitlines():
            words = re.sub(r"^[^\w`(]+", "", collapse(line))
            if re.match(r"[-*•] |\d+\. ", line) and re.search(r"\d", words):
                assert words.rstrip(".") in content, (line, content)


def test_the_longest_golds_end_before_an_answer_is_cut(written: list[Written]) -> None:
    task, chat = load_task("memory"), load_base("smollm2-135m").chat
    longest = sorted(written, key=lambda one: len(canonical_json(one.gold)))[-20:]
    chinese = [one for one in written if re.search("[一-龥]", one.text)]
    golds = [task.canonical(one.gold) for one in (*longest, *chinese)]
    assert max(len(chat.answer_ids(gold)) for gold in golds) < task.max_tokens
