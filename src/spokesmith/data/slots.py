"""The shared vocabularies by slot name, the types of named things, and numbers in many forms.

A vocabulary is a list of words or a function of the draw. Knows no template.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from spokesmith.data import words
from spokesmith.data.invented import invented

if TYPE_CHECKING:
    from spokesmith.data.kinds.pattern import Draw, Words

INVENTED_SHARE = 0.4


def named(sort: str, known: Sequence[str]) -> Callable[["Draw"], str]:
    """A vocabulary of names: those of a list, and ones that no list holds."""

    def draw_name(draw: "Draw") -> str:
        if draw.random.random() < INVENTED_SHARE:
            return invented(draw.random, sort)
        return draw.random.choice(known)

    return draw_name


first_name = named("first", words.FIRST_NAMES)
last_name = named("surname", words.LAST_NAMES)


def whole(draw: "Draw", low: str, high: str) -> str:
    """An integer; from 1000 on often with a thousands separator."""
    value = draw.random.randint(int(low), int(high))
    return f"{value:,}" if value >= 1000 and draw.comma else str(value)


def plain(draw: "Draw", low: str, high: str) -> str:
    """An integer without separators, as for years and ports."""
    return str(draw.random.randint(int(low), int(high)))


def decimal(draw: "Draw", low: str, high: str) -> str:
    """A number with as many decimals as its bounds show."""
    places = max(len(bound.partition(".")[2]) for bound in (low, high))
    return f"{draw.random.uniform(float(low), float(high)):.{places}f}"


def gap(draw: "Draw") -> str:
    """What this text writes between a number and its unit."""
    return draw.unit_gap


def percent(draw: "Draw", low: str = "1", high: str = "99") -> str:
    """A percentage."""
    value = (
        decimal(draw, f"{low}.0", high) if draw.random.random() < 0.4 else plain(draw, low, high)
    )
    return f"{value}{draw.percent_gap}%"


def money(draw: "Draw", low: str = "2", high: str = "900") -> str:
    """A price in one of several currencies and forms, the same currency within a text."""
    value = draw.random.randint(int(low), int(high))
    amount = f"{value:,}"
    if value < 1000 and draw.random.random() < 0.5:
        amount = f"{value}.{draw.random.randrange(100):02d}"
    return draw.currency.format(amount)


def date(draw: "Draw") -> str:
    """A date in the form that this text uses."""
    year = draw.random.randint(2019, 2027)
    month = draw.random.randint(1, 12)
    day = draw.random.randint(1, 28)
    name = words.MONTHS[month - 1]
    return draw.date_form.format(year=year, month=month, day=day, name=name, short=name[:3])


def clock(draw: "Draw") -> str:
    """A time of day."""
    hour, minute = draw.random.randrange(24), draw.random.randrange(60)
    if draw.clock_form == "am":
        return f"{hour % 12 or 12}:{minute:02d} {'am' if hour < 12 else 'pm'}"
    return f"{hour:02d}:{minute:02d}"


def duration(draw: "Draw") -> str:
    """A span of time from seconds to months."""
    unit, high = draw.random.choice(
        (("seconds", 59), ("minutes", 59), ("hours", 23), ("days", 29), ("weeks", 12), ("s", 90))
    )
    return f"{draw.random.randint(2, high)}{draw.unit_gap if unit == 's' else ' '}{unit}"


def short_duration(draw: "Draw") -> str:
    """A span of time from milliseconds to hours."""
    unit, high = draw.random.choice((("seconds", 59), ("minutes", 59), ("hours", 9), ("min", 90)))
    return f"{draw.random.randint(2, high)} {unit}"


def version(draw: "Draw") -> str:
    """A version, e.g. v2.14.0 or 3.1."""
    parts = [draw.random.randint(0, 9), draw.random.randint(0, 24), draw.random.randint(0, 12)]
    text = ".".join(str(part) for part in parts[: draw.random.choice((2, 3, 3))])
    return f"{draw.version_mark}{text}"


def path(draw: "Draw") -> str:
    """A path of a source file."""
    name = f"{draw.random.choice(words.FILE_STEMS)}.{draw.random.choice(words.EXTENSIONS)}"
    if draw.random.random() < 0.25:
        return name
    return f"{draw.random.choice(words.DIRECTORIES)}/{name}"


def system_path(draw: "Draw") -> str:
    """An absolute path on Unix or Windows."""
    stem = draw.random.choice(words.FILE_STEMS)
    return draw.random.choice(
        (
            f"/var/log/{stem}.log",
            f"/etc/{stem}/{stem}.conf",
            f"/opt/{stem}/bin/{stem}",
            f"/home/{draw.random.choice(words.FIRST_NAMES).lower()}/{stem}.txt",
            f"C:\\Users\\{draw.random.choice(words.FIRST_NAMES)}\\{stem}.docx",
            f"D:\\data\\{stem}\\{stem}_{draw.random.randint(1, 99)}.csv",
            f"~/.config/{stem}.toml",
        )
    )


def symbol(draw: "Draw") -> str:
    """A name of a function in one of several styles."""
    head, tail = draw.random.choice(words.SYMBOLS_HEAD), draw.random.choice(words.SYMBOLS_TAIL)
    return draw.random.choice(
        (
            f"{head}_{tail}",
            f"{head}_{tail}()",
            f"{head}{tail.capitalize()}",
            f"{head}{tail.capitalize()}()",
            f"{tail.capitalize()}.{head}",
            f"{tail.capitalize()}::{head}",
        )
    )


def variable(draw: "Draw") -> str:
    """A name of a setting, e.g. MAX_RETRY_COUNT."""
    head = draw.random.choice(("MAX", "MIN", "DEFAULT", "ENABLE", "CACHE", "DB", "API", "LOG"))
    body = draw.random.choice(words.SYMBOLS_TAIL).upper()
    tail = draw.random.choice(("SIZE", "LIMIT", "TIMEOUT", "COUNT", "URL", "LEVEL", "TTL", "PORT"))
    return f"{head}_{body}_{tail}"


def ticket(draw: "Draw") -> str:
    """A ticket, pull request or order number."""
    number = draw.random.randint(12, 9999)
    mark = draw.random.choice(("#", "#", "PR-", "OPS-", "WEB-", "INC-", "CORE-", "HD-", "JIRA-"))
    return f"{mark}{number}"


def commit(draw: "Draw") -> str:
    """A short commit hash with at least one letter and one digit."""
    body = f"{draw.random.getrandbits(20):05x}"
    return f"{draw.random.choice('abcdef')}{body}{draw.random.randrange(10)}"


def host(draw: "Draw") -> str:
    """A name of a machine."""
    role = draw.random.choice(("db", "web", "cache", "worker", "edge", "build", "gpu", "mail"))
    place = draw.random.choice(("", "eu-", "us-", "ap-", "lab-", "dc2-"))
    return f"{place}{role}-{draw.random.randint(1, 48):02d}"


def url(draw: "Draw") -> str:
    """A web address on a reserved example domain."""
    address = f"https://{draw.random.choice(words.DOMAINS)}/{draw.random.choice(words.SLUGS)}"
    return address + draw.random.choice(
        (
            "",
            "",
            "/",
            f"/{draw.random.randint(2, 9999)}",
            f"?q={draw.random.choice(words.FILE_STEMS)}",
            f"?page={draw.random.randint(2, 40)}&sort=asc",
            f"#section-{draw.random.randint(1, 12)}",
            f"/{draw.random.randint(2018, 2027)}/{draw.random.randint(1, 12):02d}",
            f"/{draw.random.choice(words.FILE_STEMS)}.html",
        )
    )


def full_name(draw: "Draw") -> str:
    """A first and a last name."""
    return f"{first_name(draw)} {last_name(draw)}"


def person(draw: "Draw") -> str:
    """A person by first name, full name, or title and last name."""
    chance = draw.random.random()
    if chance < 0.45:
        return first_name(draw)
    if chance < 0.9:
        return full_name(draw)
    title = draw.random.choice(("Dr.", "Ms.", "Mr.", "Prof."))
    return f"{title} {last_name(draw)}"


def email(draw: "Draw") -> str:
    """An address on an example domain."""
    first, last = full_name(draw).lower().split(" ", 1)
    return f"{first}.{last}@example.{draw.random.choice(('com', 'org', 'net'))}"


def vulnerability(draw: "Draw") -> str:
    """A number of a published weakness, e.g. CVE-2024-12345."""
    return f"CVE-{draw.random.randint(2009, 2027)}-{draw.random.randint(1000, 49999)}"


def address(draw: "Draw") -> str:
    """An IPv4 address of a private network, or an IPv6 address of the documentation range."""
    if draw.random.random() < 0.2:
        return f"2001:db8::{draw.random.getrandbits(16):x}:{draw.random.getrandbits(16):x}"
    numbers = (
        draw.random.randint(0, 255),
        draw.random.randint(0, 255),
        draw.random.randint(1, 254),
    )
    return "10." + ".".join(str(number) for number in numbers)


def unique_id(draw: "Draw") -> str:
    """A UUID, a hash, a serial number or a shelf mark."""
    digits = f"{draw.random.getrandbits(160):040x}"
    letters = "".join(draw.random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(4))
    return draw.random.choice(
        (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}",
            digits,
            f"sha256:{digits[:12]}",
            f"SN-{letters}-{draw.random.randint(1000, 9999)}",
            f"{letters[:2]}{draw.random.randint(10, 99)} {letters[2:]}{digits[:2]}",
            f"{letters[:3]}-{draw.random.randint(2018, 2027)}-{draw.random.randint(1, 9999):04d}",
            f"978-{draw.random.randint(0, 9)}-{draw.random.randint(1000, 9999)}-X",
            f"0x{digits[:6]}",
        )
    )


def odd_number(draw: "Draw") -> str:
    """A number in a form that is less common."""
    random = draw.random
    high = random.randint(2, 99)
    return random.choice(
        (
            f"{random.uniform(1, 99):.1f}k",
            f"{random.uniform(1, 99):.1f} million",
            f"${random.uniform(1, 99):.1f}M",
            f"{high}x",
            f"-{high}.{random.randint(1, 9)}",
            f"{high}-{high + random.randint(1, 40)}",
            f"{high}–{high + random.randint(1, 40)}",
            f"{random.randint(1, 9)}e-{random.randint(2, 9)}",
            f"{random.randint(1, 9)}/{random.randint(10, 16)}",
            f"{high}½",
            f"±{random.randint(1, 9)}.{random.randint(1, 9)}",
            f"{20 + random.randint(0, 7) * 10 + 4}th",
            f"{random.randint(1, 9)}:{random.randint(1, 9)}",
            f"{random.randint(1, 999)},{random.randint(0, 999):03d},{random.randint(0, 999):03d}",
            f"~{high}",
            f"<{high}",
            f"№ {high}",
            f"{high}%+",
            f"0.{random.randint(0, 999):03d}",
            f"+{high}",
        )
    )


WORDS: Mapping[str, "Words"] = {
    "cve": vulnerability,
    "ip": address,
    "uid": unique_id,
    "oddnum": odd_number,
    "spelled": words.SPELLED,
    "num": whole,
    "plain": plain,
    "dec": decimal,
    "pct": percent,
    "money": money,
    "date": date,
    "time": clock,
    "dur": duration,
    "span": short_duration,
    "_": gap,
    "version": version,
    "file": path,
    "syspath": system_path,
    "symbol": symbol,
    "variable": variable,
    "ticket": ticket,
    "commit": commit,
    "host": host,
    "url": url,
    "email": email,
    "person": person,
    "fullname": full_name,
    "first": first_name,
    "surname": last_name,
    "city": named("city", words.CITIES),
    "country": words.COUNTRIES,
    "service": named("service", words.SERVICES),
    "project": named("project", words.PROJECTS),
    "software": named("software", words.SOFTWARE),
    "company": named("company", words.COMPANIES),
    "team": words.TEAMS,
    "exception": words.EXCEPTIONS,
    "ingredient": words.INGREDIENTS,
    "dish": named("dish", words.DISHES),
    "drug": named("drug", words.DRUGS),
    "symptom": words.SYMPTOMS,
    "diagnosis": words.DIAGNOSES,
    "plant": words.PLANTS,
    "instrument": words.INSTRUMENTS,
    "chemical": named("chemical", words.CHEMICALS),
    "club": named("club", words.SPORTS_TEAMS),
    "weekday": words.WEEKDAYS,
    "month": words.MONTHS,
    "noun": named("noun", words.NOUNS),
    "things": words.COUNTED,
    "adjective": words.ADJECTIVES,
    "word": words.SINGLE_WORDS,
}

COMMON = frozenset(
    (
        "noun",
        "things",
        "ingredient",
        "dish",
        "plant",
        "instrument",
        "chemical",
        "symptom",
        "diagnosis",
    )
)
"""Vocabularies of common nouns: what such a slot holds is worth a concept."""

TYPES: Mapping[str, str] = {
    "person": "person",
    "fullname": "person",
    "first": "person",
    "surname": "person",
    "email": "identifier",
    "city": "place",
    "country": "place",
    "service": "software",
    "software": "software",
    "symbol": "identifier",
    "variable": "identifier",
    "project": "project",
    "company": "organization",
    "team": "organization",
    "club": "organization",
    "file": "file",
    "syspath": "file",
    "ticket": "identifier",
    "commit": "identifier",
    "host": "identifier",
    "version": "identifier",
    "cve": "identifier",
    "ip": "identifier",
    "uid": "identifier",
    "exception": "identifier",
    "url": "url",
    "drug": "product",
    "chemical": "product",
    "dish": "product",
}
