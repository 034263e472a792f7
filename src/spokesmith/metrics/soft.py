"""Bigram copy precision: how much of an output's prose is copied from its source, word for word.

A soft measure that decides nothing: a good paraphrase copies little.
"""

from collections.abc import Iterable

from spokesmith.metrics.phrases import plain_words, sequences


def soft(prose: Iterable[str], text: str) -> float | None:
    """The share of word bigrams of the prose that stand in the text; None where there is none."""
    known = set(sequences(plain_words(text), 2))
    bigrams = [bigram for string in prose for bigram in sequences(plain_words(string), 2)]
    return sum(bigram in known for bigram in bigrams) / len(bigrams) if bigrams else None
