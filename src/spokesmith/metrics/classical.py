"""The seven classical measures of an encoding, as published, so that results compare.

The method is that of the public repository AppSprout-dev/mnemonic, file
`training/scripts/eval_faithfulness.py`, with its patterns, thresholds and averages. They are kept
for comparison and decide nothing: they look for substrings, so an echo of the text, two swapped
numbers or a made-up cause in lower case pass, and an answer that cannot be read leaves every
average. They know the fields of a memory only.

Where the published definition breaks off with an error (an answer that is no object, a salience
that is no number) the answer counts as unreadable or the check as failed.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from spokesmith.metrics.compliance import MAX_DEPTH
from spokesmith.metrics.statistics import bootstrap_interval, wilson_interval

PROSE_FIELDS = ("gist", "summary", "content", "narrative", "outcome")
CONCEPT_LISTS = ("topics", "entities", "actions", "causality")
FIELDS = frozenset(
    {*PROSE_FIELDS, "concepts", "structured_concepts", "significance", "emotional_tone", "salience"}
)
ALLOWED = {
    "significance": ("routine", "notable", "important", "critical"),
    "emotional_tone": ("neutral", "satisfying", "frustrating", "exciting", "concerning"),
    "outcome": ("success", "failure", "ongoing", "unknown"),
}
LONGEST_GIST = 60
LONGEST_SUMMARY = 400
MINIMAL_SALIENCE_BELOW = 0.4
MINIMAL_LONGEST_CONTENT = 150
MINIMAL_LONGEST_NARRATIVE = 200
TWINS_DIFFER_BELOW = 0.7
# Words of the prompt that the published results were made with.
TEMPLATE_PHRASES = (
    *(f"under {characters} characters" for characters in (60, 80, 100)),
    "what happened and why it matters",
    "what happened in under",
    "the key details someone would need",
    "the story of what happened",
    "3-5 keywords",
    "extract topics, entities, actions",
    "one of routine, notable",
    "one of neutral, satisfying",
    "one of success, failure",
    "brief description of the result",
    "fill in every json field",
    "encode this event into memory",
    "read the content below",
    "keyword strings",
    "prefer exact terms from the vocabulary",
)

_STRUCTURE = FIELDS.union(
    CONCEPT_LISTS,
    ("label", "path"),
    ("name", "type", "context"),
    ("verb", "object", "details"),
    ("relation", "description"),
)
_GROUPED = r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_MARKED = r"-?\d+(?:\.\d+(?:[eE][+-]?\d+|%)?|%|/\d+)"
_NUMBER = re.compile(rf"{_GROUPED}|{_MARKED}|\d+")
_SUFFIXES = (
    "c cpp css cuh db gguf go h html js json jsonl log md patch py sh sql toml ts txt yaml yml"
)
_FILE = rf"[A-Za-z_~/][\w/~-]+\.(?:{_SUFFIXES.replace(' ', '|')})\b"
_ROOTED = r"(?<!<)/(?:api|etc|home|opt|static|tmp|usr|var)[\w./~-]+"
_PATH = re.compile(f"{_FILE}|{_ROOTED}")
_VERSION = re.compile(r"v\d+\.\d+(?:\.\d+)?")
_CAPITAL = "[A-Z][a-z]+"
_NAMES = (
    re.compile(rf"\b{_CAPITAL}(?:\s+{_CAPITAL})+\b"),
    re.compile(r"(?<=[a-z,;]\s)[A-Z][a-z]{2,}\b"),
    re.compile(r"(?<=@)\w+"),
    re.compile(rf"\b{_CAPITAL}[A-Z]\w+\b"),
)


def numbers_in(text: str) -> set[str]:
    """The distinct numbers of a text, without the commas between thousands.

    Digits inside a word or a longer identifier count; a minus sign counts before a marked number
    (grouped, decimal, per cent or fraction) only; units do not count.
    """
    return {number.replace(",", "") for number in _NUMBER.findall(text)}


def entities_in(text: str) -> set[str]:
    """The distinct entities of a text: numbers, file paths, versions and capitalised names.

    A name is a run of two or more capitalised words, one such word after a lower-case letter, a
    comma or a semicolon, what follows an @, or a word with a capital inside; three letters or more.
    """
    names = {name for pattern in _NAMES for name in pattern.findall(text)}
    names = {name for name in names if len(name) >= 3 and not name.startswith("The ")}
    return numbers_in(text) | set(_PATH.findall(text)) | set(_VERSION.findall(text)) | names


def parse_leniently(text: str) -> dict[str, Any] | None:
    """The JSON object of an answer; None where there is none.

    Thoughts, code fences, turn markers and what stands around the first object do not count. An
    object that nests deeper than 100 levels could not be written again and is none.
    """
    text = text.strip()
    if "<think>" in text:
        text = text.rsplit("</think>", 1)[-1].strip()
    if text.startswith("```"):
        lines = text.split("\n")
        text = "\n".join(line for line in lines if not line.strip().startswith("```"))
    text = text.replace("<start_of_turn>", "").replace("<end_of_turn>", "").strip()
    try:
        value = _first_value(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not _is_too_deep(value) else None


def _first_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        start = text.find("{")
        return json.JSONDecoder().raw_decode(text, start)[0] if start >= 0 else None


def _is_too_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        containers = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for inner in containers for item in inner if isinstance(item, dict | list)]
    return bool(level)


def entity_preservation(source: str, answer: dict[str, Any]) -> float:
    """EPR: the share of the text's entities found in the answer; 1 where the text has none.

    Case does not count, nor do commas. The whole answer is searched as JSON text, its keys and its
    salience too.
    """
    entities = entities_in(source)
    found = _found(map(str.lower, entities), _written(answer).lower())
    return found / len(entities) if entities else 1.0


def fabrication_rate(source: str, answer: dict[str, Any]) -> float:
    """FR: the share of the answer's entities not found in the text; 0 where the answer has none.

    Judged are the strings of five prose fields, as in the later published results; the first ones
    (25 probes, 25.8 %) judged the whole answer as JSON text.
    """
    said = " ".join(text for text in map(answer.get, PROSE_FIELDS) if isinstance(text, str))
    entities = entities_in(said)
    missing = len(entities) - _found(map(str.lower, entities), source.lower())
    return missing / len(entities) if entities else 0.0


def number_preservation(source: str, answer: dict[str, Any]) -> float:
    """NP: the share of the text's numbers found in the answer; 1 where the text has none.

    The digits may stand inside a longer number, or be the salience's.
    """
    numbers = numbers_in(source)
    return _found(numbers, _written(answer)) / len(numbers) if numbers else 1.0


def template_echo(answer: dict[str, Any]) -> bool:
    """TED: whether the answer holds one of eighteen phrases of the published prompt.

    Under another prompt it is False and says nothing.
    """
    written = _written(answer).lower()
    return any(phrase in written for phrase in TEMPLATE_PHRASES)


def cross_contamination(answer: dict[str, Any], other: dict[str, Any]) -> float:
    """CCS: the cosine of the word counts of two twins' answers; below 0.7 the pair passes.

    Words are those of the JSON text in lower case, without the names of a memory's fields. Order
    does not count, so right answers to twins that are made of the same words do not pass.
    """
    counts, others = _word_counts(answer), _word_counts(other)
    if not counts and not others:
        return 1.0
    for name in _STRUCTURE:
        counts.pop(name, None)
        others.pop(name, None)
    lengths = math.hypot(*counts.values()) * math.hypot(*others.values())
    shared = sum(count * others[word] for word, count in counts.items())
    return shared / lengths if lengths else 0.0


def minimal_input_handling(answer: dict[str, Any]) -> bool:
    """MIH: whether the answer to a minimal text is itself small.

    The salience is below 0.4, the content has at most 150 characters and the narrative at most 200.
    What they say is not judged. An absent salience fails, an absent string passes.
    """
    salience = answer.get("salience", 1.0)
    return (
        isinstance(salience, int | float)
        and not salience >= MINIMAL_SALIENCE_BELOW
        and _at_most(answer.get("content", ""), MINIMAL_LONGEST_CONTENT)
        and _at_most(answer.get("narrative", ""), MINIMAL_LONGEST_NARRATIVE)
    )


def schema_compliance(answer: dict[str, Any]) -> bool:
    """SC: whether the answer has the ten fields of a memory, roughly as they should be.

    Asked are the words of three closed fields (empty ones pass), a salience from 0 to 1, a gist of
    at most 60 characters and a summary of at most 400, four lists of structured concepts with
    whatever inside, and concepts that are strings. Other keys pass. The built-in task allows a gist
    of 80 characters, so a right answer to it may fail here.
    """
    if not answer.keys() >= FIELDS:
        return False
    salience, structured = answer["salience"], answer["structured_concepts"]
    return (
        all(not answer[name] or answer[name] in words for name, words in ALLOWED.items())
        and isinstance(salience, int | float)
        and 0.0 <= salience <= 1.0
        and _at_most(answer["gist"], LONGEST_GIST)
        and _at_most(answer["summary"], LONGEST_SUMMARY)
        and (structured is None or _has_concept_lists(structured))
        and isinstance(answer["concepts"], list)
        and all(isinstance(concept, str) for concept in answer["concepts"])
    )


def _has_concept_lists(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), list) for name in CONCEPT_LISTS
    )


def _at_most(value: Any, length: int) -> bool:
    return isinstance(value, str | list | dict) and len(value) <= length


def _written(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _word_counts(answer: dict[str, Any]) -> Counter[str]:
    return Counter(re.findall(r"\w+", _written(answer).lower()))


def _found(entities: Iterable[str], text: str) -> int:
    """How many of the entities, which hold no commas, are in a text without its commas."""
    bare = text.replace(",", "")
    return sum(entity in bare for entity in entities)


@dataclass(frozen=True, kw_only=True)
class ClassicalRecord:
    """One text with the answer to it, as written.

    `minimal` marks a text that MIH is asked of, `twin` is the id of the text's adversarial twin.
    """

    id: str
    source: str
    answer: str
    minimal: bool = False
    twin: str | None = None


def measures_of(record: ClassicalRecord) -> dict[str, float | bool] | None:
    """The measures of one answer by their short names, MIH of a minimal text only.

    None where the answer is unreadable.
    """
    answer = parse_leniently(record.answer)
    return None if answer is None else _measures(record, answer)


def _measures(record: ClassicalRecord, answer: dict[str, Any]) -> dict[str, float | bool]:
    found: dict[str, float | bool] = {
        "EPR": entity_preservation(record.source, answer),
        "FR": fabrication_rate(record.source, answer),
        "NP": number_preservation(record.source, answer),
        "TED": template_echo(answer),
        "SC": schema_compliance(answer),
    }
    return found | {"MIH": minimal_input_handling(answer)} if record.minimal else found


def classical(records: Iterable[ClassicalRecord]) -> dict[str, dict[str, Any]]:
    """The seven measures over many answers, each with `value`, `interval_95` and `n`.

    As published, an unreadable answer leaves every average and a pair of twins counts where both
    answers are readable. EPR, FR and NP are means of the answers' own values, their intervals from
    a bootstrap; TED, CCS, MIH and SC are shares of answers or pairs, their intervals Wilson's. TED
    is the share that echoes, CCS the share of pairs that pass. `n` is what the value is of, and the
    value None where that is 0.
    """
    records = list(records)
    answers: dict[str, dict[str, Any]] = {}
    for record in records:
        if (answer := parse_leniently(record.answer)) is not None:
            answers[record.id] = answer
    read = [record for record in records if record.id in answers]
    pairs = {
        (min(record.id, record.twin), max(record.id, record.twin))
        for record in read
        if record.twin is not None and record.twin in answers
    }
    cosines = [cross_contamination(answers[one], answers[other]) for one, other in pairs]
    found = [_measures(record, answers[record.id]) for record in read]
    means = {name: _mean([entry[name] for entry in found]) for name in ("EPR", "FR", "NP")}
    shares = {
        "TED": _share([bool(entry["TED"]) for entry in found]),
        "CCS": _share([cosine < TWINS_DIFFER_BELOW for cosine in cosines]),
        "MIH": _share([bool(entry["MIH"]) for entry in found if "MIH" in entry]),
        "SC": _share([bool(entry["SC"]) for entry in found]),
    }
    return means | shares


def _mean(values: list[float]) -> dict[str, Any]:
    return {
        "value": sum(values) / len(values) if values else None,
        "interval_95": bootstrap_interval(values),
        "n": len(values),
    }


def _share(outcomes: list[bool]) -> dict[str, Any]:
    count, total = sum(outcomes), len(outcomes)
    return {
        "value": count / total if total else None,
        "interval_95": wilson_interval(count, total),
        "n": total,
    }
