"""Written forms, words, sentences and clauses of a string, and the strings of a JSON value.

Strings are compared in one written form (`written_form`): NFKC, one space between words, one form
for each quote mark and dash; it knows where lines began. Lemmas are English; words of other
languages are their own, and each Chinese or Japanese character is a word.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from spokesmith.metrics.vocabulary import lemma

CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
CJK_RUN = re.compile(f"{CJK.pattern}+")
WORD = re.compile(r"[^\W_]+(?:'[^\W\d_]+)*")
STOP_WORDS = frozenset(
    """
    a about above after again against all also although am an and another any are as at away be
    because been before being below between both but by can cannot could did do does doing done
    down during each either else ever every few for from further had has have having he her here
    hers herself him himself his how however i if in into is it its itself just may me might mine
    more most much must my myself neither no nor not now of off on once only onto or other others
    our ours ourselves out over own per rather same shall she should since so some such than that
    the their theirs them themselves then there therefore these they this those though through
    thus to too toward towards under until unto up upon us very via was we were what when where
    whether which while who whom whose why will with within without would yet you your yours
    yourself
    """.split()
)
_JOINING_MARKS = "\uff9e\uff9f"
_SPELLINGS = str.maketrans(
    dict.fromkeys("‘’‚‛ʼ＇′", "'")
    | dict.fromkeys("“”„‟«»「」『』″", '"')
    | dict.fromkeys("‐‑−﹣－", "-")
    | dict.fromkeys("—―", "–")
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")
)
_LINE_ENDS = frozenset("\n\r\v\f\x85\u2028\u2029")
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
# A string that is its own written form, and a part of one that is.
_PLAIN = re.compile(r"[!-~]++(?: [!-~]++)*+")
_WRITTEN = re.compile(r"(?:[!-~]++ ?)*+")
_STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"')\]]*+(?=\s)|[。！？]++[\"')\]]*+|(?<!\w)[|•](?!\w)")
_SHORT_FORM = re.compile(
    r"(?:(?<![^\W_])(?:(?<!\d )[^\W\d_a-z]|Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Rev|Gen|Col|Capt|Lt|Sgt|Hon|"
    r"No|Nos|Nr|Fig|Eq|Sec|Ch|Vol|pp|ca|vs|cf|al|eg|ie|e\.g|i\.e|approx|etc|Jan|Feb|Mar|Apr|Jun|Jul|"
    r"Aug|Sept?|Oct|Nov|Dec))$"
)
_CLAUSE_END = re.compile(r"[;:,](?=\s)|[，；：、]|\s[–—-]\s|[()]")


@dataclass(frozen=True, slots=True)
class Written:
    """A string in its written form, and where each of its characters stood before.

    `lines` are the places in the written form where a line other than the first begins.
    """

    text: str
    starts: tuple[int, ...] | range
    length: int
    lines: tuple[int, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original string of a span that is not empty in the written form."""
        # One character may be written as several: the span takes in the whole of the last.
        last = self.starts[end - 1]
        while end < len(self.starts) and self.starts[end] == last:
            end += 1
        return self.starts[start], self.starts[end] if end < len(self.starts) else self.length


class Piece(NamedTuple):
    """A word, a clause or a sentence, and its span in the string it was found in."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=2048)
def written_form(string: str) -> Written:
    """A string with compatibility forms, spaces, quote marks and dashes each in one form."""
    if _WRITTEN.fullmatch(string):
        return Written(string, range(len(string)), len(string))
    parts: list[str] = []
    starts: list[int] = []
    lines: dict[int, None] = {}
    after_space = True
    at = 0
    while at < len(string):
        end = _plain_end(string, at)
        if end > at:
            part = string[at:end]
            starts.extend(range(at, end))
        else:
            end = at + 1
            while end < len(string) and _joins(string[end]):
                end += 1
            part = _normal(string[at:end])
            if part.startswith(" ") and after_space:
                part = part[1:]
            starts.extend([at] * len(part))
        if part:
            parts.append(part)
            after_space = part[-1] == " "
        if string[at] in _LINE_ENDS:
            lines[len(starts)] = None
        at = end
    return Written("".join(parts), tuple(starts), len(string), tuple(lines))


def _plain_end(string: str, start: int) -> int:
    """Where characters that are their own written form end; the last may bear a mark."""
    run = _PLAIN.match(string, start)
    if run is None:
        return start
    marked = run.end() < len(string) and not string[run.end()].isascii()
    return run.end() - 1 if marked else run.end()


@lru_cache(maxsize=4096)
def _joins(character: str) -> bool:
    if character.isascii():
        return False
    # Conjoining vowels and final consonants of Hangul are letters, not marks.
    hangul = "\u1160" <= character <= "\u11ff"
    return hangul or unicodedata.category(character)[0] == "M" or character in _JOINING_MARKS


@lru_cache(maxsize=4096)
def _normal(cluster: str) -> str:
    if cluster.isascii():
        return " " if cluster.isspace() else cluster
    if cluster in _SUPERSCRIPTS:
        return "^" + str(_SUPERSCRIPTS.index(cluster))
    # The spelling of marks is settled first too: NFKC takes some of them apart.
    normal = unicodedata.normalize("NFKC", cluster.translate(_SPELLINGS)).translate(_SPELLINGS)
    if "\u2044" in normal:
        normal = " " + normal.replace("\u2044", "/")
    return " " if normal.isspace() else normal


def words(string: str) -> list[Piece]:
    """The words and numbers of a string as written, each CJK character by itself."""
    if string.isascii():
        return [Piece(match.group(), *match.span()) for match in WORD.finditer(string)]
    found: list[Piece] = []
    for match in WORD.finditer(string.replace("’", "'")):
        start, end = match.span()
        cut = start
        for mark in CJK.finditer(string, start, end):
            if mark.start() > cut:
                found.append(Piece(string[cut : mark.start()], cut, mark.start()))
            found.append(Piece(mark.group(), mark.start(), mark.end()))
            cut = mark.end()
        if cut < end:
            found.append(Piece(string[cut:end], cut, end))
    return found


def content_words(string: str) -> list[str]:
    """The lemmas of the words of a string that are no stop words, in order."""
    found: list[str] = []
    for word in words(string):
        plain = word.text
        if not plain.isascii():
            plain = unicodedata.normalize("NFKC", plain).replace("’", "'")
        plain = plain.casefold()
        plain = plain.removesuffix("'s")
        # What is left of don't and we'll is a stop word too.
        short = plain.endswith("n't") or plain.partition("'")[0] in STOP_WORDS
        if plain not in STOP_WORDS and not short:
            found.append(lemma(plain))
    return found


def sentences(string: str, lines: Sequence[int] = ()) -> list[Piece]:
    """The sentences of a string; cutting one of them again leaves it whole.

    Args:
        lines: where lines begin, which are sentences of their own; none where lines do not count.
    """
    cuts = _sentence_cuts(string)
    return _pieces(string, sorted({*cuts, *lines}) if lines else cuts)


def pieces_at(string: str, lines: Sequence[int]) -> list[Piece]:
    """The lines of a string that begin at places in it."""
    return _pieces(string, list(lines))


def _sentence_cuts(string: str) -> list[int]:
    return [
        found.end()
        for found in _STOP.finditer(string)
        if found.group() != "."
        or not _SHORT_FORM.search(string, max(0, found.start() - 8), found.start())
    ]


def clauses(string: str) -> list[Piece]:
    """The clauses of a string: its sentences cut at marks that part clauses."""
    cuts = {match.end() for match in _CLAUSE_END.finditer(string)}
    return _pieces(string, sorted(cuts | set(_sentence_cuts(string))))


def _pieces(string: str, cuts: list[int]) -> list[Piece]:
    """What stands between cuts, without the spaces around it."""
    found: list[Piece] = []
    for start, end in pairwise([0, *cuts, len(string)]):
        text = string[start:end]
        start += len(text) - len(text.lstrip())
        if text.strip():
            found.append(Piece(text.strip(), start, start + len(text.strip())))
    return found


def strings_of(value: Any) -> Iterator[tuple[str, str]]:
    """JSON pointer and text of every string of a JSON value (values, never keys)."""
    for pointer, leaf in leaves_of(value):
        if isinstance(leaf, str):
            yield pointer, leaf


def leaves_of(value: Any) -> Iterator[tuple[str, Any]]:
    """JSON pointer and value of everything in a JSON value that holds nothing else."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        pointer, item = waiting.pop()
        if isinstance(item, dict):
            inner = [(f"{pointer}/{escape(str(key))}", held) for key, held in item.items()]
            waiting.extend(reversed(inner))
        elif isinstance(item, list):
            waiting.extend(reversed([(f"{pointer}/{at}", held) for at, held in enumerate(item)]))
        else:
            yield pointer, item


def escape(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def folded(written: str) -> str:
    """Small letters, each still at its place."""
    folded = written.lower()
    if len(folded) == len(written):
        return folded
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in written)


def stands_in(words: str, text: str) -> bool:
    """Whether `words` stand in `text` with no part of a longer word or number on either side."""
    return find_words(written_form(words).text.strip(), written_form(text).text) is not None


def find_words(words: str, text: str) -> int | None:
    """Where words in written form first stand in such a text on token boundaries."""
    start = text.find(words) if words else -1
    while start >= 0:
        end = start + len(words)
        if _is_edge(text, start, words[0].isdigit()) and _is_edge(text, end, words[-1].isdigit()):
            return start
        start = text.find(words, start + 1)
    return None


def _is_edge(text: str, at: int, of_number: bool) -> bool:
    """Whether a token, or a number, may begin or end before the character at a place."""
    if not 0 < at < len(text):
        return True
    left, right = text[at - 1], text[at]
    if _is_part(left) and _is_part(right):
        return False
    if not of_number:
        return True
    # 12 stands neither in 12.5 nor in 3:12 nor in 1,012.
    if right in ".,:" and left.isdigit():
        return not text[at + 1 : at + 2].isdigit()
    if left in ".,:" and right.isdigit():
        return not text[at - 2 : at - 1].isdigit()
    return True


def is_word(character: str) -> bool:
    """Whether a character is one of those that words are made of, as regular expressions see it."""
    return character.isalnum() or character == "_"


def _is_part(character: str) -> bool:
    return is_word(character) and not CJK.match(character)
