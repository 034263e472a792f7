"""What grounds a fact, what is kept, and the properties that a judge of facts must have."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.metrics.facts import DATE, IDENTIFIER, KINDS, NAME, NUMBER, QUOTATION
from spokesmith.metrics.grounding import Source, StatedFact, stands_in, stated_facts
from spokesmith.metrics.keeping import kept_facts
from spokesmith.metrics.strings import sentences

LAW = (
    "The district court in Lindau dismissed Petra Vogel's claim for 8,400 euros on 14 March 2023. "
    "The judge, Martin Oehler, held that the clause was valid. She waited 12 ms, then 3 days."
)
CODE = (
    "See src/spokes/attach.py:42, v1.12 and PR-871 on https://example.org/a/b; it calls run_all()."
)

some = settings(max_examples=60, deadline=None)
any_text = st.text(max_size=120)
# Texts of what facts are made of, so that facts do occur in them.
pieces = st.sampled_from(
    """12 1,200 ½ ² 12.5 ms kg $ € 5 twelve one % 3:12 14:05 2023-03-14 14 March 2023 May Friday
    Petra Vogel O'Neil van der Berg Dr. J. K. NATO The the pump . ! ? , ; : " ` ' ( ) - – / a/b
    0,125 £50 x by –5 10:00:07.123Z Strauß İs
    v1.12 src/a.py foo_bar x() --flag 三 20ml 颗 é e\u0301 \u212b ﬁ １２ \u0301 \n \t \u00a0 — … #5
    """.split(" ")
)
factual_text = st.lists(pieces, max_size=30).map(" ".join) | st.lists(pieces, max_size=30).map(
    "".join
)
texts = any_text | factual_text
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=8,
)


def made_up(value: Any, text: str, schema: dict[str, Any] | None = None) -> list[str]:
    stated = stated_facts(value, Source(text), schema)
    return [one.fact.text for one in stated if one.grounding.span is None]


def verdict(stated: list[StatedFact]) -> list[tuple[Any, ...]]:
    return sorted(
        (one.field, one.fact.kind, repr(one.fact.key), one.grounding.span is None) for one in stated
    )


@some
@given(texts)
def test_an_echo_states_nothing_made_up_and_keeps_everything(text: str) -> None:
    source = Source(text)
    stated = stated_facts({"echo": text}, source)
    assert not [one for one in stated if one.grounding.span is None]
    assert all(one.kept for one in kept_facts(stated, source))


@some
@given(texts)
def test_a_sentence_of_the_text_states_nothing_made_up(text: str) -> None:
    source = Source(text)
    for sentence in sentences(text):
        assert not [
            one for one in stated_facts([sentence.text], source) if one.grounding.span is None
        ]


@some
@given(values, texts)
def test_no_json_value_raises(value: Any, text: str) -> None:
    source = Source(text)
    schema = {"properties": {"a": {"enum": [1]}}, "items": {"minimum": 1}, "$ref": "#"}
    for stated in (stated_facts(value, source), stated_facts(value, source, schema)):
        kept_facts(stated, source)


@some
@given(texts, texts, st.sampled_from(["NFC", "NFD"]))
def test_normal_forms_change_nothing(text: str, output: str, form: Any) -> None:
    before = stated_facts([output], Source(text))
    after = stated_facts(
        [unicodedata.normalize(form, output)], Source(unicodedata.normalize(form, text))
    )
    assert verdict(before) == verdict(after)


@some
@given(factual_text, factual_text)
def test_white_space_and_key_order_change_nothing(text: str, output: str) -> None:
    before = stated_facts({"a": output, "b": text}, Source(text))
    wide = output.replace(" ", " \t\u00a0 ")
    after = stated_facts({"b": text, "a": wide}, Source(text.replace(" ", "\t ")))
    assert verdict(before) == verdict(after)


@some
@given(factual_text)
def test_joining_the_lines_of_a_text_makes_nothing_up_and_loses_no_number(text: str) -> None:
    source = Source(text)
    stated = stated_facts([" ".join(text.split())], source)
    assert not [one for one in stated if one.grounding.span is None]
    kept = kept_facts(stated, source)
    assert all(one.kept for one in kept if one.fact.kind == NUMBER)


@some
@given(factual_text, factual_text, st.sampled_from(["918273 kg", "Zebulon Quist", "QX-9981"]))
def test_a_made_up_fact_more_never_lowers_the_share(text: str, output: str, more: str) -> None:
    source = Source(text)
    before = stated_facts([output], source)
    after = stated_facts([output, more], source)
    bad = [sum(one.grounding.span is None for one in stated) for stated in (before, after)]
    assert bad[1] * max(len(before), 1) >= bad[0] * len(after)
    assert bad[1] > bad[0]


@some
@given(
    st.integers(10, 59),
    st.sampled_from(
        ["{0}.5", "3:{0}", "9,{0:03d}", "{0},111", "v1.{0}.7", "X{0}", "h{0}-4a", "a{0}b"]
    ),
)
def test_a_number_inside_another_grounds_nothing(number: int, form: str) -> None:
    text = f"The pump showed {form.format(number)} in the log."
    assert made_up([f"It was {number} in all"], text) == [str(number)]


@some
@given(
    st.integers(2, 10**6),
    st.sampled_from(
        [("ms", "s"), ("g", "kg"), ("days", "weeks"), ("euros", "dollars"), ("MB", "GB"),
         ("°C", "°F"), ("%", "ms"), ("mg/dl", "mg/l"), ("hours", "")]
    ),
)  # fmt: skip
def test_another_unit_is_made_up(number: int, units: tuple[str, str]) -> None:
    one, other = units
    wrong = made_up([f"It took {number} {other} then"], f"It took {number} {one} then")
    assert len(wrong) == (1 if other else 0)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("It cost 1,200 now", ["1200", "1.2K", "1.2k", "１２００", "1.2 thousand", "1200.0"]),
        ("It took twelve of them", ["12", "Twelve", "a dozen"]),
        ("It took 12 ms", ["12ms", "12 milliseconds", "12", "twelve ms", "0.012 s", "12-ms"]),
        ("It took 9 to 12 ms", ["9 ms", "12 ms", "9–12 ms", "nine to twelve ms", "9-12ms"]),
        ("Add ½ cup", ["1/2 cup", "0.5 cup", "0.5 cups"]),
        ("Add 1 ½ cups", ["1.5 cups", "1 1/2 cups", "1½ cups"]),
        ("It cost $5 million", ["$5M", "5 million dollars", "USD 5,000,000", "$5 million"]),
        ("It fell by 5 %", ["5%", "5 percent", "five per cent"]),
        ("for 61-year-old men", ["61 years", "61"]),
        ("after an hour", ["1 hour", "one hour"]),
        ("the 3rd and the fourth", ["third", "4th", "3"]),
        ("on 14 March 2023", ["March 14, 2023", "2023-03-14", "14.03.2023",
                              "14th of March 2023",
                              "March 2023", "14 March", "14 Mar 2023", "2023", "March",
                              "3/14/2023"]),
        ("at 2pm", ["14:00", "2 pm", "2:00 PM", "14:00"]),
        ("on 2027-08-18T18:42:10Z", ["18 August 2027", "18:42", "6:42 pm", "18:42:10"]),
        ("see src/a/main.py:42", ["main.py", "src/a/main.py", "main.py:42", "SRC/a/main.py", "42"]),
        ("it calls run_all()", ["run_all", "`run_all()`"]),
        ("by PEP 484 and v1.12", ["PEP-484", "484", "1.12", "V1.12"]),
        ("with Petra A. Vogel's dog", ["Petra Vogel", "Vogel", "Petra A. Vogel", "Vogel's"]),
        ("with Dr. van der Berg", ["Berg", "van der Berg", "Dr. van der Berg"]),
        ("by the petra-vogel-stiftung", ["Petra Vogel Stiftung", "PetraVogel"]),
        ("he said “go now, please”", ['"go now, please"', "'go  now, please'", '"go now"']),
        ("5, 10 and 20 mg", ["5 mg", "10 mg", "20 mg"]),
        ("用30颗枣和20ml水，3月14日", ["30 颗", "20 ml", "14 March"]),
    ],
)  # fmt: skip
def test_the_same_in_another_form_is_grounded(text: str, same: list[str]) -> None:
    for form in same:
        assert made_up([f"it says {form} there"], text) == [], form
        assert stated_facts([f"it says {form} there"], Source(text)), form


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        ("then Petra Oehler came", ["Petra Oehler"]),
        ("Sarah fixed it", ["Sarah"]),
        ("Docker", ["Docker"]),
        ("Sarah", ["Sarah"]),
        ("Kubernetes", ["Kubernetes"]),
        ("The court waited for Grace", ["Grace"]),
        ("it took 12 s", ["12 s"]),
        ("it took 13 ms", ["13 ms"]),
        ("it took 3 weeks", ["3 weeks"]),
        ("for 8,400 dollars", ["8,400 dollars"]),
        ("for 840 euros", ["840 euros"]),
        ("for -12 ms", ["-12 ms"]),
        ("on 15 March 2023", ["15 March 2023"]),
        ("on 14 March 2024", ["14 March 2024"]),
        ("on Friday at 14:05", ["Friday", "14:05"]),
        ("in src/foo.py and foo_bar", ["src/foo.py", "foo_bar"]),
        ("she said “not in my house”", ["not in my house"]),
        ("by NATO", ["NATO"]),
    ],
)
def test_what_the_text_lacks_is_made_up(output: str, wrong: list[str]) -> None:
    assert made_up([output], LAW) == wrong


@pytest.mark.parametrize(
    "output",
    [
        "The court dismissed the claim; one of them waited.",
        "Waited and held",
        "cooking/soup and law/courts/appeals and/or km/h",
        "Valid Clause",
        "The Judge Martin Oehler",
        "caused_by",
        "Dismissed: no notice given",
    ],
)
def test_plain_words_state_nothing_made_up(output: str) -> None:
    assert made_up([output], LAW) == []


@pytest.mark.parametrize(
    "output",
    ["attach.py:43", "v1.13", "PR-872", "https://example.org/a/c", "1.1", "871", "42.5", "43"],
)
def test_a_changed_identifier_is_made_up(output: str) -> None:
    assert made_up([f"see {output} there"], CODE)


def test_reasons_say_what_the_text_has() -> None:
    reasons = {
        one.fact.text: one.grounding.reason
        for one in stated_facts(["it took 12 s for Petra Oehler and 99 cats"], Source(LAW))
    }
    assert reasons["12 s"] == "the text has 12 ms, not 12 s"
    assert reasons["Petra Oehler"].endswith("apart, not as one name")
    assert reasons["99"] == "the text has no 99"


def test_spans_point_at_the_original_characters() -> None:
    text = "Ａfter\u00a0 ½ cup, e\u0301clair Petra\n Vogel ate 12\u00a0ms."
    source = Source(text)
    for fact in source.facts:
        assert text[fact.start : fact.end] == fact.text
    spans = [one.grounding.span for one in stated_facts(["by Petra Vogel in 12 ms"], source)]
    assert [text[slice(*span)] for span in spans if span] == ["Petra\n Vogel", "12\u00a0ms"]


def test_every_statement_keeps_one_fact() -> None:
    source = Source("It took 12 ms, then 12 ms; Vogel met Petra Vogel on 14 March.")
    stated = stated_facts(["12 ms for Petra Vogel", "14 March 2023"], source)
    kept = [(one.fact.text, one.kept) for one in kept_facts(stated, source)]
    assert kept == [
        ("12 ms", True), ("12 ms", False), ("Vogel", False), ("Petra Vogel", True),
        ("14 March", True),
    ]  # fmt: skip


def test_a_bare_number_does_not_keep_one_with_a_unit() -> None:
    source = Source("It took 12 ms.")
    assert not kept_facts(stated_facts(["it took 12"], source), source)[0].kept


def test_json_numbers_are_facts_unless_the_schema_makes_them_ratings() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "salience": {"type": "number", "minimum": 0, "maximum": 1},
            "amount": {"type": "number", "minimum": 0},
            "counts": {"type": "array", "items": {"$ref": "#/$defs/count"}},
            "tone": {"enum": ["Sarah 5"]},
            "kind": {"anyOf": [{"const": "Docker"}]},
        },
        "$defs": {"count": {"type": "integer"}},
    }
    value = {
        "salience": 0.5,
        "amount": 12,
        "counts": [3, 4.0, True],
        "tone": "Sarah 5",
        "kind": "Docker",
    }
    stated = stated_facts(value, Source(LAW), schema)
    assert [(one.field, one.fact.key[1], one.grounding.span is None) for one in stated] == [
        ("/amount", 12, False), ("/counts/0", 3, False), ("/counts/1", 4, True),
    ]  # fmt: skip
    assert [one.field for one in stated_facts(value, Source(LAW))] == ["/tone", "/tone", "/kind"]


@pytest.mark.parametrize(
    ("words", "text", "stands"),
    [
        ("12", "it was 12.", True), ("12", "it was 12.5", False), ("12", "1,012", False),
        ("12", "at 3:12", False), ("12 ms", "took 12\u00a0ms", True), ("Tom", "Tomas", False),
        ("tom", "Tom", False), ("", "x", False), ("枣", "用枣和", True),
    ],
)  # fmt: skip
def test_words_stand_on_token_boundaries(words: str, text: str, stands: bool) -> None:
    assert stands_in(words, text) is stands


@pytest.mark.parametrize(
    ("text", "output", "flagged", "lost"),
    [
        ("node build-27\nJune 15, 2023 12:45", "node build-27; June 15, 2023 12:45", [], []),
        ("node 27\nJune was warm", "node 27; June was warm", [], []),
        ("node 27\nJune was warm", "node 27 June was warm", [], []),
        ("node 27\nJune, 27 boxes", "node 27 June, 27 boxes", [], []),
        ("stew for 25\n   minutes", "stew for 25 minutes", [], []),
        ("stew for 25\n   minutes", "stew for 25 hours", ["25 hours"], ["25"]),
        ("after 112s\n$ echo", "timed out after 112s", [], []),
        ("after 112s\n$ echo", "after 112s $ echo", [], []),
        ("retries: 30\nmin: 2", "retries 30, min 2", [], []),
        ("retries: 30\nmin: 2", "retries: 30 s", ["30 s"], ["30", "2"]),
    ],
)
def test_lines_may_be_joined_where_nothing_else_is_said(
    text: str, output: str, flagged: list[str], lost: list[str]
) -> None:
    source = Source(text)
    stated = stated_facts([output], source)
    assert [one.fact.text for one in stated if one.grounding.span is None] == flagged
    numbers = [one for one in kept_facts(stated, source) if one.fact.kind == NUMBER]
    assert [one.fact.text for one in numbers if not one.kept] == lost


def test_long_texts_of_one_kind_take_linear_time() -> None:
    for unit in (
        "1,",
        "a.",
        "A ",
        "'",
        '"a',
        "1/",
        "-",
        "two ",
        "x_",
        ":",
        "1 ",
        "A",
        "$1",
        "三1",
        "e\u0301",
        "12\n",
        "Petra\n",
    ):
        source = Source(unit * 3_000)
        kept_facts(stated_facts(["Petra 12 ms and a_b"], source), source)


def test_odd_values_do_not_raise() -> None:
    source = Source("12 ms \udc00 1e999 of 5")
    for leaf in ("\ud800 12 ms", 10**6000, -(10**400), 1e308, 1e-320, "1e999 10^999"):
        kept_facts(stated_facts([leaf], source, {}), source)


@pytest.mark.parametrize("before", ["#", "PEP ", "a.py:", "v", "ISO "])
def test_identifiers_of_very_many_digits_are_judged_too(before: str) -> None:
    """An answer may run into them; Python makes no number of them."""
    long, other = before + "1" * 5000, before + "1" * 4999 + "2"
    source = Source(f"See {long} now.")
    for text, is_grounded in ((long, True), (other, False)):
        stated = stated_facts([f"See {text} now."], source)
        assert stated
        assert all((one.grounding.span is not None) == is_grounded for one in stated)
        kept = [one.kept for one in kept_facts(stated, source)]
        assert kept == [is_grounded] * len(kept)


def test_kinds_of_all_facts_are_known() -> None:
    found = {fact.kind for fact in Source(LAW + CODE + ' "so it is"').facts}
    assert found == set(KINDS) == {NUMBER, DATE, IDENTIFIER, NAME, QUOTATION}
    assert json.dumps(sorted(found))
