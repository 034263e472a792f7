"""Procedural pairs: texts whose golds are faithful because both come from the same slots.

Knows how a mix becomes pairs: which kind is next, which split a pair falls in, and when a pair
gets a twin with opposite facts. Knows no model and no single template.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from spokesmith.data.digest import DIGEST, write_digest
from spokesmith.data.kinds import load_kinds
from spokesmith.data.kinds.family import Kind, Written, write, write_twin
from spokesmith.data.listing import LISTING, write_listing
from spokesmith.data.mix import STANDARD, Mix, read_mix
from spokesmith.data.pairs import Pair
from spokesmith.data.shingles import normal_form

ATTEMPTS = 200


def generate(
    count: int,
    *,
    seed: int,
    kinds: Sequence[str] | None = None,
    mix: Path | None = None,
    is_taken: Callable[[str], bool] = lambda _: False,
) -> Iterator[Pair]:
    """Write `count` pairs; the same arguments always give the same pairs.

    Args:
        count: how many pairs, at least 0.
        seed: any integer; another seed gives other texts.
        kinds: names of the kinds to write, in their usual proportions; None for all.
        mix: a file that says how often what is written; None for the standard one.
        is_taken: whether a text is held out, such as one of a probe.

    Raises:
        ValueError: a negative count, an unknown kind, a mix that cannot be, or more distinct texts
            asked for than the kinds can give.
    """
    if count < 0:
        raise ValueError(f"count is {count}: give 0 or more")
    chosen = read_mix(mix or STANDARD, kind_names())
    if kinds is not None:
        chosen = chosen.only(kinds)
    writer = _Writer(chosen, seed, is_taken)
    written = 0
    while written < count:
        for pair in writer.next_pairs(written, count - written):
            yield pair
            written += 1


def kind_names() -> list[str]:
    """The names of all kinds, as `generate` takes them."""
    return sorted([*load_kinds(), DIGEST, LISTING])


class _Writer:
    """Draws kinds and templates, and keeps every text that it has written to avoid a second."""

    def __init__(self, mix: Mix, seed: int, is_taken: Callable[[str], bool]) -> None:
        self._mix = mix
        self._seed = seed
        self._is_taken = is_taken
        self._kinds = load_kinds()
        self._seen: set[str] = set()
        self._split_of_words: dict[str, str] = {}
        shares = mix.shares()
        self._with_twins = {name: _with_twins(self._kinds.get(name)) for name in shares}
        twinned = sum(share for name, share in shares.items() if self._with_twins[name])
        # Of the kinds that can, every draw gives a twin by this chance: two pairs, not one.
        self._twin_chance = _twin_chance(mix.twins, twinned)
        self._draws = {
            name: share / (1 + (self._twin_chance if self._with_twins[name] else 0))
            for name, share in shares.items()
        }
        notes = [name for name in shares if name in self._kinds and not self._kinds[name].alone]
        self._notes = notes or [name for name, kind in self._kinds.items() if not kind.alone]

    def next_pairs(self, index: int, room: int) -> list[Pair]:
        """One pair, or two where they are twins and `room` allows it."""
        random = Random(f"{self._seed}/{index}")
        name = random.choices(list(self._draws), weights=list(self._draws.values()))[0]
        twins = self._with_twins[name] and random.random() < self._twin_chance and room >= 2
        for attempt in range(ATTEMPTS):
            seed = f"{self._seed}/{index}/{attempt}"
            found = self._with_its_twin(name, seed) if twins else [self._single(name, seed)]
            texts = {one.text for one in found}
            splits = {_split(one.key, self._mix.eval) for one in found}
            if len(texts) == len(found) and len(splits) == 1 and self._take(texts, *splits):
                return _as_pairs(name, index, found, *splits)
        raise ValueError(
            f"no new text of the kind '{name}' after {ATTEMPTS} attempts at pair {index}: ask for "
            "fewer pairs, or give it a smaller share"
        )

    def _take(self, texts: set[str], split: str) -> bool:
        """Whether texts may be written in a split; if so, they may be no second time.

        The words of one split are in no other, whatever marks stand around them.
        """
        forms = set(map(normal_form, texts))
        if texts & self._seen or any(map(self._is_taken, texts)):
            return False
        if any(self._split_of_words.get(form, split) != split for form in forms):
            return False
        self._seen |= texts
        self._split_of_words |= dict.fromkeys(forms, split)
        return True

    def _single(self, name: str, seed: str) -> Written:
        if name == DIGEST:
            return write_digest(self._kinds, self._notes, seed)
        if name == LISTING:
            return write_listing(seed)
        kind = self._kinds[name]
        return write(kind, Random(seed).randrange(len(kind.templates)), seed)

    def _with_its_twin(self, name: str, seed: str) -> list[Written]:
        kind = self._kinds[name]
        number = Random(seed).choice(self._with_twins[name])
        return [write(kind, number, seed), write_twin(kind, number, seed)]


def _with_twins(kind: Kind | None) -> list[int]:
    """The numbers of the templates that can be turned into their opposite."""
    templates = enumerate(kind.templates) if kind else ()
    return [number for number, template in templates if template.has_twin]


def _twin_chance(wanted: float, possible: float) -> float:
    """The chance of a twin for which `wanted` of all pairs have one.

    A chance c gives 2c pairs with twins where there would be 1 + c pairs: `possible` of all pairs
    times 2c / (1 + c).
    """
    if wanted > possible > 0:
        return 1.0
    return wanted / (2 * possible - wanted) if possible else 0.0


def _as_pairs(kind: str, index: int, found: Sequence[Written], split: str) -> list[Pair]:
    """The pairs of one text, or of a text and its twin."""
    ids = [f"{kind}-{index + offset:06d}" for offset in range(len(found))]
    return [
        Pair(
            id=ids[place],
            kind=kind,
            template=one.template,
            split=split,
            text=one.text,
            gold=one.gold,
            twin=ids[1 - place] if len(found) == 2 else None,
        )
        for place, one in enumerate(found)
    ]


def _split(key: str, eval_share: float) -> str:
    """The split that a template with its slots falls in, whatever else is drawn."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    return "eval" if number < eval_share * 2**32 else "train"
