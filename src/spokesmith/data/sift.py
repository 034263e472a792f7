"""Leaves out the pairs of real texts that must not be learned from, and counts why.

A gold that a program extracted may lose a number where its text is long: the judge decides. What is
left out is never mended.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from spokesmith.data.extract import TEMPLATE
from spokesmith.data.faults import faults_of, rules_of
from spokesmith.data.pairs import Pair
from spokesmith.data.shingles import normal_form
from spokesmith.metrics import judge
from spokesmith.tasks import Task

HELD_OUT = "held_out"
REPEATED = "repeated"
# A broken field rule is noted by the audit and makes no gold unfit.
NOT_FATAL = ("rules",)


def sift(
    pairs: Sequence[Pair],
    task: Task,
    *,
    is_taken: Callable[[str], bool],
    dropped: Counter[str],
) -> Iterator[Pair]:
    """The pairs that are fit, in their order; of pairs with the same words the first.

    Args:
        is_taken: whether a text is held out, such as one of a probe.
        dropped: counts each pair that is left out under its first fault, by the fault's name.
    """
    unfit = unfit_records(pairs, is_taken)
    seen: set[str] = set()
    for pair in pairs:
        form = normal_form(pair.text)
        reason = unfit.get(pair.template, "")
        if not reason:
            reason = HELD_OUT if is_taken(pair.text) else _fault(pair, task)
        if not reason and form in seen:
            reason = REPEATED
        if reason:
            dropped[reason] += 1
        else:
            seen.add(form)
            yield pair


def unfit_records(pairs: Iterable[Pair], is_taken: Callable[[str], bool]) -> dict[str, str]:
    """Why no pair of a record is fit, not even of a part of its text, by the pairs' template.

    A part of a text is too short to be near the whole, so only the whole shows that its words are
    held out, or are those of another record, which may be of another split.
    """
    unfit: dict[str, str] = {}
    holders: dict[str, str] = {}
    for pair in pairs:
        # A part has the template of its record and an id of its own.
        if pair.template != TEMPLATE + pair.id:
            continue
        if is_taken(pair.text):
            unfit[pair.template] = HELD_OUT
        elif holders.setdefault(normal_form(pair.text), pair.template) != pair.template:
            unfit.setdefault(pair.template, REPEATED)
    return unfit


def _fault(pair: Pair, task: Task) -> str:
    """The name of the first fault that the judge finds in a gold, "" where there is none."""
    judgement = judge(task.canonical(pair.gold), pair.text, task.schema, rules=rules_of(task))
    return next((name for name in faults_of(judgement) if name not in NOT_FATAL), "")
