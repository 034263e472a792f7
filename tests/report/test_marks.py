"""Marks in a text: nested, crossing and coinciding spans, with every text escaped."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.report.marks import Mark, marked


def mark(start: int, end: int, tag: str = "b", **attributes: str) -> Mark:
    return Mark(start=start, end=end, tag=tag, attributes=attributes)


def test_marks_nest() -> None:
    assert marked("ab 12 cd", [mark(3, 5), mark(0, 8, "q")]) == "<q>ab <b>12</b> cd</q>"


def test_spans_count_characters_not_code_units() -> None:
    assert marked("🦊🦊 12", [mark(3, 5)]) == "🦊🦊 <b>12</b>"


def test_a_mark_that_crosses_another_is_cut_and_keeps_its_id_once() -> None:
    found = marked("abcdef", [mark(0, 4, "q"), mark(2, 6, id="x")])
    assert found == '<q>ab<b id="x">cd</b></q><b>ef</b>'


def test_a_link_around_marks_becomes_links_around_them() -> None:
    marks = [mark(0, 8, "a", href="#q"), mark(3, 5, "a", href="#n")]
    assert marked("ab 12 cd", marks) == (
        '<span><a href="#q">ab </a><a href="#n">12</a><a href="#q"> cd</a></span>'
    )


def test_texts_and_attributes_are_escaped() -> None:
    found = marked('<script>"x" & y', [mark(0, 8, title='"><img src=x>')])
    assert found == ('<b title="&#34;&gt;&lt;img src=x&gt;">&lt;script&gt;</b>&#34;x&#34; &amp; y')


@pytest.mark.parametrize(("start", "end"), [(2, 2), (0, 4), (-1, 2), (3, 2)])
def test_a_span_outside_the_text_is_named(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="another text"):
        marked("abc", [mark(start, end)])


@given(st.data(), st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_marks_leave_the_text_and_balance(data: st.DataObject, text: str) -> None:
    places = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(places, places).filter(lambda at: at[0] < at[1])))
    tags = data.draw(st.lists(st.sampled_from("abq"), min_size=len(spans)))
    marks = [mark(*span, tag) for span, tag in zip(spans, tags, strict=False)]
    found = marked(text, marks)
    assert html.unescape(re.sub(r"<[^<>]*>", "", found)) == html.unescape(html.escape(text))
    is_open: list[str] = []
    for closes, tag in re.findall(r"<(/?)(\w+)>", found):
        if closes:
            assert is_open.pop() == tag
        else:
            assert tag != "a" or "a" not in is_open
            is_open.append(tag)
    assert is_open == []


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_marked_character_lies_in_an_element(data: st.DataObject) -> None:
    text = "".join(chr(ord("A") + place) for place in range(12))
    places = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(places, places).filter(lambda at: at[0] < at[1])))
    found = marked(text, [mark(*span, "i") for span in spans])
    for place, character in enumerate(text):
        before = found[: found.index(character)]
        depth = before.count("<i>") - before.count("</i>")
        assert depth == sum(start <= place < end for start, end in spans)
