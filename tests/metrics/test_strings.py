"""Written forms, words, sentences and clauses of strings, and the strings of a JSON value."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.metrics.strings import (
    clauses,
    content_words,
    sentences,
    strings_of,
    words,
    written_form,
)

some = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("string", "written"),
    [
        (" a\n\t b\u00a0c ", "a b c "),
        ("１２", "12"),
        ("1½", "1 1/2"),
        ("10²", "10^2"),
        ("“a” ‘b’ — ‐", "\"a\" 'b' – -"),
        ("e\u0301", "é"),
        ("a\u200bb", "ab"),
        ("ﬁ ㎏", "fi kg"),
    ],
)
def test_written_forms(string: str, written: str) -> None:
    assert written_form(string).text == written


@some
@given(st.text())
def test_spans_lead_back(string: str) -> None:
    written = written_form(string)
    assert len(written.text) == len(written.starts)
    for at in range(len(written.text)):
        start, end = written.span(at, at + 1)
        assert 0 <= start < end <= len(string)


@some
@given(st.text())
def test_normal_forms_are_written_alike(string: str) -> None:
    forms = {written_form(unicodedata.normalize(form, string)).text for form in ("NFC", "NFD")}
    assert forms == {written_form(string).text}


@some
@given(st.text(alphabet="aB5 .!?,;\n\"')(。Dr"))
def test_sentences_stay_whole_when_cut_again(string: str) -> None:
    for sentence in sentences(string):
        assert string[sentence.start : sentence.end] == sentence.text
        assert [again.text for again in sentences(sentence.text)] == [sentence.text]


def test_sentences_and_clauses() -> None:
    text = "Dr. Meyer left at 5; then, e.g. on foot (alone), he ran. Why? 三。四"
    assert [one.text for one in sentences(text)] == [
        "Dr. Meyer left at 5; then, e.g. on foot (alone), he ran.", "Why?", "三。", "四",
    ]  # fmt: skip
    assert [one.text.strip(" ;,.()?") for one in clauses(text)][:3] == [
        "Dr. Meyer left at 5", "then", "e.g. on foot",
    ]  # fmt: skip


def test_words_and_content_words() -> None:
    assert [one.text for one in words("Don't use 1.5 kg 枣子 now")] == [
        "Don't", "use", "1", "5", "kg", "枣", "子", "now",
    ]  # fmt: skip
    assert content_words("The pumps of Sarah’s weren't running") == ["pump", "sarah", "run"]


def test_strings_of_a_value_have_pointers() -> None:
    value = {"a/b": ["x", {"c~": "y"}, 1], "d": "z", "e": None}
    assert list(strings_of(value)) == [("/a~1b/0", "x"), ("/a~1b/1/c~0", "y"), ("/d", "z")]
    assert list(strings_of("x")) == [("", "x")]
