"""Kept numbers stand by the words and in the order that the source gives them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.metrics import Source, binding, stated_facts
from spokesmith.metrics.binding import BoundNumber

NAMES = ("alpha", "bravo", "cedar", "delta", "ember", "frost")
TABLE = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(2, 900)),
    min_size=2,
    max_size=5,
    unique_by=(lambda row: row[0], lambda row: row[1]),
)


def bound(text: str, output: str) -> list[BoundNumber]:
    source = Source(text)
    value = {"content": output}
    return binding(value, stated_facts(value, source), source)


def is_bound(text: str, output: str) -> bool:
    found = bound(text, output)
    assert found, "no number was judged"
    return all(one.bound for one in found)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("p50 is 12 ms and p99 is 40 ms.", "p50 is 40 ms and p99 is 12 ms."),
        ("p50 is 12 ms and p99 is 40 ms.", "p99 is 12 ms."),
        ("Ana 12, Ben 40", "Ana 40, Ben 12"),
        ("We moved 3 boxes to 5 rooms.", "We moved 5 boxes to 3 rooms."),
        ("Revenue rose 12 and costs rose 40.", "Revenue rose 40 and costs rose 12."),
        ("Latency went from 12 to 9 ms.", "Latency went from 9 to 12 ms."),
        ("Latency went from 12 ms to 9 ms.", "Latency: 9 ms → 12 ms"),
        ("Latency went from 12 ms to 9 ms.", "Latency is 12 ms (was 9 ms)."),
        ("Latency went from 12 ms to 9 ms.", "Latency is down to 12 ms from 9 ms."),
        ("Latency is 9 ms (was 12 ms).", "Latency went from 9 ms to 12 ms."),
        ("Bring 14 bricks, not 12, to Boise.", "Bring 12 bricks, not 14, to Boise."),
        ("Latency rose from 12 ms in May to 40 ms in June.", "It was from 40 ms in May to 12 ms."),
        ("The queue held 40 jobs.", "The harbour counted 40 ships."),
        ("苹果3个，香蕉5个。", "苹果5个，香蕉3个。"),
    ],
)
def test_numbers_in_another_place_are_not_bound(text: str, output: str) -> None:
    assert is_bound(text, text)
    assert not is_bound(text, output)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("p50 is 12 ms and p99 is 40 ms.", "12 ms at p50, 40 ms at p99"),
        ("p50 is 12 ms and p99 is 40 ms.", "The p99 reached 40 ms."),
        ("Ana has 12 and Ben has 40.", "Ben 40, Ana 12"),
        ("Latency went from 12 to 9 ms.", "Latency: 12 → 9 ms"),
        ("Latency went from 12 ms to 9 ms.", "Latency is 9 ms (was 12 ms)."),
        ("Latency went from 12 ms to 9 ms.", "Latency fell down to 9 ms from 12 ms."),
        ("Latency rose from 12 ms in spring to 40 ms in autumn.", "Latency rose from 12 to 40 ms."),
        ("Latency rose from 12 ms in spring to 40 ms in autumn.", "Latency reached 40 ms."),
        ("We paid 12 euros for tea, 40 euros for cake.", "We paid 40 euros for cake."),
    ],
)
def test_other_words_and_turned_sentences_stay_bound(text: str, output: str) -> None:
    assert is_bound(text, output)


@pytest.mark.parametrize("output", ["12 ms", "", "no number here", "99 ms of latency"])
def test_bare_and_ungrounded_numbers_are_not_judged(output: str) -> None:
    assert bound("Latency is 12 ms.", output) == []


def test_reason_names_the_word_and_the_number_it_belongs_to() -> None:
    reasons = {one.fact.text: one.reason for one in bound("Ana 12, Ben 40", "Ana 40, Ben 12")}
    assert reasons["40"] == "in the text 'ana' stands by 12"
    turned = bound("It went from 12 to 9 ms.", "It went from 9 to 12 ms.")
    assert {one.reason for one in turned} == {"the text has 12 ms before 9"}


@given(rows=TABLE, before=st.booleans(), separator=st.sampled_from([", ", " and ", "; ", ". "]))
@settings(max_examples=60, deadline=None)
def test_copies_are_bound_and_swapping_two_numbers_moves_it(
    rows: list[tuple[str, int]], before: bool, separator: str
) -> None:
    def told(rows: list[tuple[str, int]]) -> str:
        return separator.join(
            f"{number} for {name}" if before else f"{name} has {number}" for name, number in rows
        )

    (first, one), (second, other), *rest = rows
    assert is_bound(told(rows), told(rows))
    assert not is_bound(told(rows), told([(first, other), (second, one), *rest]))


@given(first=st.integers(2, 500), second=st.integers(501, 999))
@settings(max_examples=30, deadline=None)
def test_swapping_before_and_after_moves_it(first: int, second: int) -> None:
    text = f"The count went from {first} to {second}."
    assert is_bound(text, f"The count is {second} (was {first}).")
    assert not is_bound(text, f"The count went from {second} to {first}.")
