"""What must not be learned from is not written: probes, words of another split, unfit golds."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from spokesmith.data.audit import probe_texts
from spokesmith.data.extract import extract, pair_of
from spokesmith.data.generate import generate
from spokesmith.data.pairs import Pair
from spokesmith.data.shingles import TextsToAvoid, normal_form
from spokesmith.data.sift import sift, unfit_records
from spokesmith.tasks import load_task

LONG = (
    "The clerk of the harbour moved the green ledger from the old office to the new archive on a "
    "wet morning in autumn, and nobody saw the two keys of the cellar again before the end of the "
    "year, although the guard had looked for them in every drawer of the house and of the yard."
)
STEPS = ("packs boxes", "labels shelves", "counts parts", "sweeps halls", "locks doors", "calls us")
# A numbered list in running text: the numbers of its steps are lost where sentences are chosen.
LOSING = "The move of the store room has a plan. " + " ".join(
    f"{number}. Somebody of the team {does} before the audit begins and writes it into the plan of "
    "the week."
    for number, does in enumerate(STEPS, start=1)
)


@pytest.fixture(scope="module")
def probes() -> TextsToAvoid:
    sets = probe_texts(load_task("memory"))
    assert set(sets) == {"probes", "stress", "twins", "minimal", "edits"}
    return TextsToAvoid(text for texts in sets.values() for text in texts.values())


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("It works now", True),
        ("  it WORKS now...", True),
        ("It works now again", False),
        (LONG.replace("yard.", "barn"), True),
        (LONG.replace("wet", "dry"), False),
        (LONG[: len(LONG) // 2], False),
        ("", False),
        ("❌", False),
    ],
)
def test_equal_words_and_near_texts_are_held_out(text: str, has: bool) -> None:
    assert TextsToAvoid([LONG, "It works now."]).has(text) is has


def test_no_probe_is_written(probes: TextsToAvoid) -> None:
    freely = list(generate(400, seed=0, kinds=["minimal"]))
    assert any(probes.has(pair.text) for pair in freely)
    held = list(generate(400, seed=0, kinds=["minimal"], is_taken=probes.has))
    assert len(held) == 400
    assert not any(probes.has(pair.text) for pair in held)


def test_the_words_of_one_split_are_in_no_other() -> None:
    words: dict[str, set[str]] = {"train": set(), "eval": set()}
    for pair in generate(1200, seed=3, kinds=["minimal", "emoji"]):
        words[pair.split].add(normal_form(pair.text))
    assert words["eval"]
    assert not words["train"] & words["eval"]


def test_golds_that_the_judge_fails_are_left_out_and_counted() -> None:
    good = pair_of({"id": "good", "text": "Ana moved 3 files to /srv/3."})
    losing = pair_of({"id": "losing", "text": LOSING})
    probe = pair_of({"id": "probe", "text": "it works now"})
    bad = {**good.gold, "gist": "Zebulon Quist moved 3 files"}
    invented = replace(good, id="invented", gold=bad)
    other = pair_of({"id": "unruly", "text": "Bo moved 4 files to /srv/4."})
    unruly = replace(other, gold={**other.gold, "salience": 0.33})
    again = replace(good, id="again")
    dropped: Counter[str] = Counter()
    kept: list[Pair] = list(
        sift(
            [good, losing, probe, invented, unruly, again],
            load_task("memory"),
            is_taken=TextsToAvoid(["It works now."]).has,
            dropped=dropped,
        )
    )
    assert kept == [good, unruly]
    assert dropped == {"numbers_lost": 1, "held_out": 1, "made_up": 1, "repeated": 1}


def pairs_of(folder: Path, *texts: str) -> list[Pair]:
    """The pairs of texts and of their parts; the ids are the texts' places."""
    path = folder / "texts.jsonl"
    rows = [{"id": str(place), "text": text} for place, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(extract(path, sentences=True, num_excerpts=3))


def test_no_part_of_a_held_out_text_is_kept(probes: TextsToAvoid, tmp_path: Path) -> None:
    sets = probe_texts(load_task("memory"))
    every = sorted((text for one in sets.values() for text in one.values()), key=len)
    pairs = pairs_of(tmp_path, *every[-5:], LONG.replace(", and nobody", ". Nobody") * 2)
    parts = [pair for pair in pairs if not probes.has(pair.text)]
    assert {pair.template for pair in parts} == {pair.template for pair in pairs}
    assert set(unfit_records(pairs, probes.has)) == {f"text:{place}" for place in range(5)}
    # Whichever comes first, the whole or its parts.
    for ordered in (pairs, pairs[::-1]):
        kept = list(sift(ordered, load_task("memory"), is_taken=probes.has, dropped=Counter()))
        assert {pair.template for pair in kept} == {"text:5"}


def test_a_held_out_part_does_not_take_the_rest_of_its_text() -> None:
    whole = pair_of({"id": "a", "text": "Ana moved 3 files to /srv/3. It works now."})
    part = replace(pair_of({"id": "a/excerpt-0", "text": "It works now."}), template="text:a")
    dropped: Counter[str] = Counter()
    held = TextsToAvoid(["it works now"])
    found = sift([whole, part], load_task("memory"), is_taken=held.has, dropped=dropped)
    assert list(found) == [whole]
    assert dropped == {"held_out": 1}


def test_of_records_with_the_same_words_the_first_is_kept_with_its_parts(tmp_path: Path) -> None:
    text = LONG.replace(", and nobody", ". Nobody").replace(", although", ". Yet")
    pairs = pairs_of(tmp_path, text, text.replace("the green", "the  green"), text + " All 3 left.")
    assert len({pair.template for pair in pairs if len(pair.text) < len(text)}) == 3
    dropped: Counter[str] = Counter()
    found = sift(pairs, load_task("memory"), is_taken=lambda _: False, dropped=dropped)
    assert {pair.template for pair in found} == {"text:0", "text:2"}
    assert set(dropped) == {"repeated"}
