"""Golds of the `memory` task: the encoding that a faithful encoder gives a text.

Holds the rules that all golds share: keys in the schema's order, white space collapsed, gists cut
at word boundaries, salience on a grid that fits the significance, short fields for short texts.
It does not know how a text was made, and it does not check that a gold is faithful to its text.
"""

import re
from collections.abc import Iterable
from typing import Any

from spokesmith.metrics import SALIENCE_RANGES
from spokesmith.metrics.facts import find_facts

# The schema allows 80. A small model counts no characters: what it learns to write up to a limit
# goes beyond it as often.
GIST_LIMIT = 60
SUMMARY_LIMIT = 220
NARRATIVE_LIMIT = 250
VERBATIM_LIMIT = 500
CONTENT_LIMIT = 600
# Sentences that state facts all stay, up to what the schema allows.
FACTS_LIMIT = 1900
BRIEF_WORDS = 5
BRIEF_CHARACTERS = 60
NARRATIVE_WORDS = 12
TOPIC_WORDS = 4
CONCEPT_LIMIT = 5
TOPIC_LIMIT = 2
ENTITY_LIMIT = 6
ACTION_LIMIT = 3
CAUSE_LIMIT = 2
CONTEXT_WORDS = 8

ENTITY_TYPES = (
    "person",
    "organization",
    "place",
    "project",
    "software",
    "file",
    "identifier",
    "url",
    "product",
    "event",
)
RELATIONS = ("caused_by", "led_to", "intended_to")
BRIEF_SALIENCE = 0.1
CLOSING_MARKS = ".!?…。！？:;,\"')]}"
# After these, no space parts sentences.
FULL_STOPS = "。！？"
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_OPENING = r"(?=[\"'(\[¿¡]?[A-ZÀ-ÖØ-Þ0-9])"
_SENTENCE_END = re.compile(
    rf"(?<=[.!?])\s+{_OPENING}|(?<=[.!?][\"')\]])\s+{_OPENING}|(?<=[。！？])\s*"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|No|vs|e\.g|i\.e|approx|Art|Sec|ca|cf|[A-Z])\.|^\W*\d{1,2}\.)$"
)
_DIGIT = re.compile(r"\d")
_UNIT = re.compile(r"[^\W\d]{1,3}[.,;]?|[%°]\S{0,2}")
_URL = re.compile(r"<?(?:[a-z][a-z0-9+.-]*://|www\.)\S+$", re.IGNORECASE)
_UNSPACED_CLAUSE = re.compile(r".*[，。；、！？](?=.)", re.DOTALL)
_DANGLING = frozenset(
    "a an the of to in on at by for from with and or but as is was were are be been that which who "
    "because after before so into than then its their his her my our your this these those not "
    "when while if de la le el los und der die das von mit et y e o en".split()
)


def collapse(text: str) -> str:
    """`text` with every run of white space as one space, trimmed."""
    return " ".join(text.split())


def sentences(text: str) -> list[str]:
    """The sentences and lines of `text` in order, each collapsed."""
    found: list[str] = []
    for line in text.splitlines():
        joined = False
        for part in _SENTENCE_END.split(line):
            if joined and found:
                found[-1] = collapse(f"{found[-1]} {part}")
            elif part.strip():
                found.append(collapse(part))
            joined = bool(found) and _ABBREVIATION.search(found[-1]) is not None
    return found


def count_words(text: str) -> int:
    """Words by white space; two Chinese, Japanese or Korean characters count as a word."""
    characters = len(CJK.findall(text))
    return len(CJK.sub(" ", text).split()) + (characters + 1) // 2


def cut(text: str, limit: int) -> str:
    """The longest head of collapsed `text` of at most `limit` characters that ends at a word.

    A text that is cut ends without a dangling article, preposition or comma, and without a number
    that lost its unit. A single word longer than `limit` is cut inside.
    """
    text = collapse(text)
    if len(text) <= limit:
        return text
    if CJK.search(text[: limit + 1]):
        return _cut_unspaced(text, limit)
    words = text[: limit + 1].rsplit(" ", 1)[0].split()
    after = next(iter(text.split()[len(words) :]), "").lower()
    loses_unit = _UNIT.fullmatch(after) and after not in _DANGLING
    if loses_unit and len(words) > 1 and _DIGIT.search(words[-1]):
        words.pop()
    while len(words) > 1 and words[-1].lower().strip(",;:") in _DANGLING:
        words.pop()
    return " ".join(words)[:limit].rstrip(" ,;:-–—(")


def _cut_unspaced(text: str, limit: int) -> str:
    """A head that ends at a clause, else before the number or Latin word that the cut would hit."""
    head = text[:limit]
    clause = _UNSPACED_CLAUSE.match(head)
    if clause and clause.end() >= limit / 3:
        return clause.group().rstrip(" ,;:，；、。")
    shorter = re.sub(r"[!-~\s]+$", "", head) if re.match(r"[!-~]", text[limit:]) else head
    return re.sub(r"\d[\d.,\s]*$", "", shorter) or head


def headline(text: str) -> str:
    """A gist within its limit: a short text itself, else the head of its first sentence."""
    whole = collapse(text)
    if len(whole) <= GIST_LIMIT and "\n" not in text.strip():
        return _without_period(whole)
    first = next((one for one in sentences(text) if any(map(str.isalnum, one))), whole)
    first = first.lstrip("-*•#> \t") or first
    if len(first) > GIST_LIMIT:
        head = re.split(r"[,;:]\s|\s[–—-]\s|\s(?:because|so that|which|after|since)\s", first)[0]
        first = head if 25 <= len(head) <= GIST_LIMIT else first
    return _without_period(cut(first, GIST_LIMIT)).rstrip(" ,;:")


def content_of(text: str) -> str:
    """Every fact: the collapsed text, or of a long one all sentences that state facts.

    Other sentences stay as far as there is room.
    """
    whole = collapse(text)
    if len(whole) <= VERBATIM_LIMIT:
        return whole
    parts = sentences(text)
    facts = {collapse(fact.text) for fact in find_facts(text)}
    telling = [any(fact in part for fact in facts) or bool(_DIGIT.search(part)) for part in parts]
    chosen: list[int] = []
    used = 0
    for place in sorted(range(len(parts)), key=lambda place: (not telling[place], place)):
        if used + len(parts[place]) + 1 <= (FACTS_LIMIT if telling[place] else CONTENT_LIMIT):
            chosen.append(place)
            used += len(parts[place]) + 1
    if not chosen:
        return cut(whole, CONTENT_LIMIT)
    kept = [parts[place] for place in sorted(chosen)]
    # Without a mark between them, the end of one and the start of the next read as one name; the
    # full stop of an abbreviation is none.
    closed = [
        part if part[-1] in CLOSING_MARKS and not _ABBREVIATION.search(part) else f"{part};"
        for part in kept[:-1]
    ]
    return " ".join([*closed, kept[-1]])


def snap(salience: float, significance: str) -> float:
    """`salience` on the grid of 0.05, inside the range of its significance."""
    low, high = SALIENCE_RANGES[significance]
    return round(round(min(max(salience, low), high) * 20) / 20, 2)


def topic(label: str, path: str) -> dict[str, str]:
    """A topic, e.g. `topic("caching", "software/performance")`."""
    return {"label": collapse(label).lower(), "path": collapse(path).lower()}


def entity(name: str, type: str, context: str) -> dict[str, str]:
    """A named thing; `context` (cut at eight words) says what role it plays in the text."""
    assert type in ENTITY_TYPES, type
    words = collapse(context).split()[:CONTEXT_WORDS]
    return {"name": collapse(name), "type": type, "context": " ".join(words)}


def action(verb: str, object: str, details: str = "") -> dict[str, str]:
    """Something done; `object` and `details` are words of the text."""
    return {
        "verb": collapse(verb).lower(),
        "object": collapse(object),
        "details": collapse(details),
    }


def cause(relation: str, description: str) -> dict[str, str]:
    """A cause, effect or purpose that the text states."""
    assert relation in RELATIONS, relation
    return {"relation": relation, "description": collapse(description)}


def make_gold(
    *,
    text: str,
    gist: str = "",
    summary: str = "",
    content: str | None = None,
    narrative: str = "",
    concepts: Iterable[str] = (),
    topics: Iterable[dict[str, str]] = (),
    entities: Iterable[dict[str, str]] = (),
    actions: Iterable[dict[str, str]] = (),
    causality: Iterable[dict[str, str]] = (),
    significance: str = "routine",
    emotional_tone: str = "neutral",
    outcome: str = "unknown",
    salience: float | None = None,
) -> dict[str, Any]:
    """The gold of `text`, keys in the schema's order, every list and string within its limit.

    An empty `gist` becomes the headline, an empty `summary` the first sentence, a missing
    `content` what `content_of` keeps, a missing `salience` a value that follows from significance
    and tone. Texts that are brief get `brief_gold`, with the first entity and concept.
    """
    words = count_words(text)
    if is_brief(text):
        return brief_gold(
            text,
            concepts=concepts,
            entities=entities,
            emotional_tone=emotional_tone,
            outcome=outcome,
        )
    whole = collapse(text)
    short = len(whole) <= GIST_LIMIT and "\n" not in text.strip()
    gist = headline(text) if short or not gist.strip() else headline(collapse(gist))
    if not summary.strip():
        summary = next(iter(sentences(text)), whole)
    if salience is None:
        low, high = SALIENCE_RANGES[significance]
        salience = (low + high) / 2 + (0 if emotional_tone == "neutral" else 0.05)
    return _assemble(
        gist=gist,
        summary=cut(summary, SUMMARY_LIMIT),
        content=content_of(text) if content is None else collapse(content),
        narrative="" if words < NARRATIVE_WORDS else _whole_sentences(narrative, NARRATIVE_LIMIT),
        concepts=_distinct(map(_concept, concepts))[: CONCEPT_LIMIT if words > 3 else 1],
        topics=list(topics)[: TOPIC_LIMIT if words >= TOPIC_WORDS else 0],
        entities=_distinct(entities, "name")[:ENTITY_LIMIT],
        actions=list(actions)[:ACTION_LIMIT],
        causality=_distinct(causality, "description")[:CAUSE_LIMIT],
        significance=significance,
        emotional_tone=emotional_tone,
        outcome=outcome,
        salience=snap(salience, significance),
    )


def is_brief(text: str) -> bool:
    """Whether a text is one to five words, or a bare URL; code without spaces is neither."""
    whole = collapse(text)
    if " " not in whole and _URL.match(whole):
        return True
    return count_words(whole) <= BRIEF_WORDS and len(whole) <= BRIEF_CHARACTERS


def brief_gold(
    text: str,
    *,
    concepts: Iterable[str] = (),
    entities: Iterable[dict[str, str]] = (),
    emotional_tone: str = "neutral",
    outcome: str = "unknown",
) -> dict[str, Any]:
    """The gold of a text of up to five words or a bare URL: the text and next to nothing more.

    It is routine whatever it says: so few words carry no weight.
    """
    whole = collapse(text)
    return _assemble(
        gist=_without_period(cut(whole, GIST_LIMIT)),
        summary=whole,
        content=whole,
        narrative="",
        concepts=_distinct(map(_concept, concepts))[:1],
        topics=[],
        entities=list(entities)[:1],
        actions=[],
        causality=[],
        significance="routine",
        emotional_tone=emotional_tone,
        outcome=outcome,
        salience=BRIEF_SALIENCE,
    )


def _assemble(
    *,
    gist: str,
    summary: str,
    content: str,
    narrative: str,
    concepts: list[str],
    topics: list[dict[str, str]],
    entities: list[dict[str, str]],
    actions: list[dict[str, str]],
    causality: list[dict[str, str]],
    significance: str,
    emotional_tone: str,
    outcome: str,
    salience: float,
) -> dict[str, Any]:
    return {
        "gist": gist,
        "summary": summary,
        "content": content,
        "narrative": narrative,
        "concepts": concepts,
        "structured_concepts": {
            "topics": topics,
            "entities": entities,
            "actions": actions,
            "causality": causality,
        },
        "significance": significance,
        "emotional_tone": emotional_tone,
        "outcome": outcome,
        "salience": salience,
    }


def _without_period(text: str) -> str:
    """`text` without its final full stop; an ellipsis goes whole."""
    return text.rstrip(".。").rstrip() or text


def _whole_sentences(text: str, limit: int) -> str:
    """As many sentences of `text` as fit `limit`; the first one is cut if it alone does not."""
    parts = sentences(text)
    if not parts:
        return ""
    kept = cut(parts[0], limit)
    for part in parts[1:]:
        if len(kept) + 1 + len(part) > limit:
            break
        kept += part if kept[-1] in FULL_STOPS else f" {part}"
    return kept


def _concept(words: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", collapse(words).lower())


def _distinct(items: Iterable[Any], key: str | None = None) -> list[Any]:
    """The items in order without repeats, whatever their case; `key` compares dictionaries."""
    kept: dict[Any, Any] = {}
    for item in items:
        kept.setdefault((item if key is None else item[key]).lower(), item)
    return list(kept.values())
