"""What is known about English words: their lemmas, and which are common words rather than names.

From the English dictionary of simplemma, whose entries keep their capitals. A word that is both
(grace, rust) is common unless it stands among `ALSO_NAMES`; a word of another language is unknown.
"""

import re
from functools import lru_cache

import simplemma
from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

ALSO_NAMES = frozenset(
    """
    acme amber andy angel apple april ash aurora austin autumn baker basil bea bill bob brad brook
    bud carol carter castellano chase cherry chip chloe christian chuck clay cliff colt cook cooper
    coral crystal dale dana dawn dean denver dick docker dot drew duke earl ember eve faith fay
    flora frank gale gene ginger glen grace grant guy harmony harry hazel heath heather helm herb
    holly hope hudson hunter iris ivy jack jade jasmine jay jean jenny jersey jet jimmy joe jordan
    joy kafka king kit lance lane laurel lily lorry lou lucky magnolia marina mark marsh mason matt
    max melody mercy mike miles miller molly nancy nick norm olive opal oracle oscar otter parker
    pat patience patty pearl peg penny pepper perl peter pierce piper poppy prudence puppet python
    raven ray redis reed regent rich rick rob robin rod roger rose ruby rust rusty sage sally sam
    sandy sari savanna scala scot sean shelly sherry siemens sierra skip slack sol solaris spike
    stan star sterling stew stone sue sunny swift tara ted terra terry tiffany timothy toby tommy
    tracy trinity troy tucker tyler val vale vera victor viola violet wade ward warren webster wiki
    will willow windsor winter woody young zoe
    """.split()
)
COMMON_THOUGH_NAMES = frozenset(
    """
    academy army as auto bay beach black blue board bridge bush cabinet camp canon chair chief
    church city coast college commons company conference congress corner council country court
    cream creek crown cup daily data date day deal department district doctor down due ear ears
    east euro fall falls father festival field film fire forest fort foundation free garden gate
    general gold golden government grand great green ground group hall harbor head heaven hill home
    house i institute international is island it job jobs jury just key king lab labs lady lake
    land last law lay league library light line little long lord main major march market mass may
    mayor me medal military mill mine minister miss mix moon mother mount mountain museum my navy
    net new nice no north northeast northwest office on open orange order out palace paradise park
    parliament party patch path peace place plan point pole police pool pope port post president
    press prince princess prize professor queen quick re red regarding republic rice river road
    rock roll rolling room rose royal saint salt sand savage school sea secretary section senate
    senator service set shah silk silver single sir sister sky so society south southeast southwest
    spice spirit split spring square star state states station stock street summer summit sun super
    supernatural system table team technology test the theater theatre third thread time total
    tower town treasury trust turkey turn union united university upper us valley view village wall
    war washing water way we week weight well west white wild wind windows wine wing winter wolf
    wood woods world worth x-ray yard year young
    """.split()
)
# Common words that the dictionary lacks are mostly formed from ones that it has.
_ENDINGS = (
    ("ation", "e"), ("ations", "e"), ("ion", "e"), ("ion", ""), ("ions", "e"), ("ions", ""),
    ("ing", ""), ("ing", "e"), ("ings", ""), ("ed", ""), ("ed", "e"), ("er", ""), ("er", "e"),
    ("ers", ""), ("ers", "e"), ("ness", ""), ("ment", ""), ("ments", ""), ("ly", ""), ("s", ""),
    ("able", ""), ("able", "e"), ("ability", "able"), ("ibility", "ible"), ("ity", "e"),
)  # fmt: skip
_BEGINNINGS = ("un", "re", "de", "pre", "non", "over", "mis", "sub", "multi", "auto", "bug", "post")
_ENGLISH = DefaultDictionaryFactory().get_dictionary("en")


@lru_cache(maxsize=65536)
def lemma(word: str) -> str:
    """The lemma of a lower-case English word; other words come back as they are."""
    return simplemma.lemmatize(word, lang="en").casefold() if word.isascii() else word


@lru_cache(maxsize=65536)
def is_known(word: str) -> bool:
    """Whether a lower-case word is an English one."""
    return word in _ENGLISH or word.partition("'")[0] in _ENGLISH


@lru_cache(maxsize=65536)
def is_common(word: str) -> bool:
    """Whether a word, in any case, is a common English one rather than a name."""
    plain = word.casefold()
    if plain in ALSO_NAMES:
        return False
    parts = re.split(r"['-]", plain)
    if len(parts) > 1:
        return is_common(parts[0]) and all(len(p) < 3 or is_common(p) for p in parts[1:])
    if plain not in _ENGLISH:
        return _is_formed(plain)
    return plain.capitalize() not in _ENGLISH or plain in COMMON_THOUGH_NAMES


def _is_formed(word: str) -> bool:
    """Whether a word is one that the dictionary has with a beginning or an ending more."""
    for beginning in _BEGINNINGS:
        rest = word.removeprefix(beginning)
        if len(word) > len(rest) > 2 and rest in _ENGLISH:
            return True
    for ending, instead in _ENDINGS:
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) > 3 and stem + instead in _ENGLISH:
            return True
    return False
