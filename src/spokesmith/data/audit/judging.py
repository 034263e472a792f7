"""Judges golds against their texts, several at once in as many processes.

Pairs are judged in chunks that do not depend on the number of processes, so neither does the
result. Knows one pair at a time, and its twin; how pairs compare is not seen here.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from spokesmith.data.faults import faults_of, rules_of
from spokesmith.data.pairs import Pair
from spokesmith.metrics import InputRecord, Judgement, Source, judge, summarise, twin_leaks
from spokesmith.metrics.judgement import Rules
from spokesmith.tasks import Task, canonical_json

CHUNK = 200
ASPECTS = ("keys", "types", "enums", "ranges", "lengths")
TwinText = str | None
# The sum of a measure over the inputs that define it, and how many these are.
Sums = dict[str, tuple[float, int]]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is wrong with one gold, each as the name of a check and a reason.

    `target` is its canonical JSON, "" where it has none; `strings` are what it says in words of
    its own choice.
    """

    findings: list[tuple[str, str]]
    target: str
    strings: list[str]


@dataclass(frozen=True, kw_only=True)
class JudgedChunk:
    """The verdicts on some pairs in their order, and the sums of their measures."""

    verdicts: list[Verdict]
    sums: Sums


def judge_pairs(pairs: Sequence[Pair], task: Task, *, workers: int) -> Iterator[JudgedChunk]:
    """Judge pairs in their order, a chunk at a time.

    Raises:
        ValueError: `workers` is below 1.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}: give 1 or more processes")
    texts: dict[str, str] = {}
    for pair in pairs:
        texts.setdefault(pair.id, pair.text)
    items = [(pair, None if pair.twin is None else texts.get(pair.twin)) for pair in pairs]
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    work = partial(_judge_chunk, task=task)
    if min(workers, len(chunks)) <= 1:
        yield from map(work, chunks)
        return
    # Spawned, not forked: the caller may have threads.
    context = get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=context) as pool:
        yield from pool.map(work, chunks)


def means(sums: Sequence[Sums]) -> dict[str, dict[str, float | int]]:
    """Each measure over all chunks as {"value", "n"}, as far as any input defines it."""
    totals: defaultdict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    for one in sums:
        for name, (total, count) in one.items():
            totals[name] += total
            counts[name] += count
    return {
        name: {"value": totals[name] / counts[name], "n": counts[name]}
        for name in totals
        if counts[name]
    }


def _judge_chunk(items: Sequence[tuple[Pair, TwinText]], task: Task) -> JudgedChunk:
    verdicts: list[Verdict] = []
    records: list[InputRecord] = []
    rules = rules_of(task)
    for pair, twin_text in items:
        verdict, record = _judge_pair(pair, twin_text, task, rules)
        verdicts.append(verdict)
        records.append(record)
    found = summarise(records)["measures"]
    sums = {
        name: ((measure["value"] or 0.0) * measure["n"], measure["n"])
        for name, measure in found.items()
    }
    return JudgedChunk(verdicts=verdicts, sums=sums)


def _judge_pair(
    pair: Pair, twin_text: TwinText, task: Task, rules: Rules | None
) -> tuple[Verdict, InputRecord]:
    findings: list[tuple[str, str]] = []
    target = ""
    try:
        target = task.canonical(pair.gold)
    except (ValueError, TypeError) as error:
        findings.append(("canonical", str(error)))
    judgement = judge(target, pair.text, task.schema, prompt=task.prompt, rules=rules)
    leaks = None if twin_text is None else twin_leaks(judgement, Source(twin_text))
    if target:
        findings += _form(pair, target)
        findings += _truth(judgement)
        if leaks:
            findings.append(("twin_leaks", "; ".join(leaks[:3])))
    strings = [string for _, string in judgement.strings]
    verdict = Verdict(findings=findings, target=target, strings=strings)
    return verdict, InputRecord(judgement=judgement, leaks=leaks)


def _form(pair: Pair, target: str) -> Iterator[tuple[str, str]]:
    """Whether the gold is written as training writes it."""
    if json.loads(target) != pair.gold:
        yield "canonical", "the canonical JSON does not read back as the same gold"
    if canonical_json(pair.gold) != target:
        yield "key_order", "its keys are not in the schema's order"


def _truth(judgement: Judgement) -> Iterator[tuple[str, str]]:
    """What the judge found, by check."""
    faults = faults_of(judgement)
    if "schema" in faults:
        compliance = judgement.compliance
        failed = [aspect for aspect in ASPECTS if getattr(compliance, aspect) is False]
        for name in failed or ["schema"]:
            yield name, faults["schema"]
    yield from ((name, reason) for name, reason in faults.items() if name != "schema")
    lost = [one.fact for one in judgement.kept if not one.kept]
    if lost:
        yield "facts_lost", ", ".join(f"{fact.kind} '{fact.text}'" for fact in lost[:3])
    loose = [one for one in judgement.bound if not one.bound]
    if loose:
        yield (
            "binding",
            "; ".join(f"{one.field}: '{one.fact.text}', {one.reason}" for one in loose[:3]),
        )
    if judgement.echo:
        yield "echo", f"the prompt's words: {'; '.join(judgement.echo[:3])}"
