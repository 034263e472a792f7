"""What an answer takes from another text than its own: a twin's, or its own before an edit.

Facts are told apart by the text that grounds them. Twins that swap facts share all of them: there
the order of numbers and the strings that a twin must keep tell them apart. Names that change
places are seen through such strings alone.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from spokesmith.metrics.binding import binding
from spokesmith.metrics.grounding import Source, StatedFact, stands_in
from spokesmith.metrics.judgement import NOT_WHOLE, Judgement


def twin_leaks(judgement: Judgement, twin: Source, keep: Sequence[str] = ()) -> list[str]:
    """What an answer says that only its twin's text does, a plain line each.

    A failed answer leaks: it says nothing that clears it.

    Args:
        keep: strings that an encoding of the twin keeps; those that the answer's own text has too
            are passed over.
    """
    if judgement.failed:
        return [NOT_WHOLE]
    lines = [
        f"{one.field}: {one.fact.kind} '{one.fact.text}' is the other text's"
        for one in judgement.made_up
        if twin.ground(one.fact).span is not None
    ]
    lines += _leaked_order(judgement, twin)
    for words in keep:
        if stands_in(words, judgement.source.text):
            continue
        lines += [
            f"{field}: '{words}' is the other text's"
            for field, string in judgement.strings
            if stands_in(words, string)
        ]
    return list(dict.fromkeys(lines))


def _leaked_order(judgement: Judgement, twin: Source) -> list[str]:
    """Numbers that are bound as in the twin's text and not as in the answer's own."""
    loose = [one for one in judgement.bound if not one.bound]
    if not loose:
        return []
    stated = [
        StatedFact(fact=one.fact, field=one.field, grounding=twin.ground(one.fact))
        for one in judgement.stated
    ]
    there = {
        (one.field, one.fact.start)
        for one in binding(judgement.encoding, stated, twin)
        if one.bound
    }
    return [
        f"{one.field}: '{one.fact.text}' stands as in the other text, {one.reason}"
        for one in loose
        if (one.field, one.fact.start) in there
    ]


@dataclass(frozen=True, kw_only=True)
class EditVerdict:
    """Whether the answer followed an edit of one slot of its text.

    `changed` are other facts that one answer states more often than the other.
    """

    new_there: bool
    old_gone: bool
    rest_unchanged: bool
    changed: list[str]

    @property
    def followed(self) -> bool:
        """Whether all three hold."""
        return self.new_there and self.old_gone and self.rest_unchanged


def edit_followed(before: Judgement, after: Judgement, old: str, new: str) -> EditVerdict:
    """Compare the answers to a text and to the same text with `old` replaced by `new`.

    A slot is found by its letters or by the fact that it makes (a unit may stand outside it).
    Nothing holds where either answer failed.
    """
    if before.failed or after.failed:
        return EditVerdict(new_there=False, old_gone=False, rest_unchanged=False, changed=[])
    strings = [string for _, string in after.strings]
    facts_new = any(
        one.grounding.span is not None and before.source.ground(one.fact).span is None
        for one in after.stated
    )
    facts_old = any(
        one.grounding.span is None and before.source.ground(one.fact).span is not None
        for one in after.stated
    )
    words_old = not stands_in(old, after.source.text) and any(
        stands_in(old, string) for string in strings
    )
    rest, rest_after = _others(before, after.source), _others(after, before.source)
    unlike = (rest - rest_after) + (rest_after - rest)
    return EditVerdict(
        new_there=facts_new or any(stands_in(new, string) for string in strings),
        old_gone=not facts_old and not words_old,
        rest_unchanged=not unlike,
        changed=sorted(
            {one.fact.text for one in [*before.stated, *after.stated] if one.fact.key in unlike}
        ),
    )


def _others(judgement: Judgement, other: Source) -> Counter[tuple[Hashable, ...]]:
    """The facts of an answer but those that one of the two texts alone grounds: the edit's."""
    return Counter(
        one.fact.key
        for one in judgement.stated
        if (one.grounding.span is None) == (other.ground(one.fact).span is None)
    )
