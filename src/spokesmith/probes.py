"""Run a probe set through any `complete`, score every answer, report.

A probe never leaves an average: an answer that is cut, is no JSON or never came counts as a
failure in every aspect and every field. Knows no engine and prints nothing. It says whether
answers fit the schema and keep what the probes ask for; whether they are faithful beyond that, it
does not know.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

from spokesmith.metrics import Compliance, check, parse_strict, wilson_interval
from spokesmith.tasks import Message, Task
from spokesmith.tasks.probe_records import read_probe_records, strings_in

ASPECTS = ("json_valid", "keys", "types", "sub_arrays", "enums", "ranges", "lengths")
NO_CATEGORY = "other"


class Usage(Protocol):
    """Tokens of one completion."""

    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...


class Timing(Protocol):
    """Seconds of one completion."""

    @property
    def total_s(self) -> float: ...


class Completion(Protocol):
    """What the probes read of an engine's answer."""

    @property
    def text(self) -> str: ...
    @property
    def finish_reason(self) -> str: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def timing(self) -> Timing: ...


class Complete(Protocol):
    """The one way to ask an engine for text; a schema constrains the decoding to it."""

    def __call__(
        self,
        messages: list[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = ...,
    ) -> Completion: ...


@dataclass(frozen=True, kw_only=True)
class Probe:
    """An input whose encoding is checked.

    `keep` is what a faithful encoding keeps letter by letter; `twin` the id of the probe with the
    same words and opposite facts; `gold` an encoding that a person has checked.
    """

    id: str
    text: str
    category: str = NO_CATEGORY
    keep: tuple[str, ...] = ()
    twin: str | None = None
    gold: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """One answer and its score.

    An aspect is None where the schema asks nothing of it. `latency_s` is the engine's own time,
    or, where no answer came, the time until it failed; `completion_tokens` is then None.
    """

    probe: Probe
    valid: bool
    aspects: dict[str, bool | None]
    fields: dict[str, bool]
    problems: list[str]
    finish_reason: str
    latency_s: float
    completion_tokens: int | None
    kept: int
    text: str
    encoding: Any

    @property
    def tokens_per_s(self) -> float | None:
        return _rate(self.completion_tokens, self.latency_s)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.probe.id,
            "category": self.probe.category,
            "valid": self.valid,
            "aspects": self.aspects,
            "fields": self.fields,
            "problems": self.problems,
            "finish_reason": self.finish_reason,
            "latency_s": self.latency_s,
            "completion_tokens": self.completion_tokens,
            "tokens_per_s": self.tokens_per_s,
            "kept": _share(self.kept, len(self.probe.keep)),
            "text": self.text,
        }


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """The results of one probe set, in the order of the probes."""

    task: str
    constrained: bool
    max_tokens: int
    results: list[ProbeResult]

    def twins(self) -> list[tuple[str, str, bool]]:
        """Each pair of twins, and whether both were answered and the encodings differ."""
        by_id = {result.probe.id: result for result in self.results}
        pairs: dict[frozenset[str], tuple[str, str, bool]] = {}
        for result in self.results:
            other = by_id.get(result.probe.twin or "")
            if other is None:
                continue
            answered = result.encoding is not None and other.encoding is not None
            differ = answered and result.encoding != other.encoding
            ids = (result.probe.id, other.probe.id)
            pairs.setdefault(frozenset(ids), (*ids, differ))
        return list(pairs.values())

    def totals(self) -> dict[str, Any]:
        """Counts as {"n", "of"}, the 95 % interval of the valid share, latency and speed."""
        results = self.results
        valid = sum(result.valid for result in results)
        categories = dict.fromkeys(result.probe.category for result in results)
        answered = [result for result in results if result.completion_tokens is not None]
        twins = self.twins()
        return {
            "valid": _share(valid, len(results)),
            "valid_interval_95": wilson_interval(valid, len(results)),
            "aspects": _counts([result.aspects for result in results]),
            "fields": _counts([result.fields for result in results]),
            "categories": {
                category: _counts(
                    [{"valid": one.valid} for one in results if one.probe.category == category]
                )["valid"]
                for category in categories
            },
            "kept": _share(
                sum(result.kept for result in results),
                sum(len(result.probe.keep) for result in results),
            ),
            "twins_differ": _share(sum(differ for _, _, differ in twins), len(twins)),
            "cut": _share(sum(one.finish_reason == "length" for one in results), len(results)),
            "median_latency_s": (
                statistics.median(result.latency_s for result in results) if results else None
            ),
            "tokens_per_s": _rate(
                sum(result.completion_tokens or 0 for result in answered),
                sum(result.latency_s for result in answered),
            ),
        }

    def to_json(self) -> dict[str, Any]:
        """The whole report as values that `json.dumps` takes."""
        return {
            "task": self.task,
            "constrained": self.constrained,
            "max_tokens": self.max_tokens,
            "probes": [result.to_json() for result in self.results],
            "twins": [{"ids": [one, other], "differ": ok} for one, other, ok in self.twins()],
            "totals": self.totals(),
        }


def load_probes(path: str | Path) -> list[Probe]:
    """Read a probe file.

    Raises:
        ValueError: the file cannot be read, or a line of it is no probe; names file, line, reason.
    """
    records, problems = read_probe_records(Path(path))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(problems[0] + more)
    return [
        Probe(
            id=record["id"],
            text=record["text"],
            category=record.get("category", NO_CATEGORY),
            keep=tuple(record.get("keep", [])),
            twin=record.get("twin"),
            gold=record.get("gold"),
        )
        for record in records
    ]


def run_probes(
    probes: Iterable[Probe],
    task: Task,
    complete: Complete,
    *,
    constrained: bool,
    max_tokens: int,
    on_result: Callable[[ProbeResult], None] | None = None,
) -> ProbeReport:
    """Ask for the encoding of every probe in order and score the answers.

    Args:
        constrained: decode under the task's schema, else freely.
        max_tokens: the longest answer; one that reaches it counts as cut.
        on_result: called after each probe, for progress.
    """
    results: list[ProbeResult] = []
    for probe in probes:
        result = _run_probe(probe, task, complete, constrained, max_tokens)
        results.append(result)
        if on_result is not None:
            on_result(result)
    return ProbeReport(
        task=task.name, constrained=constrained, max_tokens=max_tokens, results=results
    )


def _run_probe(
    probe: Probe, task: Task, complete: Complete, constrained: bool, max_tokens: int
) -> ProbeResult:
    start = time.perf_counter()
    try:
        completion = complete(
            task.messages(probe.text),
            schema=task.schema if constrained else None,
            max_tokens=max_tokens,
        )
    except (ValueError, RuntimeError, TimeoutError) as error:
        return _failure(
            probe,
            task,
            problem=f"no answer: {type(error).__name__}: {error}",
            finish_reason="error",
            latency_s=time.perf_counter() - start,
        )
    if completion.finish_reason == "length":
        return _failure(
            probe,
            task,
            problem=f"cut after {completion.usage.completion_tokens} tokens",
            finish_reason="length",
            latency_s=completion.timing.total_s,
            completion_tokens=completion.usage.completion_tokens,
            text=completion.text,
        )
    found = check(completion.text, task.schema)
    encoding = parse_strict(completion.text) if found.json_valid else None
    strings = list(strings_in(encoding))
    return ProbeResult(
        probe=probe,
        valid=found.valid,
        aspects=_aspects(found),
        fields=found.fields,
        problems=found.problems,
        finish_reason=completion.finish_reason,
        latency_s=completion.timing.total_s,
        completion_tokens=completion.usage.completion_tokens,
        kept=sum(any(fact in string for string in strings) for fact in probe.keep),
        text=completion.text,
        encoding=encoding,
    )


def _failure(
    probe: Probe,
    task: Task,
    *,
    problem: str,
    finish_reason: str,
    latency_s: float,
    completion_tokens: int | None = None,
    text: str = "",
) -> ProbeResult:
    """The result of a probe without a whole answer: nothing is right, nothing is kept."""
    nothing = check("", task.schema)
    return ProbeResult(
        probe=probe,
        valid=False,
        aspects=_aspects(nothing),
        fields=nothing.fields,
        problems=[problem],
        finish_reason=finish_reason,
        latency_s=latency_s,
        completion_tokens=completion_tokens,
        kept=0,
        text=text,
        encoding=None,
    )


def _aspects(found: Compliance) -> dict[str, bool | None]:
    return {aspect: getattr(found, aspect) for aspect in ASPECTS}


def probe_table(report: ProbeReport) -> Table:
    """One row a probe: valid, fields in order, facts kept, speed and the first problem."""
    table = Table(title=f"{report.task}, {'constrained' if report.constrained else 'free'}")
    for name in ("probe", "valid"):
        table.add_column(name, no_wrap=True)
    for name in ("fields", "kept", "s", "tokens/s"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("problem", overflow="fold")
    for result in report.results:
        speed = result.tokens_per_s
        cells = (
            result.probe.id,
            "yes" if result.valid else "no",
            f"{sum(result.fields.values())}/{len(result.fields)}",
            f"{result.kept}/{len(result.probe.keep)}" if result.probe.keep else "–",
            f"{result.latency_s:.2f}",
            "–" if speed is None else f"{speed:.1f}",
            result.problems[0] if result.problems else "",
        )
        # Text, not str: rich would read the brackets in a problem as markup.
        table.add_row(*map(Text, cells), style=None if result.valid else "bold")
    return table


def totals_table(report: ProbeReport) -> Table:
    """One row for each aspect, field and category, with n/N and the share."""
    totals = report.totals()
    interval = totals["valid_interval_95"]
    table = Table(title="totals", caption=_caption(totals))
    table.add_column("what")
    table.add_column("n/N", justify="right")
    table.add_column("share", justify="right")
    bounds = f" (95 %: {interval[0]:.0%} to {interval[1]:.0%})" if interval else ""
    _add_count(table, f"valid{bounds}", totals["valid"])
    _add_count(table, "facts kept", totals["kept"])
    _add_count(table, "twins that differ", totals["twins_differ"])
    for heading, noun in (("aspects", "aspect"), ("fields", "field"), ("categories", "category")):
        table.add_section()
        for name, count in totals[heading].items():
            _add_count(table, f"{noun} {name}", count)
    return table


def _caption(totals: dict[str, Any]) -> str:
    parts = [
        f"{totals[key]:.{digits}f} {unit}"
        for key, digits, unit in (
            ("median_latency_s", 2, "s median latency"),
            ("tokens_per_s", 1, "tokens/s"),
        )
        if totals[key] is not None
    ]
    return ", ".join(parts)


def _add_count(table: Table, name: str, count: dict[str, int]) -> None:
    share = f"{count['n'] / count['of']:.0%}" if count["of"] else "–"
    table.add_row(Text(name), f"{count['n']}/{count['of']}", share)


def _counts(marks: Sequence[Mapping[str, bool | None]]) -> dict[str, dict[str, int]]:
    """How many results have each mark, of those for which it is defined."""
    names = dict.fromkeys(name for mark in marks for name in mark)
    return {
        name: _share(
            sum(mark[name] is True for mark in marks), sum(mark[name] is not None for mark in marks)
        )
        for name in names
    }


def _share(count: int, total: int) -> dict[str, int]:
    return {"n": count, "of": total}


def _rate(tokens: int | None, seconds: float) -> float | None:
    return tokens / seconds if tokens is not None and seconds > 0 else None
