"""Field rules of the built-in task `memory` that its schema cannot say.

They look for what is made up below the level of typed facts: causes, objects and roles in words
that the text does not have, and weights that do not fit one another. Topics and concepts are not
held to the text, and neither are roles of up to three words ("name", "home team"): faithful
encodings name these in words of their own. The limits are set so that each rule fails fewer than
1 % of faithful encodings. An invention made of the text's own words passes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from spokesmith.metrics.causes import has_cause_cue, has_purpose_cue, stated_causes
from spokesmith.metrics.grounding import Source, stands_in
from spokesmith.metrics.phrases import share_known, stems
from spokesmith.metrics.strings import is_word

SALIENCE_RANGES: Mapping[str, tuple[float, float]] = {
    "routine": (0.05, 0.3),
    "notable": (0.35, 0.55),
    "important": (0.6, 0.75),
    "critical": (0.8, 0.95),
}
SALIENCE_STEPS = 20
PURPOSE = "intended_to"
LEAST_KNOWN_OF_CAUSE = 0.6
LEAST_KNOWN_OF_ACTION = 0.5
LEAST_KNOWN_OF_CONTEXT = 0.3
CONTEXT_WORDS = 4


def memory_problems(encoding: Any, source: Source) -> list[str]:
    """The rules that an encoding breaks, each as `field: what, the value`; no value raises."""
    if not isinstance(encoding, dict):
        return []
    text = source.text
    structured = encoding.get("structured_concepts")
    parts = structured if isinstance(structured, dict) else {}
    return [
        *_salience(encoding),
        *_emptiness(encoding, text),
        *_prose_causes(encoding, text),
        *_entities(parts, text),
        *_actions(parts, text),
        *_causality(parts, text),
    ]


def _salience(encoding: dict[str, Any]) -> Iterator[str]:
    salience, significance = encoding.get("salience"), encoding.get("significance")
    if isinstance(salience, bool) or not isinstance(salience, int | float):
        return
    if abs(salience * SALIENCE_STEPS - round(salience * SALIENCE_STEPS)) > 1e-9:
        yield f"/salience: no step of {1 / SALIENCE_STEPS}, {salience}"
    if isinstance(significance, str) and significance in SALIENCE_RANGES:
        low, high = SALIENCE_RANGES[significance]
        if not low <= salience <= high:
            yield f"/salience: not in {low} to {high}, as '{significance}' asks, {salience}"


def _emptiness(encoding: dict[str, Any], text: str) -> Iterator[str]:
    for field in ("gist", "summary"):
        value = encoding.get(field)
        if isinstance(value, str) and not value.strip() and text.strip():
            yield f"/{field}: empty though the text is not, {value!r}"


def _prose_causes(encoding: dict[str, Any], text: str) -> Iterator[str]:
    for field in ("gist", "summary", "content", "narrative"):
        value = encoding.get(field)
        for cause in stated_causes(value) if isinstance(value, str) else ():
            if not has_cause_cue(text):
                yield f"/{field}: a cause though the text tells of none, '{cause}'"
            elif _is_foreign(cause, text, LEAST_KNOWN_OF_CAUSE):
                yield f"/{field}: a cause in words that the text lacks, '{cause}'"


def _entities(parts: dict[str, Any], text: str) -> Iterator[str]:
    for path, entity in _entries(parts, "entities"):
        name, context = entity.get("name"), entity.get("context")
        if isinstance(name, str) and not _is_named(name, text):
            yield f"{path}/name: does not stand in the text, '{name}'"
        if (
            isinstance(context, str)
            and len(stems(context)) >= CONTEXT_WORDS
            and _is_foreign(context, text, LEAST_KNOWN_OF_CONTEXT)
        ):
            yield f"{path}/context: in words that the text lacks, '{context}'"


def _is_named(name: str, text: str) -> bool:
    """Whether a name stands in a text, a port (`host:80`) or a Korean particle after it or not."""
    at = text.find(name)
    while at >= 0:
        after = text[at + len(name) : at + len(name) + 1]
        if not is_word(text[at - 1 : at]) and (not is_word(after) or "가" <= after <= "힣"):
            return True
        at = text.find(name, at + 1)
    return stands_in(name, text)


def _actions(parts: dict[str, Any], text: str) -> Iterator[str]:
    for path, action in _entries(parts, "actions"):
        for field in ("object", "details"):
            value = action.get(field)
            if isinstance(value, str) and _is_foreign(value, text, LEAST_KNOWN_OF_ACTION):
                yield f"{path}/{field}: in words that the text lacks, '{value}'"


def _causality(parts: dict[str, Any], text: str) -> Iterator[str]:
    for path, cause in _entries(parts, "causality"):
        description, relation = cause.get("description"), cause.get("relation")
        if not isinstance(description, str):
            continue
        told = has_purpose_cue(text) if relation == PURPOSE else has_cause_cue(text)
        if not told:
            yield f"{path}: the text tells of no such thing, '{description}'"
        elif _is_foreign(description, text, LEAST_KNOWN_OF_CAUSE):
            yield f"{path}/description: in words that the text lacks, '{description}'"


def _entries(parts: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    entries = parts.get(name)
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict):
            yield f"/structured_concepts/{name}/{number}", entry


def _is_foreign(string: str, text: str, least: float) -> bool:
    known = share_known(string, text)
    return known is not None and known < least
