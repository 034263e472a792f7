"""What makes an encoding unfit to be learned from, as the audit and the teacher's judge see it.

Holds no measure of its own: it names what a judgement found. A gold that is faithful in its facts
may still be a poor summary: that is not seen here.
"""

from spokesmith.metrics import NUMBER, Judgement, memory_problems
from spokesmith.metrics.judgement import Rules
from spokesmith.tasks import Task

# Its length follows the text's; the other strings are to be short.
CONTENT = "/content"
MOST_PER_TEXT = 3
MOST_BESIDE = 300


def rules_of(task: Task) -> Rules | None:
    """The field rules of a task: they belong to the schema of the built-in one."""
    return memory_problems if task.has_memory_schema else None


def faults_of(judgement: Judgement) -> dict[str, str]:
    """What is wrong with an encoding, each by its name with a reason; empty for a good one.

    `rules` and what `schema` says are for the caller to weigh; the others disqualify an encoding.
    """
    found = {
        "schema": "; ".join(judgement.compliance.problems[:3]),
        "made_up": _made_up(judgement),
        "numbers_lost": _lost(judgement),
        "minimal": "; ".join(judgement.minimal.problems[:3]) if judgement.minimal else "",
        "too_long": _too_long(judgement),
        "rules": "; ".join(judgement.rules[:3]),
    }
    if judgement.failed:
        found = {"schema": found["schema"]}
    return {name: reason for name, reason in found.items() if reason}


def _made_up(judgement: Judgement) -> str:
    return "; ".join(
        f"{one.field}: {one.fact.kind} '{one.fact.text}', {one.grounding.reason}"
        for one in judgement.made_up[:3]
    )


def _lost(judgement: Judgement) -> str:
    lost = [one.fact.text for one in judgement.kept if one.fact.kind == NUMBER and not one.kept]
    listed = ", ".join(f"'{text}'" for text in lost[:3])
    return f"the text's {NUMBER} {listed} stands in no string, or too seldom" if lost else ""


def _too_long(judgement: Judgement) -> str:
    """A target that says far more than its text cannot be true to it."""
    length = sum(len(string) for pointer, string in judgement.strings if pointer != CONTENT)
    most = MOST_PER_TEXT * len(judgement.source.text) + MOST_BESIDE
    return f"{length} characters beside `content`, at most {most} fit its text" * (length > most)
