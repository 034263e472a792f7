"""Numbers of a text in written form, with their units.

Digits (1,200; 1.2K; 1e-5; 1/2), number words (twenty-one), ordinals, percent and money. `one` is
a number only before a unit or a multiplier. A count of things (12 eggs) is a bare number: nouns
are no units. Number words are English; units are in `units`.
"""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from spokesmith.metrics.units import CURRENCIES, UNITS, UNITS_BY_WORD, Unit, unit_of

ORDINAL = "ordinal"
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SMALL = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * tens for tens, word in enumerate(_TENS, start=2)
}
LARGE = {
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "dozen": 12,
}
ORDINALS = {
    word: value
    for value, word in enumerate(
        "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=3
    )
}
_SUFFIXES = {
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "mn": 10**6,
    "bn": 10**9,
    "B": 10**9,
    "万": 10**4,
    "亿": 10**8,
    **LARGE,
    **{f"{word}s": value for word, value in LARGE.items()},
}
MOST_DIGITS = 1000
_NUMBER_WORDS = frozenset({*SMALL, *LARGE, *ORDINALS})
_DIGIT = re.compile(r"\d")
_LETTERS = re.compile(r"[^\W\d_]+")


def _any_of(words: set[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


_LATIN_UNITS = {word for word in UNITS if re.match(r"[^\W\d_\u3000-\u9fff]", word)}
_OTHER_UNITS = set(UNITS) - _LATIN_UNITS
_UNIT = (
    rf"(?:(?:{_any_of(_LATIN_UNITS)}|(?i:{_any_of(set(UNITS_BY_WORD))}))(?![^\W\d_\u3000-\u9fff])"
    rf"|{_any_of(_OTHER_UNITS)})"
)
_POWER = r"(?:\^?[23](?!\w)|\^-1)?"
_CODES = {word for word in CURRENCIES if len(word) == 3 and word.isascii() and word.isupper()}
_SIGNS = {word for word in CURRENCIES if not word.isalpha()} - {"¢"}
_SMALL_WORD = rf"(?:{_any_of(set(SMALL))})"
_LARGE_WORD = rf"(?:{_any_of(set(LARGE))})"
_WORDS = (
    rf"(?:(?:a|an) (?=hundred|thousand|million|billion|trillion|dozen))?"
    rf"(?:{_SMALL_WORD}|{_LARGE_WORD})(?:(?:[ -]|[ -]and )(?:{_SMALL_WORD}|{_LARGE_WORD})){{0,8}}"
)
_DIGITS = (
    r"(?:(?<!\d,)\d{1,3}(?:\.\d{3})*,\d{1,2}(?![\d,])|(?<!\d,)(?!(?<=[\[(])0,\d+[\])])0,\d+(?!,?\d)"
    r"|(?:(?<!\d,)[1-9]\d{0,2}(?:,\d{3})+(?!\d)|\d{1,3}(?:'\d{3})+(?!\d)|\d+)(?:\.\d+)?)"
    r"(?:[eE][+-]?\d{1,3}(?!\w)| ?[x×] ?10(?:\^|\*\*)-?\d{1,3})?"
    r"(?:\^-?\d{1,3})?"
)
_NUMBER = re.compile(
    rf"(?<![^\W\u3040-\u9fff])(?<!\.)(?P<sign>(?<![\w)])[-+](?=[\d.$€£]))?"
    rf"(?:(?P<money>(?<![^\W\d_])(?:{_any_of(_SIGNS | _CODES)})) ?)?"
    rf"(?:(?P<digits>{_DIGITS}|\.\d+)"
    rf"(?P<fraction> ?(?:(?<=\d )\d{{1,2}})?/\d{{1,2}}(?![\w/]|\.\d))?"
    rf"|(?<![\w-])(?P<words>(?i:{_WORDS}))(?!\w))"
    rf"(?P<ordinal>(?:st|nd|rd|th)(?!\w))?"
    rf"(?P<times>[kKMB](?![^\W_])|[ -]?(?:bn|mn|(?i:{_LARGE_WORD})s?)(?!\w)| ?[万亿])?"
    rf"(?P<decade>'?s(?![\w/]))?"
    rf"(?:[ -]?(?P<unit>(?!(?<=-)[A-Z](?!\w))(?![x×] ?\d){_UNIT})(?!(?<=[$€£¥]) ?\d){_POWER}"
    rf"(?:/(?P<per>{_UNIT}){_POWER})?"
    rf"|/(?P<only_per>{_UNIT}))?"
)
_WORD_ORDINAL = re.compile(rf"(?<![\w-])(?i:{_any_of(set(ORDINALS))})(?![\w-])")
_CONNECTOR = re.compile(
    r" ?(?:-|–|~|\.\.\.?|/|\+/-|±) ?| (?:to|and|or|through|versus|vs\.?|until) "
)
_TIMES = re.compile(r" ?[x×] ?")
_BY = " by "
# Units in which a size is given, one side by another: 3 x 4 m, but 2 x 500 mg and 2 x 5 km.
_OF_SIZES = frozenset(UNITS[name] for name in ("mm", "cm", "m", "inch", "ft", "px"))
# No minus sign is the first of two dashes that part words off (the crew –5 people– left).
_MINUS = re.compile(r"(?<![^ (\[])–(?=\d)(?![^–]*[^ –]–(?!\w))")
# Units of what may be less than nothing.
_SIGNED = {UNITS[name][0] for name in ("°C", "°F", "%", *CURRENCIES)}
# What is no year: 3 by 4 m, but in 2019 by 3 m.
_MOST_OF_A_SIDE = 1000
_FRACTIONS = {(1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (1, 8), (3, 8), (5, 8), (7, 8)} | {
    (part, whole) for whole in (5, 6, 16) for part in range(1, whole)
}
_PRONOUN = frozenset({"one", "zero"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written (`value`, in the `unit` that it was written with) and its span."""

    start: int
    end: int
    value: Fraction
    unit: Unit | None
    ordinal: bool = False

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The value in the base of its dimension, and the dimension."""
        if self.unit is None:
            return self.value, ORDINAL if self.ordinal else ""
        dimension, size = self.unit
        return self.value * size, dimension


def find_quantities(text: str) -> list[Quantity]:
    """The numbers of a text; each in a range has the unit that stands after the last."""
    if not _DIGIT.search(text) and _NUMBER_WORDS.isdisjoint(_LETTERS.findall(text.lower())):
        return []
    found: list[Quantity] = []
    for match in _NUMBER.finditer(text):
        found.extend(_read(match))
    found.extend(
        Quantity(match.start(), match.end(), Fraction(ORDINALS[match.group().lower()]), None, True)
        for match in _WORD_ORDINAL.finditer(text)
    )
    found.sort(key=lambda quantity: quantity.start)
    return _with_shared_units(text, _with_dashes_as_signs(text, found))


def _with_dashes_as_signs(text: str, found: list[Quantity]) -> list[Quantity]:
    """A dash right before digits is a minus sign where the unit may be less than nothing, but in
    `3 –5` it stands between two numbers."""
    signed = list(found)
    for at in range(len(found) - 1, -1, -1):
        one, unit, dash = found[at], found[at].unit, found[at].start - 1
        if unit is None and at + 1 < len(found):
            unit = _shared_unit(one, text[one.end : signed[at + 1].start], signed[at + 1].unit)
        in_range = at > 0 and found[at - 1].end == dash - 1
        may_be_less = unit is not None and unit[0] in _SIGNED
        if may_be_less and dash >= 0 and not in_range and _MINUS.match(text, dash):
            signed[at] = replace(one, start=dash, value=-one.value)
    return signed


def _with_shared_units(text: str, found: list[Quantity]) -> list[Quantity]:
    shared = list(found)
    for at in range(len(found) - 2, -1, -1):
        one, following = shared[at], shared[at + 1]
        if one.unit is None and not one.ordinal:
            unit = _shared_unit(one, text[one.end : following.start], following.unit)
            shared[at] = replace(one, unit=unit)
    return shared


def _shared_unit(one: Quantity, between: str, following: Unit | None) -> Unit | None:
    """The unit that a number has from what stands between it and the next one."""
    if _CONNECTOR.fullmatch(between):
        return following
    times = _TIMES.fullmatch(between)
    is_side = times or (between == _BY and one.value < _MOST_OF_A_SIDE)
    if is_side and following in _OF_SIZES:
        return following
    return UNITS["x"] if times else None


def _read(match: re.Match[str]) -> Iterator[Quantity]:
    start, end = match.span()
    end = max(match.end(name) for name in ("digits", "words", "fraction", "ordinal", "times"))
    unit = _unit(match)
    if unit is not None:
        end = match.end()
    elif match["decade"]:
        end = match.end("decade")
        unit = ("decade", Fraction(1))
    words = match["words"]
    multiplier = (
        _SUFFIXES[
            match["times"].strip(" -")
            if match["times"] in _SUFFIXES
            else match["times"].strip(" -").lower()
        ]
        if match["times"]
        else 1
    )
    if words:
        yield from _read_words(match, start, end, unit, multiplier)
        return
    value = _value(match["digits"]) * multiplier
    if match["sign"] == "-":
        value = -value
    if match["fraction"] is None:
        yield Quantity(start, end, value, unit, bool(match["ordinal"]))
        return
    yield from _read_fraction(match, value, unit, end)


def _read_words(
    match: re.Match[str], start: int, end: int, unit: Unit | None, multiplier: int
) -> Iterator[Quantity]:
    words = re.split(r"[ -]", match["words"].lower())
    values = _values([word for word in words if word not in ("and", "a", "an")])
    if len(values) != 1 or ("and" in words and not set(words) & set(LARGE)):
        # Not one number but several: "two three", "ten and five".
        yield from _each_word(match, unit, end)
    elif words[0] not in _PRONOUN or len(words) > 1 or unit is not None or multiplier > 1:
        yield Quantity(start, end, Fraction(values[0] * multiplier), unit)


def _each_word(match: re.Match[str], unit: Unit | None, end: int) -> Iterator[Quantity]:
    pieces = [
        piece
        for piece in re.finditer(r"[^\W\d_]+", match["words"])
        if piece.group().lower() in SMALL or piece.group().lower() in LARGE
    ]
    begin = match.start("words")
    for piece in pieces:
        last = piece is pieces[-1]
        word = piece.group().lower()
        if word in _PRONOUN and not (last and unit):
            continue
        value = Fraction(SMALL.get(word) or LARGE.get(word, 0))
        stop = end if last else begin + piece.end()
        yield Quantity(begin + piece.start(), stop, value, unit if last else None)


def _values(words: list[str]) -> list[int]:
    """The numbers that a run of number words says: one, if it is well formed."""
    values: list[int] = []
    total = current = 0
    smallest = 10**15
    for word in words:
        if word in SMALL:
            value = SMALL[word]
            if (current % 100 >= 20 and current % 10 == 0 and 0 < value < 10) or current % 100 == 0:
                current += value
            else:
                values.append(total + current)
                total, current, smallest = 0, value, 10**15
        elif word in ("hundred", "dozen"):
            current = (current or 1) * LARGE[word]
        else:
            if LARGE[word] >= smallest:
                return []
            smallest = LARGE[word]
            total += (current or 1) * smallest
            current = 0
    return [*values, total + current]


def _read_fraction(
    match: re.Match[str], value: Fraction, unit: Unit | None, end: int
) -> Iterator[Quantity]:
    """`1/2`, `1 1/2`, or two numbers that a slash parts."""
    top, _, bottom = match["fraction"].strip().partition("/")
    whole = Fraction(0)
    part = value
    if top:
        whole, part = value, Fraction(top)
    if (part, Fraction(int(bottom))) in _FRACTIONS:
        yield Quantity(match.start(), end, whole + part / int(bottom), unit)
        return
    yield Quantity(match.start(), match.end("digits"), value, unit)
    cut = match.start("fraction")
    if top:
        at = match.string.index(top, cut)
        yield Quantity(at, at + len(top), Fraction(top), unit)
    yield Quantity(match.string.index("/", cut) + 1, end, Fraction(int(bottom)), unit)


def _unit(match: re.Match[str]) -> Unit | None:
    written = match["unit"]
    if match["decade"]:
        # "5 s" and "5s" are seconds; only 1990s and '90s are decades.
        digits = match["digits"] or ""
        if not written and (len(digits) != 4 or "'" in match["decade"]) and len(digits) < 4:
            return UNITS["s"]
    if match["only_per"]:
        dimension, size = _known(match["only_per"])
        return f"/{dimension}", 1 / size
    if match["money"]:
        return UNITS[match["money"]]
    if not written:
        return None
    dimension, size = _known(written)
    power = match.string[match.end("unit") : match.end("unit") + 2].lstrip("^")[:1]
    if power in ("2", "3") and match.end() > match.end("unit"):
        dimension, size = f"{dimension}{power}", size ** int(power)
    if match["per"]:
        other, per_size = _known(match["per"])
        return f"{dimension}/{other}", size / per_size
    return dimension, size


def _known(written: str) -> Unit:
    unit = unit_of(written)
    assert unit is not None, written
    return unit


def _value(digits: str) -> Fraction:
    """The value of digits with their separators; one of far too many digits is cut."""
    mantissa, _, power = re.sub(r" ?[x×] ?10(?:\^|\*\*)", "e", digits).partition("^")
    plain = mantissa.replace("'", "")
    if re.search(r"^0,|,\d{1,2}(?:$|[eE])", plain) and plain.count(",") == 1:
        plain = plain.replace(".", "").replace(",", ".")
    plain = plain.replace(",", "").lower()
    number, _, exponent = plain.partition("e")
    if len(number) > MOST_DIGITS:
        number = number[:MOST_DIGITS]
    value = Fraction(number) * Fraction(10) ** int(exponent or 0)
    # A power of a large number would be endless to write out.
    return value ** int(power) if power and abs(value) <= 1000 and value else value
