"""The accounting: what each input counts in each measure."""

import json
from typing import Any

import pytest

from spokesmith.metrics import EditVerdict, InputRecord, Judgement, judge, summarise

SCHEMA = {"type": "object", "required": ["note"]}
TEXT = "Ana Sand counted 40 boxes and 12 crates in the old harbour hall."
PROMPT = "Say only what the text says and nothing more."


def judged(note: str, text: str = TEXT, **options: Any) -> Judgement:
    return judge(json.dumps({"note": note}), text, SCHEMA, prompt=PROMPT, **options)


GOOD = judged(TEXT)
FAILED = judge('{"note": "Ana', TEXT, SCHEMA, prompt=PROMPT)


def value(name: str, *records: InputRecord | Judgement) -> float | None:
    wrapped = [
        one if isinstance(one, InputRecord) else InputRecord(judgement=one) for one in records
    ]
    return summarise(wrapped)["measures"][name]["value"]


@pytest.mark.parametrize(
    ("name", "worst"),
    [
        ("P", 0.0),
        ("SC", 0.0),
        ("HFR", 1.0),
        ("HFR_inputs", 1.0),
        ("TFR", 0.0),
        ("TFR_number", 0.0),
        ("TFR_name", 0.0),
        ("BIND", 0.0),
        ("SOFT", 0.0),
        ("ECHO", 1.0),
    ],
)
def test_a_failure_counts_with_the_worst_value_and_never_leaves(name: str, worst: float) -> None:
    assert value(name, FAILED) == worst
    assert value(name, GOOD) == 1.0 - worst
    assert value(name, GOOD, FAILED) == 0.5


def test_failures_fail_minimal_inputs_twins_edits_and_rules_too() -> None:
    failed = judge("{", "ok", SCHEMA, rules=lambda value, source: [])
    nothing = EditVerdict(new_there=False, old_gone=False, rest_unchanged=False, changed=[])
    record = InputRecord(judgement=failed, leaks=["failed"], edit=nothing)
    assert value("MIN", record) == 0.0
    assert value("XLEAK", record) == 1.0
    assert value("CFS", record) == 0.0
    assert value("RULES", record) == 0.0


def test_an_empty_denominator_is_undefined() -> None:
    plain = judged("nothing much", "nothing much to tell of this quiet day")
    measures = summarise([InputRecord(judgement=plain)])["measures"]
    for name in ("HFR", "TFR", "TFR_number", "BIND", "MIN", "XLEAK", "CFS", "RULES"):
        assert measures[name] == {"value": None, "interval_95": None, "n": 0}, name
    assert measures["P"]["n"] == 1
    assert summarise([])["measures"]["P"] == {"value": None, "interval_95": None, "n": 0}
    assert value("TFR", plain, GOOD) == 1.0


def test_every_input_counts_the_same() -> None:
    half = judged("Ana Sand counted 40 boxes.")
    assert half.recall("number") == 0.5
    assert value("TFR_number", half, GOOD) == 0.75
    made_up = judged(TEXT + " It cost 77 euros.")
    assert made_up.fabrication == pytest.approx(1 / 4)
    assert value("HFR", made_up, GOOD) == pytest.approx(1 / 8)
    assert value("HFR_inputs", made_up, GOOD) == 0.5


def test_p_needs_form_truth_numbers_and_no_leak() -> None:
    assert value("P", GOOD) == 1.0
    assert value("P", judged(TEXT + " It cost 77 euros.")) == 0.0
    assert value("P", judged("Ana Sand counted 40 boxes.")) == 0.0
    assert value("P", judge(json.dumps({"other": TEXT}), TEXT, SCHEMA)) == 0.0
    assert value("P", InputRecord(judgement=GOOD, leaks=[])) == 1.0
    assert value("P", InputRecord(judgement=GOOD, leaks=["a name"])) == 0.0
    assert value("P", judged("ok then, a grand old harbour", "ok")) == 0.0


def test_broken_rules_stand_beside_p() -> None:
    found = judged(TEXT, rules=lambda value, source: ["note: too long"])
    assert value("RULES", found) == 0.0
    assert value("P", found) == 1.0


def test_echo_counts_answers_with_words_of_the_prompt() -> None:
    assert value("ECHO", judged("Ana says what the text says")) == 0.0
    assert value("ECHO", judged("Say only what the text says")) == 1.0


def test_intervals_hold_the_mean_repeat_and_keep_width_where_all_agree() -> None:
    half = judged("Ana Sand counted 40 boxes.")
    records = [InputRecord(judgement=one) for one in [GOOD, half, FAILED] * 8]
    first, second = summarise(records), summarise(records)
    assert first == second
    measure = first["measures"]["TFR_number"]
    low, high = measure["interval_95"]
    assert low < measure["value"] < high
    assert measure["n"] == 24
    perfect = summarise([InputRecord(judgement=GOOD)] * 25)["measures"]["P"]
    assert perfect["value"] == 1.0
    assert perfect["interval_95"] == pytest.approx([0.867, 1.0], abs=1e-3)


def test_edits_are_reported_by_verdict_and_overall() -> None:
    verdict = EditVerdict(new_there=True, old_gone=True, rest_unchanged=False, changed=["40"])
    record = InputRecord(judgement=GOOD, edit=verdict)
    assert value("CFS", record) == 0.0
    assert value("CFS_new_there", record) == 1.0
    assert value("CFS_rest_unchanged", record) == 0.0


def test_phrases_repeated_across_outputs_are_listed() -> None:
    phrase = "a note of no great weight"
    records = [
        InputRecord(judgement=judged(phrase, text)) for text in ("tea is hot", "milk is cold")
    ]
    assert summarise(records)["repeated_sixgrams"] == {phrase: 2}
