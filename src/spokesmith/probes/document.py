"""The report document: the scores of a probe set as one JSON value.

The tables, the web page, `--explain` and `--compare` all read it. Without contents it holds no word
of a text or an answer, so that it may be passed on where they may not; a summary holds of the facts
only those that are wrong or lost, without their words.
"""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spokesmith import __version__
from spokesmith.metrics import KINDS, is_minimal, summarise, wilson_interval
from spokesmith.metrics.classical import ClassicalRecord, classical, measures_of
from spokesmith.metrics.report_document import FORMAT
from spokesmith.probes.score import ProbeReport, ProbeResult

ASPECTS = ("json_valid", "keys", "types", "sub_arrays", "enums", "ranges", "lengths")
LEFT_OUT = "(left out)"
TOP_SETTINGS = ("base", "spokes", "url", "constrained", "max_tokens", "time_limit_s")


def report_document(
    report: ProbeReport,
    *,
    set_name: str,
    settings: Mapping[str, Any],
    engine: str,
    left_out: int = 0,
    without_contents: bool = False,
    summary: bool = False,
) -> dict[str, Any]:
    """The whole report as values that `json.dumps` takes.

    Beside the strict measures stand the classical ones of the built-in task: of each probe, None
    where its answer is unreadable, and in the totals.

    Args:
        set_name: what the set was called.
        settings: what the answers depend on; those of `TOP_SETTINGS` stand at the top.
        engine: what answered: `local`, `llama.cpp`, `http` or `answers`.
        left_out: how many lines of the set were bad.
        without_contents: leave out every word of texts and answers.
        summary: leave out also all facts that are right: verdicts and values remain.
    """
    records = [_classical_record(result) for result in report.results]
    rest = {name: value for name, value in settings.items() if name not in TOP_SETTINGS}
    rest.pop("task", None)
    entries = [_entry(result) for result in report.results]
    totals = _totals(report.results)
    # The classical measures know the fields of a memory only, as its field rules do.
    if all(result.judgement.has_rules for result in report.results):
        totals["classical"] = classical(records)
        for entry, record in zip(entries, records, strict=True):
            entry["classical"] = measures_of(record)
    if summary:
        entries = [_without_right_facts(entry) for entry in entries]
    if summary or without_contents:
        entries = [_without_contents(entry) for entry in entries]
        totals["repeated_sixgrams"] = {}
    return {
        "format": FORMAT,
        "task": report.task,
        "set": set_name,
        **{name: settings.get(name) for name in TOP_SETTINGS},
        "made": {"engine": engine, "spokesmith": __version__, **rest},
        "left_out": left_out,
        "probes": entries,
        "totals": totals,
    }


def _classical_record(result: ProbeResult) -> ClassicalRecord:
    probe = result.probe
    return ClassicalRecord(
        id=probe.id,
        source=probe.text,
        answer=result.answer.text,
        minimal=is_minimal(probe.text),
        twin=probe.twin,
    )


def _entry(result: ProbeResult) -> dict[str, Any]:
    probe, answer = result.probe, result.answer
    edit = None
    if probe.edit is not None:
        verdict = result.edit
        edit = {
            "of": probe.edit.of,
            "old": probe.edit.old,
            "new": probe.edit.new,
            "followed": None if verdict is None else verdict.followed,
            "new_there": None if verdict is None else verdict.new_there,
            "old_gone": None if verdict is None else verdict.old_gone,
            "changed": None if verdict is None else verdict.changed,
        }
    return {
        "id": probe.id,
        "category": probe.category,
        "source": probe.text,
        "answer": answer.text,
        "finish_reason": answer.finish_reason,
        "problem": answer.problem,
        "latency_s": answer.latency_s,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "judgement": result.judgement.to_json(),
        "must_keep": result.must_keep,
        "must_avoid": result.must_avoid,
        "twin": probe.twin,
        "leaks": result.leaks,
        "edit": edit,
        "valid": result.valid,
        "passes": result.passes,
    }


def _totals(results: Sequence[ProbeResult]) -> dict[str, Any]:
    """Measures with intervals; counts as {"n", "of"}; how answers ended, latency and speed."""
    compliances = [result.judgement.compliance for result in results]
    valid = sum(result.valid for result in results)
    latencies = [one.answer.latency_s for one in results if one.answer.latency_s is not None]
    timed = [
        (one.answer.completion_tokens, one.answer.latency_s)
        for one in results
        if one.answer.completion_tokens is not None and one.answer.latency_s
    ]
    return {
        **summarise(result.record for result in results),
        "valid": _share(valid, len(results)),
        "valid_interval_95": wilson_interval(valid, len(results)),
        "passes": _share(sum(result.passes for result in results), len(results)),
        "aspects": _counts(
            {aspect: getattr(one, aspect) for aspect in ASPECTS} for one in compliances
        ),
        "fields": _counts(one.fields for one in compliances),
        "categories": {
            category: {
                **_share(sum(one.valid for one in members), len(members)),
                "passes": sum(one.passes for one in members),
            }
            for category, members in _by_category(results).items()
        },
        "must_keep": _all_facts(result.must_keep for result in results),
        "must_avoid": _all_facts(result.must_avoid for result in results),
        "finish_reasons": dict(Counter(result.answer.finish_reason for result in results)),
        "errors": dict(
            Counter(
                short_reason(result.answer.problem)
                for result in results
                if result.answer.problem is not None
            ).most_common()
        ),
        "unreached": sum(not result.answer.reached for result in results),
        "median_latency_s": statistics.median(latencies) if latencies else None,
        "tokens_per_s": (
            sum(tokens for tokens, _ in timed) / sum(seconds for _, seconds in timed)
            if timed
            else None
        ),
    }


def short_reason(problem: str) -> str:
    """The kind of a failure: its words without what was quoted of an answer."""
    return ": ".join(problem.split(": ")[:2])


def _by_category(results: Sequence[ProbeResult]) -> dict[str, list[ProbeResult]]:
    found: dict[str, list[ProbeResult]] = {}
    for result in results:
        found.setdefault(result.probe.category, []).append(result)
    return found


def _counts(marks: Iterable[Mapping[str, bool | None]]) -> dict[str, dict[str, int]]:
    """How many results have each mark, of those for which it is defined."""
    kept = list(marks)
    names = dict.fromkeys(name for mark in kept for name in mark)
    return {
        name: _share(
            sum(mark[name] is True for mark in kept), sum(mark[name] is not None for mark in kept)
        )
        for name in names
    }


def _all_facts(facts: Iterable[Mapping[str, bool]]) -> dict[str, int]:
    marks = [mark for one in facts for mark in one.values()]
    return _share(sum(marks), len(marks))


def _share(count: int, total: int) -> dict[str, int]:
    return {"n": count, "of": total}


def _without_contents(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with numbers, verdicts and names of fields, and no word of its texts."""
    edit = entry["edit"]
    return {
        **entry,
        "source": None,
        "answer": None,
        "problem": None if entry["problem"] is None else short_reason(entry["problem"]),
        "judgement": _blank(entry["judgement"]),
        "must_keep": _numbered(entry["must_keep"]),
        "must_avoid": _numbered(entry["must_avoid"]),
        "leaks": _blank(entry["leaks"]),
        "edit": edit and {**edit, "old": LEFT_OUT, "new": LEFT_OUT, "changed": []},
    }


def _without_right_facts(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose facts are those alone that are made up, lost or beside other words."""
    judgement = entry["judgement"]
    wrong = {
        "stated": [one for one in judgement["stated"] if one["source_span"] is None],
        "kept": [one for one in judgement["kept"] if not one["kept"]],
        "bound": [one for one in judgement["bound"] if one["reason"]],
    }
    return {**entry, "judgement": {**judgement, **wrong}}


def _blank(value: Any) -> Any:
    """A judgement's value with its strings left out; the kinds of facts stay."""
    if isinstance(value, str):
        return value if value in KINDS or not value else LEFT_OUT
    if isinstance(value, list):
        return [_blank(one) for one in value]
    if isinstance(value, dict):
        return {name: _blank(one) for name, one in value.items()}
    return value


def _numbered(facts: dict[str, bool]) -> dict[str, bool]:
    return {f"fact {number}": holds for number, holds in enumerate(facts.values(), start=1)}
