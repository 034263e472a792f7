"""Real texts as segments (titles, sentences, list items, steps), and cuts that break no fact.

Knows Markdown-like lines, English abbreviations and Chinese full stops; other languages split at
their line breaks and at `.!?` before a capital. A segment is always a verbatim part of the text
with its white space collapsed.
"""

import re
from dataclasses import dataclass

from spokesmith.data.gold import CJK, collapse

TITLE, HEADING, SENTENCE, ITEM, STEP = "title", "heading", "sentence", "item", "step"

WRAPPED_LINE = 50
LONG_ITEM = 90
LIST_MARK = re.compile(r"\s*(?:[-*+•]\s+|\(?\d{1,2}[.)]\s+|>\s*)")
NUMBER_MARK = re.compile(r"^\s*\(?\d{1,2}[.)]\s+")
HEADING_MARK = re.compile(r"\s*#{1,6}\s*")
RULE_LINE = re.compile(r"\s*(?:[-=*_`~]\s*+){3,}+\w*\s*$")
STEP_HEADING = re.compile(
    r"\b(directions?|instructions?|method|steps?|preparation|procedure)\b|操作|步骤|做法",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(
    r"""(?<=[.!?])["')\]”’]*\s+(?=["'(`\[“‘<*]*[A-Z0-9À-ÞА-Я])|(?<=[。！？])"""
)
ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|e\.g|i\.e|cf|approx|No|Nos|Fig|Vol|Inc|Corp|Ltd|Co|"
    r"tbsp|tsp|Tbsp|Tsp|oz|lb|lbs|qt|pt|min|mins|max|dept|est|a\.k\.a|U\.S|Jan|Feb|Aug|Sept?|Oct|"
    r"Nov|Dec)|(?:^|[A-Z]\w*[ -]|[A-Z]\.\s?)[A-Z])\.$"
)
LEADING_SYMBOLS = re.compile(r"^[^\w\s\"'`(\[<“‘《【$€£#@+*/\\.~-]+\s*")
DATE_START = re.compile(r"^\d{2}/\d{2} ")
TRAILING_WORDS = re.compile(
    r"(?:\s+(?:a|an|the|of|to|in|on|at|by|for|from|with|and|or|but|is|are|was|were|be|that|which|who|"
    r"as|if|when|where|while|because|its|their|his|her|this|these|into|via|not|no|than|then|such|can|"
    r"could|would|may|will|has|have|had|been|it|so|also|only|very|more|about|over|under|per|between))+$",
    re.IGNORECASE,
)
PHRASE_START = re.compile(
    r"\s(?:of|in|on|at|by|for|from|with|without|and|or|but|to|that|which|who|when|while|where|if|"
    r"because|since|after|before|during|until|into|through|via|as)\s",
    re.IGNORECASE,
)
END_MARKS = " ,;:—–-(（[，、；：&"
CLAUSE_END = re.compile(r"[,;:](?=\s)|\s[—–-](?=\s)|(?=\s[(\[])|[，；：。！？](?=\S)")


@dataclass(frozen=True)
class Segment:
    """A verbatim stretch of a text, what it is there, and the number it is listed under."""

    text: str
    kind: str
    number: str = ""

    @property
    def numbered(self) -> str:
        """The text with its number, as in the list."""
        return f"{self.number} {self.text}" if self.number else self.text


def segments(text: str, title: str = "") -> list[Segment]:
    """Split a text into segments in reading order; empty for a text without characters.

    The first segment is the title where it is a heading or holds `title`.
    """
    found: list[Segment] = []
    in_steps = False
    for line, kind, number in _blocks(text):
        if kind == HEADING:
            in_steps = bool(found) and bool(STEP_HEADING.search(line))
            found.append(Segment(line, HEADING))
            continue
        if in_steps and kind == SENTENCE:
            kind = STEP
        sentences = [line] if kind == ITEM and len(line) <= LONG_ITEM else _sentences(line)
        found += [
            Segment(part, kind, "" if place else number) for place, part in enumerate(sentences)
        ]
    if not found:
        return []
    first = found[0]
    if first.kind == HEADING or (title and collapse(title) in first.text and len(found) > 1):
        found[0] = Segment(first.text, TITLE, first.number)
    return found


def _blocks(text: str) -> list[tuple[str, str, str]]:
    """Lines joined where they were merely wrapped, as (collapsed text, kind, number in a list)."""
    blocks: list[tuple[list[str], str, str]] = []
    open_block = False
    for raw in text.splitlines():
        if not raw.strip() or RULE_LINE.match(raw):
            open_block = False
        elif HEADING_MARK.match(raw) and raw.lstrip().startswith("#"):
            blocks.append(([HEADING_MARK.sub("", raw, count=1)], HEADING, ""))
            open_block = False
        elif mark := LIST_MARK.match(raw):
            number = NUMBER_MARK.match(raw)
            kind = STEP if number else ITEM
            blocks.append(([raw[mark.end() :]], kind, number.group().strip() if number else ""))
            open_block = _may_go_on(raw)
        elif open_block:
            blocks[-1][0].append(raw)
            open_block = _may_go_on(raw)
        else:
            blocks.append(([raw], SENTENCE, ""))
            open_block = _may_go_on(raw)
    joined = [(collapse(" ".join(lines)), kind, number) for lines, kind, number in blocks]
    return [
        (LEADING_SYMBOLS.sub("", line, count=1) or line, kind, number)
        for line, kind, number in joined
        if line
    ]


def opens_block(line: str, before: str) -> bool:
    """Whether a line is more than the rest of the line before it, which was wrapped."""
    return not _may_go_on(before) or bool(LIST_MARK.match(line) or HEADING_MARK.match(line))


def _may_go_on(line: str) -> bool:
    """Whether the next line may be the rest of this one: long, and no Chinese line."""
    return len(line) >= WRAPPED_LINE and not CJK.search(line)


def _sentences(block: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for boundary in SENTENCE_END.finditer(block):
        before = block[start : boundary.start()]
        only_number = re.fullmatch(r"\(?\d{1,2}[.)]", before.strip())
        if ABBREVIATION.search(before) or only_number or not before.strip():
            continue
        parts.append(block[start : boundary.end()].strip())
        start = boundary.end()
    parts.append(block[start:].strip())
    unmarked = [NUMBER_MARK.sub("", part, count=1) or part for part in parts]
    return [part for part in unmarked if part]


def shorten(text: str, limit: int) -> str:
    """The longest good beginning of `text` of at most `limit` characters.

    It ends at a clause, else at a word; never inside a number with its unit, a code span, a
    quotation or an identifier, unless one such run alone is longer than `limit`.
    """
    if len(text) <= limit:
        return text
    clauses = [found.start() for found in CLAUSE_END.finditer(text[: limit + 1])]
    words = [found.start() for found in re.finditer(r"\s", text[: limit + 1])]
    for end in reversed([position for position in clauses if position >= limit * 0.45]):
        if _is_good_end(text, end):
            return _trimmed(text[:end])
    phrases = [end for end in words if end >= limit * 0.6 and PHRASE_START.match(text[end:])]
    for end in [*reversed(phrases), *reversed(words)]:
        if _is_good_end(text, end) and (shorter := _trimmed(text[:end])):
            return shorter
    return _hard_cut(text, limit)


def _is_good_end(text: str, end: int) -> bool:
    head = text[:end]
    if head.count("`") % 2 or head.count('"') % 2 or _is_open(head, "(", ")"):
        return False
    if _is_open(head, "[", "]") or _is_open(head, "“", "”"):
        return False
    return not (re.search(r"\d\S*$", head) and re.match(r"\s*[\w%°µ]", text[end:]))


def _is_open(text: str, left: str, right: str) -> bool:
    return text.count(left) > text.count(right)


def _trimmed(text: str) -> str:
    text = text.rstrip(END_MARKS)
    while (shorter := TRAILING_WORDS.sub("", text).rstrip(END_MARKS)) != text:
        text = shorter
    return text


def _hard_cut(text: str, limit: int) -> str:
    """A cut where no space helps: before a run of Latin letters or digits, if there is one."""
    head = text[:limit]
    if CJK.search(head):
        shorter = re.sub(r"[!-~]+$", "", head) if re.match(r"[!-~]", text[limit:]) else head
        shorter = re.sub(r"\d[\d.\s-]*$", "", shorter)
        return shorter.rstrip(END_MARKS) or head
    return re.sub(r"\w+$", "", head).rstrip(END_MARKS) or head


def join_segments(parts: list[str]) -> str:
    """Segments as one line: a space after a finished sentence, a semicolon after a list item."""
    joined = ""
    for part in parts:
        if not joined:
            joined = part
        elif re.search(r"[.!?。！？;；:：,，][\"')\]`”’]*$", joined):
            joined += " " + part
        else:
            joined += ("；" if CJK.search(joined[-1]) else "; ") + part
    return joined
