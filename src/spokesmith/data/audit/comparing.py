"""Compares the pairs of a data set with one another and with probes.

Knows texts and ids: whether a gold is true to its text is not seen here.
"""

from collections.abc import Sequence

from spokesmith.data.audit.findings import Findings
from spokesmith.data.audit.leakage import ProbeTexts
from spokesmith.data.gold import collapse
from spokesmith.data.pairs import Pair
from spokesmith.data.shingles import NearTexts, normal_form
from spokesmith.metrics import repeated_sixgrams


def check_ids_and_twins(pairs: Sequence[Pair], findings: Findings) -> None:
    """Ids are unique; twins name each other, differ, and share a split."""
    by_id: dict[str, Pair] = {}
    for pair in pairs:
        if pair.id in by_id:
            findings.add("ids", pair.id, "another pair has the same id")
        by_id.setdefault(pair.id, pair)
    for pair in pairs:
        if pair.twin is None:
            continue
        twin = by_id.get(pair.twin)
        if twin is None or twin.twin != pair.id:
            findings.add("twins", pair.id, f"its twin '{pair.twin}' is missing or names another")
            continue
        if twin.gold == pair.gold:
            findings.add("twins", pair.id, f"its gold is that of its twin '{twin.id}'")
        if twin.split != pair.split:
            findings.add("twins_across_splits", pair.id, f"its twin is in {twin.split}")


def check_duplicates(pairs: Sequence[Pair], findings: Findings) -> None:
    """Pairs whose collapsed text an earlier pair has."""
    first: dict[str, dict[str, Pair]] = {}
    for pair in pairs:
        holders = first.setdefault(collapse(pair.text), {})
        if pair.split in holders:
            reason = f"same text as {holders[pair.split].id}"
            findings.add("duplicates_within_split", pair.id, reason)
            continue
        for other in holders.values():
            reason = f"same text as {other.id} in {other.split}"
            findings.add("duplicates_across_splits", pair.id, reason)
        holders[pair.split] = pair


def check_nearness(pairs: Sequence[Pair], probes: ProbeTexts, findings: Findings) -> None:
    """Pairs that are near an earlier one, within or across splits, or near a probe.

    Twins are near by intention. Texts of pairs that are equal are left to `check_duplicates`;
    with a probe, equal words are leakage however few they are.
    """
    names = [f"{id} of {name}" for name, texts in probes.items() for id in texts]
    probed = [text for texts in probes.values() for text in texts.values()]
    holders: dict[str, str] = {}
    for name, text in zip(names, probed, strict=True):
        holders.setdefault(normal_form(text), name)
    index = NearTexts([*probed, *(pair.text for pair in pairs)])
    for place in range(len(probed)):
        index.add(place)
    for number, pair in enumerate(pairs):
        place = len(probed) + number
        near = index.near(place)
        index.add(place)
        probe = next(((alike, names[other]) for alike, other in near if other < len(probed)), None)
        same = holders.get(normal_form(pair.text))
        if same is not None:
            findings.add("probe_leakage", pair.id, f"its words are those of the probe {same}")
        elif probe is not None:
            reason = f"{probe[0]:.0%} of its word sequences are those of the probe {probe[1]}"
            findings.add("probe_leakage", pair.id, reason)
        others = [(alike, other - len(probed)) for alike, other in near if other >= len(probed)]
        _add_nearest(pair, [(alike, pairs[other]) for alike, other in others], findings)


def _add_nearest(pair: Pair, near: Sequence[tuple[float, Pair]], findings: Findings) -> None:
    """The nearest pair of the same split and of another, if any."""
    text = collapse(pair.text)
    told: set[str] = set()
    for alike, other in near:
        is_same = other.split == pair.split
        name = "near_duplicates_within_split" if is_same else "near_duplicates_across_splits"
        if name not in told and pair.twin != other.id and collapse(other.text) != text:
            told.add(name)
            reason = f"{alike:.0%} of its word sequences are those of {other.id} in {other.split}"
            findings.add(name, pair.id, reason)


# In a small set two alike texts are over two percent, and no set phrase.
FEWEST_REPEATS = 5


def check_boilerplate(
    pairs: Sequence[Pair], strings: Sequence[list[str]], findings: Findings
) -> None:
    """Set phrases: runs of six words that many golds have and their own texts lack."""
    outputs = [(own, pair.text) for own, pair in zip(strings, pairs, strict=True)]
    for run, count in repeated_sixgrams(outputs).items():
        if count < FEWEST_REPEATS:
            continue
        holder = next(
            pair
            for own, pair in zip(strings, pairs, strict=True)
            if any(f" {run} " in f" {normal_form(string)} " for string in own)
        )
        findings.add("boilerplate", holder.id, f"'{run}' stands in {count} golds, not in the texts")
