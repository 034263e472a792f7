"""Runs every check of an audit over the pairs of a data set, and counts what is in it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from spokesmith.data.audit.comparing import (
    check_boilerplate,
    check_duplicates,
    check_ids_and_twins,
    check_nearness,
)
from spokesmith.data.audit.contents import (
    Frequent,
    HardCase,
    hard_cases_of,
    hash_of_texts,
    kinds_of,
    lengths_of,
    variety_of,
)
from spokesmith.data.audit.findings import Check, Findings
from spokesmith.data.audit.judging import Sums, Verdict, judge_pairs, means
from spokesmith.data.audit.leakage import ProbeTexts, probe_texts
from spokesmith.data.pairs import Pair
from spokesmith.tasks import Task


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The result of an audit.

    `lengths` are quantiles keyed `p0` to `p100`; `measures` are means over the golds; `probes` says
    how many texts of which probe sets the pairs were compared with.
    """

    task: str
    pairs: int
    splits: dict[str, int]
    kinds: dict[str, dict[str, int]]
    lengths: dict[str, dict[str, float]]
    measures: dict[str, dict[str, float | int]]
    variety: dict[str, list[Frequent]]
    hard_cases: dict[str, HardCase]
    probes: dict[str, int]
    texts_hash: str
    checks: dict[str, Check]

    @property
    def ok(self) -> bool:
        """Whether no fatal check found anything."""
        return not any(check.count for check in self.checks.values() if check.fatal)

    def to_json(self) -> dict[str, Any]:
        """The audit as a JSON value."""
        return {"ok": self.ok, **asdict(self)}


def audit(
    pairs: Iterable[Pair],
    task: Task,
    *,
    probes: ProbeTexts | None = None,
    workers: int = 1,
    count_tokens: Callable[[str], int] | None = None,
    on_judged: Callable[[int], None] = lambda _: None,
) -> Audit:
    """Check every pair of a data set against its text, its task, the other pairs and the probes.

    Args:
        probes: texts that the set must not hold; None for those of the task's own probe sets.
        workers: processes that judge; the result is the same for any number.
        count_tokens: of a string; adds lengths in tokens.
        on_judged: called with the number of pairs that were judged since the last call.

    Raises:
        ValueError: `workers` is below 1, or a probe set of the task cannot be read.
    """
    kept = list(pairs)
    against = probe_texts(task) if probes is None else probes
    findings = Findings()
    verdicts: list[Verdict] = []
    sums: list[Sums] = []
    for chunk in judge_pairs(kept, task, workers=workers):
        verdicts += chunk.verdicts
        sums.append(chunk.sums)
        on_judged(len(chunk.verdicts))
    for pair, verdict in zip(kept, verdicts, strict=True):
        for name, reason in verdict.findings:
            findings.add(name, pair.id, reason)
    check_ids_and_twins(kept, findings)
    check_duplicates(kept, findings)
    check_nearness(kept, against, findings)
    check_boilerplate(kept, [verdict.strings for verdict in verdicts], findings)
    return Audit(
        task=task.name,
        pairs=len(kept),
        splits=dict(sorted(Counter(pair.split for pair in kept).items())),
        kinds=kinds_of(kept),
        lengths=lengths_of(kept, [verdict.target for verdict in verdicts], count_tokens),
        measures=means(sums),
        variety=variety_of(kept),
        hard_cases=hard_cases_of(kept),
        probes={name: len(texts) for name, texts in against.items()},
        texts_hash=hash_of_texts(kept),
        checks=findings.checks(),
    )
