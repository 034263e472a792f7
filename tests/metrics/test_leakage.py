"""What an answer takes from a twin's text, and whether it follows an edit of its own."""

import json

from spokesmith.metrics import Judgement, edit_followed, judge, twin_leaks

SCHEMA = {"type": "object"}
ONE = "Latency went from 12 ms to 9 ms, says Ravi Kumar."
OTHER = "Latency went from 9 ms to 12 ms, says Elena Sand."


def judged(text: str, *said: str) -> Judgement:
    return judge(json.dumps({"notes": list(said)}), text, SCHEMA)


def test_facts_and_the_order_of_the_other_text_leak() -> None:
    other = judged(OTHER, OTHER).source
    assert twin_leaks(judged(ONE, ONE), other) == []
    assert twin_leaks(judged(ONE, "Elena Sand reports on latency."), other) == [
        "/notes/0: name 'Elena Sand' is the other text's"
    ]
    (first, second) = twin_leaks(judged(ONE, "Latency went from 9 ms to 12 ms."), other)
    assert "'9 ms' stands as in the other text" in first
    assert "'12 ms' stands as in the other text" in second


def test_facts_of_neither_text_do_not_leak() -> None:
    made_up = judged(ONE, "Latency is 77 s, says Omar Haddad.")
    assert made_up.made_up
    assert twin_leaks(made_up, judged(OTHER, OTHER).source) == []


def test_kept_strings_tell_twins_apart_that_share_all_facts() -> None:
    text = "Dana Whitlock approved the refund that Imre Szabo rejected."
    twin = "Imre Szabo approved the refund that Dana Whitlock rejected."
    source = judged(twin, twin).source
    keep = ["Imre Szabo approved", "the refund"]
    assert twin_leaks(judged(text, text), source, keep) == []
    assert twin_leaks(judged(text, "Imre  Szabo approved it."), source, keep) == [
        "/notes/0: 'Imre Szabo approved' is the other text's"
    ]


def test_a_failed_answer_leaks() -> None:
    failed = judge('{"notes":', ONE, SCHEMA)
    assert twin_leaks(failed, judged(OTHER, OTHER).source)


BEFORE = "Ana Sand counted 40 boxes on 3 May."
AFTER = "Ana Sand counted 52 boxes on 3 May."


def test_an_edit_is_followed() -> None:
    found = edit_followed(judged(BEFORE, BEFORE), judged(AFTER, AFTER), "40", "52")
    assert found.followed
    assert found.changed == []


def test_each_verdict_fails_by_itself() -> None:
    before = judged(BEFORE, BEFORE)
    stale = edit_followed(before, judged(AFTER, BEFORE), "40", "52")
    assert (stale.new_there, stale.old_gone, stale.rest_unchanged) == (False, False, True)
    both = edit_followed(before, judged(AFTER, AFTER, "40 boxes before"), "40", "52")
    assert (both.new_there, both.old_gone) == (True, False)
    other = edit_followed(before, judged(AFTER, "Ana Sand counted 52 boxes."), "40", "52")
    assert (other.new_there, other.old_gone, other.rest_unchanged) == (True, True, False)
    assert other.changed == ["3 May"]


def test_slots_without_facts_are_found_by_their_letters() -> None:
    before, after = "The request was approved.", "The request was rejected."
    found = edit_followed(judged(before, before), judged(after, after), "approved", "rejected")
    assert found.followed
    stale = edit_followed(judged(before, before), judged(after, before), "approved", "rejected")
    assert not stale.new_there
    assert not stale.old_gone


def test_a_failed_answer_follows_no_edit() -> None:
    failed = judge("{", AFTER, SCHEMA)
    found = edit_followed(judged(BEFORE, BEFORE), failed, "40", "52")
    assert not any((found.new_there, found.old_gone, found.rest_unchanged))
