"""The classical measures stand beside the strict ones, per probe and in the totals."""

import json
from pathlib import Path
from typing import Any

import pytest
from probe_fakes import MEMORY, PROBES
from rich.console import Console

from spokesmith.metrics.classical import ClassicalRecord, classical, measures_of
from spokesmith.metrics.explanations import CLASSICAL
from spokesmith.probes import Answer, Probe, load_set, report_document, score
from spokesmith.probes.compare import compare, comparison_tables
from spokesmith.probes.tables import totals_tables
from spokesmith.tasks import Task, load_task
from spokesmith.tasks.scaffold import new_task

UNREADABLE = "law"


def gold_answers() -> dict[str, Answer]:
    """Golds, but one answer that is no JSON and one with an invented person."""
    golds = {probe.id: dict(probe.gold or {}) for probe in PROBES}
    golds["recipe"]["summary"] = "Then Bartholomew Quux simmered it."
    texts = {id: json.dumps(gold) for id, gold in golds.items()} | {UNREADABLE: "Sure! ..."}
    return {id: Answer(id=id, text=text) for id, text in texts.items()}


def document_of(
    answers: dict[str, Answer], probes: list[Probe] = PROBES, task: Task = MEMORY, **more: Any
) -> dict[str, Any]:
    settings = {"constrained": False}
    return report_document(
        score(probes, answers, task), set_name="gold", settings=settings, engine="answers", **more
    )


@pytest.mark.parametrize("without_contents", [False, True])
def test_every_probe_and_the_totals_have_them(without_contents: bool) -> None:
    answers = gold_answers()
    document = document_of(answers, without_contents=without_contents)
    records = [
        ClassicalRecord(
            id=probe.id,
            source=probe.text,
            answer=answers[probe.id].text,
            minimal=len(probe.text.split()) <= 5,
            twin=probe.twin,
        )
        for probe in PROBES
        if probe.id != UNREADABLE
    ]
    found = {entry["id"]: entry["classical"] for entry in document["probes"]}
    assert found == {one.id: measures_of(one) for one in records} | {UNREADABLE: None}
    assert found["recipe"]["FR"] > 0
    totals = document["totals"]["classical"]
    assert totals == classical(records)
    assert list(totals) == list(CLASSICAL)
    # An unreadable answer leaves the classical averages and fails the strict ones.
    assert totals["EPR"]["n"] == len(PROBES) - 1
    assert document["totals"]["measures"]["P"]["n"] == len(PROBES)
    low, high = totals["EPR"]["interval_95"]
    assert low <= totals["EPR"]["value"] <= high


def test_twins_are_compared_where_a_set_has_them() -> None:
    twins = load_set("twins", MEMORY).probes[:4]
    gold = json.dumps(PROBES[0].gold)
    document = document_of({one.id: Answer(id=one.id, text=gold) for one in twins}, twins)
    assert document["totals"]["classical"]["CCS"] == {
        "value": 0.0,
        "interval_95": pytest.approx([0.0, 0.658], abs=1e-3),
        "n": 2,
    }


def test_another_task_has_none(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"subject": {"type": "string", "maxLength": 40}},
        "required": ["subject"],
        "additionalProperties": False,
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    task = load_task(new_task(tmp_path / "letter", tmp_path / "schema.json").folder)
    answers = {PROBES[0].id: Answer(id=PROBES[0].id, text='{"subject": "x"}')}
    document = document_of(answers, PROBES[:1], task)
    assert "classical" not in document["totals"]
    assert "classical" not in document["probes"][0]
    assert "classical" not in rendered(*totals_tables(document))


def rendered(*parts: Any) -> str:
    console = Console(width=100)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


def test_tables_and_comparisons_show_them() -> None:
    document = document_of(gold_answers())
    text = rendered(*totals_tables(document))
    strict, published = text.split(" classical ")
    assert all(f"│ {name} " in published for name in CLASSICAL)
    assert "EPR" not in strict
    assert max(map(len, text.splitlines())) <= 100
    golds = {probe.id: Answer(id=probe.id, text=json.dumps(probe.gold)) for probe in PROBES}
    found = compare(document, document_of(golds), names=("a", "b"))
    assert [one["n"] for one in found["measures"]["classical FR"]] == [24, 25]
    assert found["measures"]["classical FR"][0]["value"] > 0
    assert "classical EPR" in rendered(*comparison_tables(found))
