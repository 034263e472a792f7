"""What a person reads on a terminal: totals, failures, an explanation, a comparison."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from probe_fakes import MEMORY, PROBES
from rich.console import Console

from spokesmith.probes import Answer, Probe, report_document, score
from spokesmith.probes.compare import compare, comparison_tables
from spokesmith.probes.explain import explanation, probe_entry
from spokesmith.probes.tables import failures_table, shown, summary_lines, totals_tables

SETTINGS = {"constrained": False, "max_tokens": 9, "set_hash": "h"}


def rendered(*parts: Any, width: int = 100) -> str:
    console = Console(width=width, record=True, file=None, quiet=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


def gold_answers(**changes: Any) -> dict[str, Answer]:
    """Golds, with other answers for the ids in `changes` (with _ for -): a text, or fields."""
    found = {probe.id: Answer(id=probe.id, text=json.dumps(probe.gold)) for probe in PROBES}
    golds = {probe.id: probe.gold or {} for probe in PROBES}
    for name, change in changes.items():
        id = name.replace("_", "-")
        text = change if isinstance(change, str) else json.dumps({**golds[id], **change})
        found[id] = Answer(id=id, text=text)
    return found


def document_of(
    answers: dict[str, Answer], probes: list[Probe] = PROBES, **settings: Any
) -> dict[str, Any]:
    return report_document(
        score(probes, answers, MEMORY),
        set_name="gold",
        settings={**SETTINGS, **settings},
        engine="answers",
    )


SPOILT = gold_answers(
    one_token="[bold]", recipe={"summary": "Simmer for 98765 minutes."}, emoji={"gist": "x" * 99}
)


def test_totals_say_value_interval_and_n_in_a_hundred_columns() -> None:
    lines = rendered(*totals_tables(document_of(SPOILT))).splitlines()
    assert max(map(len, lines)) <= 100
    row = next(line for line in lines if " SC " in line)
    assert "92.0%" in row
    assert " 25 " in row
    assert any("field gist" in line and "23/25" in line for line in lines)
    assert any("category minimal" in line and "2/3" in line for line in lines)
    assert not any("field summary" in line or "CFS" in line for line in lines)


def test_failures_stand_first_with_their_first_problem() -> None:
    lines = rendered(failures_table(document_of(SPOILT))).splitlines()
    rows = [line for line in lines if line.startswith("│") and line[2] != " "]
    assert {row.split()[1] for row in rows[:2]} == {"one-token", "emoji"}
    assert rows[2].split()[1] == "recipe"
    assert "not one JSON value" in "".join(rows[:2])
    assert "98765 minutes" in rows[2]
    assert len(rows) == 25


def test_of_many_probes_only_failures_are_listed() -> None:
    probes = [replace(PROBES[0], id=f"p{number}") for number in range(100)]
    answers = {
        probe.id: Answer(id=probe.id, text="no" if number < 50 else json.dumps(probe.gold))
        for number, probe in enumerate(probes)
    }
    text = rendered(failures_table(document_of(answers, probes)))
    assert "p39" in text
    assert "p40" not in text
    assert "p99" not in text
    assert "and 10 more that fail" in text
    passing = document_of(dict.fromkeys(answers, answers["p60"]), probes)
    assert rendered(failures_table(passing)) == "all 100 probes pass\n"


def test_words_of_an_answer_are_neither_markup_nor_control_codes() -> None:
    answers = gold_answers(recipe={"[/red]\x1b[2J": 1}, law="\x1b[2J\ud800")
    document = document_of(answers)
    text = rendered(failures_table(document), explanation(probe_entry(document, "law")))
    assert "[/red]" in text
    assert "␛[2J\ufffd" in text
    assert "\x1b" not in text
    assert shown("a\r\x1b\x9b\ud800\n") == "a␍␛\ufffd\ufffd\n"


def test_the_summary_names_what_is_missing_and_why() -> None:
    assert summary_lines(document_of(gold_answers())) == []
    refused = {
        probe.id: Answer(
            id=probe.id, finish_reason="error", problem="no answer: cannot reach x", reached=False
        )
        for probe in PROBES
    }
    lines = summary_lines(document_of(refused, url="http://x"))
    assert lines[0] == "http://x could not be reached: every probe failed"
    assert "25 of 25 probes: no answer: cannot reach x (25)" in lines[1]


def test_an_explanation_marks_every_fact_and_names_every_problem() -> None:
    answers = gold_answers(recipe={"summary": "Simmer for 98765 minutes.", "content": ""})
    entry = probe_entry(document_of(answers), "recipe")
    text = rendered(explanation(entry), width=160)
    assert "valid: yes, passes: no" in text
    assert "/summary  Simmer for 98765 minutes." in text
    assert "98765 minutes" in text.split("facts of the text that are lost")[0].split("┃")[-1]
    for one in entry["judgement"]["kept"]:
        if not one["kept"]:
            assert f"  {one['kind']} {one['text']}" in text
    assert "does not keep '3 days'" in text


def test_spans_are_marked_where_they_stand() -> None:
    source = "At 05:10 Ann\rpaid 40 euros."
    probe = Probe(id="a", text=source)
    answers = {"a": Answer(id="a", text=json.dumps({**(PROBES[0].gold or {}), "gist": source}))}
    entry = probe_entry(document_of(answers, [probe]), "a")
    console = Console(width=200, force_terminal=True, file=io.StringIO(), record=True)
    console.print(explanation(entry))
    html = console.export_html(inline_styles=True)
    assert "underline" in html
    marked = [part.split("</span>")[0] for part in html.split("underline")[1:]]
    assert any(part.endswith("40 euros") for part in marked)


def test_an_answer_that_is_no_json_is_explained_too() -> None:
    text = rendered(
        explanation(probe_entry(document_of(gold_answers(recipe="Sure! {[bold]")), "recipe"))
    )
    assert "Sure! {[bold]" in text
    assert "not one JSON value" in text
    assert "(nothing)" in rendered(explanation(probe_entry(document_of({}), "recipe")))


def test_what_a_report_does_not_hold_cannot_be_explained() -> None:
    document = document_of(gold_answers())
    with pytest.raises(ValueError, match="no probe 'zz'"):
        probe_entry(document, "zz")
    document["probes"][0]["source"] = None
    with pytest.raises(ValueError, match="without contents"):
        probe_entry(document, PROBES[0].id)


def test_a_comparison_says_which_probes_flipped_and_whether_it_is_chance() -> None:
    good = document_of(gold_answers())
    bad = document_of(SPOILT)
    found = compare(good, bad, names=("good", "bad"))
    assert json.loads(json.dumps(found)) == found
    assert found["warnings"] == []
    assert found["in_both"] == 25
    passes, valid = found["paired"]["passes"], found["paired"]["valid"]
    assert set(passes["only_first"]) == {"one-token", "recipe", "emoji"}
    assert passes["only_second"] == []
    assert passes["p"] == 0.25
    assert passes["holds"] == [25, 22]
    assert set(valid["only_first"]) == {"one-token", "emoji"}
    assert [one["value"] for one in found["measures"]["SC"]] == [1.0, 0.92]
    text = rendered(*comparison_tables(found))
    assert "recipe" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_comparison_warns_of_other_sets_and_settings() -> None:
    good = document_of(gold_answers())
    other = document_of(gold_answers(), PROBES[5:], max_tokens=10, set_hash="z")
    other["probes"][0]["source"] = "another text"
    found = compare(good, other, names=("a", "b"))
    assert found["in_both"] == 19
    assert found["only_in_one"] == [6, 1]
    assert "max_tokens differs: 9 and 10" in found["warnings"]
    assert "the set is not the same in both" in found["warnings"]
    assert any("only 19 probes are in both" in warning for warning in found["warnings"])


def test_a_comparison_warns_where_one_was_held_to_its_text() -> None:
    plain = document_of(gold_answers(), constrained=True, verbatim=None)
    held = document_of(gold_answers(), constrained=True, verbatim=["/gist"])
    warnings = compare(plain, held, names=("a", "b"))["warnings"]
    assert warnings == ["verbatim differs: None and ['/gist']"]
    before = document_of(gold_answers(), constrained=True)
    assert compare(plain, before, names=("a", "b"))["warnings"] == []


@pytest.mark.parametrize(
    ("constrained", "decoding"),
    [(True, "constrained"), (False, "free"), (None, "unknown decoding")],
)
def test_totals_name_the_decoding(constrained: bool | None, decoding: str) -> None:
    text = rendered(*totals_tables(document_of(gold_answers(), constrained=constrained)))
    assert f"memory, gold, {decoding}" in text
