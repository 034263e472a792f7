"""What a text says may be said in another form: it is neither made up nor lost; a near miss is."""

import pytest

from spokesmith.metrics.facts import NAME, NUMBER, find_facts
from spokesmith.metrics.grounding import Source, stated_facts
from spokesmith.metrics.keeping import kept_facts


def made_up(text: str, output: str) -> list[str]:
    stated = stated_facts([output], Source(text))
    assert stated
    return [one.fact.text for one in stated if one.grounding.span is None]


def lost_numbers(text: str, output: str) -> list[str]:
    source = Source(text)
    kept = kept_facts(stated_facts([output], source), source)
    return [one.fact.text for one in kept if one.fact.kind == NUMBER and not one.kept]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("The waltz is by Johann Strauß.", "A waltz by Strauß"),
        ("The waltz is by Johann Strauß.", "A waltz by STRAUSS"),
        ("The waltz is by JOHANN STRAUSS.", "A waltz by Strauß"),
        ("Ο Γιώργος Παπαδόπουλος ήρθε χθες", "Ήρθε ο Παπαδόπουλος"),
        ("Mehmet İstanbul ofisine gitti", "Mehmet: İstanbul"),
    ],
)
def test_names_in_any_letters_are_grounded(text: str, output: str) -> None:
    assert made_up(text, output) == []


@pytest.mark.parametrize(
    ("text", "output", "wrong"),
    [
        ("The waltz is by Johann Strauß.", "A waltz by Straub", "Straub"),
        ("The waltz is by Johann Strauß.", "A waltz by Josef Strauß", "Josef Strauß"),
        ("Ο Γιώργος Παπαδόπουλος ήρθε χθες", "Ήρθε ο Παπανδρέου", "Παπανδρέου"),
        ("Mehmet İstanbul ofisine gitti", "Mehmet: İzmir", "İzmir"),
    ],
)
def test_other_names_are_made_up(text: str, output: str, wrong: str) -> None:
    assert made_up(text, output) == [wrong]


NOTE = (
    "Someone has to ring Jonas Brandt of Granite FC in South Lindau and put Kafka back on its feet"
)


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ("Call Jonas Brandt", ["Jonas Brandt"]),
        ("Restart Kafka", ["Kafka"]),
        ("Plan: Call Jonas Brandt", ["Jonas Brandt"]),
    ],
)
def test_what_a_title_asks_for_is_no_part_of_a_name(output: str, names: list[str]) -> None:
    assert [fact.text for fact in find_facts(output) if fact.kind == NAME] == names
    assert made_up(NOTE, output) == []


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        ("Call Petra Brandt", "Petra Brandt"),
        ("Restart Redis", "Redis"),
        ("Marble FC", "Marble FC"),
        ("North Lindau", "North Lindau"),
        ("Coach Brandt", "Coach Brandt"),
        ("Red Hat Kafka", "Red Hat Kafka"),
    ],
)
def test_a_name_that_begins_with_a_common_word_is_whole(output: str, wrong: str) -> None:
    assert made_up(NOTE, output) == [wrong]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("Gib 0,125 mg Digoxin.", "0.125 mg"),
        ("Gib 0,125 mg Digoxin.", "125 µg"),
        ("Es wiegt 0,750 kg.", "750 g"),
        ("Es waren 0,125, dann 3 Proben", "0.125, 3"),
        ("It cost 1,125 then", "1125"),
        ("It was –5 °C today", "-5 °C"),
        ("–5 °C today", "−5 °C"),
        ("It was cold (–5 °C)", "-5 °C"),
        ("It was –5 to –2 °C", "from -5 °C to -2 °C"),
        ("It was 3 –5 °C", "3 to 5 °C"),
        ("It was 3 mm –5 mm long", "3 mm to 5 mm"),
        ("The crew —12 people— left", "12 people"),
        ("Only a few came —12 people in all", "12 people came"),
        ("–200 g flour", "200 g flour"),
        ("5 apples –3 pears", "5 apples, 3 pears"),
        ("A loss of –5 %", "-5 %"),
        ("Values in [0,255]", "from 0 to 255"),
        ("Values in [0, 255]", "[0,255]"),
        ("randint(0,100)", "0 and 100"),
        ("Gib Digoxin (0,125 mg)", "0.125 mg"),
        ("The level rose by 3 m in 2019", "in 2019 by 3 m"),
        ("The sea rose in 2019 by 3 cm", "3 cm in 2019"),
    ],
)
def test_numbers_are_read_as_they_are_spelled(text: str, output: str) -> None:
    assert made_up(text, output) == []
    assert lost_numbers(text, output) == []


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("Gib 0,125 mg Digoxin.", "125 mg"),
        ("Gib 0,125 mg Digoxin.", "0.0125 mg"),
        ("Es wiegt 0,750 kg.", "750 kg"),
        ("It cost 1,125 then", "1.125"),
        ("It was –5 °C today", "5 °C"),
        ("It was –5 °C today", "-5 °F"),
        ("It was 3 –5 °C", "-5 °C"),
        ("It was 3 mm –5 mm long", "-5 mm"),
        ("The crew —12 people— left", "-12 people"),
    ],
)
def test_a_number_that_is_read_otherwise_is_made_up(text: str, output: str) -> None:
    assert made_up(text, output) == [output.removesuffix(" people")]
    assert lost_numbers(text, output)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("The room is 3 x 4 m", "3 m by 4 m"),
        ("The room is 3 x 4 m", "3 by 4 m"),
        ("The room is 3 by 4 m", "3 x 4 m"),
        ("The box is 3 × 4 × 5 cm", "3 cm, 4 cm and 5 cm"),
        ("Take 2 x 500 mg", "2 times 500 mg"),
        ("Do 3 x 10 squats", "3 times 10 squats"),
        ("Run 4 x 100 m", "4 times 100 m"),
        ("Run 2 x 5 km", "2 times 5 km"),
        ("It is 3x as fast", "3 times as fast"),
    ],
)
def test_an_x_between_numbers_is_by_or_times(text: str, output: str) -> None:
    assert made_up(text, output) == []
    assert lost_numbers(text, output) == []


@pytest.mark.parametrize(
    ("text", "output", "wrong"),
    [
        ("The room is 3 x 4 m", "3 cm by 4 m", ["3 cm"]),
        ("The room is 3 by 4 m", "3 x 5 m", ["5 m"]),
        ("The room is 3 m x 4 m", "3 times 4 m", ["3 times"]),
        ("Take 2 x 500 mg", "2 mg, 500 mg", ["2 mg"]),
        ("Run 2 x 5 km", "2 km, 5 km", ["2 km"]),
        ("It is 3x as fast", "3 m by 4", ["3 m", "4"]),
    ],
)
def test_an_x_between_numbers_grounds_no_other_unit(
    text: str, output: str, wrong: list[str]
) -> None:
    assert made_up(text, output) == wrong
    assert lost_numbers(text, output)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("It cost £50", "50 pounds"),
        ("It cost £50 and £50", "50 pounds, then 50 pounds"),
        ("It was -5 °C", "-5 degrees"),
        ("It was 1,5 °C", "1.5 degrees"),
        ("It weighs 5 lbs", "5 pounds"),
        ("It took 10, 20 and 30 ms", "10 ms, 20 ms and 30 ms"),
        ("It took 10, 20 and 30 ms", "0.01 s, 20 ms and 30 ms"),
    ],
)
def test_a_number_is_kept_with_its_unit_in_other_words(text: str, output: str) -> None:
    assert made_up(text, output) == []
    assert lost_numbers(text, output) == []


@pytest.mark.parametrize(
    ("text", "output", "lost"),
    [
        ("It cost £50", "50", ["£50"]),
        ("It cost £50", "50 euros", ["£50"]),
        ("It cost £50 and £50", "50 pounds", ["£50"]),
        ("It cost £1,50", "50 pounds", ["£1,50"]),
        ("It was -5 °C", "5 degrees", ["-5 °C"]),
        ("It was 5 °C and 5 °F", "5 degrees", ["5 °F"]),
        ("It took 10, 20 and 30 ms", "20 ms and 30 ms", ["10"]),
        ("It took 10, 20 and 30 ms", "10 s, 20 ms and 30 ms", ["10"]),
        ("They had 12 of them", "the 12th", ["12"]),
    ],
)
def test_a_number_with_another_unit_keeps_none(text: str, output: str, lost: list[str]) -> None:
    assert lost_numbers(text, output) == lost


STAMPED = "It fell over at 2024-05-01T10:00:07.123Z and again at 11:30:00.500"


@pytest.mark.parametrize(
    "output",
    ["at 10:00:07", "at 10:00:07.123", "2024-05-01 at 10:00", "at 11:30:00", "at 11:30:00.500"],
)
def test_a_time_may_be_said_without_parts_of_a_second(output: str) -> None:
    assert made_up(STAMPED, output) == []


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        ("at 10:00:08", ["10:00:08"]),
        ("at 10:00:07.124", ["10:00:07.124"]),
        ("at 10:00:07.12", ["10:00:07.12"]),
        ("at 11:30:07", ["11:30:07"]),
        ("on 2024-05-02", ["2024-05-02"]),
    ],
)
def test_another_second_is_made_up(output: str, wrong: list[str]) -> None:
    assert made_up(STAMPED, output) == wrong


def test_the_seconds_of_a_time_are_no_file() -> None:
    assert [fact.text for fact in find_facts("at 2024-05-01T10:00:07.123Z")] == [
        "2024-05-01",
        "10:00:07.123Z",
    ]
    assert [fact.text for fact in find_facts("in 07.123Z, see host:07.123Z")] == [
        "07.123Z",
        "07.123Z",
    ]
