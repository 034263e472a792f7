"""Parts of a real text that can stand as texts of their own: runs of its blocks or sentences.

A model learns more of a text that it meets in several lengths. Knows nothing of golds.
"""

from random import Random

from spokesmith.data.gold import collapse
from spokesmith.data.sentences import join_segments, opens_block, segments

SHORTEST = 40
LONGEST_SHARE = 0.85
FEWEST_UNITS = 3
ATTEMPTS = 4


def excerpts(text: str, count: int, seed: str) -> list[str]:
    """Up to `count` distinct runs of a text's blocks, or of its sentences where it has few blocks.

    A block is a line with the lines that it was merely wrapped into. Each run is at least
    `SHORTEST` characters long and leaves a part of the text out; `seed` alone decides which.
    """
    if count == 0:
        return []
    units, by_lines = _blocks(text), True
    if len(units) < FEWEST_UNITS:
        units, by_lines = [part.numbered for part in segments(text)], False
    random = Random(seed)
    found: list[str] = []
    for _ in range(count * ATTEMPTS if len(units) >= FEWEST_UNITS else 0):
        start = random.randrange(len(units))
        chosen = units[start : start + random.randint(1, len(units) - 1)]
        excerpt = "\n".join(chosen).strip() if by_lines else join_segments(chosen)
        whole, part = len(collapse(text)), len(collapse(excerpt))
        if SHORTEST <= part <= LONGEST_SHARE * whole and excerpt not in found:
            found.append(excerpt)
    return found[:count]


def _blocks(text: str) -> list[str]:
    """The lines of a text, each with those that it was wrapped into and the blank ones behind."""
    blocks: list[list[str]] = []
    before = ""
    for line in text.splitlines():
        if blocks and (not line.strip() or not opens_block(line, before)):
            blocks[-1].append(line)
        else:
            blocks.append([line])
        before = line
    return ["\n".join(lines) for lines in blocks]
