"""Identifiers of a text in written form: addresses, paths, versions, codes and code symbols.

Words joined by a slash (and/or, cooking/soup, km/h) are none: a path has a root, an extension, a
digit, an underscore or a capital. What an identifier refers to is not known here.
"""

import re
from collections.abc import Hashable, Iterator
from functools import lru_cache

from spokesmith.metrics.units import UNIT_WORDS

Mark = tuple[int, int, tuple[Hashable, ...]]

_TRAILING = ".,;:!?'\"*_>]}`"
_ADDRESS = re.compile(
    r"(?<![\w.])(?:[A-Za-z][A-Za-z0-9+.-]{1,15}://|www\.|mailto:)[!#-;=?-_a-z~][^\s<>\"`\u3000-\u9fff]*"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,64}(?:\.[A-Za-z0-9-]{1,64}){1,6}"
    r"|(?<!\w)@[A-Za-z_][\w./-]{1,60}"
)
_ADDRESS_MARK = re.compile(r"[./\\@:]")
_PATH = re.compile(
    r"(?<![\w/.~])(?:[A-Za-z]:\\[\w.\\-]+|(?:~|\.{1,2})?/[\w.@%+~-]+(?:/[\w.@%+~=-]*)*"
    r"|[\w.@+-]{1,80}(?:/[\w.@+=-]{1,80}){1,20}/?|\.?[\w-]{1,80}(?:\.[\w-]{1,80}){1,12})"
    r"(?::\d+(?::\d+)?)?"
)
_IN_PATH = re.compile(r"[\d_]|[a-z][A-Z]|[A-Z]|\.\w")
# The seconds of 10:00:07.123Z are a time's.
_SECONDS = re.compile(r"(?<=\d:)\d\d\.\d+Z(?!\w)")
_ONLY_NUMBERS = re.compile(r"\d[\d.,:/+-]*(?:[Ee][+-]?\d+)?|[.,:/+-]+")
_QUANTITY_START = re.compile(r"[+-]?\d[\d.,]*(?:-?([^\W\d_]+|%))?(?=[/.-]|$)")
_SYMBOL = re.compile(
    r"(?<![\w-])(?:"
    r"(?:PEP|RFC|ISO|IEC|DIN|EN|ISBN|issue|PR|MR|bug|ticket)[ -]#?\d[\w-]*(?:\.\d+)*"
    r"|#\d+|[vV]\d[A-Za-z0-9]*(?:[.+-][A-Za-z0-9]+)*"
    r"|\d+\.\d+\.\d[A-Za-z0-9]*(?:[.+-][A-Za-z0-9]+)*"
    r"|--?[A-Za-z][\w-]*(?:=[^\s,;]+)?(?<=[\w\]])|\$\{?[A-Za-z_]\w*\}?|%[A-Z_]{2,}%"
    r"|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}"
    r"|[\w$]{1,80}(?:(?:::|->)[\w$]{1,80}){1,12}!?(?:\(\))?"
    r"|[^\W\d]\w{0,80}(?:\.[^\W\d]\w{0,80}){0,12}\(\)"
    r"|[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*(?:\(\))?"
    r")(?!\w)"
)
_HUMPS = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2,}$|[A-Z][a-z]+[A-Z]")
_SCOTS = re.compile(r"(?:Mc|Mac|De|Di|Du|La|Le|Van|Fitz|O)[A-Z][a-z]+$")
_AFTER_DIGITS = UNIT_WORDS | {"k", "K", "M", "bn", "mn"}
_AREA = re.compile(r"[cdkm]?m[23]")
_DOI = re.compile(r"10\.\d{4,9}/")
_DOTTED = re.compile(r"\d+(?:\.\d+){2,}")
_CODE_END = re.compile(r"^\d+(?:-[A-Z0-9]+)*-[A-Z]{1,3}\d*$")
_PREFIXES = frozenset(
    "a aged all anti around day early grade in late level mid non nr number over page part phase "
    "post pre stage step sub super top to type under version week year".split()
)


def find_addresses(text: str) -> Iterator[Mark]:
    """URLs, e-mail addresses, handles, paths, files and dotted names."""
    if not _ADDRESS_MARK.search(text):
        return
    for found in _ADDRESS.finditer(text):
        yield _mark(found.start(), _trimmed(found.group()))
    for found in _PATH.finditer(text):
        word = _trimmed(found.group())
        if _is_path(word) and not _SECONDS.match(text, found.start()):
            yield _mark(found.start(), word)


def _trimmed(word: str) -> str:
    word = word.rstrip(_TRAILING) or word
    while word.endswith(")") and word.count(")") > word.count("("):
        word = word[:-1].rstrip(_TRAILING)
    return word


def _is_path(word: str) -> bool:
    if _ONLY_NUMBERS.fullmatch(word) or word.isnumeric():
        return False
    if _DOI.match(word):
        return True
    if quantity := _QUANTITY_START.match(word):
        unit = quantity.group(1)
        if unit is None or unit in _AFTER_DIGITS:
            return False
    if "/" not in word and "\\" not in word:
        parts = word.strip(".").split(".")
        return (
            (len(parts) > 1 or word[0] == ".")
            and max(map(len, parts)) > 1
            and (not all(part.isnumeric() for part in parts))
        )
    if word[0] in "/~." or "\\" in word:
        return len(word) > 2
    parts = word.strip("/").split("/")
    if all(part in UNIT_WORDS or part.isnumeric() for part in parts):
        return False
    return len(parts) > 1 and _IN_PATH.search(word) is not None


def find_symbols(text: str) -> Iterator[Mark]:
    """Codes, versions, hashes, flags and the names that programs use."""
    for found in _SYMBOL.finditer(text):
        word = found.group()
        if _is_symbol(word):
            yield _mark(found.start(), word)


@lru_cache(maxsize=65536)
def _is_symbol(word: str) -> bool:
    if _DOTTED.fullmatch(word):
        return True
    if word in UNIT_WORDS or _AREA.fullmatch(word) or _ONLY_NUMBERS.fullmatch(word):
        return ":" in word and _is_colon_code(word)
    if word[0] in "-$%#":
        return len(word) > 1 and not (word[0] == "-" and word.strip("-").isnumeric())
    if " " in word or "::" in word or "->" in word or word.endswith("()"):
        return word != "::"
    if ":" in word:
        return _is_colon_code(word)
    has_digit = any(character.isdigit() for character in word)
    if not has_digit:
        return (
            ("_" in word.strip("_"))
            or word.startswith("__")
            or (_HUMPS.search(word) is not None and not _SCOTS.match(word) and "-" not in word)
        )
    if word.replace("-", "").replace("_", "").isnumeric():
        return False
    if word[0].isdigit() and (quantity := _QUANTITY_START.match(word)):
        unit = quantity.group(1)
        if unit is None or (unit in _AFTER_DIGITS and not _CODE_END.search(word)):
            return False
        # 61-year-old and 3-phase are a number and words; 4471-B and 4f-12 are codes.
        return not word.partition("-")[0].isnumeric() or _CODE_END.search(word) is not None
    first = word.partition("-")[0]
    return first.casefold() not in _PREFIXES


def _is_colon_code(word: str) -> bool:
    """Whether groups parted by colons are an address, not a time."""
    groups = word.split(":")
    return len(groups) > 5 or ("" in groups and any(groups))


def _mark(start: int, word: str) -> Mark:
    return start, start + len(word), (identifier_key(word),)


def identifier_key(word: str) -> str:
    """The form in which identifiers are compared: case, call brackets and `./` do not count."""
    key = word.casefold().removesuffix("()").removeprefix("./").rstrip("/").lstrip("#")
    if re.match(r"v\d", key):
        return key[1:]
    return re.sub(r"(?<=[a-z])[ -]#?(?=\d)", "-", key)
