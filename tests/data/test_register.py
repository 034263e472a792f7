"""Registers of a note: what changes in its text changes in its gold, and nothing else does."""

import re
from random import Random

from spokesmith.data.gold import GIST_LIMIT, make_gold
from spokesmith.data.kinds.register import CONTRACTIONS, SHORT_FORMS, SLIPS, restyle
from spokesmith.metrics.strings import strings_of

TEXT = "after Perth the note came from Ada, and it is for Sven; he will not wait in Busan with her"
SUMMARY = (
    "The note came from Ada after Perth because Sven was not there; please do not ask about it."
)


def test_a_gold_has_no_changed_word_that_its_text_lacks() -> None:
    changed = CONTRACTIONS | SHORT_FORMS | SLIPS
    written = {*changed.values(), *map(str.capitalize, changed.values())}
    gold = make_gold(text=TEXT, gist=TEXT, summary=SUMMARY, topics=[])
    seen: set[str] = set()
    for seed in range(400):
        text, restyled = restyle(Random(seed), TEXT, gold)
        if text.islower() or text.isupper() or not text.strip().startswith(("after", "afer")):
            continue
        for _, string in strings_of(restyled):
            found = {word for word in re.findall(r"[\w'/&]+", string) if word in written}
            assert all(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in found)
            seen |= found
    assert seen >= {"teh", "fomr", "it's"}


def test_a_slip_that_lengthens_a_gist_leaves_it_within_its_limit() -> None:
    text = "the office in Perth stays shut until Ada and Sven are at sea, or so they both wrote"
    gold = make_gold(text=text, gist=text, topics=[])
    assert len(gold["gist"]) == GIST_LIMIT
    slipped = 0
    for seed in range(400):
        changed, restyled = restyle(Random(seed), text, gold)
        assert len(restyled["gist"]) <= GIST_LIMIT
        slipped += "untill" in changed
    assert slipped
