"""Which facts a string states, of which kind, and which facts have equal keys."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spokesmith.metrics.facts import (
    DATE,
    IDENTIFIER,
    NAME,
    NUMBER,
    QUOTATION,
    find_facts,
)


def of(kind: str, string: str) -> list[str]:
    return [fact.text for fact in find_facts(string) if fact.kind == kind]


@pytest.mark.parametrize(
    ("string", "numbers"),
    [
        ("12 ms, 12ms and 1.2K", ["12 ms", "12ms", "1.2K"]),
        ("one of them had two hundred and five days", ["two hundred and five days"]),
        ("one hour, one hundred, no one", ["one hour", "one hundred"]),
        ("twenty-one of 1,200", ["twenty-one", "1,200"]),
        ("$5, 5 USD, 5 dollars, €1.2bn", ["$5", "5 USD", "5 dollars", "€1.2bn"]),
        ("9 to 12 ms, 3–4 kg, 5-7", ["9", "12 ms", "3", "4 kg", "5", "7"]),
        ("-5 °C and +3", ["-5 °C", "+3"]),
        ("1e-5, 2×10³ and 10^3", ["1e-5", "2×10³", "10^3"]),
        ("½ cup, 1½ l, 3/4 tsp", ["½ cup", "1½ l", "3/4 tsp"]),
        ("the 71st and the third", ["71st", "third"]),
        ("BP 148/92 mmHg", ["148", "92 mmHg"]),
        ("61-year-old, 12-hour shift", ["61-year", "12-hour"]),
        ("用30颗枣、20ml水煮5分钟", ["30颗", "20ml", "5分钟"]),
        ("5 m/s, 3.1 mmol/l, 5 m2", ["5 m/s", "3.1 mmol/l", "5 m2"]),
        ("the 1990s and 1,00", ["1990s", "1,00"]),
        ("often tenor twofold weighted anyone", []),
    ],
)
def test_numbers(string: str, numbers: list[str]) -> None:
    assert of(NUMBER, string) == numbers


@pytest.mark.parametrize(
    ("string", "dates"),
    [
        ("on 14 March 2023, in March 2023", ["14 March 2023", "March 2023"]),
        ("March 14th, 2023; 14.03.2023", ["March 14th, 2023", "14.03.2023"]),
        ("at 14:05 or 2pm on Friday in May", ["14:05", "2pm", "Friday", "May"]),
        ("2027-08-18T18:42:00Z", ["2027-08-18", "18:42:00Z"]),
        ("10/15 and 07/23", ["10/15", "07/23"]),
        ("3月14日14点", ["3月14日", "14点"]),
        ("Kran 12 am 17.04.2024", ["17.04.2024"]),
        ("at 12 am 3.5 hours late, 2 am", ["12 am", "2 am"]),
        ("you may march on; the friday wall", []),
    ],
)  # fmt: skip
def test_dates(string: str, dates: list[str]) -> None:
    assert of(DATE, string) == dates


@pytest.mark.parametrize(
    "identifier",
    [
        "https://example.org/a?b=1", "mail@example.org", "/etc/hosts", "~/notes", "src/a.py",
        "main.py:42", "C:\\Users\\x", "v1.12", "1.2.3", "10.0.0.7", "2001:db8::1", "CVE-2021-1234",
        "GHSA-ab12-cd34-ef56", "PEP 484", "RFC 2119", "AB-1234", "#517", "snake_case", "camelCase",
        "os.path.join", "call()", "std::vec", "--flag", "--level=3", "$HOME", "MAX_SIZE", "4f2a9c1",
        "4471-B", "IPv6", "07:de:d6:01:64:b4", "docs/API", "doi:10.6273/hello.2009.755",
    ],
)  # fmt: skip
def test_identifiers(identifier: str) -> None:
    found = [
        fact.text for fact in find_facts(f"it uses {identifier} there.") if fact.kind == IDENTIFIER
    ]
    assert found in ([identifier], [identifier.removeprefix("doi:")])


@pytest.mark.parametrize("start", ["v1", "1.2.3", "x-", "http://a/", "10."])
@pytest.mark.parametrize("repeated", ["a", "1", "-a", ".a", "A1", ")"])
def test_long_words_are_read_in_one_go(start: str, repeated: str) -> None:
    # One place to cut such a word too many doubles the work with every letter.
    word = start + 1000 * repeated + "_"
    assert all(word[fact.start : fact.end] == fact.text for fact in find_facts(word))


@pytest.mark.parametrize(
    "plain",
    [
        "cooking/soup",
        "medicine/heart/care",
        "and/or",
        "km/h",
        "e.g. this",
        "well-known",
        "a.m. or",
        "caused_by",
    ],
)
def test_plain_words_are_no_identifiers(plain: str) -> None:
    assert find_facts(plain) == []


@pytest.mark.parametrize(
    ("string", "names"),
    [
        ("The court heard Petra Vogel's claim.", ["Petra Vogel's"]),
        ("Sarah fixed it. Docker ran. Fixed by hand.", ["Sarah", "Docker"]),
        ("with Dr. Meyer, J. R. Smith and O'Neil", ["Dr. Meyer", "J. R. Smith", "O'Neil"]),
        ("for Anna van der Berg of NATO", ["Anna van der Berg", "NATO"]),
        ("We and I said: The pump failed. When it did", []),
        ("Split Pea Soup", []),
        ("Keeper Jonas Brandt saved it", ["Jonas Brandt"]),
        ("Plan: Back to normal", []),
    ],
)
def test_names(string: str, names: list[str]) -> None:
    assert of(NAME, string) == names


@pytest.mark.parametrize(
    ("string", "facts"),
    [
        ("kernel of build 27\nJune was warm", ["27", "June"]),
        ("timed out after 112s\n$ echo $?", ["112s"]),
        ("retries: 30\r\nmin replicas: 2", ["30", "2"]),
        ("it took 25\n   minutes", ["25"]),
        ("open since May\n14 boxes", ["May", "14"]),
        ("for Anna\nBrandt and Jonas\n\nKlee", ["Anna", "Brandt", "Jonas", "Klee"]),
        ('she said "wait\nfor me"', []),
    ],
)
def test_the_end_of_a_line_ends_a_fact(string: str, facts: list[str]) -> None:
    assert [fact.text for fact in find_facts(string)] == facts


def test_the_first_word_of_a_line_is_no_name_by_its_capital_alone() -> None:
    assert of(NAME, "we met in\nBerlin, and\nPlanning went\nWell\n- Back soon") == ["Berlin"]


def test_quotations_hold_other_facts() -> None:
    found = [(fact.kind, fact.text) for fact in find_facts("he said “wait 12 ms, Vogel” and `x`")]
    assert found == [
        (QUOTATION, "wait 12 ms, Vogel"), (NUMBER, "12 ms"), (NAME, "Vogel"), (QUOTATION, "x"),
    ]  # fmt: skip


def test_apostrophes_are_no_quotes() -> None:
    assert of(QUOTATION, "the dogs' bowl isn't the cats' bowl") == []


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_facts_lie_in_reading_order_and_apart(string: str) -> None:
    found = find_facts(string)
    for fact in found:
        assert string[fact.start : fact.end] == fact.text
        assert fact.key[0] == fact.kind
    plain = [fact for fact in found if fact.kind != QUOTATION]
    assert all(one.end <= other.start for one, other in pairwise(plain))
