"""The concepts of a text and how much it matters, read from stated cues.

Concepts, significance, tone and outcome come from word lists; a text without any cue is routine,
neutral and of unknown outcome. The domain name of a record only chooses between cue lists, it
never stands in for a cue.
"""

import re
from collections import Counter
from dataclasses import dataclass

from spokesmith.data.gold import CJK, CONCEPT_LIMIT
from spokesmith.data.lexicon import (
    CHINESE_TERMS,
    DETERMINERS,
    FUNCTION_WORDS,
    PREPOSITIONS,
    STOPS,
    TERMS,
    THIRD,
    VAGUE,
    inflections,
)
from spokesmith.data.sentences import DATE_START, HEADING, ITEM, TITLE, Segment

MAX_CONCEPT_LENGTH = 40

FORMS = frozenset(inflections())
THIRD_FORMS = frozenset(form for form, (_, kind) in inflections().items() if kind == THIRD) | {
    "causes",
    "due",
}
KNOWN_TERMS = re.compile(
    r"(?<![\w`:/-])(?:"
    + "|".join(sorted(TERMS.split("|"), key=lambda term: (-len(term), term)))
    + r")(?![\w`:/-])",
    re.IGNORECASE,
)
KNOWN_CHINESE = re.compile(CHINESE_TERMS)
PLAIN_WORD = re.compile(r"[A-Za-z][\w'-]*|[^\sA-Za-z]+")
CHINESE_ITEM = re.compile(r"[\u4e00-\u9fff]{1,6}")


def find_concepts(parts: list[Segment], keywords: list[str], whole: str) -> list[str]:
    """Up to five lower-case concepts that stand in the text, the most telling first.

    Args:
        parts: the segments of the text.
        keywords: what the source says it is about; used where the text has the words.
        whole: the collapsed text.
    """
    chosen: list[str] = []
    for keyword in keywords:
        spaced = re.sub(r"[-_]", " ", keyword).strip().lower()
        for form in (keyword.lower(), spaced):
            if form[:1].isalpha() and re.search(rf"(?<!\w){re.escape(form)}(?!\w)", whole.lower()):
                _add(chosen, form)
                break
    title = " ".join(part.text for part in parts if part.kind == TITLE)
    for phrase in _title_phrases(title)[:2]:
        _add(chosen, phrase)
    for text in () if CJK.search(whole) else (title, whole):
        for found in KNOWN_TERMS.finditer(text):
            _add(chosen, found.group().lower())
    if CJK.search(whole):
        for name in _chinese_concepts(parts, whole):
            _add(chosen, name)
    elif len(chosen) < CONCEPT_LIMIT - 1:
        for phrase in _noun_phrases(parts)[: CONCEPT_LIMIT - 1 - len(chosen)]:
            _add(chosen, phrase)
    return chosen[:CONCEPT_LIMIT]


def _add(chosen: list[str], concept: str) -> None:
    """Append a concept unless it, its plural or a phrase around it is there."""
    words = set(concept.rstrip("s").replace("-", " ").split())
    for other in chosen:
        known = set(other.rstrip("s").replace("-", " ").split())
        if words <= known or known <= words:
            return
    if len(concept) <= MAX_CONCEPT_LENGTH:
        chosen.append(concept)


def _chinese_concepts(parts: list[Segment], whole: str) -> list[str]:
    names = [part.text for part in parts if part.kind == ITEM and CHINESE_ITEM.fullmatch(part.text)]
    return names[:3] + KNOWN_CHINESE.findall(whole)[:3]


def _title_phrases(title: str) -> list[str]:
    """Runs of one to four telling words of a title, in lower case."""
    plain = re.sub(r"^PEP \d+ —|\((?:[A-Z][a-z]+)\)\.?$|`[^`]*`|\w+::\S+", " . ", title)
    if CJK.search(plain):
        return [plain.removesuffix("的做法").strip()]
    phrases: list[str] = []
    current: list[str] = []
    for token in [*PLAIN_WORD.findall(plain), "."]:
        word = token.lower()
        breaks = word in FUNCTION_WORDS or word in THIRD_FORMS or word.endswith("ly")
        if re.fullmatch(r"[a-z]+(?:-[a-z]+)*", word) and not breaks:
            current.append(word)
            continue
        while current and current[0] in FORMS:
            current = current[1:]
        current = current[-4:]
        if len(current) > 1 or (current and _is_noun_like(current)):
            phrases.append(" ".join(current))
        current = []
    return phrases


def _noun_phrases(parts: list[Segment]) -> list[str]:
    """Lower-case phrases of one to three words after an article or preposition, best first."""
    scores: Counter[str] = Counter()
    first_seen: dict[str, int] = {}
    for number, part in enumerate(parts):
        if part.kind in (HEADING, TITLE):
            continue
        for phrase in _phrases_of(part.text):
            scores[phrase] += 2 + (1 if " " in phrase else 0) + (number < 2)
            first_seen.setdefault(phrase, len(first_seen))
    return sorted(scores, key=lambda phrase: (-scores[phrase], first_seen[phrase]))


def _phrases_of(text: str) -> list[str]:
    phrases: list[str] = []
    current: list[str] | None = None
    for token in [*PLAIN_WORD.findall(re.sub(r"`[^`]*`|https?://\S+", "0", text)), "."]:
        opens = token.lower() in DETERMINERS | PREPOSITIONS - {"to"}
        good = (
            re.fullmatch(r"[a-z]+(?:-[a-z]+)*", token) is not None
            and len(token) > 2
            and token not in STOPS
        )
        if current is not None and good:
            current.append(token)
            continue
        if current and len(current) <= 3 and _is_noun_like(current):
            phrases.append(" ".join(current))
        current = [] if opens else None
    return phrases


def _is_noun_like(words: list[str]) -> bool:
    last = words[-1]
    if last.endswith(("ly", "ed", "ing", "ous", "ful", "able", "ible")) or len(last) < 4:
        return False
    if len(words) == 1 and last in VAGUE | STOPS:
        return False
    return last not in FORMS and not words[0].endswith("ly")


@dataclass(frozen=True)
class Weight:
    """How much a text matters: the four closing fields of an encoding but salience's rounding."""

    significance: str = "routine"
    emotional_tone: str = "neutral"
    outcome: str = "unknown"
    salience: float = 0.2


CRITICAL = re.compile(
    r"(?:remote|arbitrary) (?:code|command) execution|malicious (?:code|crate|package)|"
    r"code execution vulnerab|execute arbitrary|steal|credential|exfiltrat|backdoor",
    re.IGNORECASE,
)
VULNERABLE = re.compile(
    r"vulnerab|attacker|memory corruption|use[- ]after[- ]free|double[- ]free|out[- ]of[- ]bounds|"
    r"overflow|undefined behaviou?r|data races?|denial[- ]of[- ]service|unsound|soundness|"
    r"uninitiali[sz]ed|injection|traversal|smuggling|timing attack|side[- ]channel|panic|crash|"
    r"leak",
    re.IGNORECASE,
)
UNMAINTAINED = re.compile(
    r"unmaintained|no longer (?:maintained|developed|supported)|deprecated|archived|renamed|"
    r"not maintained|abandoned|yanked",
    re.IGNORECASE,
)
FIXED = re.compile(
    r"\b(?:fixed|corrected|resolved|patched|addressed|mitigated|solved)\b", re.IGNORECASE
)
NOT_FIXED = re.compile(
    r"(?:\b(?:not|never|cannot)|n['’]t)(?: (?:yet|be|been|(?!only)\w+ly))* "
    r"(?:fixed|corrected|resolved|patched|addressed|mitigated|solved)\b|"
    r"\b(?:unfixed|unpatched|no (?:fix|patch|fixed version|patched version))",
    re.IGNORECASE,
)
STATUS = re.compile(
    r"\((Final|Accepted|Active|Rejected|Withdrawn|Draft|Deferred|Superseded|Provisional)\)"
)
STATUS_OUTCOME = {
    "Final": "success",
    "Accepted": "success",
    "Active": "ongoing",
    "Draft": "ongoing",
    "Provisional": "ongoing",
    "Rejected": "failure",
    "Withdrawn": "failure",
}
SERIOUS_ILLNESS = re.compile(
    r"\b(?:cancer|carcinoma|metasta\w+|stroke|myocardial infarction|heart attack|heart failure|"
    r"seizures?|overdose|suicid\w+|sepsis|severe|emergency|unresponsive|intubat\w+|hemorrhage|acute|"
    r"tumou?r|worsening|died|obtunded)\b",
    re.IGNORECASE,
)
COMPLAINT = re.compile(
    r"\b(?:pains?|complain\w*|fever|nausea|vomiting|swelling|numbness|weakness|headaches?|bleeding|"
    r"shortness of breath|infection|rash|cough|abuse|difficulty)\b",
    re.IGNORECASE,
)
IMPROVED = re.compile(
    r"\b(?:improved|improvement|resolved|doing (?:very |quite )?well|relieved|recovered)\b",
    re.IGNORECASE,
)
NO_COMPLICATIONS = re.compile(r"\b(?:without|no) complications?\b", re.IGNORECASE)
DISASTER = re.compile(
    r"\b(?:wars?|killed|kills|assassinat\w+|earthquake|crash\w*|explode[sd]?|explosion|massacre|"
    r"bomb\w*|disaster|sinks?|sank|shot|executed|murder\w*|invad\w+|invasion|attack\w*|fire|riots?|"
    r"suicide|overdose|hurricane|destroy\w*)\b",
    re.IGNORECASE,
)
LANDMARK = re.compile(
    r"\b(?:first|independence|discover\w*|invent\w*|founded|launch\w*|signed|adopt\w*|Nobel|"
    r"treaty|constitution|president|liberat\w+|surrender\w*|abolish\w*|announces?)\b",
    re.IGNORECASE,
)
PLEASED = re.compile(
    r"\b(?:delicious|tasty|favou?rite|great|amazing|perfect|excellent|yummy|wonderful|love)\b",
    re.IGNORECASE,
)
# Up to the end of the clause: what is "not sweet" may be great.
DENIED_PRAISE = re.compile(
    r"(?:\b(?:not(?! only| just)|never|no|nothing|nor|neither|cannot|hardly|without|anything but|"
    r"far from|less than)\b(?!-)|n['’]t\b)(?:(?!\b(?:and|but|yet)\b)[^.,;:!?])*",
    re.IGNORECASE,
)
NEGATIVE_FINDING = re.compile(r"\b(?:no|denies|denied|negative|without|not)\b[^.;]*", re.IGNORECASE)


def weigh(whole: str, domain: str) -> Weight:
    """Significance, tone, outcome and salience from cues in the collapsed text."""
    vulnerable = len(VULNERABLE.findall(whole))
    status = STATUS.search(whole[:300])
    if domain == "design proposal" or (status and whole.startswith("PEP ")):
        outcome = STATUS_OUTCOME.get(status.group(1), "unknown") if status else "unknown"
        return Weight("notable", "neutral", outcome, 0.5 if outcome == "success" else 0.4)
    if domain == "security advisory" or (not domain and vulnerable >= 3):
        return _weigh_advisory(whole, vulnerable)
    if domain == "clinical note":
        return _weigh_clinical(whole)
    if DATE_START.match(whole):
        if DISASTER.search(whole):
            return Weight("important", "concerning", "unknown", 0.6)
        if LANDMARK.search(whole):
            return Weight("notable", "neutral", "unknown", 0.45)
        return Weight("routine", "neutral", "unknown", 0.2)
    tone = "satisfying" if PLEASED.search(DENIED_PRAISE.sub(" ", whole)) else "neutral"
    return Weight("routine", tone, "unknown", 0.25 if tone == "satisfying" else 0.2)


def _weigh_advisory(whole: str, vulnerable: int) -> Weight:
    outcome = "success" if FIXED.search(whole) and not NOT_FIXED.search(whole) else "unknown"
    if NOT_FIXED.search(whole):
        outcome = "ongoing"
    if CRITICAL.search(whole):
        return Weight("critical", "concerning", outcome, 0.85)
    if vulnerable:
        return Weight("important", "concerning", outcome, 0.6 + 0.05 * min(vulnerable - 1, 3))
    if UNMAINTAINED.search(whole):
        return Weight("notable", "neutral", "unknown", 0.4)
    return Weight("notable", "concerning", outcome, 0.5)


def _weigh_clinical(whole: str) -> Weight:
    stated = NEGATIVE_FINDING.sub(" ", whole)
    improved = IMPROVED.search(stated) or NO_COMPLICATIONS.search(whole)
    outcome = "success" if improved else "unknown"
    serious = len(SERIOUS_ILLNESS.findall(stated))
    if serious:
        return Weight("important", "concerning", outcome, 0.6 + 0.05 * min(serious - 1, 2))
    if COMPLAINT.search(stated):
        return Weight("notable", "concerning", outcome, 0.45)
    tone = "satisfying" if outcome == "success" else "neutral"
    return Weight("routine", tone, outcome, 0.25)
