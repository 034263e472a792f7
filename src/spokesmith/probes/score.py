"""Scores answers, each against its text, its twin's text and the text that it is an edit of.

Asking and scoring are apart, so answers of any origin are scored by the same code. A probe never
leaves an average: one that nobody answered, or whose answer is cut or no JSON, is a failure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from spokesmith.metrics import (
    EditVerdict,
    InputRecord,
    Judgement,
    Source,
    edit_followed,
    judge,
    memory_problems,
    stands_in,
    twin_leaks,
)
from spokesmith.probes.answers import Answer, no_answer
from spokesmith.probes.records import Probe
from spokesmith.tasks import Task
from spokesmith.tasks.probe_records import appears_in, strings_in


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """One answer and its score.

    `must_keep` and `must_avoid` say of each fact whether the answer does as it should. `leaks` is
    what the answer takes from the twin's text, None for a probe without a twin; `edit` says whether
    the answer follows an edit, None for a probe that is none.
    """

    probe: Probe
    answer: Answer
    judgement: Judgement
    must_keep: dict[str, bool]
    must_avoid: dict[str, bool]
    leaks: list[str] | None
    edit: EditVerdict | None

    @property
    def record(self) -> InputRecord:
        """What the summary counts."""
        return InputRecord(judgement=self.judgement, leaks=self.leaks, edit=self.edit)

    @property
    def valid(self) -> bool:
        """Whether a whole answer came and fits the schema."""
        return self.judgement.compliance.valid and not self.judgement.failed

    @property
    def passes(self) -> bool:
        """Valid, nothing made up, every number kept, nothing of the twin's."""
        return self.record.passes


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """The results of one probe set, in the order of the probes."""

    task: str
    results: list[ProbeResult]


def score(
    probes: Sequence[Probe],
    answers: Mapping[str, Answer],
    task: Task,
    *,
    whole_set: Sequence[Probe] = (),
) -> ProbeReport:
    """Score the answers to some probes.

    Args:
        answers: by the ids of probes; a probe without one is a failure.
        whole_set: where twins are looked for that are not among `probes`.
    """
    by_id = {probe.id: probe for probe in [*whole_set, *probes]}
    sources = cache(lambda id: Source(by_id[id].text))
    # The field rules belong to the schema of the built-in task.
    rules = memory_problems if task.has_memory_schema else None
    judgements: dict[str, Judgement] = {}
    for probe in probes:
        answer = answers.get(probe.id) or no_answer(probe.id)
        judgements[probe.id] = judge(
            answer.text,
            sources(probe.id),
            task.schema,
            finished=answer.finished,
            prompt=task.prompt,
            rules=rules,
        )

    def result_of(probe: Probe) -> ProbeResult:
        judgement = judgements[probe.id]
        twin = by_id.get(probe.twin or "")
        edit = probe.edit
        before = judgements.get(edit.of) if edit else None
        strings = list(strings_in(judgement.encoding))
        return ProbeResult(
            probe=probe,
            answer=answers.get(probe.id) or no_answer(probe.id),
            judgement=judgement,
            must_keep={
                fact: any(stands_in(fact, string) for string in strings) for fact in probe.keep
            },
            # An answer that is none does nothing right.
            must_avoid={
                fact: not judgement.failed and not any(appears_in(fact, one) for one in strings)
                for fact in probe.avoid
            },
            leaks=None if twin is None else twin_leaks(judgement, sources(twin.id), twin.keep),
            edit=edit_followed(before, judgement, edit.old, edit.new) if edit and before else None,
        )

    return ProbeReport(task=task.name, results=[result_of(probe) for probe in probes])
