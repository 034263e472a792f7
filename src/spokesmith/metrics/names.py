"""Names in a text in written form: capitalised words and runs of them.

A sentence's first word, and each word of a string in title case, is a name only where it is no
common English word. Whether a name is a person's or a product's is not told apart.
"""

import re
from collections.abc import Iterator

from spokesmith.metrics.strings import STOP_WORDS
from spokesmith.metrics.vocabulary import is_common, is_known

Mark = tuple[int, int, tuple[str, ...]]

_WORD = re.compile(r"[^\W\d_]+(?:['&-][^\W\d_]+)*")
PARTICLES = frozenset(
    "van der den de von vom zu zur ter ten la le du da di do dos das del della bin ibn al el af "
    "av und".split()
)
TITLES = frozenset(
    "dr mr mrs ms prof professor sir lady lord herr frau monsieur madame miss doctor captain judge"
    " st sgt lt col gen capt rev".split()
)
_SMALL_WORDS = frozenset("a an the and or of in on to for by at with from as vs via per".split())
# What notes ask for in their first word, and what no name begins with.
_ORDERS = frozenset(
    """
    add ask book bring build buy call cancel change check clean close contact create debug delete
    deploy disable email enable fetch find finish fix follow forward get give inform install invite
    keep launch make meet merge message migrate move notify pay phone ping prepare reach read
    reboot rebuild release remind remove rename repair replace reply report reset restart restore
    retry return revert review ring run schedule send ship show start stop take tell thank try
    update upgrade use verify visit wait wake watch write
    """.split()
)
_INITIAL_GAP = re.compile(r"\. ?")
_STARTS_ANEW = re.compile(r"(?:^|[:;(\[{\"`>|•*#=/!?…–。，、]|(?:^| )-) ?$")
_NO_NAMES = STOP_WORDS | frozenset("i i'm i'll i've i'd ok okay yes hello hi dear thanks".split())


def find_names(text: str) -> Iterator[Mark]:
    """Runs of capitalised words of one sentence."""
    if text.islower():
        return
    found = list(_WORD.finditer(text))
    titled = _is_titled(found) or len(found) == 1
    english = _is_english(found)
    run: list[re.Match[str]] = []
    for at, match in enumerate(found):
        if run and not _continues(text, run[-1].end(), match.start(), run[-1].group()):
            yield from _named(run, text, titled, english)
            run = []
        within = run and match.group() in PARTICLES and _leads_to_name(text, found, at)
        if within or _has_capital(match.group()):
            run.append(match)
        elif run:
            yield from _named(run, text, titled, english)
            run = []
    yield from _named(run, text, titled, english)


def _has_capital(word: str) -> bool:
    return word[0].isupper() or word[0].istitle()


def _leads_to_name(text: str, found: list[re.Match[str]], at: int) -> bool:
    """Whether particles alone stand between here and the next capitalised word."""
    for place in range(at + 1, min(at + 3, len(found))):
        if text[found[place - 1].end() : found[place].start()] != " ":
            return False
        if _has_capital(found[place].group()):
            return True
        if found[place].group() not in PARTICLES:
            return False
    return False


def _continues(text: str, end: int, start: int, before: str) -> bool:
    gap = text[end:start]
    if gap in (" ", " & "):
        return True
    short = len(before) == 1 or before.casefold() in TITLES
    return short and _INITIAL_GAP.fullmatch(gap) is not None


def _is_titled(found: list[re.Match[str]]) -> bool:
    """Whether a sentence is a heading in title case: only the smallest words have no capital."""
    return len(found) > 1 and all(
        _has_capital(match.group()) or match.group() in _SMALL_WORDS for match in found
    )


def _is_english(found: list[re.Match[str]]) -> bool:
    """Whether a sentence is short or most of its lower-case words are English."""
    lower = [match.group() for match in found if match.group().islower()]
    return len(lower) < 3 or 2 * sum(map(is_known, lower)) >= len(lower)


def _named(run: list[re.Match[str]], text: str, titled: bool, english: bool) -> Iterator[Mark]:
    """The name in a run of capitalised words, if there is one."""
    if not run:
        return
    first = _STARTS_ANEW.search(text, max(0, run[0].start() - 3), run[0].start())
    # In title case any other word may be part of the name: Granite FC, Lars Vogel, Coach Brandl.
    if titled and run[0].group().casefold() not in _ORDERS:
        first = None
    while run and (
        run[0].group().casefold() in _NO_NAMES or (first and _unlikely(run[0], english))
    ):
        first = None
        run = run[1:]
    while run and run[-1].group().casefold() in _NO_NAMES | PARTICLES:
        run = run[:-1]
    if not run or (titled and all(is_common(_plain(match.group())) for match in run)):
        return
    if len(run[-1].group()) == 1 and len(run) > 1:
        run = run[:-1]
    words = tuple(_plain(match.group()) for match in run)
    if len(words) == 1 and len(words[0]) == 1:
        return
    end = run[-1].end()
    yield run[0].start(), end, words


def _unlikely(match: re.Match[str], english: bool) -> bool:
    """Whether the first word of a sentence has its capital from standing there."""
    word = match.group()
    if len(word) > 1 and word.isupper():
        return is_common(word) and len(word) > 4
    return not english or is_common(_plain(word))


def _plain(word: str) -> str:
    return word.casefold().removesuffix("'s").rstrip("'")
