"""Families of templates, and how a template becomes a text with its gold.

Knows the pattern language and the gold's rules; knows nothing of counts, shares and splits.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from spokesmith.data.entities import context_in
from spokesmith.data.gold import (
    SUMMARY_LIMIT,
    action,
    cause,
    collapse,
    entity,
    is_brief,
    make_gold,
    sentences,
    topic,
)
from spokesmith.data.kinds.asides import ASIDES
from spokesmith.data.kinds.asides import WORDS as ASIDE_WORDS
from spokesmith.data.kinds.pattern import BORDER, Draw, Slot, Words, parse
from spokesmith.data.kinds.register import restyle
from spokesmith.data.slots import COMMON, TYPES, WORDS

RELATION_OF = {"b": "caused_by", "e": "led_to", "t": "intended_to"}
LAYOUTS = (" ", " ", " ", " ", "\n", "\n", "\n- ", "\n* ", "\n• ", "\n\n", "\n1. ")
PREFIX_CHANCE = 0.12
ASIDE_FROM = 45
MARKUP = tuple("<{[|#$>")
ASIDE_WEIGHTS = (48, 12, 12, 12, 10, 6)
LISTED = re.compile(r"[-*•] |1\. ")
ARTICLES = ("a ", "an ", "the ")
EDGES = " \t\n.,;:"


@dataclass(frozen=True, kw_only=True)
class Template:
    """A text pattern and what its gold holds beyond the tagged words.

    `topics` is "label=area/sub-area", several parted by ";"; `mood` is "outcome tone significance",
    two of them parted by "/" where the pattern flips; `swap` names pairs of slots whose values
    trade places in the opposite text, e.g. "before after"; `gist`, `summary` and `narrative` are
    patterns that stand in for tagged words; `layout` "prose" keeps the sentences on one line.
    """

    text: str
    topics: str = ""
    mood: str = "unknown neutral routine"
    swap: str = ""
    gist: str = ""
    summary: str = ""
    narrative: str = ""
    concepts: str = ""
    layout: str = ""

    @property
    def has_twin(self) -> bool:
        return bool(self.swap) or "=flip:" in self.text


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A sort of text: its templates, its own words, and openings that any of its texts may have.

    A text of a kind that is `alone` never stands in a digest.
    """

    name: str
    templates: Sequence[Template]
    words: Mapping[str, Words] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    prefixes: Sequence[str] = ()
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class Written:
    """A text with its gold; `key` is the same for texts of one template with the same slots."""

    template: str
    text: str
    gold: dict[str, Any]
    slots: Mapping[str, str]
    key: str


def T(text: str, topics: str = "", mood: str = "unknown neutral routine", **more: str) -> Template:
    """A template, short enough to write three hundred of them."""
    return Template(text=text, topics=topics, mood=mood, **more)


def write(kind: Kind, number: int, seed: str) -> Written:
    """The text that `seed` gives for the template of that number."""
    return _write(kind, number, seed, preset={}, flipped=False)


def write_twin(kind: Kind, number: int, seed: str) -> Written:
    """The opposite of what `write` gives for the same arguments."""
    first = write(kind, number, seed)
    pairs = [pair.split() for pair in kind.templates[number].swap.split(";") if pair.strip()]
    preset: dict[str, str] = {}
    for one, other in pairs:
        if one in first.slots and other in first.slots:
            preset |= {one: first.slots[other], other: first.slots[one]}
    return _write(kind, number, seed, preset=preset, flipped=True)


def _write(
    kind: Kind, number: int, seed: str, *, preset: Mapping[str, str], flipped: bool
) -> Written:
    template = kind.templates[number]
    draw = Draw(
        random=Random(seed),
        words={**WORDS, **ASIDE_WORDS, **kind.words},
        types={**TYPES, **kind.types},
        preset=preset,
        flipped=flipped,
    )
    written = draw.render(parse(template.text))
    _note_common_words(draw, template)
    # Lines have a form of their own, which further sentences would break; brief texts stay so.
    free = template.layout != "prose" and "\n" not in written and written[:1] not in MARKUP
    if free and len(written) >= ASIDE_FROM and not is_brief(written):
        written += _asides(draw)
    body = _lay_out(draw, template, written)
    drawn = len(draw.slots)
    gold_parts = _gold_parts(draw, template, written, body)
    assert len(draw.slots) == drawn, f"{kind.name}/{number}: the gold draws {draw.slots}"
    text = body
    if kind.prefixes and draw.random.random() < PREFIX_CHANCE:
        opening = draw.fill(draw.random.choice(kind.prefixes))
        text = f"{opening.strip()}\n{body}" if LISTED.match(body) else opening + body
    if not gold_parts["gist"]:
        gold_parts["gist"] = _first_line(body)
    if not gold_parts["summary"] and len(collapse(body)) <= 220 and BORDER not in written:
        gold_parts["summary"] = collapse(body)
    gold = make_gold(text=text, **gold_parts)
    if free:
        text, gold = restyle(draw.random, text, gold)
    return Written(
        template=f"{kind.name}/{number}",
        text=text,
        gold=gold,
        slots=dict(draw.slots),
        key=_key(f"{kind.name}/{number}", template, draw),
    )


def _note_common_words(draw: Draw, template: Template) -> None:
    """Common nouns become concepts where the template names none."""
    if template.concepts or any(mark == "k" for mark, _ in draw.tags):
        return
    found = [value for name, value in draw.slots.items() if draw.sources.get(name) in COMMON]
    draw.tags += [("k", value) for value in found[:2]]


def _asides(draw: Draw) -> str:
    """None to four further sentences."""
    count = draw.random.choices(range(len(ASIDE_WEIGHTS)), weights=ASIDE_WEIGHTS)[0]
    chosen = draw.random.sample(ASIDES, count)
    return "".join(BORDER + draw.fill(pattern) for pattern in chosen)


def _lay_out(draw: Draw, template: Template, text: str) -> str:
    """Sentences on one line, on lines of their own, or as a list."""
    pieces = [piece for piece in text.split(BORDER) if piece.strip()]
    separator = " " if template.layout == "prose" else draw.random.choice(LAYOUTS)
    if len(pieces) < 2:
        return text.replace(BORDER, "").strip()
    if "\n" in text:
        return "\n".join(pieces).strip()
    if separator == " ":
        ended = [f"{one}." if one[-1].isalnum() else one for one in pieces[:-1]]
        return " ".join([*ended, pieces[-1]]).strip()
    if separator == "\n1. ":
        return "\n".join(f"{place}. {piece}" for place, piece in enumerate(pieces, start=1))
    return (separator + separator.join(pieces)).strip()


def _first_line(body: str) -> str:
    """The first line without its bullet; the headline is cut from it."""
    lines = body.splitlines()
    line = next((line for line in lines if any(map(str.isalnum, line))), body)
    return line.lstrip("-*•#> \t").removeprefix("1. ")


def _gold_parts(draw: Draw, template: Template, written: str, body: str) -> dict[str, Any]:
    """The arguments of `make_gold` that the tags, slots and patterns of a text give."""
    if not template.summary:
        _widen_summary(draw, written)

    def spoken(letter: str, pattern: str) -> str:
        if pattern:
            return collapse(draw.fill(pattern))
        tagged = [
            collapse(words.replace(BORDER, " ")) for mark, words in draw.tags if mark == letter
        ]
        if letter == "g":
            return " ".join(tagged)
        return " ".join(_closed(one) for one in tagged if one)

    moods = template.mood.split("/")
    outcome, tone, significance = moods[draw.side % len(moods)].split()
    concepts = [words.strip(EDGES) for mark, words in draw.tags if mark == "k"]
    concepts += [one.strip() for one in draw.fill(template.concepts).split(", ") if one.strip()]
    # A concept is a label; what runs longer is a clause that content keeps anyway.
    concepts = [one for one in concepts if len(one.split()) - one.startswith(ARTICLES) <= 3]
    return {
        "gist": spoken("g", template.gist),
        "summary": _closed(spoken("s", template.summary)),
        "narrative": _closed(spoken("n", template.narrative)),
        "concepts": concepts,
        "topics": [
            topic(*one.split("=")) for one in draw.fill(template.topics).split(";") if one.strip()
        ],
        "entities": [
            entity(name, sort, _stated(_known(draw, context), name, sort, body))
            for name, (sort, context) in draw.entities.items()
        ],
        "actions": _actions(draw),
        "causality": [
            cause(RELATION_OF[mark], words.replace(BORDER, " ").strip(EDGES))
            for mark, words in draw.tags
            if mark in RELATION_OF
        ],
        "significance": significance,
        "emotional_tone": tone,
        "outcome": outcome,
    }


def _widen_summary(draw: Draw, written: str) -> None:
    """Where gist and summary are the same words, the summary becomes their whole sentence."""
    marked = {mark: [words for other, words in draw.tags if other == mark] for mark in "gs"}
    if len(marked["s"]) != 1 or marked["g"] != marked["s"]:
        return
    core = collapse(marked["s"][0])
    for piece in written.split(BORDER):
        for sentence in sentences(piece):
            if core in sentence and len(sentence) <= SUMMARY_LIMIT:
                place = draw.tags.index(("s", marked["s"][0]))
                draw.tags[place] = ("s", sentence.lstrip("-*•#> "))
                return


def _known(draw: Draw, context: str) -> str:
    """The context, or nothing where it names a slot that this text lacks."""
    wanted = (node.name for node in parse(context) if isinstance(node, Slot))
    return draw.fill(context) if all(name in draw.slots for name in wanted) else ""


def _stated(role: str, name: str, sort: str, text: str) -> str:
    """The role of a named thing if the text has its words, else what the text says beside it."""
    words = set(re.findall(r"\w+", text.lower()))
    said = re.findall(r"\w+", role.lower())
    return role if said and words.issuperset(said) else context_in(text, name, sort)


def _actions(draw: Draw) -> list[dict[str, str]]:
    """Verbs with their objects, in the order of the text; the object may stand before its verb."""
    found: list[dict[str, str]] = []
    for mark, words in draw.tags:
        if mark not in "vod":
            continue
        words = words.replace(BORDER, " ").strip(EDGES)
        if not found or mark in found[-1]:
            found.append({})
        found[-1][mark] = words
    return [
        action(one["v"], one["o"], one.get("d", "")) for one in found if "v" in one and "o" in one
    ]


def _closed(sentence: str) -> str:
    """The sentence with a full stop, unless it ends in a mark of its own."""
    sentence = sentence.rstrip(" ,;:")
    return (
        f"{sentence}."
        if sentence and (sentence[-1].isalnum() or sentence[-1] in "%)")
        else sentence
    )


def _key(name: str, template: Template, draw: Draw) -> str:
    """Template and slot values; opposite texts share it."""
    slots = {slot: value for slot, value in draw.slots.items() if slot not in draw.flips}
    for pair in template.swap.split(";"):
        names = [one for one in pair.split() if one in slots]
        for one, value in zip(names, sorted(slots[one] for one in names), strict=True):
            slots[one] = value
    return "\x1e".join([name, *(f"{slot}={value}" for slot, value in sorted(slots.items()))])
