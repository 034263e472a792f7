"""Invented names: many, of every sort, and the same for the same seed."""

from random import Random

import pytest

from spokesmith.data.generate import generate
from spokesmith.data.invented import CAPITAL_FORMS, SORTS, invented
from spokesmith.data.words import FIRST_NAMES


@pytest.mark.parametrize("sort", sorted(SORTS))
def test_names_hardly_ever_repeat(sort: str) -> None:
    random = Random(3)
    names = [invented(random, sort) for _ in range(500)]
    assert len(set(names)) > 480
    assert all(name.strip() == name and "{" not in name for name in names)
    if sort in CAPITAL_FORMS:
        assert all(name[0].isupper() for name in names)
    assert names[:5] == [invented(again, sort) for again in [Random(3)] for _ in range(5)]


def test_texts_have_people_whom_no_list_knows() -> None:
    names = {
        entity["name"].split()[0]
        for pair in generate(400, seed=5)
        for entity in pair.gold["structured_concepts"]["entities"]
        if entity["type"] == "person"
    }
    assert len(names - set(FIRST_NAMES)) > 50
    assert len(names & set(FIRST_NAMES)) > 50
