"""Digests: several notes in one text, as in a day's log, of one kind or of unlike kinds.

Knows how notes and their golds are joined; knows no template.
"""

from collections.abc import Mapping, Sequence
from random import Random

from spokesmith.data.gold import cut, make_gold
from spokesmith.data.kinds.family import Kind, Written, write
from spokesmith.tasks import canonical_json

DIGEST = "digest"
PARTS = (2, 2, 2, 3, 3, 4, 5, 8)
ATTEMPTS = 200
TEXT_LIMIT = 1400
GOLD_LIMIT = 2600
SHORTEST_PART = 30
BULLETS = ("\n- ", "\n* ")
# Between these, parts may have several lines.
BLOCK_SEPARATORS = ("\n\n", "\n\n", "\n---\n")
SEPARATORS = (" ", " ", "\n", "\n", " | ", *BULLETS, *BLOCK_SEPARATORS)


def write_digest(kinds: Mapping[str, Kind], names: Sequence[str], seed: str) -> Written:
    """A digest of notes of the named kinds; `seed` alone decides what is in it."""
    random = Random(seed)
    separator = random.choice(SEPARATORS)
    blocks = separator in BLOCK_SEPARATORS
    parts: list[Written] = []
    if random.random() < 0.5:
        parts = _draw_parts(kinds, [random.choice(names)], random, seed, blocks)
    # A kind may have too few texts of one line.
    if len(parts) < 2:
        parts = _draw_parts(kinds, names, random, seed, blocks)
    if separator == " " and not all(part.text[-1] in ".!?。！？" for part in parts):
        separator = "\n"
    return _joined(parts, separator)


def _draw_parts(
    kinds: Mapping[str, Kind], names: Sequence[str], random: Random, seed: str, blocks: bool
) -> list[Written]:
    """Notes of unlike templates, as many as drawn and as long as a text may be.

    Each has one line, or with `blocks` any number.
    """
    wanted = random.choice(PARTS)
    parts: list[Written] = []
    for _ in range(ATTEMPTS):
        kind = kinds[random.choice(names)]
        part = write(kind, random.randrange(len(kind.templates)), f"{seed}/{random.random()}")
        whole = sum(len(one.text) for one in parts) + len(part.text)
        unlike = part.template not in {one.template for one in parts}
        if unlike and _fits(part.text, blocks) and whole <= TEXT_LIMIT:
            parts.append(part)
        if len(parts) == wanted:
            break
    return parts


def _fits(text: str, blocks: bool) -> bool:
    return (blocks or "\n" not in text) and len(text) >= SHORTEST_PART


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
