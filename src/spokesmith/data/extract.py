"""Pairs from real texts: golds that are copied out of the text, never composed.

Reads a JSONL of records (`text`; optionally `id`, `domain`, `title`, `fields`, `split`) and writes
for each text the encoding that its own sentences, names and words give. It states less than a
reader could: what no pattern finds with confidence is left out.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from spokesmith.data.areas import find_topics
from spokesmith.data.cues import find_concepts, weigh
from spokesmith.data.entities import find_entities
from spokesmith.data.excerpts import excerpts
from spokesmith.data.gold import (
    BRIEF_WORDS,
    CJK,
    CONTENT_LIMIT,
    FACTS_LIMIT,
    GIST_LIMIT,
    NARRATIVE_LIMIT,
    NARRATIVE_WORDS,
    SUMMARY_LIMIT,
    VERBATIM_LIMIT,
    brief_gold,
    collapse,
    count_words,
    make_gold,
)
from spokesmith.data.pairs import SPLITS, Pair
from spokesmith.data.sentences import (
    HEADING,
    ITEM,
    SENTENCE,
    STEP,
    TITLE,
    Segment,
    join_segments,
    segments,
    shorten,
)
from spokesmith.data.statements import find_actions, find_causes
from spokesmith.metrics.facts import find_facts
from spokesmith.tasks import canonical_json

# Characters of a gold beside its content.
REST_LIMIT = 1100
LONG_TEXT = 300
# Longest sentence that becomes a text of its own.
SENTENCE_LIMIT = 220
LONG_NARRATIVE_LIMIT = 160
EVAL_SHARE = 10
# A real text's own "template" is this and its id.
TEMPLATE = "text:"
SUMMARY_WORDS = 4
KEYWORD_FIELDS = ("keywords", "categories", "tags")
ASIDE = re.compile(
    r"^(?:see |thanks|credits?|https?://|for more|note:|\(|>|originally)", re.IGNORECASE
)
EVENT_CUE = re.compile(
    r"\b(?:after|afterwards|then|when|later|following|subsequently|began|begun|started|developed|"
    r"since|until|once|finally|next|before|previously|eventually|initially|recently|"
    r"was (?:found|noted|seen|started|given|diagnosed|fixed|corrected|resolved|reported|"
    r"introduced)|underwent|will|would|"
    r"leads? to|led to|results? in|resulting|allow\w*|causes?|became|returned|quit)\b",
    re.IGNORECASE,
)
FACT_CUE = re.compile(
    r"\d+(?:[.,:/-]\d+)*|`[^`]+`|https?://\S+|(?<!\w)\w+(?:::|_)\w+|(?<=[a-z,;] )[A-Z][a-z]+"
)


def extract(
    texts_path: Path, *, sentences: bool = False, num_excerpts: int = 0, seed: int = 0
) -> Iterator[Pair]:
    """Read records from JSONL and yield a pair for each, in order, and its parts behind it.

    Args:
        texts_path: the file.
        sentences: also take the first long sentence of each as a text of its own.
        num_excerpts: most runs of its blocks or sentences that are texts of their own too.
        seed: of the choice of these runs.

    Raises:
        ValueError: the file is missing, or a line is not a record with a text; names file, line
            and reason.
    """
    if not texts_path.is_file():
        raise ValueError(f"no texts at {texts_path}: give a JSONL file of records with a `text`")
    with texts_path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    record = _record(line)
                    whole = pair_of(record)
                    yield whole
                    if sentences and (sentence := _long_sentence(record, whole)):
                        yield _part_pair(sentence, "sentence", record, whole)
                    parts = excerpts(whole.text, num_excerpts, f"{seed}/{whole.id}")
                    for place, excerpt in enumerate(parts):
                        yield _part_pair(excerpt, f"excerpt-{place}", record, whole)
                except ValueError as error:
                    raise ValueError(f"{texts_path}, line {number}: {error}") from error


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply: give flat records") from error
    if not isinstance(record, dict):
        raise ValueError(f"want an object with a `text`, got {type(record).__name__}")
    return record


def pair_of(record: dict[str, Any]) -> Pair:
    """The pair of one record.

    Raises:
        ValueError: the text is missing or blank, or a known key holds what it cannot hold.
    """
    text = _string(record, "text")
    if not text.strip():
        raise ValueError("`text` is missing or blank: give every record a text")
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise ValueError(f"`text` holds half of a surrogate pair ({error}): replace it") from error
    id = _string(record, "id") or f"text-{digest[:12]}"
    domain = _string(record, "domain")
    split = _string(record, "split") or split_of(id)
    if split not in SPLITS:
        raise ValueError(f"split '{split}' is none of {SPLITS}: change it or leave it out")
    fields = record.get("fields") or {}
    if not isinstance(fields, dict):
        raise ValueError(f"`fields` is a {type(fields).__name__}: give an object or leave it out")
    return Pair(
        id=id,
        kind=domain or "text",
        template=TEMPLATE + id,
        split=split,
        text=text,
        gold=gold_of(text, title=_string(record, "title"), domain=domain, fields=fields),
    )


def _long_sentence(record: dict[str, Any], whole: Pair) -> str | None:
    """The first sentence of a record's text that is too long to be its own gist, if it has one."""
    title = _title_in(collapse(whole.text), _string(record, "title"))
    for part in segments(whole.text, title):
        if part.kind == SENTENCE and GIST_LIMIT < len(part.text) <= SENTENCE_LIMIT:
            return part.text
    return None


def _part_pair(text: str, name: str, record: dict[str, Any], whole: Pair) -> Pair:
    """The pair of a part of a record's text.

    It stands alone, so what the record says of the whole text beside its domain does not hold.
    """
    part = {
        "text": text,
        "id": f"{whole.id}/{name}",
        "domain": _string(record, "domain"),
        "split": whole.split,
    }
    return replace(pair_of(part), template=whole.template)


def _title_in(whole: str, title: str) -> str:
    """The title as it stands in the collapsed text; "" where it does not."""
    title = collapse(title)
    return title if title in whole else ""


def _string(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"`{key}` is a {type(value).__name__}: give a string")
    return value


def split_anew(pair: Pair) -> Pair:
    """The pair of a real text with its split drawn again; all pairs of a record stay together."""
    return replace(pair, split=split_of(pair.template.removeprefix(TEMPLATE)))


def split_of(id: str) -> str:
    number = int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big")
    return "eval" if number % 100 < EVAL_SHARE else "train"


def gold_of(
    text: str, *, title: str = "", domain: str = "", fields: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The encoding of `text` in the text's own words."""
    fields = fields or {}
    whole = collapse(text)
    title = _title_in(whole, title)
    parts = segments(text, title)
    dish = title.removesuffix("的做法") if "recipe" in domain else ""
    concepts = find_concepts(parts, _keywords(fields), whole)
    entities = find_entities(parts, package=str(fields.get("package") or ""), dish=dish)
    weight = weigh(whole, domain)
    if _is_brief(text):
        return _brief(whole, concepts, entities, weight.outcome)
    summary = _summary(parts, title, whole)
    parts_of_gold: dict[str, Any] = {
        "gist": _gist(text, title, parts, summary),
        "summary": summary,
        "content": _content(parts, whole),
        "narrative": _narrative(parts, summary, whole),
        "concepts": concepts,
        "entities": entities,
        "topics": find_topics(title, whole, concepts, domain),
        "actions": find_actions(parts),
        "causality": find_causes(parts),
        "significance": weight.significance,
        "emotional_tone": weight.emotional_tone,
        "outcome": weight.outcome,
        "salience": weight.salience,
    }
    gold = make_gold(text=text, **parts_of_gold)
    gold["gist"] = parts_of_gold["gist"]
    return _slimmed(gold, whole)


def _slimmed(gold: dict[str, Any], whole: str) -> dict[str, Any]:
    """`gold` with less beside the content where the text is long, and within the size of a gold.

    What is left out follows from the length of the text alone, as a model can learn it; only a
    gold that is still too long loses more, from the end of its lists.
    """

    def is_long() -> bool:
        return len(canonical_json(gold)) - len(gold["content"]) > REST_LIMIT

    lists = gold["structured_concepts"]
    if len(whole) > LONG_TEXT:
        for key, kept in (("entities", 4), ("actions", 2), ("causality", 1)):
            lists[key] = lists[key][:kept]
    if is_long():
        gold["narrative"] = ""
    for key in ("entities", "actions", "causality"):
        while lists[key] and is_long():
            lists[key] = lists[key][:-1]
    return gold


def _is_brief(text: str) -> bool:
    """Whether a text has up to five words, however long they are."""
    return count_words(text) <= BRIEF_WORDS


def _keywords(fields: dict[str, Any]) -> list[str]:
    """The strings that the source lists as keywords, categories or tags."""
    keywords: list[str] = []
    for key in KEYWORD_FIELDS:
        value = fields.get(key)
        if isinstance(value, list):
            keywords += [item for item in value if isinstance(item, str)]
    return keywords


def _brief(
    whole: str, concepts: list[str], entities: list[dict[str, str]], outcome: str
) -> dict[str, Any]:
    """The gold of a brief text: itself, and the entity that it is as a whole, if it is one.

    A few words may be very long (a URL), so every field is held to its limit.
    """
    named = [entity | {"context": ""} for entity in entities if entity["name"] == whole.rstrip(".")]
    gold = brief_gold(whole, concepts=concepts[:1], entities=named, outcome=outcome)
    gold["gist"] = _without_stop(shorten(whole, GIST_LIMIT))
    gold["summary"] = shorten(whole, SUMMARY_LIMIT)
    gold["content"] = shorten(whole, CONTENT_LIMIT)
    return gold


def _without_stop(text: str) -> str:
    """`text` without its final full stop; an ellipsis stays."""
    shorter = text[:-1].rstrip() if text.endswith(("。", ".")) and not text.endswith("..") else text
    return shorter or text


def _gist(text: str, title: str, parts: list[Segment], summary: str) -> str:
    whole = collapse(text)
    if len(whole) <= GIST_LIMIT and "\n" not in text.strip():
        return _without_stop(whole)
    first = next((part.text for part in parts if part.kind != HEADING), whole)
    if title and title in first:
        first = _without_stop(first) if len(first) <= GIST_LIMIT else _up_to(first, title)
    elif count_words(first) < SUMMARY_WORDS:
        first = summary
    return _without_stop(shorten(first, GIST_LIMIT))


def _up_to(first: str, title: str) -> str:
    """The first segment up to the end of the title in it, the title alone where that is long."""
    head = first[: first.index(title) + len(title)]
    return head if len(head) <= GIST_LIMIT else title


def _summary(parts: list[Segment], title: str, whole: str) -> str:
    """The first sentence that says something, else the title and the first list items."""
    if len(whole) <= SUMMARY_LIMIT and len(parts) <= 2 and not title:
        return whole
    sentences = [part.text for part in parts if part.kind == SENTENCE]
    telling = [
        sentence
        for sentence in sentences
        if count_words(sentence) >= SUMMARY_WORDS
        and not ASIDE.match(sentence)
        and not sentence.endswith((":", "："))
    ]
    if telling:
        return shorten(telling[0], SUMMARY_LIMIT)
    listed = [part.text for part in parts if part.kind in (ITEM, STEP)]
    chosen = [title or (sentences or listed)[0]] if title or sentences or listed else [whole]
    for line in listed:
        if len(join_segments([*chosen, line])) > SUMMARY_LIMIT:
            break
        if line not in chosen:
            chosen.append(line)
    return shorten(join_segments(chosen), SUMMARY_LIMIT)


def _content(parts: list[Segment], whole: str) -> str:
    """The whole of a text that is not long, else all its sentences and lines that state facts.

    Others stay as far as there is room.
    """
    if len(whole) <= VERBATIM_LIMIT:
        return whole
    # A Chinese character takes as many tokens as a few letters: its answer must end too.
    scale = 3 if CJK.search(whole) else 1
    telling = [
        bool(part.number or find_facts(part.text) or FACT_CUE.search(part.text)) for part in parts
    ]
    usable = [
        place
        for place, part in enumerate(parts)
        if telling[place] or part.kind not in (TITLE, HEADING)
    ]
    chosen: list[int] = []
    for place in sorted(usable, key=lambda place: (not telling[place], -_weight(parts[place]))):
        limit = (FACTS_LIMIT if telling[place] else CONTENT_LIMIT) // scale
        trial = [parts[one].numbered for one in sorted([*chosen, place])]
        if len(join_segments(trial)) <= limit:
            chosen.append(place)
    if not chosen:
        return shorten(parts[usable[0] if usable else 0].text, CONTENT_LIMIT // scale)
    return join_segments([parts[place].numbered for place in sorted(chosen)])


def _weight(part: Segment) -> float:
    """Facts per length: short lines full of numbers and names come first."""
    facts = min(len(FACT_CUE.findall(part.text)), 6)
    aside = 1.0 if ASIDE.match(part.text) else 0.0
    return facts / (len(part.text) + 60) - aside


def _narrative(parts: list[Segment], summary: str, whole: str) -> str:
    """One or two sentences or steps that tell a course of events, in order; "" if none does.

    Of a long text one has to do.
    """
    if count_words(whole) < NARRATIVE_WORDS:
        return ""
    told = [
        part.text
        for part in parts
        if part.kind in (SENTENCE, STEP)
        and (part.kind == STEP or EVENT_CUE.search(part.text) or _is_chinese_course(part.text))
        and count_words(part.text) >= SUMMARY_WORDS
        and not ASIDE.match(part.text)
        and not part.text.endswith((":", "："))
        and not part.text.startswith(summary[:60])
    ]
    if not told:
        return ""
    limit = NARRATIVE_LIMIT if len(whole) <= LONG_TEXT else LONG_NARRATIVE_LIMIT
    first = shorten(told[0], limit)
    for second in told[1:]:
        both = join_segments([first, second])
        if first == told[0] and len(both) <= limit:
            return both
    return first


def _is_chinese_course(text: str) -> bool:
    return bool(CJK.search(text) and re.search("然后|之后|再|接着|最后|直到|后来|随后", text))
