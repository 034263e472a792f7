"""Listings: a title, a list of many like lines, and often numbered steps below it.

A small model that copies such lines loses its place where they resemble each other, and then goes
round in circles. Knows how the parts stand under one another; golds are what `extract` copies out
of any real text.
"""

from collections.abc import Sequence
from random import Random

from spokesmith.data.extract import gold_of
from spokesmith.data.kinds.family import Written
from spokesmith.data.kinds.pattern import Draw
from spokesmith.data.listing_sorts import SORTS, Sort
from spokesmith.data.slots import TYPES, WORDS

LISTING = "listing"
BULLETS = ("- ", "- ", "- ", "* ", "* ", "• ", "")
FEWEST_ITEMS = 3
FEWEST_STEPS = 3
TEXT_LIMIT = 1600
# A list as drawn has this chance to have steps below it, if its sort knows any.
STEPS_CHANCE = 0.75
REDRAWS = 20


def write_listing(seed: str) -> Written:
    """A listing; `seed` alone decides what is in it."""
    random = Random(seed)
    sort = random.choice(SORTS)
    draw = Draw(random=random, words={**WORDS, **sort.words}, types=TYPES)
    title = draw.fill(random.choice(sort.titles))
    blocks = [title, *_opening(draw, sort), *_list(draw, sort)]
    if sort.steps and random.random() < STEPS_CHANCE:
        blocks += _steps(draw, sort)
    if sort.notes and random.random() < 0.5:
        blocks.append(_line(draw, random.choice(sort.notes)))
    text = _joined(random, blocks)
    return Written(
        template=f"{LISTING}/{SORTS.index(sort)}",
        text=text,
        gold=gold_of(text, title=title.removeprefix("# "), domain=sort.domain),
        slots={},
        key=text,
    )


def _line(draw: Draw, pattern: str) -> str:
    """A line with words of its own: those of other lines are forgotten."""
    draw.slots.clear()
    return draw.fill(pattern)


def _lines(draw: Draw, patterns: Sequence[str], count: int) -> list[str]:
    """Up to `count` lines, none of them twice."""
    lines: dict[str, None] = {}
    for _ in range(count + REDRAWS):
        lines[_line(draw, draw.random.choice(patterns))] = None
        if len(lines) == count:
            break
    return list(lines)


def _opening(draw: Draw, sort: Sort) -> list[str]:
    """What stands between the title and the list: a sentence, facts line by line, or nothing."""
    random = draw.random
    blocks = []
    if sort.intros and random.random() < 0.6:
        # Of the same dish or place as the title.
        blocks.append(draw.fill(random.choice(sort.intros)))
    if sort.facts and random.random() < 0.5:
        bullet = random.choice(BULLETS)
        facts = random.sample(sort.facts, random.randint(1, 3))
        blocks.append("\n".join(bullet + _line(draw, fact) for fact in facts))
    return blocks


def _list(draw: Draw, sort: Sort) -> list[str]:
    """The list under its heading, in one to three forms of lines."""
    random = draw.random
    forms = random.sample(sort.items, random.choice((1, 1, 2, 3)))
    lines = _lines(draw, forms, random.randint(FEWEST_ITEMS, sort.most_items))
    bullet = random.choice(BULLETS)
    heading = random.choice(sort.list_headings)
    return [*([heading] if heading else []), "\n".join(bullet + line for line in lines)]


def _steps(draw: Draw, sort: Sort) -> list[str]:
    """Numbered steps under their heading."""
    random = draw.random
    steps = _lines(draw, sort.steps, random.randint(FEWEST_STEPS, sort.most_steps))
    numbered = [f"{place}. {step}" for place, step in enumerate(steps, start=1)]
    return [random.choice(sort.step_headings), "\n".join(numbered)]


def _joined(random: Random, blocks: Sequence[str]) -> str:
    """The blocks under one another; lines at the end that are too many for a text are left out."""
    text = random.choice(("\n\n", "\n\n", "\n")).join(blocks)
    while len(text) > TEXT_LIMIT:
        text = text.rpartition("\n")[0].rstrip()
    return text
