"""Procedural pairs: texts whose golds are faithful because both come from the same slots.

Knows how often each kind occurs, which split a pair falls in, and when a pair gets a twin with
opposite facts. Knows no model and no single template.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from spokesmith.data.gold import cut, make_gold
from spokesmith.data.kinds import load_kinds
from spokesmith.data.kinds.family import Written, write, write_twin
from spokesmith.data.pairs import Pair
from spokesmith.tasks import canonical_json

SHARES: Mapping[str, float] = {
    "benchmark_table": 3,
    "bug_fix": 3,
    "chat_message": 3,
    "chemistry": 2,
    "clinical_note": 3,
    "code": 4,
    "config_dump": 3,
    "correction": 4,
    "decision": 3,
    "deploy": 3,
    "digest": 30,
    "email": 3,
    "emoji": 2,
    "finance": 2,
    "finance_note": 2,
    "gardening": 2,
    "handover_note": 3,
    "history": 3,
    "home_life": 2,
    "home_note": 2,
    "html": 3,
    "json_or_instructions": 4,
    "legal_clause": 3,
    "meeting_note": 3,
    "minimal": 9,
    "mixed_languages": 4,
    "music": 2,
    "news": 3,
    "recipe": 3,
    "review": 3,
    "science": 3,
    "sports_result": 3,
    "stack_trace": 3,
    "support_ticket": 3,
    "travel": 2,
    "travel_note": 2,
    "url_only": 2,
}
EVAL_SHARE = 0.05
# Each choice of a twin adds two pairs, so about a tenth of all pairs come in twos.
TWIN_CHANCE = 0.053
ATTEMPTS = 200
DIGEST = "digest"
NOT_IN_DIGESTS = frozenset(("minimal", "url_only", "code", "html", "json_or_instructions", DIGEST))
DIGEST_PARTS = (2, 2, 2, 3, 3, 4, 5)
DIGEST_LIMIT = 860
GOLD_LIMIT = 1500
BULLETS = ("\n- ", "\n* ")
SEPARATORS = (" ", " ", "\n", "\n", "\n\n", "\n---\n", " | ", *BULLETS)


def generate(count: int, *, seed: int, kinds: Sequence[str] | None = None) -> Iterator[Pair]:
    """Write `count` pairs; the same arguments always give the same pairs.

    Args:
        count: how many pairs, at least 0.
        seed: any integer; another seed gives other texts.
        kinds: names of the kinds to write, in their usual proportions; None for all.

    Raises:
        ValueError: a negative count, an unknown kind, or more distinct texts asked for than the
            kinds can give.
    """
    if count < 0:
        raise ValueError(f"count is {count}: give 0 or more")
    shares = _chosen_shares(kinds)
    writer = _Writer(shares, seed)
    written = 0
    while written < count:
        for pair in writer.next_pairs(written, count - written):
            yield pair
            written += 1


def kind_names() -> list[str]:
    """The names of all kinds, as `generate` takes them."""
    return list(SHARES)


def _chosen_shares(kinds: Sequence[str] | None) -> dict[str, float]:
    if kinds is None:
        return dict(SHARES)
    for name in kinds:
        if name not in SHARES:
            raise ValueError(f"no kind '{name}': known kinds are {', '.join(SHARES)}")
    if not kinds:
        raise ValueError("kinds is empty: name at least one, or give None for all")
    return {name: share for name, share in SHARES.items() if name in kinds}


class _Writer:
    """Draws kinds and templates, and keeps every text that it has written to avoid a second."""

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        self._shares = shares
        self._seed = seed
        self._kinds = load_kinds()
        self._seen: set[str] = set()
        self._with_twins = [
            (name, number)
            for name in shares
            if name != DIGEST
            for number, template in enumerate(self._kinds[name].templates)
            if template.has_twin
        ]

    def next_pairs(self, index: int, room: int) -> list[Pair]:
        """One pair, or two where they are twins and `room` allows it."""
        for attempt in range(ATTEMPTS):
            seed = f"{self._seed}/{index}/{attempt}"
            random = Random(seed)
            if room >= 2 and self._with_twins and random.random() < TWIN_CHANCE:
                name, number = random.choice(self._with_twins)
                kind = self._kinds[name]
                found = [write(kind, number, seed), write_twin(kind, number, seed)]
                if found[0].text == found[1].text or _split(found[0].key) != _split(found[1].key):
                    continue
            else:
                name = random.choices(list(self._shares), weights=list(self._shares.values()))[0]
                found = [self._digest(seed) if name == DIGEST else self._any(name, random, seed)]
            texts = {one.text for one in found}
            if not texts & self._seen:
                self._seen |= texts
                return _as_pairs(name, index, found)
        raise ValueError(
            f"no new text after {ATTEMPTS} attempts at pair {index}: ask for fewer pairs or for "
            "more kinds"
        )

    def _any(self, name: str, random: Random, seed: str) -> Written:
        kind = self._kinds[name]
        return write(kind, random.randrange(len(kind.templates)), seed)

    def _digest(self, seed: str) -> Written:
        """Several notes in one text, as in a day's log: of one kind or of unlike kinds."""
        random = Random(seed)
        sources = [name for name in SHARES if name not in NOT_IN_DIGESTS]
        if random.random() < 0.5:
            sources = [random.choice(sources)]
        wanted = random.choice(DIGEST_PARTS)
        parts: list[Written] = []
        for _ in range(ATTEMPTS):
            part = self._any(random.choice(sources), random, f"{seed}/{random.random()}")
            whole = sum(len(one.text) for one in parts) + len(part.text)
            unlike = part.template not in {one.template for one in parts}
            if unlike and "\n" not in part.text and len(part.text) >= 30 and whole <= DIGEST_LIMIT:
                parts.append(part)
            if len(parts) == wanted:
                break
        separator = random.choice(SEPARATORS)
        if separator == " " and not all(part.text[-1] in ".!?" for part in parts):
            separator = "\n"
        return _joined(parts, separator)


def _joined(parts: Sequence[Written], separator: str) -> Written:
    """One text and gold of several: the first part opens it, the weightiest sets its mood."""
    golds = [part.gold for part in parts]
    weightiest = max(golds, key=lambda gold: gold["salience"])
    structured = [gold["structured_concepts"] for gold in golds]
    opening = separator if separator in BULLETS else ""
    text = (opening + separator.join(part.text for part in parts)).strip()
    # Long texts have long contents already: the rest of their golds stays small.
    share = 1 if len(text) > 400 else 2
    narratives = [gold["narrative"] for gold in golds if gold["narrative"]]
    topics = {one["path"]: one for part in structured for one in part["topics"][:1]}
    gold = make_gold(
        text=text,
        gist=golds[0]["gist"],
        summary=cut(golds[0]["summary"], 90 * share),
        narrative=" ".join([one for one in narratives if len(one) <= 120][:share]),
        concepts=[one for gold in golds for one in gold["concepts"][:1]][:4],
        topics=topics.values(),
        entities=[one for part in structured for one in part["entities"][:share]][:4],
        actions=[one for part in structured for one in part["actions"][:1]][:share],
        causality=[one for part in structured for one in part["causality"][:1]][:share],
        significance=weightiest["significance"],
        emotional_tone=weightiest["emotional_tone"],
        outcome=weightiest["outcome"],
        salience=weightiest["salience"],
    )
    if len(parts) > 2 and len(canonical_json(gold)) > GOLD_LIMIT:
        return _joined(parts[:-1], separator)
    return Written(
        template=DIGEST + "/" + "+".join(part.template for part in parts),
        text=text,
        gold=gold,
        slots={},
        key="\x1d".join(part.key for part in parts),
    )


def _as_pairs(kind: str, index: int, found: Sequence[Written]) -> list[Pair]:
    """The pairs of one text, or of a text and its twin."""
    ids = [f"{kind}-{index + offset:06d}" for offset in range(len(found))]
    return [
        Pair(
            id=ids[place],
            kind=kind,
            template=one.template,
            split=_split(one.key),
            text=one.text,
            gold=one.gold,
            twin=ids[1 - place] if len(found) == 2 else None,
        )
        for place, one in enumerate(found)
    ]


def _split(key: str) -> str:
    """The split that a template with its slots falls in, whatever else is drawn."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    return "eval" if number < EVAL_SHARE * 2**32 else "train"
