"""English words that say that what follows them is not so, or was not done."""

import re
from collections.abc import Sequence

from spokesmith.data.lexicon import words_of

NEGATIONS = words_of(
    "not no never without cannot nor neither hardly none nobody nothing rarely seldom scarcely"
)
CROWDS = words_of(
    """
    all both children civilians dozens everybody everyone few fewer hundreds many men millions
    more most others patients people scores several soldiers some somebody someone tens thousands
    two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty victims
    women workers
    """
)
CONTRACTED = re.compile(r"\w+n['’]t", re.IGNORECASE)
# What somebody failed or refused to do did not happen.
UNDONE = re.compile(
    r"\b(?:fail|refus|declin|forg[eo]t|unable|inability|unwilling|reluctan|omit|neglect|hesitat)\w*"
    r"(?: \w+ly| again| even| once| more)* to\b",
    re.IGNORECASE,
)


def is_negation(word: str) -> bool:
    """Whether a word by itself denies what it stands before."""
    return word.lower() in NEGATIONS or CONTRACTED.fullmatch(word) is not None


def denies(words: Sequence[str]) -> bool:
    """Whether words deny what comes behind them."""
    return any(map(is_negation, words)) or UNDONE.search(" ".join(words)) is not None


def names_no_one(words: Sequence[str]) -> bool:
    """Whether words before `died`, such as `Thousands of people`, are no one person's name."""
    # A capital behind the first word makes a name of it, as in Thomas More.
    is_crowd = words[0].lower() in CROWDS or words[-1] in CROWDS or words[-1].isdigit()
    return is_crowd or any(map(is_negation, words))
