"""Where the words of an answer stand in its source."""

import time

from hypothesis import given
from hypothesis import strategies as st

from spokesmith.server.quotes import find_quotes

SOURCE = "Split  pea soup for four: put 400 g of dried peas in 1.5 l of water. Don't stir."


def quoted(string: str, source: str = SOURCE) -> list[tuple[str, str]]:
    return [
        (string[slice(*quote.span)], source[slice(*quote.source_span)])
        for quote in find_quotes([("/gist", string)], source)
    ]


def test_a_whole_string_is_found_whatever_its_case_and_spaces() -> None:
    assert quoted("split pea SOUP") == [("split pea SOUP", "Split  pea soup")]
    assert quoted("soup") == [("soup", "soup")]
    assert quoted("don’t stir") == [("don’t stir", "Don't stir")]


def test_of_a_longer_string_runs_of_three_words_are_found() -> None:
    assert quoted("A soup for four, 400 g of dried peas and two of water") == [
        ("soup for four", "soup for four"),
        ("400 g of dried peas", "400 g of dried peas"),
    ]
    assert quoted("some dried peas") == []


def test_the_longest_of_several_places_counts() -> None:
    source = "The job failed. The job failed again on Monday."
    assert quoted("The job failed again", source) == [
        ("The job failed again", "The job failed again")
    ]


def test_punctuation_between_words_counts() -> None:
    assert quoted("in 1, 5 l of") == [("5 l of", "5 l of")]
    assert quoted("in 1.5 l") == [("in 1.5 l", "in 1.5 l")]


def test_the_field_is_told_and_nothing_is_found_in_nothing() -> None:
    assert find_quotes([("/a", ""), ("/b", "!"), ("/c", "soup")], "") == []
    (quote,) = find_quotes([("/a/0", "soup")], SOURCE)
    assert quote.field == "/a/0"


def test_repetitions_take_no_long_time() -> None:
    start = time.perf_counter()
    find_quotes([("/a", "a " * 1000)], "a " * 50_000)
    assert time.perf_counter() - start < 5


@given(st.text(), st.text())
def test_spans_fit_their_strings(string: str, source: str) -> None:
    for quote in find_quotes([("", string)], source):
        assert 0 <= quote.span[0] < quote.span[1] <= len(string)
        assert 0 <= quote.source_span[0] < quote.source_span[1] <= len(source)


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1))
def test_a_string_is_found_in_itself(string: str) -> None:
    assert quoted(string, f"before {string} after") == [(string, string)]
