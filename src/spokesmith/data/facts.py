"""Facts that a string states and whether a text holds them, for auditing golds.

A fact is a number with its unit, an identifier (URL, path, version, code symbol, address), a
capitalised name inside a sentence, or a quotation. A text holds it where the same characters
stand between token boundaries. Facts in other words ("twelve") and values that mean the same
(1,200 and 1.2K) are not matched here: golds copy.
"""

import re
from dataclasses import dataclass

from spokesmith.data.lexicon import words_of

NUMBER, IDENTIFIER, NAME, QUOTATION = "number", "identifier", "name", "quotation"

UNITS = words_of(
    """
    % ms s sec secs second seconds min mins minute minutes h hr hrs hour hours day days week weeks
    month months year years KB kB MB GB TB KiB MiB GiB byte bytes bit bits Hz kHz MHz GHz V mV kV
    A mA W kW kWh mg mcg µg g kg t lb lbs oz ml mL l L dl cl mm cm m km km/h mph ft inch inches
    °C °F ° C F K USD EUR CHF GBP tbsp tsp cup cups 克 毫升 分钟 小时 秒 个 度 大卡
    """
)
EDGES = ".,;:!?()[]{}<>*`\"'“”‘’«»*—–…，。；：！？（）、《》【】"
SENTENCE_END = re.compile(r"[.!?:;…。！？；：]['\")\]”’]*$")
QUOTED = re.compile(
    r"(?<![\w\"])\"(?=\S)([^\"]{2,80})(?<=\S)\"(?![\w\"])|“([^”]{2,80})”|"
    r"(?<![\w`])`(?=\S)([^`]{2,80})(?<=\S)`(?![\w`])"
)
ASCII_RUN = re.compile(r"[!-~°µ℃]+")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
STARTS_AS_NUMBER = re.compile(r"[+\-−±~≈<>≥≤]*[$€£¥]?\d")
PATH = re.compile(r"~?\.{0,2}/\w|[\w-]+/[\w.-]+/|[\w./-]+\.[a-z]{1,5}$")
SYMBOL = re.compile(r"\w_\w|::|\(\)|@|[a-z][A-Z]|[A-Z]{2}|[A-Za-z]\.[A-Za-z]")


@dataclass(frozen=True)
class Fact:
    """A fact as it is written, and its kind."""

    kind: str
    text: str


def find_facts(string: str) -> list[Fact]:
    """The facts of a string in reading order."""
    facts = [
        Fact(QUOTATION, next(group for group in found.groups() if group).strip())
        for found in QUOTED.finditer(string)
    ]
    tokens = [piece for token in string.split() for piece in _pieces(token)]
    name: list[str] = []
    after_end = True
    for place, token in enumerate(tokens):
        core = token.strip(EDGES).removesuffix("'s").removesuffix("’s")
        kind = _kind(core)
        if kind == IDENTIFIER:
            core = core.lstrip("+-")
        if name and not token.startswith(core[:1]):
            facts.append(Fact(NAME, " ".join(name)))
            name = []
        if kind == NAME and not after_end:
            name.append(core)
        if name and (kind != NAME or token != core or place + 1 == len(tokens)):
            facts.append(Fact(NAME, " ".join(name)))
            name = []
        if kind == NUMBER:
            facts.append(Fact(NUMBER, _with_unit(core, token, tokens[place + 1 : place + 2])))
        elif kind == IDENTIFIER and core not in UNITS:
            facts.append(Fact(IDENTIFIER, core))
        after_end = bool(SENTENCE_END.search(token)) or not core
    return facts


def _pieces(token: str) -> list[str]:
    """A token, or the Latin runs in it where it is Chinese, Japanese or Korean."""
    return ASCII_RUN.findall(token) if CJK.search(token) else [token]


def _kind(core: str) -> str:
    if STARTS_AS_NUMBER.match(core):
        return NUMBER
    if "://" in core or PATH.match(core) or SYMBOL.search(core):
        return IDENTIFIER
    if any(character.isdigit() for character in core):
        return IDENTIFIER
    return NAME if len(core) > 1 and core[0].isupper() else ""


def _with_unit(core: str, token: str, following: list[str]) -> str:
    """A number with the unit after it; punctuation between them parts them."""
    if following and core[-1].isdigit() and token.endswith(core[-1]):
        unit = following[0].strip(EDGES)
        if unit in UNITS:
            return f"{core} {unit}"
    return core


def holds(text: str, fact: Fact) -> bool:
    """Whether a collapsed text holds a fact on token boundaries; only identifiers ignore case."""
    if fact.kind == IDENTIFIER:
        return stands_in(fact.text.casefold(), text.casefold())
    if fact.kind == NUMBER and " " in fact.text:
        return stands_in(fact.text, text) or stands_in(fact.text.replace(" ", ""), text)
    return stands_in(fact.text, text)


def stands_in(words: str, text: str) -> bool:
    """Whether `words` stand in `text` with no part of a longer word or number on either side."""
    start = text.find(words) if words else -1
    starts_as_number = STARTS_AS_NUMBER.match(words) is not None
    ends_as_number = STARTS_AS_NUMBER.match(words.rpartition(" ")[2]) is not None
    while start >= 0:
        end = start + len(words)
        if _is_edge(text, start, starts_as_number) and _is_edge(text, end, ends_as_number):
            return True
        start = text.find(words, start + 1)
    return False


def _is_edge(text: str, position: int, of_number: bool) -> bool:
    """Whether a token, or a number, may begin or end before the character at `position`."""
    if not 0 < position < len(text):
        return True
    left, right = text[position - 1], text[position]
    if _joins(left) and _joins(right):
        return False
    if not of_number:
        return True
    # 12 stands neither in 12.5 nor in 3:12 nor in 1,012.
    if right in ".,:" and left.isdigit():
        return not text[position + 1 : position + 2].isdigit()
    if left in ".,:" and right.isdigit():
        return not text[position - 2 : position - 1].isdigit()
    return True


def _joins(character: str) -> bool:
    return (character.isalnum() or character == "_") and not CJK.match(character)


def ungrounded(string: str, text: str) -> list[Fact]:
    """The facts of a string that a text does not hold.

    Args:
        string: a collapsed string of a gold.
        text: the collapsed text of its pair.
    """
    if stands_in(string, text):
        return []
    return [fact for fact in find_facts(string) if not holds(text, fact)]
