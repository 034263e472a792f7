"""Entities that stand in a text: identifiers, code, names of people, places, organisations.

Patterns and small name lists, tuned for precision: a capitalised phrase whose sort is not plain
from its words or neighbours is left out. English capitals only; in other scripts it finds
identifiers, URLs and code alone.
"""

import re
from collections.abc import Iterator

from spokesmith.data.denials import denies, names_no_one
from spokesmith.data.gold import CJK, ENTITY_LIMIT, ENTITY_TYPES, sentences
from spokesmith.data.lexicon import (
    EVENT_ENDINGS,
    FIRST_NAMES,
    FUNCTION_WORDS,
    ORGANIZATION_ENDINGS,
    ORGANIZATIONS,
    PERSON_TITLES,
    PLACES,
    SOFTWARE,
    STOPS,
    inflections,
    words_of,
)
from spokesmith.data.sentences import (
    DATE_START,
    HEADING,
    ITEM,
    LIST_MARK,
    STEP,
    TITLE,
    Segment,
    shorten,
)
from spokesmith.metrics.facts import find_facts

(
    PERSON, ORGANIZATION, PLACE, PROJECT, SOFTWARE_TYPE, FILE, IDENTIFIER, URL, PRODUCT, EVENT,
) = ENTITY_TYPES  # fmt: skip

MAX_NAME = 80
CONTEXT_WORDS = 6
CONTEXT_LENGTH = 60

INITIAL_OR_WORD = r"[A-ZÀ-Þ][\w'’-]*"
PARTICLE = r"(?:van|von|de|da|do|del|della|der|den|di|du|la|le|el|bin|ibn|zu)"
CAPITALS = re.compile(
    rf"(?<![\w`/.@:-])(?:[A-Z]\.(?=\s[A-Z])|{INITIAL_OR_WORD})"
    rf"(?:\s+(?:{PARTICLE}\s+)*(?:[A-Z]\.(?=\s[A-Z])|{INITIAL_OR_WORD}))*(?![\w`@:/])"
)
URL_PATTERN = re.compile(
    r"https?://[^\s<>()\[\]{}\"'`，。；（）]+[^\s<>()\[\]{}\"'`.,;:!?，。；（）]"
)
EMAIL_PATTERN = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ADVISORY_PATTERN = re.compile(
    r"\b(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}|RUSTSEC-\d{4}-\d{4}|PEP \d{1,4}|RFC ?\d{2,5})\b"
)
# 22.07.2026 is a date.
VERSION_PATTERN = re.compile(
    r"(?<![\w.-])(?!\d{1,2}\.\d{1,2}\.(?:19|20)\d\d\b)v?\d+\.\d+(?:\.\d+)+(?:[-+][\w.]+)?(?![\w.]*\w)|\bv\d+\.\d+\b"
)
PATH_PATTERN = re.compile(
    r"(?<![\w/.`~-])(?:~?/(?:[\w.-]+/)*[\w-][\w.-]*\w|"
    r"[\w-]+(?:/[\w.-]+)*\.(?:py|rs|toml|json|md|txt|c|h|cfg|ini|ya?ml|sh|exe|dll|so|zip|html|csv|lock|pyi|pth))(?![\w/])"
)
CODE_PATTERN = re.compile(r"``([^`\n]{2,60})``|`([^`\n]{2,60})`")
SYMBOL_PATTERN = re.compile(
    r"(?<![\w`:./@])(?:[A-Za-z_]\w*(?:::[A-Za-z_]\w*)+(?:\(\))?|"
    r"[A-Za-z_][\w.]*\w\(\)|__\w+__)(?![\w`(:])"
)
DOSE_PATTERN = re.compile(r"\b([A-Z]?[a-z]{4,}(?: [A-Z]{2})?)\s+\d+(?:\.\d+)?\s?(?:mg|mcg)\b")
NOT_A_DRUG = words_of("about approximately least than with takes from dose daily taking only")
LINK_TEXT = re.compile(r"\[`?([a-z][\w-]*)`?\]\(https?://[^)\s]*\b\1\b")
FILE_NAME = re.compile(
    r"[\w./-]*[\w-]\.(?:py|rs|toml|json|md|txt|c|h|cfg|ini|ya?ml|sh|exe|so|zip|lock)"
)
KNOWN_SOFTWARE = re.compile(rf"(?<![\w`/.@:-])(?:{SOFTWARE})(?![\w`/@:-]|\.\w)")
KNOWN_ORGANIZATION = re.compile(rf"(?<![\w`/.@-])(?:{ORGANIZATIONS})(?![\w`/@-])")
KNOWN_PLACE = re.compile(
    r"(?<![\w`/.@-])(?:"
    + "|".join(re.escape(place) for place in sorted(PLACES, key=lambda name: (-len(name), name)))
    + r")(?![\w`/@'’-])"
)
LOCATED = re.compile(
    r"\b(?:in|near|at|from)\s+((?:(?:the|St\.|Saint|San|New|El|La|Los)\s+)?"
    rf"{INITIAL_OR_WORD}(?:[ -](?:{PARTICLE}[ -])?{INITIAL_OR_WORD}){{0,3}}),\s+"
    rf"({INITIAL_OR_WORD}(?:\s{INITIAL_OR_WORD})*)"
)
LIFE_EVENT = re.compile(
    r"\s*(?:\([^)]{1,60}\)\s*)?(?:<[^>]+>\s*)?,?\s*(?:is born|was born|born|dies|died)\b"
)
MONTHS_AND_DAYS = words_of(
    "January February March April May June July August September October November December Monday "
    "Tuesday Wednesday Thursday Friday Saturday Sunday Christmas Easter"
)
CLAUSE_MARK = re.compile(
    r"(?<!\bDr)(?<!\bMr)(?<!\bSt)(?<!\d\s)[.,;:!?](?=\s|$)|[()\[\]<>—–\"«»“”|，。；：（）、！？]|\s-\s"
)
JOINED_BEFORE = re.compile(r"\S*[/@=:._#-]$")
JOINED_AFTER = re.compile(r"[/@=:._#-][^\s,;]+|['’]s\b", re.IGNORECASE)
ASIDES = re.compile(r"^\s*(?:<[^>]*>|\([^)]*\))")
FORMS = frozenset(inflections())
Found = tuple[int, int, str, str]


def find_entities(parts: list[Segment], package: str = "", dish: str = "") -> list[dict[str, str]]:
    """Up to six entities in reading order, each once, with a phrase of the text as context.

    Args:
        parts: the segments of one text.
        package: a package name that the source states; kept where the text holds it.
        dish: the name of a dish that the text describes; kept where the text holds it.
    """
    entities: list[dict[str, str]] = []
    seen: set[str] = set()
    for part in parts:
        for start, end, name, kind in _in_order(_find(part, package, dish)):
            if name.casefold() in seen or len(name) > MAX_NAME:
                continue
            seen.add(name.casefold())
            context = _context(part.text, start, end, kind)
            if name == dish:
                context = _dish_context(parts, dish)
            entities.append({"name": name, "type": kind, "context": context})
        if len(entities) >= ENTITY_LIMIT:
            break
    return entities[:ENTITY_LIMIT]


def context_in(text: str, name: str, kind: str) -> str:
    """A phrase of `text` beside the first place where it has a name; "" where there is none.

    Of a name inside of an address or assignment, the phrase stands beside the whole.
    """
    for sentence in sentences(text):
        mark = LIST_MARK.match(sentence)
        line = sentence[mark.end() :] if mark else sentence
        if found := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line):
            before, after = JOINED_BEFORE.search(line[: found.start()]), found.end()
            if joined := JOINED_AFTER.match(line[after:]):
                after += joined.end()
            return _context(line, before.start() if before else found.start(), after, kind)
    return ""


def _dish_context(parts: list[Segment], dish: str) -> str:
    """What a Chinese text says that the dish is, else that it is one."""
    for part in parts:
        if found := re.search(rf"{re.escape(dish)}是([^，。！；]{{2,30}})", part.text):
            return found.group(1)
    return "做法" if CJK.search(dish) else "dish"


def _in_order(found: Iterator[Found]) -> list[Found]:
    """Found spans by position; of two that overlap, the one that was found first stays."""
    kept: list[Found] = []
    for span in found:
        if all(span[1] <= other[0] or span[0] >= other[1] for other in kept):
            kept.append(span)
    return sorted(kept)


def _find(part: Segment, package: str, dish: str) -> Iterator[Found]:
    text = part.text
    for pattern, kind in (
        (URL_PATTERN, URL),
        (EMAIL_PATTERN, IDENTIFIER),
        (ADVISORY_PATTERN, IDENTIFIER),
    ):
        for found in pattern.finditer(text):
            yield found.start(), found.end(), found.group(), kind
    for name, kind in ((package, SOFTWARE_TYPE), (dish, PRODUCT)):
        edge = "" if CJK.search(name) else r"(?![\w-]|::)"
        mark = "`" if name in STOPS or name in FORMS else r"(?<![\w-])"
        if name:
            for found in re.finditer(rf"{mark}({re.escape(name)}){edge}", text):
                yield found.start(1), found.end(1), found.group(1), kind
    for found in LINK_TEXT.finditer(text):
        yield found.start(1), found.end(1), found.group(1), SOFTWARE_TYPE
    yield from _code(text)
    for pattern, kind in ((PATH_PATTERN, FILE), (SYMBOL_PATTERN, IDENTIFIER)):
        for found in pattern.finditer(text):
            yield found.start(), found.end(), found.group(), kind
    for found in VERSION_PATTERN.finditer(text):
        yield found.start(), found.end(), found.group(), IDENTIFIER
    for found in DOSE_PATTERN.finditer(text):
        if found.group(1).lower() not in NOT_A_DRUG | STOPS:
            yield found.start(1), found.end(1), found.group(1), PRODUCT
    for found in KNOWN_SOFTWARE.finditer(text):
        yield found.start(), found.end(), found.group(), SOFTWARE_TYPE
    if part.kind in (HEADING, ITEM, STEP):
        return
    for found in KNOWN_ORGANIZATION.finditer(text):
        yield found.start(), found.end(), found.group(), ORGANIZATION
    if part.kind != TITLE:
        yield from _names(text)
    for found in KNOWN_PLACE.finditer(text):
        if not re.match(r"\s[A-Z]", text[found.end() :]):
            yield found.start(), found.end(), found.group(), PLACE


def _code(text: str) -> Iterator[Found]:
    for found in CODE_PATTERN.finditer(text):
        group = 1 if found.group(1) else 2
        code = found.group(group).strip()
        if not re.search(r"[A-Za-z_]", code) or len(code.split()) > 3 or not code.isascii():
            continue
        start = found.start(group) + found.group(group).index(code)
        kind = FILE if FILE_NAME.fullmatch(code) else IDENTIFIER
        if re.match(r"\s+(?:crate|library|package)\b", text[found.end() :]):
            kind = SOFTWARE_TYPE
        yield start, start + len(code), code, kind


def _names(text: str) -> Iterator[Found]:
    """Capitalised phrases whose sort is plain: life events, titles, endings, places after `in`."""
    for found in LOCATED.finditer(text):
        yield found.start(1), found.end(1), found.group(1), PLACE
        yield found.start(2), found.end(2), found.group(2), PLACE
    for found in CAPITALS.finditer(text):
        yield from _classified(text, found.start(), found.group())


def _classified(text: str, start: int, phrase: str) -> Iterator[Found]:
    while (first := phrase.split()[0]) in MONTHS_AND_DAYS or (
        first.lower() in FUNCTION_WORDS and first not in ("Will", "May")
    ):
        shorter = phrase[len(first) :].lstrip()
        if not shorter:
            return
        start += len(phrase) - len(shorter)
        phrase = shorter
    words = phrase.split()
    while words and words[-1].lower() in STOPS:
        words.pop()
    if not words:
        return
    phrase = phrase[: phrase.rindex(words[-1]) + len(words[-1])]
    end = start + len(phrase)
    kind = _sort_of(words, text[:start], text[end:])
    if kind:
        yield start, end, phrase, kind


def _sort_of(words: list[str], before: str, after: str) -> str:
    last = words[-1].strip(".")
    lives = LIFE_EVENT.match(after) and not names_no_one(words)
    if lives or re.match(r"\s*<[\w.+-]+@", after):
        return PERSON
    if len(words) > 1 and last in ORGANIZATION_ENDINGS:
        return ORGANIZATION
    if len(words) > 1 and last in EVENT_ENDINGS:
        return EVENT
    if len(words) > 1 and words[0].strip(".") in PERSON_TITLES:
        return PERSON
    if re.search(rf"\b(?:{'|'.join(sorted(PERSON_TITLES))})\.?\s$", before) and len(last) > 1:
        return PERSON
    if 2 <= len(words) <= 4 and words[0] in FIRST_NAMES and words[-1] not in MONTHS_AND_DAYS:
        return PERSON
    return ""


def _context(text: str, start: int, end: int, kind: str) -> str:
    """A phrase beside the name: of its own clause if that has words, else of the nearest one."""
    after = ASIDES.sub(" ", text[end:].lstrip("`*"), count=1)
    before = DATE_START.sub("", text[:start]).rstrip("`* ")
    following = [_words_of(piece, 0) for piece in CLAUSE_MARK.split(after)[:3]]
    preceding = [
        _words_of(piece, -CONTEXT_WORDS, whole=kind == PLACE)
        for piece in CLAUSE_MARK.split(before)[::-1][:4]
    ]
    enclosed = before.endswith(("(", "<", "["))
    if kind in (PLACE, URL) or enclosed:
        nearby = [*preceding, *following]
    else:
        nearby = [following[0], *preceding, *following[1:]]
    told = [phrase for phrase in nearby if re.search(r"[^\W\d]", phrase)]
    # What a person did may be one word; what else one word says of a thing is mostly its sort.
    if kind == PERSON and told and told[0] == following[0]:
        return told[0]
    return next((phrase for phrase in told if " " in phrase), told[0] if told else "")


def _words_of(phrase: str, first: int, whole: bool = False) -> str:
    """Up to six words of a phrase; unless `whole`, without a function word at its end.

    "" where the words that deny the others are left out.
    """
    words = phrase.split()
    chosen = words[first:] if first else words[:CONTEXT_WORDS]
    is_denied = denies(words if first else chosen)
    is_cut = not first and len(chosen) < len(words)
    while chosen:
        is_function_word = not whole and chosen[-1].lower() in FUNCTION_WORDS
        # A number that loses what follows it may lose its unit.
        if not (is_function_word or (is_cut and _is_number(chosen[-1]))):
            break
        chosen.pop()
        is_cut = True
    while chosen and chosen[0].lower() in ("and", "or", "the", "a", "an", "of", "to"):
        chosen = chosen[1:]
    if is_denied and not denies(chosen):
        return ""
    while " ".join(chosen).count("`") % 2:
        chosen = chosen[1:] if first else chosen[:-1]
    return shorten(" ".join(chosen).strip("*'’ "), CONTEXT_LENGTH)


def _is_number(word: str) -> bool:
    return bool(re.search(r"\d", word)) or any(one.kind == "number" for one in find_facts(word))
