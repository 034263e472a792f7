"""Leaves out the pairs of real texts that must not be learned from, and counts why.

A gold that a program extracted may lose a number where its text is long: the judge decides. What is
left out is never mended.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from spokesmith.data.faults import faults_of, rules_of
from spokesmith.data.pairs import Pair
from spokesmith.metrics import judge
from spokesmith.tasks import Task

HELD_OUT = "held_out"
REPEATED = "repeated"
# A broken field rule is noted by the audit and makes no gold unfit.
NOT_FATAL = ("rules",)


def sift(
    pairs: Iterable[Pair],
    task: Task,
    *,
    is_taken: Callable[[str], bool],
    dropped: Counter[str],
) -> Iterator[Pair]:
    """The pairs that are fit, in their order; of pairs with the same text the first.

    Args:
        is_taken: whether a text is held out, such as one of a probe.
        dropped: counts each pair that is left out under its first fault, by the fault's name.
    """
    seen: set[str] = set()
    for pair in pairs:
        reason = HELD_OUT if is_taken(pair.text) else _fault(pair, task)
        if not reason and pair.text in seen:
            reason = REPEATED
        if reason:
            dropped[reason] += 1
        else:
            seen.add(pair.text)
            yield pair


def _fault(pair: Pair, task: Task) -> str:
    """The name of the first fault that the judge finds in a gold, "" where there is none."""
    judgement = judge(task.canonical(pair.gold), pair.text, task.schema, rules=rules_of(task))
    return next((name for name in faults_of(judgement) if name not in NOT_FATAL), "")
