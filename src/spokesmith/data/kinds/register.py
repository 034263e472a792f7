"""Registers: the same note typed in lower case, in capitals, with contractions, typing slips or
loose white space.

Text and gold change alike, so that what the gold copies still stands in the text. Knows no
template.
"""

import re
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from spokesmith.data.gold import GIST_LIMIT, collapse, content_of, headline, is_brief, sentences

PLAIN_CHANCE = 0.84
LOOSE_SPACE_CHANCE = 0.06

CONTRACTIONS = {
    "did not": "didn't",
    "does not": "doesn't",
    "do not": "don't",
    "is not": "isn't",
    "are not": "aren't",
    "was not": "wasn't",
    "were not": "weren't",
    "will not": "won't",
    "has not": "hasn't",
    "cannot": "can't",
    "it is": "it's",
    "It is": "It's",
    "I am": "I'm",
    "we are": "we're",
    "We are": "We're",
}
SHORT_FORMS = {
    "because": "bc",
    "with": "w/",
    "without": "w/o",
    "and": "&",
    "please": "pls",
    "Please": "Pls",
    "you": "u",
    "tomorrow": "tmrw",
    "before": "b4",
    "about": "abt",
    "minutes": "min",
    "through": "thru",
}
SLIPS = {
    "because": "becuase", "with": "wiht", "the": "teh", "after": "afer", "from": "fomr",
    "before": "befor", "their": "thier", "until": "untill", "instead": "insted", "again": "agian",
    "which": "wich", "still": "stil", "and": "adn", "for": "fro", "was": "wsa",
    "will": "wil", "not": "nto",
}  # fmt: skip

Change = Callable[[str], str]


def restyle(random: Random, text: str, gold: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text in another register, with its gold; most texts stay as they are."""
    if is_brief(text) or random.random() < PLAIN_CHANCE:
        return _loosened(random, text), gold
    change, folds_labels = random.choice(
        (
            (str.lower, True),
            # Other letters than ASCII may grow in capitals.
            (str.upper, False) if text.isascii() else (str.lower, True),
            (_replacer(CONTRACTIONS, text), True),
            (_replacer(CONTRACTIONS, text), True),
            (_replacer(CONTRACTIONS | SHORT_FORMS, text), True),
            (_replacer(_some(random, SLIPS), text), True),
            (_replacer(_some(random, SLIPS), text), True),
            (_curly, True),
        )
    )
    changed = change(text)
    if is_brief(changed) or (change is str.upper and not _is_copied(changed, gold)):
        return text, gold
    return _loosened(random, changed), _changed_gold(changed, gold, change, folds_labels)


def _is_copied(capitals: str, gold: dict[str, Any]) -> bool:
    """Whether the prose of the gold stands in the text: all in capitals, it would pass for names."""
    whole = collapse(capitals)
    said = (gold["gist"], gold["summary"], gold["narrative"])
    return all(sentence.upper() in whole for one in said for sentence in sentences(one))


def _changed_gold(
    text: str, gold: dict[str, Any], change: Change, folds_labels: bool
) -> dict[str, Any]:
    """The gold with the change in all that it copies; verbs and concepts stay in lower case."""
    label: Change = change if folds_labels else str
    found = gold["structured_concepts"]
    gist = change(gold["gist"])
    whole = collapse(text)

    def beside(context: str) -> str:
        return changed if (changed := change(context)) in whole else label(context)

    return gold | {
        "gist": gist if len(gist) <= GIST_LIMIT else headline(text),
        "summary": change(gold["summary"]),
        "content": content_of(text),
        "narrative": change(gold["narrative"]),
        "concepts": [label(one) for one in gold["concepts"]],
        "structured_concepts": {
            "topics": found["topics"],
            "entities": [
                one | {"name": change(one["name"]), "context": beside(one["context"])}
                for one in found["entities"]
            ],
            "actions": [
                {
                    "verb": label(one["verb"]),
                    "object": change(one["object"]),
                    "details": change(one["details"]),
                }
                for one in found["actions"]
            ],
            "causality": [
                one | {"description": change(one["description"])} for one in found["causality"]
            ],
        },
    }


def _curly(text: str) -> str:
    return text.replace("'", "’").replace(" - ", " – ")


def _some(random: Random, words: dict[str, str]) -> dict[str, str]:
    chosen = random.sample(sorted(words), 6)
    slips = {word: words[word] for word in chosen}
    return slips | {word.capitalize(): slip.capitalize() for word, slip in slips.items()}


def _replacer(words: dict[str, str], text: str) -> Change:
    """A change of those whole words that a text has, not inside paths, addresses, identifiers.

    So a gold has no word changed that its text does not show changed.
    """
    said = set(_whole_words(words).findall(text))
    if not said:
        return str
    pattern = _whole_words(said)
    return lambda changed: pattern.sub(lambda match: words[match.group()], changed)


def _whole_words(words: Iterable[str]) -> re.Pattern[str]:
    found = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![\w./:@'-])(?:{found})(?![\w/:@'-])")


def _loosened(random: Random, text: str) -> str:
    """Sometimes white space that carries no meaning."""
    if random.random() >= LOOSE_SPACE_CHANCE or is_brief(text):
        return text
    return random.choice(
        (
            text.replace(". ", ".  "),
            text.replace("\n", "\r\n"),
            text.replace("\n", " \n"),
            text.replace("\n", "\n\n\n"),
            text.replace(": ", ":\t"),
            f"  {text}  ",
            f"{text}\n",
        )
    )
