"""Contexts of names keep what denies them; a crowd or nobody is no person."""

import pytest

from spokesmith.data.entities import context_in, find_entities
from spokesmith.data.sentences import SENTENCE, Segment
from spokesmith.data.statements import find_actions


def parts(text: str) -> list[Segment]:
    return [Segment(text, SENTENCE)]


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("Shazou Trust no longer offers the free plan in Canada.", "Canada", "place"),
        ("Shazou Trust refused to offer the free plan in Canada.", "Canada", "place"),
        ("It isn't known that the new plan was sold in Canada.", "Canada", "place"),
        ("Shazou has after many years not", "Shazou", "organization"),
    ],
)
def test_a_context_never_loses_its_denial(text: str, name: str, kind: str) -> None:
    assert context_in(text, name, kind) == ""


@pytest.mark.parametrize(
    ("text", "name", "kind", "context"),
    [
        ("Shazou no longer has plans in Canada.", "Canada", "place", "no longer has plans in"),
        ("It is not old, and they sell the new plan in Canada.", "Canada", "place", "sell the new"),
        ("Shazou has shops and does not sell the plan.", "Shazou", "organization", "has shops"),
        ("Shazou sells the plan in Lyon but not here.", "Shazou", "organization", "sells the plan"),
    ],
)
def test_a_context_without_or_with_its_denial_stays(
    text: str, name: str, kind: str, context: str
) -> None:
    assert context in context_in(text, name, kind)


@pytest.mark.parametrize(
    "text",
    [
        "Thousands died in the flood.",
        "Thousands of people died in the flood.",
        "Nobody died in the flood.",
        "In the flood some 300 died in a night.",
    ],
)
def test_a_crowd_or_nobody_is_no_person(text: str) -> None:
    assert find_entities(parts(text)) == []
    assert find_actions(parts(text)) == []


def test_who_was_not_born_is_not_born() -> None:
    assert find_actions(parts("Anna Smith was not born in Rome.")) == []


@pytest.mark.parametrize("name", ["Thomas More", "Corrie ten Boom", "Shazou"])
def test_a_person_is_born_or_dies(name: str) -> None:
    (action,) = find_actions(parts(f"{name} died in the flood."))
    assert action == {"verb": "die", "object": name, "details": "in the flood"}


def test_a_name_before_a_life_event_is_a_person() -> None:
    (entity,) = find_entities(parts("Shazou died in the flood."))
    assert (entity["name"], entity["type"]) == ("Shazou", "person")


def test_a_version_is_an_identifier_and_a_date_is_none() -> None:
    found = find_entities(
        parts("On 22.07.2026 build 4.18.2 went out, after 3.12.1999 came 10.1.19.")
    )
    assert [one["name"] for one in found] == ["4.18.2", "10.1.19"]
