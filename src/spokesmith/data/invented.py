"""Names that stand in no list, made of syllables: who meets one cannot know it and has to copy it.

A model that meets the same two hundred first names again and again writes one of them where a text
has another. Knows no text.
"""

from random import Random

from spokesmith.metrics.vocabulary import is_common

ONSETS = (
    "b c d f g h j k l m n p r s t v w z b d k l m n r s t "
    "br ch cl dr fr gr kl pr sh sk st str th tr qu y"
).split()
VOWELS = "a a a a e e e e i i i o o o o u u y ai ea ei ie io oe ou ia".split()
INNER_CODAS = ["", "", "", "", "", *"l m n n r r s".split()]
LAST_CODAS = ["", "", "", *"ck d g k l ll m n n nd ng nt r rd rt s ss st t x".split()]
SHORTEST = 4
COMPANY = ("{} Group", "{} & {}", "{} Labs", "{} Foods", "{} Energy", "{}", "{} Trust", "{} GmbH")
CITY = ("{}", "{}", "{}", "{}burg", "{}ford", "{} Bay", "Port {}", "{}ville", "Saint {}")
CLUB = ("{} United", "FC {}", "{} Rovers", "{} Hawks", "Real {}", "{}", "{} Athletic")
SERVICE = ("{}-api", "{}-service", "{}", "{}-worker", "{}-{}", "{}-sync", "{}-gateway")
DRUG = ("{}ol", "{}ine", "{}pril", "{}mab", "{}statin", "{}idone")
CHEMICAL = ("{}yl chloride", "{}ium oxide", "{}ic acid", "{}ane", "{}ol", "sodium {}ate")
DISH = ("{} soup", "{}", "{} stew", "{} with rice", "baked {}", "{} curry")
CAPITAL_FORMS = {
    "first": ("{}",),
    "surname": ("{}",),
    "city": CITY,
    "company": COMPANY,
    "project": ("{}",),
    "software": ("{}", "{}", "{}DB", "{}.js", "Open{}"),
    "club": CLUB,
}
LOWER_FORMS = {
    "service": SERVICE,
    "drug": DRUG,
    "chemical": CHEMICAL,
    "dish": DISH,
    "noun": ("{}", "{} box", "{} lamp", "{} key"),
}
SORTS = frozenset((*CAPITAL_FORMS, *LOWER_FORMS))


def invented(random: Random, sort: str) -> str:
    """A name of one of `SORTS`."""
    capital = sort in CAPITAL_FORMS
    form = random.choice(CAPITAL_FORMS[sort] if capital else LOWER_FORMS[sort])
    words = [_word(random) for _ in range(form.count("{}"))]
    return form.format(*(word.capitalize() if capital else word for word in words))


def _word(random: Random) -> str:
    """Two or three syllables that are no common word."""
    while True:
        word = "".join(
            random.choice(ONSETS) + random.choice(VOWELS) + random.choice(INNER_CODAS)
            for _ in range(random.choice((1, 1, 1, 2)))
        )
        word += random.choice(ONSETS) + random.choice(VOWELS) + random.choice(LAST_CODAS)
        if len(word) >= SHORTEST and not is_common(word):
            return word
