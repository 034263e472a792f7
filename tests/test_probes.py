"""Probes run through a fake engine: what is wrong with an answer shows in its own column."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from spokesmith.metrics import wilson_interval
from spokesmith.probes import (
    ASPECTS,
    Probe,
    ProbeReport,
    ProbeResult,
    load_probes,
    probe_table,
    run_probes,
    totals_table,
)
from spokesmith.tasks import Message, load_task
from spokesmith.tasks.scaffold import new_task

MEMORY = load_task("memory")
PROBES = load_probes(MEMORY.probes_path)


@dataclass(frozen=True)
class Usage:
    prompt_tokens: int = 300
    completion_tokens: int = 50


@dataclass(frozen=True)
class Timing:
    total_s: float = 0.5


@dataclass(frozen=True)
class Answer:
    text: str
    finish_reason: str = "stop"
    usage: Usage = Usage()
    timing: Timing = Timing()


class FakeEngine:
    """Answers every probe with its gold, or with what `change` makes of it."""

    def __init__(self, change: Callable[[dict[str, Any]], Any] = lambda gold: gold) -> None:
        self.golds = {probe.text.strip(): probe.gold for probe in PROBES}
        self.change = change
        self.calls: list[dict[str, Any]] = []

    def __call__(
        self, messages: list[Message], schema: dict[str, Any] | None = None, **sampling: Any
    ) -> Answer:
        self.calls.append({"messages": messages, "schema": schema, **sampling})
        gold = json.loads(json.dumps(self.golds[messages[-1]["content"]]))
        changed = self.change(gold)
        return changed if isinstance(changed, Answer) else Answer(json.dumps(changed))


def run(engine: Any, probes: list[Probe] = PROBES, **settings: Any) -> ProbeReport:
    return run_probes(
        probes, MEMORY, engine, **{"constrained": False, "max_tokens": 900, **settings}
    )


def changed(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda gold: {**gold, **fields}


def without_gist(gold: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in gold.items() if key != "gist"}


def flat_topics(gold: dict[str, Any]) -> dict[str, Any]:
    gold["structured_concepts"]["topics"] = ["soup", "cooking"]
    return gold


def rendered(table: Any) -> str:
    console = Console(width=200, record=True, quiet=True)
    with console.capture() as capture:
        console.quiet = False
        console.print(table)
    return capture.get()


def test_golds_pass_in_everything() -> None:
    report = run(FakeEngine())
    totals = report.totals()
    assert [result.problems for result in report.results] == [[]] * 25
    assert totals["valid"] == {"n": 25, "of": 25}
    assert set(totals["aspects"]) == set(ASPECTS)
    assert set(totals["fields"]) == set(MEMORY.schema["properties"])
    for count in (*totals["aspects"].values(), *totals["fields"].values()):
        assert count == {"n": 25, "of": 25}
    assert totals["categories"]["edge"] == {"n": 6, "of": 6}
    assert totals["kept"]["n"] == totals["kept"]["of"] == sum(len(one.keep) for one in PROBES)
    assert totals["twins_differ"] == {"n": 3, "of": 3}
    assert totals["cut"] == {"n": 0, "of": 25}
    assert totals["valid_interval_95"][0] == pytest.approx(0.867, abs=0.001)


def test_the_engine_is_asked_as_the_task_says_and_in_order() -> None:
    engine = FakeEngine()
    seen: list[str] = []
    run(engine, on_result=lambda result: seen.append(result.probe.id))
    assert seen == [probe.id for probe in PROBES]
    first = {"messages": MEMORY.messages(PROBES[0].text), "schema": None, "max_tokens": 900}
    assert engine.calls[0] == first
    run(engine, constrained=True)
    assert engine.calls[-1]["schema"] is MEMORY.schema


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
def test_a_fault_shows_in_its_aspect_and_its_field(
    change: Callable[[dict[str, Any]], Any], aspect: str, field: str
) -> None:
    totals = run(FakeEngine(change)).totals()
    assert totals["valid"] == {"n": 0, "of": 25}
    assert totals["aspects"][aspect]["n"] == 0
    assert totals["aspects"]["json_valid"]["n"] == 25
    assert totals["fields"][field]["n"] == 0
    others = [count["n"] for name, count in totals["fields"].items() if name != field]
    assert others == [25] * 9


def test_an_unknown_key_fails_the_keys() -> None:
    totals = run(FakeEngine(changed(mood="calm"))).totals()
    assert totals["valid"]["n"] == 0
    assert totals["aspects"]["keys"]["n"] == 0


@pytest.mark.parametrize("text", ["", "Sure!", '{"gist": "x"', "```json\n{}\n```"])
def test_an_answer_that_is_no_json_fails_everywhere(text: str) -> None:
    report = run(FakeEngine(lambda gold: Answer(text)))
    totals = report.totals()
    counts = [*totals["aspects"].values(), *totals["fields"].values(), totals["valid"]]
    assert counts == [{"n": 0, "of": 25}] * 18
    assert totals["kept"]["n"] == 0
    assert totals["twins_differ"] == {"n": 0, "of": 3}
    assert all(result.problems for result in report.results)


def test_a_cut_answer_fails_even_where_what_stands_there_is_whole() -> None:
    report = run(FakeEngine(lambda gold: Answer(json.dumps(gold), finish_reason="length")))
    totals = report.totals()
    counts = [*totals["aspects"].values(), *totals["fields"].values(), totals["valid"]]
    assert counts == [{"n": 0, "of": 25}] * 18
    assert totals["cut"] == {"n": 25, "of": 25}
    assert totals["kept"]["n"] == 0
    assert report.results[0].problems == ["cut after 50 tokens"]
    assert report.results[0].text.startswith('{"gist"')


@pytest.mark.parametrize("error", [ValueError, RuntimeError, TimeoutError])
def test_an_engine_that_fails_counts_as_a_failure(error: type[Exception]) -> None:
    def refuse(gold: dict[str, Any]) -> Any:
        if gold["gist"] == "ok":
            raise error("no reply")
        return gold

    report = run(FakeEngine(refuse))
    totals = report.totals()
    assert totals["valid"] == {"n": 24, "of": 25}
    assert all(count == {"n": 24, "of": 25} for count in totals["fields"].values())
    [failed] = [result for result in report.results if not result.valid]
    assert failed.problems == [f"no answer: {error.__name__}: no reply"]
    assert failed.finish_reason == "error"
    assert failed.latency_s >= 0
    assert failed.tokens_per_s is None
    assert totals["tokens_per_s"] == 100


def test_a_fault_of_the_program_is_not_hidden() -> None:
    def broken(gold: dict[str, Any]) -> Any:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        run(FakeEngine(broken))


def test_facts_are_counted_wherever_a_string_holds_them() -> None:
    probes = [probe for probe in PROBES if probe.id == "latency-a"]
    empty = {"gist": "", "summary": "", "content": "", "narrative": ""}

    def bare(gold: dict[str, Any]) -> dict[str, Any]:
        gold["structured_concepts"]["entities"] = []
        return {**gold, **empty}

    assert run(FakeEngine(bare), probes).results[0].kept == 0
    [result] = run(FakeEngine(changed(**empty)), probes).results
    assert result.to_json()["kept"] == {"n": 3, "of": 4}


def test_twins_with_one_answer_do_not_differ() -> None:
    same = PROBES[0].gold
    totals = run(FakeEngine(lambda gold: same)).totals()
    assert totals["twins_differ"] == {"n": 0, "of": 3}
    assert totals["valid"]["n"] == 25


def test_latency_and_speed_are_the_engines_own() -> None:
    times = iter([1.0, 2.0, 6.0])
    engine = FakeEngine(lambda gold: Answer(json.dumps(gold), timing=Timing(next(times))))
    report = run(engine, PROBES[:3])
    assert [result.latency_s for result in report.results] == [1.0, 2.0, 6.0]
    assert report.results[1].tokens_per_s == 25
    assert report.totals()["median_latency_s"] == 2.0
    assert report.totals()["tokens_per_s"] == pytest.approx(150 / 9)


def test_the_report_is_json() -> None:
    document = run(FakeEngine(changed(gist=7))).to_json()
    assert json.loads(json.dumps(document)) == document
    assert (document["task"], document["constrained"], document["max_tokens"]) == (
        "memory", False, 900,
    )  # fmt: skip
    assert len(document["probes"]) == 25
    assert document["probes"][0]["fields"]["gist"] is False
    assert {"ids": ["latency-a", "latency-b"], "differ": True} in document["twins"]


def test_an_aspect_that_the_schema_does_not_ask_for_is_undefined(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"subject": {"type": "string"}},
        "required": ["subject"],
        "additionalProperties": False,
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    task = load_task(new_task(tmp_path / "letter", tmp_path / "schema.json").folder)

    def complete(messages: list[Message], schema: Any = None, **sampling: Any) -> Answer:
        text = messages[-1]["content"]
        return Answer(json.dumps({"subject": text}), "length" if text == "b" else "stop")

    probes = [Probe(id="a", text="a"), Probe(id="b", text="b")]
    totals = run_probes(probes, task, complete, constrained=False, max_tokens=9).totals()
    assert totals["aspects"]["types"] == {"n": 1, "of": 2}
    assert totals["aspects"]["enums"] == {"n": 0, "of": 0}
    assert totals["fields"] == {"subject": {"n": 1, "of": 2}}


def test_no_probes_are_no_averages() -> None:
    report = run(FakeEngine(), [])
    totals = report.totals()
    assert totals["valid"] == {"n": 0, "of": 0}
    assert totals["valid_interval_95"] is None
    assert totals["median_latency_s"] is None
    assert totals["tokens_per_s"] is None
    assert "0/0" in rendered(totals_table(report))


def test_the_tables_show_faults_and_counts() -> None:
    def break_one(gold: dict[str, Any]) -> Any:
        return Answer("[bold]", finish_reason="stop") if gold["gist"] == "ok" else gold

    report = run(FakeEngine(break_one))
    rows = rendered(probe_table(report)).splitlines()
    [row] = [row for row in rows if "one-token" in row]
    assert " no " in row
    assert "0/10" in row
    [row] = [row for row in rows if "recipe" in row]
    assert " yes " in row
    assert "6/6" in row
    totals = rendered(totals_table(report))
    assert "24/25" in totals
    assert "field salience" in totals
    assert "category minimal" in totals
    assert "0.50 s median latency" in totals


def test_a_problem_with_brackets_is_shown_as_it_is() -> None:
    result = ProbeResult(
        probe=Probe(id="a", text="x"),
        valid=False,
        aspects={},
        fields={},
        problems=["concepts[0] is [/red]"],
        finish_reason="stop",
        latency_s=0.0,
        completion_tokens=3,
        kept=0,
        text="",
        encoding=None,
    )
    report = ProbeReport(task="memory", constrained=True, max_tokens=9, results=[result])
    assert "concepts[0] is [/red]" in rendered(probe_table(report))
    assert result.tokens_per_s is None


@pytest.mark.parametrize("total", [1, 7, 25, 400])
def test_the_interval_holds_the_share_and_solves_its_equation(total: int) -> None:
    for count in {0, 1, total // 2, total}:
        low, high = wilson_interval(count, total) or (math.nan, math.nan)
        assert 0 <= low <= count / total <= high <= 1
        for bound in (low, high):
            if 0 < bound < 1:
                spread = math.sqrt(bound * (1 - bound) / total)
                assert abs(count / total - bound) == pytest.approx(1.959964 * spread)


def test_probes_are_loaded_with_their_defaults(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n\n{"id": "b", "text": "9 ms", "keep": ["9 ms"]}\n')
    first, second = load_probes(path)
    assert first == Probe(id="a", text="x", category="other", keep=(), twin=None, gold=None)
    assert second.keep == ("9 ms",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"id": "a", "text": "x"}\nnot json\n', r"probes\.jsonl, line 2 is not JSON"),
        ('{"id": "a"}\n{"id": "b"}\n', r"probes\.jsonl, line 1: text is None.*\(and 1 more\)"),
    ],
)
def test_a_bad_line_names_file_line_and_reason(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "probes.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match=reason):
        load_probes(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*none\.jsonl"):
        load_probes(tmp_path / "none.jsonl")
