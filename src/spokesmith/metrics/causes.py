"""Words that tell of causes, and the causes that a string states with them.

A source may tell of a cause in many ways, so its cues are many; an output is held to the plain
connectives. Which of two things caused the other is not known here.
"""

import re
from collections.abc import Iterator

from spokesmith.metrics.strings import clauses, written_form

_CONNECTIVE = re.compile(
    r"\b(?:because(?: of)?|due to|owing to|thanks to|caused by|causes|caused|causing|triggered by|"
    r"as a result(?: of)?|as a consequence(?: of)?|result(?:s|ed|ing) (?:in|from)|"
    r"(?:leads?|led|leading) to|therefore|consequently|hence|weil|wegen|deshalb|parce que|"
    r"à cause de|porque|debido a|perché|a causa di)(?!\w)|因为|因為|所以|由于|由於|因此|导致|導致",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\b(?:because|bc|since|due|so|therefore|thus|hence|consequen\w*|caus\w+|led|leads?|leading|"
    r"result\w*|reasons?|why|owing|thanks|on account|on the back of|blam\w+|trigger\w*|explain\w*|"
    r"mean(?:s|t|ing)|makes?|made|making|let(?:s|ting)?|allow\w*|enabl\w+|forc\w+|prevent\w*|"
    r"avoid\w*|help\w*|keep(?:s|ing)?|brings?|brought|lift\w*|gave|gives?|giving|cost|"
    r"c[oa]m(?:es?|ing) from|suspect\w*|depend\w*|attribut\w+|secondary to|block\w*|delay\w*|"
    r"ruin\w*|slow(?:s|ed)|in (?:the )?case|weil|wegen|denn|deshalb|daher|darum|damit|durch|parce|"
    r"car|donc|grâce|porque|por|debido|pues|culpa|faute|perché|quindi|colpa|omdat|doordat|"
    r"dankzij|eftersom|fordi|protože|kvůli|ponieważ|powodu|dlatego|bo|поэтому|потому|из-за|çünkü|karena|"
    r"sebab|becuase|cuz)(?!\w)|->|=>|→|⇒|因为|因為|所以|由于|由於|因此|原因|导致|導致|以致|使|から|ので|"
    r"ため|때문|므로|니까|덕분|لأن|بسبب|क्योंकि",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"\b(?:goals?|aims?|purposes?|for|um|pour|para|per|чтобы)(?!\w)|\bto \w|"
    r"以|为|為|防止|避免|ように",
    re.IGNORECASE,
)


def has_cause_cue(text: str) -> bool:
    """Whether a text has any word by which a cause or an effect may be told."""
    return _CAUSE.search(text) is not None


def has_purpose_cue(text: str) -> bool:
    """Whether a text has any word by which a purpose may be told."""
    return _PURPOSE.search(text) is not None or has_cause_cue(text)


def connectives(string: str) -> list[str]:
    """The plain causal connectives of a string, in lower case."""
    return [found.group().casefold() for found in _CONNECTIVE.finditer(string)]


def stated_causes(string: str) -> Iterator[str]:
    """The clauses of a string that a causal connective stands in, from the connective on."""
    if not _CONNECTIVE.search(string):
        return
    for clause in clauses(written_form(string).text):
        found = _CONNECTIVE.search(clause.text)
        if found:
            yield clause.text[found.start() :]
