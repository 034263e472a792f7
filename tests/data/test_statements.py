"""Actions and causes are taken only where a text states them, never where it denies them."""

import pytest

from spokesmith.data.sentences import SENTENCE, Segment
from spokesmith.data.statements import find_actions, find_causes


def verbs(text: str) -> list[str]:
    return [action["verb"] for action in find_actions([Segment(text, SENTENCE)])]


@pytest.mark.parametrize(
    "text",
    [
        "The parser failed to validate the length.",
        "The failure to validate the length was found in May.",
        "The minister refused to sign the treaty.",
        "He refuses to leave the bus.",
        "She politely declined to take the medication.",
        "They forgot once more to lock the gate.",
        "He was unable even to open the door.",
        "Anna Smith is not known to have visited the site.",
        "No version that was released before 2021 has fixed the flaw.",
        "Nobody on the board, it seems, has signed the treaty.",
        "None of the parsers has validated the length.",
        "Nothing on the page had changed the result.",
        "She hasn’t opened the box.",
    ],
)
def test_what_was_not_done_is_no_action(text: str) -> None:
    assert verbs(text) == []


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("The board did not meet, and Anna signed the treaty.", "sign"),
        ("The pump did not stop but Anna closed the road.", "close"),
        ("Nobody was hurt, but Anna closed the road.", "close"),
        ("The parser does not check the length and has corrupted the heap.", "corrupt"),
        ("The failed pump led Anna to close the road.", "close"),
        ("They refused the offer and we signed the treaty.", "refuse"),
        ("She agreed to sign the treaty.", "sign"),
    ],
)
def test_a_negation_ends_with_its_clause(text: str, verb: str) -> None:
    assert verbs(text) == [verb]


def effects(text: str) -> list[str]:
    return [cause["description"] for cause in find_causes([Segment(text, SENTENCE)])]


@pytest.mark.parametrize(
    "text",
    [
        "The king dies of natural causes at home in Paris.",
        "The causes of the fire were never found.",
        "The doctors list two known causes such as smoke.",
        "Their causes remain in the dark.",
        "Nobody knows which causes were found first.",
        "Infectious causes include the flu of last year.",
        "This does not necessarily lead to data loss.",
        "The heat doesn't always lead to data loss.",
        "The fire cannot be caused by the old lamp.",
        "The old lamp no longer causes the fuse to blow.",
    ],
)
def test_the_noun_and_a_denied_effect_are_no_cause(text: str) -> None:
    assert effects(text) == []


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("This causes the fuse to blow.", "the fuse to blow"),
        ("Traffic causes delays in Lyon.", "delays in Lyon"),
        ("The signal causes a panic of the guard.", "a panic of the guard"),
        ("Calling `drain` causes undefined behaviour.", "undefined behaviour"),
        ("It drops the buffer and causes out-of-bounds reads.", "out-of-bounds reads"),
        ("Causes a crash at noon.", "a crash at noon"),
        ("The natural causes of the fire led to a long trial.", "a long trial"),
        ("The lamp is not new and usually causes a fire.", "a fire"),
        ("The old lamp only recently led to a fire.", "a fire"),
    ],
)
def test_a_stated_effect_stays(text: str, effect: str) -> None:
    assert effects(text) == [effect]
