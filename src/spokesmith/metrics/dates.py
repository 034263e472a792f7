"""Dates, times of day, weekdays and months of a text in written form.

A date is keyed by its parts (year, month, day, hour, minute, second, weekday), None where it does
not say. Days and months that could be either (03/04/2023) are kept as written. Names of months
and weekdays are English. Relative dates (tomorrow) are no facts.
"""

import re
from collections.abc import Hashable, Iterator

Parts = tuple[Hashable, ...]
Mark = tuple[int, int, Parts]

MONTHS = (
    "january february march april may june july august september october november december".split()
)
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH_NUMBERS = (
    {name: number for number, name in enumerate(MONTHS, start=1)}
    | {name[:3]: number for number, name in enumerate(MONTHS, start=1)}
    | {"sept": 9}
)
_DAY_NUMBERS = {name: number for number, name in enumerate(WEEKDAYS)} | {
    **{name[:3]: number for number, name in enumerate(WEEKDAYS)},
    "tues": 1,
    "wednes": 2,
    "thur": 3,
    "thurs": 3,
}
_MONTH = (
    r"(?:(?i:january|february|march|april|june|july|august|september|october|november|december)|"
    r"May|MAY|Sept?\.?|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Oct|Nov|Dec)\.?|"
    r"JAN|FEB|MAR|APR|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
)
_CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?"
# Not the German `am` before a date.
_HALF = r" ?(?:[ap]m|[AP]M|[ap]\.m\.?|[AP]\.M\.?)(?!\w)(?! \d{1,2}\.\d{1,2}\.)"
_YEAR = r"(?:1\d{3}|2[01]\d{2})"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<![^\W\u3040-\u9fff])(?<![.:/])(?:"
    rf"(?P<iso>{_YEAR}([-/.])(?:0?[1-9]|1[0-2])\2{_DAY})(?!\d)"
    rf"(?:[T ](?P<iso_time>{_CLOCK})(?: ?Z(?!\w)| ?[+-]\d\d:?\d\d)?)?"
    rf"|(?P<dmy>\d{{1,2}}([./-])\d{{1,2}}\5(?:{_YEAR}|\d\d))(?![\w/-]|\.\d)"
    rf"|(?P<dm>\d{{1,2}}/\d{{1,2}})(?![\w/-]|\.\d)(?! ?mm)"
    rf"|(?P<cjk>(?:\d{{4}}年)?\d{{1,2}}月(?:\d{{1,2}}[日号])?|\d{{4}}年)"
    rf"|(?P<cjk_time>\d{{1,2}}[点时](?:\d{{1,2}}分?|半)?)(?!间)"
    rf"|(?P<day1>{_DAY})(?:st|nd|rd|th)?(?: of | |-|\. )(?P<month1>{_MONTH})"
    rf"(?:(?:, ?| |-)(?P<year1>{_YEAR}))?(?!\w|:\d)"
    rf"|(?P<month2>{_MONTH}) (?:the )?(?P<day2>{_DAY})(?:st|nd|rd|th)?"
    rf"(?:(?:, ?| )(?P<year2>{_YEAR}))?"
    rf"(?!\w|[.,:]\d)"
    rf"|(?P<month3>{_MONTH})(?:,? | of |-)(?P<year3>{_YEAR})(?!\w)"
    rf"|(?P<clock>{_CLOCK})(?!:?\d)(?P<half>{_HALF})?"
    rf"|(?P<hour>1[0-2]|[1-9])(?P<half2>{_HALF})"
    rf")"
)
_DIGIT = re.compile(r"\d")
_NAMED = re.compile(
    r"(?<![\w-])(?P<month>January|February|March|April|May|June|July|August|September|October|"
    r"November|December)(?!\w)|(?<![\w-])(?P<weekday>(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|"
    r"(?:Mon|Tues?|Wed|Thu|Thurs?|Fri|Sat|Sun)(?=,|\. |/| \d))(?!\w)"
)
_BEFORE_MONTH = re.compile(
    r"(?:\b(?:in|since|until|till|by|last|next|this|of|early|late|mid|from|to|through|during|"
    r"before|after|each|every|between|and|or)[ -]|[(,–-] ?)$",
    re.IGNORECASE,
)


def find_dates(text: str) -> Iterator[Mark]:
    """Dates and times of day; a time stamp gives one of each."""
    if not _DIGIT.search(text):
        return
    for match in _DATE.finditer(text):
        yield from _read(match)


def find_named_dates(text: str) -> Iterator[Mark]:
    """Months and weekdays that stand alone."""
    for match in _NAMED.finditer(text):
        if match["weekday"]:
            name = match["weekday"].lower()
            name = name.removesuffix("s") if name.endswith("days") else name
            yield match.start(), match.end(), _parts(weekday=_DAY_NUMBERS[name])
        # March and May are other words too where nothing before them asks for a date.
        elif match["month"] not in ("March", "May") or _BEFORE_MONTH.search(
            text, max(0, match.start() - 12), match.start()
        ):
            yield match.start(), match.end(), _parts(month=_month(match["month"]))


def _read(match: re.Match[str]) -> Iterator[Mark]:
    start, end = match.span()
    if match["iso"]:
        year, month, day = (int(part) for part in re.split(r"[-/.]", match["iso"]))
        yield start, match.end("iso"), _parts(year=year, month=month, day=day)
        if match["iso_time"]:
            yield match.start("iso_time"), end, _time(match["iso_time"], None)
    elif match["dmy"]:
        if parts := _day_month_year(match["dmy"]):
            yield start, end, parts
    elif match["dm"]:
        if parts := _day_month(match["dm"]):
            yield start, end, parts
    elif match["cjk"]:
        numbers = {mark: int(digits) for digits, mark in re.findall(r"(\d+)(\D)", match["cjk"])}
        day = numbers.get("日", numbers.get("号"))
        yield start, end, _parts(year=numbers.get("年"), month=numbers.get("月"), day=day)
    elif match["cjk_time"]:
        hour, _, minute = (
            match["cjk_time"].replace("半", "30").rstrip("分").replace("时", "点").partition("点")
        )
        yield start, end, _time(f"{hour}:{minute or 0}", None)
    elif match["clock"]:
        yield start, end, _time(match["clock"], match["half"])
    elif match["hour"]:
        yield start, end, _time(match["hour"], match["half2"])
    else:
        yield start, end, _with_month_name(match)


def _with_month_name(match: re.Match[str]) -> Parts:
    month = match["month1"] or match["month2"] or match["month3"]
    day = match["day1"] or match["day2"]
    year = match["year1"] or match["year2"] or match["year3"]
    return _parts(
        year=int(year) if year else None, month=_month(month), day=int(day) if day else None
    )


def _month(name: str) -> int:
    return _MONTH_NUMBERS[name.lower().rstrip(".")]


def _parts(
    *,
    year: int | None = None,
    month: int | str | None = None,
    day: int | None = None,
    weekday: int | None = None,
) -> Parts:
    return year, month, day, None, None, None, weekday


def _time(clock: str, half: str | None) -> Parts:
    hour, _, rest = clock.partition(":")
    minute, _, second = rest.partition(":")
    hours = int(hour)
    if half and hours <= 12:
        hours = hours % 12 + (12 if half.strip()[0] in "pP" else 0)
    return None, None, None, hours, int(minute or 0), second.replace(",", ".") or None, None


def _day_month_year(written: str) -> Parts | None:
    first, second, year = re.split(r"[./-]", written)
    parts = _day_month_of(int(first), int(second), by_day="." in written)
    if parts is None or (len(year) == 2 and "/" not in written):
        return None
    # Two digits of a year do not say the century.
    number = int(year) if len(year) == 4 else None
    month, day = parts
    return (
        _parts(year=number, month=month, day=day)
        if number
        else (f"'{year}", *_parts(month=month, day=day)[1:])
    )


def _day_month(written: str) -> Parts | None:
    """`10/15`; where neither number is over 12 a score, a rate or a fraction is as likely."""
    first, second = (int(part) for part in written.split("/"))
    if max(first, second) <= 12 and "0" not in written[:1] + written.partition("/")[2][:1]:
        return None
    parts = _day_month_of(first, second, by_day=False)
    return _parts(month=parts[0], day=parts[1]) if parts else None


def _day_month_of(first: int, second: int, *, by_day: bool) -> tuple[int | str, int | None] | None:
    """Month and day; one text for both where their order is unknown."""
    if not (0 < first <= 31 and 0 < second <= 31) or min(first, second) > 12:
        return None
    if by_day and second <= 12:
        return second, first
    if first > 12:
        return second, first
    if second > 12 or first == second:
        return first, second
    return f"{first}/{second}", None
