"""Actions and causes that a text states in words.

Actions come from a verb list and the words around each form, causes only from explicit
connectives. English; other languages give none. Precision before recall.
"""

import re

from spokesmith.data.denials import denies, names_no_one
from spokesmith.data.gold import ACTION_LIMIT, CAUSE_LIMIT, RELATIONS
from spokesmith.data.lexicon import (
    AUXILIARIES,
    BASE,
    DETERMINERS,
    FUNCTION_WORDS,
    GERUND,
    PARTICIPLE,
    PAST,
    PREPOSITIONS,
    PRONOUNS,
    STOPS,
    THIRD,
    inflections,
    words_of,
)
from spokesmith.data.sentences import DATE_START, HEADING, ITEM, STEP, TITLE, Segment, shorten

OBJECT_WORDS = 6
DETAIL_WORDS = 7
CAUSE_LENGTH = 110

FORMS = inflections()
TOKEN = re.compile(r"`[^`]*`[\w-]*|[^\s,;:()]+|[,;:()]")
CLAUSE_STARTS = words_of(
    "and or but which that who when while where if because so as then than until unless although "
    "though before after since"
)
EMPTY_ENDS = FUNCTION_WORDS | words_of("too again well together instead already now later")
BE = words_of("is are was were be been being")
MODALS = words_of("can could may might must shall should will would to please then")
CAUSED_BY, LED_TO, INTENDED_TO = RELATIONS
CONNECTIVES = (
    (
        CAUSED_BY,
        re.compile(
            r"\b(?:because of|because|due to|caused by|as a result of|owing to|secondary to|"
            r"attributed to|triggered by)\s+",
            re.IGNORECASE,
        ),
    ),
    (
        LED_TO,
        re.compile(
            r"\b(?:leads? to|leading to|led to|results? in|resulting in|resulted in|causes|causing|"
            r"which caused|therefore,?|as a result,|allows? (?:for )?(?=[\w `-]{2,40}? to )|"
            r"allowing (?:for )?(?=[\w `-]{2,40}? to ))\s*",
            re.IGNORECASE,
        ),
    ),
    (
        INTENDED_TO,
        re.compile(
            r"\b(?:in order to|so that|so as to|(?=to (?:avoid|prevent|ensure|reduce)\b)to)\s+",
            re.IGNORECASE,
        ),
    ),
)
# A negation reaches over a relative clause and a stretch of time, as in `No version that was
# released before May has fixed it`, but not past these.
REACH_ENDS = words_of("; : but")
CLAUSE_ENDS = REACH_ENDS | words_of(
    ", ( ) and so because while although though if when where unless then than"
)
NEGATIVE_SUBJECTS = words_of("no nobody none nothing neither")
NEGATED = re.compile(
    r"(?:\b(?:whether|if|only)|(?:\b(?:not|never|no|nor|cannot|without)|n['’]t)"
    r"(?: (?:always|ever|even|again|longer|be|been|itself|(?!only)\w+ly))*)\s*$",
    re.IGNORECASE,
)
# `causes` is a noun after these, and before what no object begins with.
ARTICLES = DETERMINERS - words_of("this that each another")
ADJECTIVE = re.compile(
    r"natural|root|main|major|minor|common|other|likely|unlikely|potential|known|unknown|various|"
    r"different|good|true|real|chief|direct|indirect|underlying|\w+(?:ous|able|ible|[cnru]al|ary)"
)
LIFE = re.compile(
    r"(?P<name>[A-ZÀ-Þ\"][^,;:<>()]{2,50}?)\s*(?:<[^>]{0,1000}>|\([^)]{0,1000}\))?,?\s+"
    r"(?P<verb>is born|was born|born|dies|died)\b(?P<rest>[^,.;]*)"
)
Action = dict[str, str]


def find_actions(parts: list[Segment]) -> list[Action]:
    """Up to three actions in reading order: base verb, its object, a detail or ""."""
    actions: list[Action] = []
    for part in parts:
        if part.kind in (TITLE, HEADING, ITEM):
            continue
        part = Segment(DATE_START.sub("", part.text), part.kind)
        action = _life_event(part.text) or _first_action(part)
        if action is None or action["object"] not in part.text:
            continue
        if action["details"] not in part.text:
            action["details"] = ""
        if action["verb"] not in [other["verb"] for other in actions]:
            actions.append(action)
    return actions[:ACTION_LIMIT]


def _life_event(text: str) -> Action | None:
    found = LIFE.search(text)
    if not found or names_no_one(found["name"].split()):
        return None
    verb = "die" if found["verb"] in ("dies", "died") else "born"
    return {
        "verb": verb,
        "object": found["name"].strip(),
        "details": shorten(found["rest"].strip(), 60),
    }


def _first_action(part: Segment) -> Action | None:
    tokens = TOKEN.findall(part.text)
    for index, token in enumerate(tokens):
        known = FORMS.get(token.lower().rstrip("."))
        if known is None or (token[0].isupper() and index > 0 and tokens[index - 1] != ":"):
            continue
        verb, form = known
        if denies(_words_reaching(tokens, index)):
            continue
        if not _is_verb(tokens, index, form, part.kind == STEP):
            passive = _passive(tokens, index, verb, form)
            if passive:
                return passive
            continue
        taken = _phrase(tokens, index + 1, OBJECT_WORDS)
        if not taken or taken[0].lower() in STOPS - DETERMINERS:
            continue
        details = _details(tokens, index + 1 + len(taken))
        words = _without_edges(taken)
        if words and FORMS.get(words.split()[-1].lower(), ("", ""))[1] != GERUND:
            return {"verb": verb, "object": words, "details": details}
    return None


def _words_reaching(tokens: list[str], index: int) -> list[str]:
    """The words before `index` that may deny it: of its clause, or all from a negative subject."""
    ends = REACH_ENDS if tokens[0].lower() in NEGATIVE_SUBJECTS else CLAUSE_ENDS
    start = index
    while start > 0 and tokens[start - 1].lower() not in ends:
        start -= 1
    return tokens[start:index]


def _is_verb(tokens: list[str], index: int, form: str, imperative: bool) -> bool:
    previous = tokens[index - 1].lower() if index else ""
    following = tokens[index + 1].lower() if index + 1 < len(tokens) else ""
    if following in ("", ",", ";", ":", ")", "(") or following.rstrip(".") in PREPOSITIONS | BE:
        return False
    if form == BASE:
        if index == 0:
            return imperative or following in DETERMINERS
        if previous in MODALS | {"they", "we", "you", "and"}:
            return previous != "and" or imperative
        return imperative and previous in (",", ";", ":")
    if form == GERUND:
        return previous in ("by", "proposes")
    subject = previous and previous not in STOPS - PRONOUNS - {"pep", "proposal", "document"}
    if form == THIRD:
        return (
            bool(subject)
            and previous not in (",", ";", ":", "(", ")")
            and (following in DETERMINERS or following[:1].isalnum() or following.startswith("`"))
            and (
                following in DETERMINERS
                or previous in PRONOUNS | {"pep"}
                or tokens[index - 1][0].isupper()
            )
        )
    if form == PAST and subject and index > 0:
        return previous in PRONOUNS or tokens[index - 1][0].isupper() or following in DETERMINERS
    return form in (PAST, PARTICIPLE) and previous in ("has", "have", "had")


def _passive(tokens: list[str], index: int, verb: str, form: str) -> Action | None:
    """`The flaw was corrected in 0.9.2`: the subject is what the verb acts on."""
    if form not in (PAST, PARTICIPLE) or index < 2 or tokens[index - 1].lower() not in BE - {"be"}:
        return None
    end = index - 1
    while end > 0 and tokens[end - 1].lower() in AUXILIARIES:
        end -= 1
    subject = tokens[:end]
    if not 1 <= len(subject) <= OBJECT_WORDS or subject[0].lower() in STOPS - DETERMINERS:
        return None
    if any(token in ",;:()" or token.lower() in CLAUSE_STARTS for token in subject):
        return None
    words = _without_edges(subject)
    if not words:
        return None
    return {"verb": verb, "object": words, "details": _details(tokens, index + 1)}


def _phrase(tokens: list[str], start: int, limit: int) -> list[str]:
    """Words from `start` to the end of the noun phrase, at most `limit`."""
    taken: list[str] = []
    for place, token in enumerate(tokens[start:], start=start):
        word = token.lower()
        stops = word in CLAUSE_STARTS | PREPOSITIONS | AUXILIARIES or token in ",;:()"
        joins = word == "of" or (word in ("and", "or") and _goes_on(tokens, place + 1))
        if stops and not (taken and joins):
            break
        taken.append(token)
        if token.endswith((".", "!", "?")):
            break
    return taken if len(taken) <= limit else []


def _goes_on(tokens: list[str], start: int) -> bool:
    """Whether the words after an `and` are one more noun, not a new clause."""
    words = [token.lower().rstrip(".") for token in tokens[start : start + 2]]
    if not words or words[0] in FORMS or words[0] in STOPS - DETERMINERS:
        return False
    return len(words) < 2 or words[1] not in AUXILIARIES


def _details(tokens: list[str], start: int) -> str:
    """The prepositional phrase at `start`, or ""."""
    if start >= len(tokens) or tokens[start].lower() not in PREPOSITIONS | {"until"}:
        return ""
    if tokens[start - 1].lower() == "such":
        return ""
    rest = _phrase(tokens, start + 1, DETAIL_WORDS)
    return _without_edges([tokens[start], *rest]) if rest else ""


def _plain(word: str) -> str:
    return word.lower().rstrip(".!?")


def _without_edges(words: list[str]) -> str:
    while words and (_plain(words[-1]) in EMPTY_ENDS or _plain(words[-1]).endswith("ly")):
        words = words[:-1]
    joined = " ".join(words).strip(" .!?\"'*")
    if not re.search(r"\w", joined) or joined.lower() in STOPS:
        return ""
    return joined if len(joined) <= 80 else ""


def find_causes(parts: list[Segment]) -> list[dict[str, str]]:
    """Up to two stated causes, effects or purposes, with the words that state them."""
    causes: list[dict[str, str]] = []
    for part in parts:
        if part.kind in (TITLE, HEADING, ITEM):
            continue
        for relation, connective in CONNECTIVES:
            found = _first_stated(connective, part.text)
            if not found or NEGATED.search(part.text[: found.start()]):
                continue
            rest = part.text[found.end() :]
            description = _clause(rest if found.start() else rest.split(", ")[0])
            if description and len(causes) < CAUSE_LIMIT:
                causes.append({"relation": relation, "description": description})
            break
    return causes


def _first_stated(connective: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first place of a connective that is not the noun `causes`."""
    for found in connective.finditer(text):
        if found.group().strip().lower() != "causes" or _is_causing(text, found):
            return found
    return None


def _is_causing(text: str, found: re.Match[str]) -> bool:
    before = re.search(r"([\w-]+) $", text[: found.start()])
    after = re.match(r"[\w`\"-]+", text[found.end() :])
    previous = before[1].lower() if before else ""
    following = after.group().lower() if after else ""
    if previous in ARTICLES | PREPOSITIONS or following in PREPOSITIONS | AUXILIARIES | CLAUSE_ENDS:
        return False
    return following in DETERMINERS or bool(following and not ADJECTIVE.fullmatch(previous))


def _clause(text: str) -> str:
    clause = re.split(
        r"[;:]\s|,\s+(?:which|and|but|so|while|although)\b|\s\(|\.$|\.\s", text, maxsplit=1
    )[0]
    clause = shorten(clause.strip(), CAUSE_LENGTH).strip(" ,")
    if clause.count(")") > clause.count("("):
        clause = clause[: clause.index(")")]
    return clause if len(clause.split()) >= 2 or "`" in clause else ""
