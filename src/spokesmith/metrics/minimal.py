"""Inputs of up to five words: their encodings must say next to nothing more.

So few words carry no weight and tell of no cause. Labels of the task (`path`, `type`, `relation`)
and enumerated fields are no vocabulary. A made-up word that the input has is not seen.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spokesmith.metrics.causes import connectives, has_cause_cue, has_purpose_cue
from spokesmith.metrics.grounding import Source, StatedFact
from spokesmith.metrics.phrases import stems, vocabulary
from spokesmith.metrics.strings import CJK, leaves_of

MAX_WORDS = 5
MAX_NEW_WORDS = 2
MAX_SALIENCE = 0.3
LABELS = frozenset(("path", "type", "relation"))
# Chinese and Japanese, Thai and Lao, Burmese, Khmer.
_UNSPACED = re.compile(rf"{CJK.pattern}|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True, kw_only=True)
class MinimalInput:
    """The verdict on the encoding of an input of up to five words.

    `new_words` are the stems of content words that the input lacks, each once; `problems` are
    plain lines, empty where it passes.
    """

    new_words: list[str]
    problems: list[str]

    @property
    def passes(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


def is_minimal(text: str) -> bool:
    """Whether a text is one to five words; a character of a script without spaces counts as one."""
    spaced = _UNSPACED.sub(" \\g<0> ", unicodedata.normalize("NFKC", text)).split()
    return 0 < len(spaced) <= MAX_WORDS


def minimal(
    value: Any, strings: Sequence[tuple[str, str]], stated: Sequence[StatedFact], source: Source
) -> MinimalInput | None:
    """Judge the encoding of a minimal input; None where the input has more words.

    Args:
        value: the encoding, a JSON value.
        strings: pointer and text of its strings that are not enumerated.
        stated: its typed facts.
    """
    if not is_minimal(source.text):
        return None
    told = [text for pointer, text in strings if pointer.rpartition("/")[2] not in LABELS]
    leaves = list(leaves_of(value))
    known = vocabulary(source.text)
    new = list(dict.fromkeys(stem for text in told for stem in stems(text) if stem not in known))
    problems = [f"made up: {one.fact.text}" for one in stated if one.grounding.span is None]
    if len(new) > MAX_NEW_WORDS:
        problems.append(f"{len(new)} words are new: {', '.join(new[:10])}")
    if not has_cause_cue(source.text):
        problems += [f"a cause: {word}" for text in told for word in connectives(text)]
    if not has_purpose_cue(source.text):
        causes = [at for at, leaf in leaves if leaf and "/causality/" in f"{at}/"]
        problems += [f"a cause: {pointer}" for pointer in causes[:1]]
    problems += [
        f"salience {leaf} is over {MAX_SALIENCE}"
        for pointer, leaf in leaves
        if pointer.endswith("/salience") and _is_number(leaf) and leaf > MAX_SALIENCE
    ]
    return MinimalInput(new_words=new, problems=problems)


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, int | float) and not isinstance(leaf, bool)
