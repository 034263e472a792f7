"""What an answer takes from elsewhere than its input: the prompt's words, and set phrases.

Only values are looked at: the keys of a schema stand in the prompt and in every answer.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from spokesmith.metrics.phrases import plain_words, sequences

PROMPT_WORDS = 5
REPEATED_WORDS = 6
REPEATED_SHARE = 0.02


def prompt_echo(strings: Iterable[str], prompt: str, text: str) -> list[str]:
    """The runs of five words of the prompt that an answer's strings have and its input lacks."""
    prompted = _prompt_sequences(prompt)
    if not prompted:
        return []
    found: dict[tuple[str, ...], None] = {}
    for string in strings:
        for run in sequences(plain_words(string), PROMPT_WORDS):
            if run in prompted:
                found[run] = None
    own = set(sequences(plain_words(text), PROMPT_WORDS)) if found else set()
    return [" ".join(run) for run in found if run not in own]


@lru_cache(maxsize=32)
def _prompt_sequences(prompt: str) -> frozenset[tuple[str, ...]]:
    return frozenset(sequences(plain_words(prompt), PROMPT_WORDS))


def repeated_sixgrams(outputs: Sequence[tuple[Iterable[str], str]]) -> dict[str, int]:
    """Runs of six words in more than 2 % of all outputs, and at least two, but not in their inputs.

    Args:
        outputs: the strings of each output, with its input.

    Returns:
        In how many outputs each run stands, the most frequent first.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    for strings, text in outputs:
        runs = {run for string in strings for run in sequences(plain_words(string), REPEATED_WORDS)}
        counts.update(runs - set(sequences(plain_words(text), REPEATED_WORDS)))
    least = max(2, int(REPEATED_SHARE * len(outputs)) + 1)
    return {" ".join(run): count for run, count in counts.most_common() if count >= least}
