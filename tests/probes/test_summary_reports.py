"""A summary keeps every verdict and value of a report, and no text and no fact that is right."""

import json
from typing import Any

import pytest
from probe_fakes import MEMORY, PROBES

from spokesmith.metrics.report_document import made_up
from spokesmith.probes import Answer, report_document, score
from spokesmith.probes.compare import compare
from spokesmith.probes.explain import probe_entry
from spokesmith.probes.tables import lost

SPOILT = {
    "recipe": {"summary": "Simmer for 98765 minutes, said Bartholomew Quux."},
    "law": {"content": "", "gist": "", "summary": "", "narrative": ""},
}


def document_of(**form: bool) -> dict[str, Any]:
    golds = {probe.id: {**(probe.gold or {}), **SPOILT.get(probe.id, {})} for probe in PROBES}
    answers = {id: Answer(id=id, text=json.dumps(gold)) for id, gold in golds.items()}
    answers["emoji"] = Answer(id="emoji", text="Sure! ...")
    return report_document(
        score(PROBES, answers, MEMORY),
        set_name="gold",
        settings={"constrained": False},
        engine="answers",
        **form,
    )


def test_verdicts_values_and_totals_stay() -> None:
    whole, summary = document_of(), document_of(summary=True)
    assert summary["totals"] == whole["totals"] | {"repeated_sixgrams": {}}
    for one, other in zip(summary["probes"], whole["probes"], strict=True):
        for name in ("id", "category", "valid", "passes", "finish_reason", "classical", "twin"):
            assert one[name] == other[name]
        for name in ("fabrication", "recall", "numbers_kept", "bind", "soft", "failed", "passes"):
            assert one["judgement"][name] == other["judgement"][name]
        fields = other["judgement"]["compliance"]["fields"]
        assert one["judgement"]["compliance"]["fields"] == fields
        assert len(made_up(one)) == len(made_up(other))
        assert len(lost(one)) == len(lost(other))
    assert compare(whole, summary, names=("a", "b"))["paired"]["passes"]["p"] == 1.0


def test_texts_and_right_facts_are_gone() -> None:
    whole, summary = document_of(), document_of(summary=True)
    written = json.dumps(summary, ensure_ascii=False)
    assert len(written) < len(json.dumps(whole, ensure_ascii=False)) / 4
    for words in ("98765", "Bartholomew", "Sure!", "split peas"):
        assert words not in written
    long = [text for entry in whole["probes"] if len(text := entry["source"].strip()) > 40]
    assert len(long) > 15
    assert not [text for text in long if text[:40] in written]
    stated = [one for entry in summary["probes"] for one in entry["judgement"]["stated"]]
    assert stated
    assert all(one["source_span"] is None for one in stated)
    with pytest.raises(ValueError, match="without contents"):
        probe_entry(summary, "recipe")
