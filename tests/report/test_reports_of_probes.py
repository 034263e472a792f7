"""The pages of what the probes write: real verdicts on gold encodings, whole and spoilt."""

import json
from functools import cache
from typing import Any

import pytest
from report_documents import Elements

from spokesmith.probes import Answer, load_probes, report_document, score
from spokesmith.report import page, results_page
from spokesmith.tasks import load_task

SETTINGS = {"base": "tiny", "constrained": False, "max_tokens": 1024}


@cache
def made(*, without_contents: bool = False) -> dict[str, Any]:
    """The report on gold answers of which every third makes things up and every fifth is cut."""
    task = load_task("memory")
    probes = load_probes(task.probes_path)
    answers: dict[str, Answer] = {}
    for place, probe in enumerate(probes):
        gold = dict(probe.gold or {})
        if place % 3 == 1:
            gold["summary"] += " As Bartholomew Quux said, it took 98765 ms."
        text = json.dumps(gold, ensure_ascii=False)
        cut = {"text": text[:40], "finish_reason": "length", "problem": "cut after 9 tokens"}
        answers[probe.id] = Answer(id=probe.id, **(cut if place % 5 == 2 else {"text": text}))
    return report_document(
        score(probes, answers, task),
        set_name="gold",
        settings=SETTINGS,
        engine="answers",
        without_contents=without_contents,
    )


def test_every_made_up_and_lost_fact_of_the_verdicts_is_marked() -> None:
    document = made()
    found = Elements(page(document))
    verdicts = [probe["judgement"] for probe in document["probes"]]
    made_up = [
        fact["text"]
        for verdict in verdicts
        for fact in verdict["stated"]
        if fact["source_span"] is None
    ]
    # A quotation of one name is two facts in one place, and one mark in the source.
    lost = [
        text
        for verdict in verdicts
        for text in {
            tuple(fact["span"]): fact["text"] for fact in verdict["kept"] if not fact["kept"]
        }.values()
    ]
    assert len(made_up) >= 10
    assert len(lost) >= 10
    assert sorted(found.text_of("span", "bad")[1:]) == sorted(made_up)
    assert sorted(found.text_of("mark", "lost")[1:]) == sorted(lost)


def test_links_resolve_and_ids_are_unique() -> None:
    found = Elements(page(made()))
    ids = found.ids()
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in found.targets()} <= set(ids)
    assert len(found.text_of("a", "ok")) > 200


def test_a_page_without_contents_holds_no_words_of_texts_and_answers() -> None:
    html = page(made(without_contents=True))
    assert "The texts are not part of this report" in html
    shown = " ".join(Elements(html).texts)
    assert "98765" not in shown
    for probe in made()["probes"]:
        for fact in probe["judgement"]["kept"]:
            if len(fact["text"]) > 8:
                assert fact["text"] not in shown


def test_classical_measures_are_shown_where_a_document_has_them() -> None:
    strict, published = Elements(page(made())).text_of("table", "measures")
    assert "entity preservation" in published
    assert "entity preservation" not in strict
    tables = Elements(results_page({"free": made()})).text_of("table", "overview")
    assert ["EPRFRNP" in table for table in tables] == [False, True]
    totals = {name: one for name, one in made()["totals"].items() if name != "classical"}
    old = made() | {"totals": totals}
    assert len(Elements(page(old)).text_of("table", "measures")) == 1
    both = results_page({"free": old, "constrained": made() | {"constrained": True}})
    assert len(Elements(both).text_of("table", "overview")) == 2
    assert "lassical" not in results_page({"free": old})


@pytest.mark.parametrize("without_contents", [False, True])
def test_the_overview_takes_both(without_contents: bool) -> None:
    free = made(without_contents=without_contents)
    html = results_page({"free": free, "constrained": free | {"constrained": True}})
    (table,) = Elements(html).text_of("table", "compared")
    assert table.split("p\n")[1].strip().startswith(f"gold{len(free['probes'])}")
