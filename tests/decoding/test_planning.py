"""What a step has room for: shares of it, and which guesses are worth their computation."""

from hypothesis import given
from hypothesis import strategies as st

from spokesmith.decoding.planning import least_chance, shares


def test_what_a_small_need_leaves_is_for_the_larger_ones() -> None:
    assert shares([2, 100, 9, 100], 60) == [2, 24, 9, 25]
    assert shares([3, 4], 60) == [3, 4]
    assert shares([], 60) == []


def test_none_is_left_out_where_each_must_get_something() -> None:
    assert shares([5, 5, 5], 2) == [0, 1, 1]
    assert shares([5, 5, 5], 2, least=1) == [1, 1, 1]
    assert shares([5, 5], -3) == [0, 0]


@given(st.lists(st.integers(0, 50), max_size=9), st.integers(0, 200))
def test_no_more_is_given_than_there_is_and_none_of_it_wasted(needs: list[int], room: int) -> None:
    found = shares(needs, room)
    assert all(0 <= got <= need for got, need in zip(found, needs, strict=True))
    assert sum(found) == min(sum(needs), room)


def test_the_more_answers_share_a_step_the_surer_a_guess_must_be() -> None:
    chances = [least_chance(count) for count in (1, 2, 4, 8, 64)]
    assert chances == sorted(chances)
    assert 0 < chances[0] < 0.1
    assert chances[-1] < 1
