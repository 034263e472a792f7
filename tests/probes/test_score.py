"""What is wrong with an answer shows in its own column; what is no answer fails everywhere."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from probe_fakes import MEMORY, PROBES

from spokesmith.metrics import KINDS
from spokesmith.probes import Answer, Probe, report_document, score
from spokesmith.probes.document import ASPECTS
from spokesmith.probes.records import Edit
from spokesmith.tasks import Task, load_task
from spokesmith.tasks.scaffold import new_task

Change = Callable[[dict[str, Any]], Any]
NUMBER_OF_GOLDS = len(PROBES)


def golds(change: Change = lambda gold: gold) -> dict[str, Answer]:
    """Every probe answered by its gold, or by what `change` makes of it."""
    found: dict[str, Answer] = {}
    for probe in PROBES:
        changed = change(json.loads(json.dumps(probe.gold)))
        text = changed if isinstance(changed, str) else json.dumps(changed)
        found[probe.id] = Answer(id=probe.id, text=text, latency_s=0.5, completion_tokens=50)
    return found


def document_of(
    answers: dict[str, Answer], probes: list[Probe] = PROBES, **settings: Any
) -> dict[str, Any]:
    return report_document(
        score(probes, answers, MEMORY),
        set_name="gold",
        settings={"base": "b", "constrained": False, "max_tokens": 9, "set_hash": "h"},
        engine="answers",
        **settings,
    )


def entry_of(document: dict[str, Any], id: str) -> dict[str, Any]:
    (entry,) = [entry for entry in document["probes"] if entry["id"] == id]
    return entry


def changed(**fields: Any) -> Change:
    return lambda gold: {**gold, **fields}


def without_gist(gold: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in gold.items() if key != "gist"}


def flat_topics(gold: dict[str, Any]) -> dict[str, Any]:
    gold["structured_concepts"]["topics"] = ["soup", "cooking"]
    return gold


def all_of(number: int) -> dict[str, int]:
    return {"n": number, "of": NUMBER_OF_GOLDS}


def test_golds_are_right_in_everything() -> None:
    document = document_of(golds())
    totals = document["totals"]
    assert totals["valid"] == totals["passes"] == all_of(NUMBER_OF_GOLDS)
    assert set(totals["aspects"]) == set(ASPECTS)
    assert set(totals["fields"]) == set(MEMORY.schema["properties"])
    for count in (*totals["aspects"].values(), *totals["fields"].values()):
        assert count == all_of(NUMBER_OF_GOLDS)
    assert totals["categories"]["edge"] == {"n": 6, "of": 6, "passes": 6}
    kept = sum(len(probe.keep) for probe in PROBES)
    assert totals["must_keep"] == {"n": kept, "of": kept}
    assert totals["measures"]["HFR"]["value"] == 0
    assert totals["measures"]["XLEAK"] == {
        "value": 0.0, "interval_95": totals["measures"]["XLEAK"]["interval_95"], "n": 6,
    }  # fmt: skip
    assert totals["finish_reasons"] == {"stop": NUMBER_OF_GOLDS}
    assert totals["errors"] == {}
    assert (totals["median_latency_s"], totals["tokens_per_s"]) == (0.5, 100)
    assert [entry["id"] for entry in document["probes"]] == [probe.id for probe in PROBES]


@pytest.mark.parametrize(
    ("change", "aspect", "field"),
    [
        (without_gist, "keys", "gist"),
        (changed(gist=7), "types", "gist"),
        (changed(salience="0.3"), "types", "salience"),
        (changed(concepts="soup"), "types", "concepts"),
        (flat_topics, "sub_arrays", "structured_concepts"),
        (changed(outcome="maybe"), "enums", "outcome"),
        (changed(salience=1.5), "ranges", "salience"),
        (changed(gist="x" * 81), "lengths", "gist"),
    ],
)
def test_a_fault_of_form_shows_in_its_aspect_and_its_field(
    change: Change, aspect: str, field: str
) -> None:
    totals = document_of(golds(change))["totals"]
    assert totals["valid"]["n"] == totals["passes"]["n"] == 0
    assert totals["aspects"][aspect]["n"] == 0
    assert totals["aspects"]["json_valid"]["n"] == NUMBER_OF_GOLDS
    assert totals["fields"][field]["n"] == 0
    others = [count["n"] for name, count in totals["fields"].items() if name != field]
    assert set(others) == {NUMBER_OF_GOLDS}


FAILURES = [
    *(Answer(id="", text=text) for text in ("", "Sure!", '{"gist": "x"', "```json\n{}\n```")),
    Answer(id="", text="{}", finish_reason="length", problem="cut after 50 tokens"),
    Answer(id="", text="{}", finish_reason="timeout", problem="cut after 9 s"),
    Answer(id="", finish_reason="error", problem="no answer: HTTP 500: oh"),
    None,
]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_what_is_no_whole_answer_fails_everywhere(failure: Answer | None) -> None:
    answers = {probe.id: replace(failure, id=probe.id) for probe in PROBES} if failure else {}
    document = document_of(answers)
    totals = document["totals"]
    counts = [*totals["aspects"].values(), *totals["fields"].values(), totals["valid"]]
    assert counts == [all_of(0)] * 18
    assert totals["passes"]["n"] == totals["must_keep"]["n"] == 0
    measures = totals["measures"]
    worst = {"P": 0, "SC": 0, "HFR": 1, "HFR_inputs": 1, "TFR": 0, "XLEAK": 1, "MIN": 0}
    assert {name: measures[name]["value"] for name in worst} == worst
    assert measures["P"]["n"] == NUMBER_OF_GOLDS


def test_how_answers_ended_is_counted_by_reason() -> None:
    answers = golds()
    first, second, third, fourth = [probe.id for probe in PROBES[:4]]
    for id, code in ((first, "HTTP 500: a"), (second, "HTTP 500: b")):
        answers[id] = Answer(id=id, finish_reason="error", problem=f"no answer: {code}")
    answers[third] = Answer(id=third, text="{", finish_reason="length", problem="cut")
    del answers[fourth]
    totals = document_of(answers)["totals"]
    assert totals["errors"] == {
        "no answer: HTTP 500": 2, "cut": 1, "no answer: the file has none for this id": 1,
    }  # fmt: skip
    assert totals["finish_reasons"] == {"error": 3, "length": 1, "stop": NUMBER_OF_GOLDS - 4}
    assert totals["valid"]["n"] == NUMBER_OF_GOLDS - 4


def test_a_made_up_and_a_lost_number_fail_an_answer_that_is_valid() -> None:
    empty = {"gist": "", "summary": "", "content": "", "narrative": ""}

    def spoilt(gold: dict[str, Any]) -> dict[str, Any]:
        return {**gold, **empty, "summary": "It took 98765 ms."}

    entry = entry_of(document_of(golds(spoilt)), "latency-a")
    assert entry["valid"]
    assert not entry["passes"]
    texts = [one["text"] for one in entry["judgement"]["stated"] if one["source_span"] is None]
    assert texts == ["98765 ms"]
    assert not all(one["kept"] for one in entry["judgement"]["kept"])
    assert not all(entry["must_keep"].values())


def test_the_twins_answer_leaks() -> None:
    answers = golds()
    twins = {probe.id: probe.twin for probe in PROBES if probe.twin}
    swapped = answers | {id: replace(answers[twin], id=id) for id, twin in twins.items()}
    document = document_of(swapped)
    for id in twins:
        entry = entry_of(document, id)
        assert entry["leaks"]
        assert entry["valid"]
        assert not entry["passes"]
    assert document["totals"]["measures"]["XLEAK"]["value"] == 1


def test_a_twin_that_is_not_asked_for_still_tells_its_facts() -> None:
    (probe,) = [probe for probe in PROBES if probe.id == "refund-a"]
    assert probe.twin is not None
    answers = {probe.id: replace(golds()[probe.twin], id=probe.id)}
    (result,) = score([probe], answers, MEMORY, whole_set=PROBES).results
    assert result.leaks
    (result,) = score([probe], answers, MEMORY).results
    assert result.leaks is None


@pytest.fixture
def letter(tmp_path: Path) -> Task:
    """A task whose encodings are one subject."""
    schema = {
        "type": "object",
        "properties": {"subject": {"type": "string"}},
        "required": ["subject"],
        "additionalProperties": False,
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    return load_task(new_task(tmp_path / "letter", tmp_path / "schema.json").folder)


def subjects(**texts: str) -> dict[str, Answer]:
    return {id: Answer(id=id, text=json.dumps({"subject": text})) for id, text in texts.items()}


def test_keep_and_avoid_are_whole_words_anywhere_in_the_answer(letter: Task) -> None:
    probes = [
        Probe(id="a", text="Ann paid 40 euros.", keep=("40 euros", "Ann"), avoid=("Bob", "41"))
    ]

    def marks(subject: str) -> tuple[list[bool], list[bool]]:
        (result,) = score(probes, subjects(a=subject), letter).results
        return list(result.must_keep.values()), list(result.must_avoid.values())

    assert marks("Ann paid 40 euros to bobby, not 41.5") == ([True, True], [True, True])
    assert marks("Annual 140 euros by bob: 41") == ([False, False], [False, False])


@pytest.mark.parametrize(
    ("after", "followed"),
    [("Ann paid 90 euros", True), ("Ann paid 40 euros", False), ("Bob paid 90 euros", False)],
)
def test_an_edit_is_followed_or_not(letter: Task, after: str, followed: bool) -> None:
    edit = Edit(of="a", old="40", new="90")
    probes = [
        Probe(id="a", text="Ann paid 40 euros."),
        Probe(id="b", text="Ann paid 90 euros.", edit=edit),
    ]
    answers = subjects(a="Ann paid 40 euros", b=after)
    first, second = score(probes, answers, letter).results
    assert first.edit is None
    assert second.edit is not None
    assert second.edit.followed is followed
    (alone,) = score(probes[1:], answers, letter, whole_set=probes).results
    assert alone.edit is None


def test_an_aspect_that_the_schema_does_not_ask_for_is_undefined(letter: Task) -> None:
    report = score([Probe(id="a", text="a")], subjects(a="a"), letter)
    document = report_document(report, set_name="s", settings={}, engine="answers")
    assert document["totals"]["aspects"]["enums"] == {"n": 0, "of": 0}
    assert document["probes"][0]["judgement"]["has_rules"] is False


def test_the_document_is_json_and_says_how_it_was_made() -> None:
    document = document_of(golds(changed(gist=7)), left_out=2)
    assert json.loads(json.dumps(document)) == document
    assert (document["format"], document["task"], document["base"]) == (1, "memory", "b")
    assert document["left_out"] == 2
    assert document["made"]["engine"] == "answers"
    assert document["made"]["set_hash"] == "h"


def strings_of(value: Any) -> set[str]:
    """Every string of a JSON value, keys too."""
    if isinstance(value, dict):
        return set(value).union(*map(strings_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(strings_of, value))
    return {value} if isinstance(value, str) else set()


def test_without_contents_no_word_of_a_text_is_in_the_document() -> None:
    """Every string that stays is one of ours: it stands in a report on other texts too."""
    probes = [replace(probe, avoid=("98765",)) for probe in PROBES]
    spoilt = golds(changed(gist="x" * 90, secret="Quetzalcoatl"))
    spoilt[PROBES[0].id] = Answer(
        id=PROBES[0].id,
        finish_reason="error",
        problem="no answer: the body is not JSON: Quetzalcoatl",
    )
    fluent = golds(changed(summary="Quetzalcoatl paid 98765 euros", salience=0.77))
    ours = {"(left out)", "", "fact 1", "no answer: the body is not JSON", *KINDS}
    ours |= strings_of(document_of({})["totals"])
    empty = replace(PROBES[0], id="e", text="e", keep=(), category="e")
    answered = {"e": Answer(id="e", text=json.dumps({**(PROBES[0].gold or {}), "gist": "9 ms"}))}
    ours |= set().union(*(_keys(one) for one in document_of(answered, [empty])["probes"]))
    ours |= _keys(document_of({}))
    for given in (spoilt, fluent):
        bare = document_of(given, probes, without_contents=True)
        full = document_of(given, probes)
        names = {name for probe in PROBES for name in (probe.id, probe.category)}
        left = strings_of([bare["probes"], bare["totals"]]) - ours - names
        assert {one for one in left if not one.startswith("fact ")} <= {"stop", "error"}
        assert bare["totals"]["measures"] == full["totals"]["measures"]
        verdicts = [[entry["passes"] for entry in one["probes"]] for one in (bare, full)]
        assert verdicts[0] == verdicts[1]
        assert all(entry["source"] is entry["answer"] is None for entry in bare["probes"])


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()
