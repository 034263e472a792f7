"""What each measure counts, in a line that a person reads; computes none of them."""

STRICT = {
    "P": "answers that pass everything: valid, nothing made up, every number kept, short texts "
    "kept short, nothing of a twin",
    "SC": "answers that are valid under the schema, strictly",
    "HFR": "share of an answer's facts that its text does not state (lower is better)",
    "HFR_inputs": "answers with at least one made-up fact (lower is better)",
    "TFR": "share of a text's facts that its answer keeps",
    "BIND": "share of an answer's numbers that stand with the words of their clause",
    "XLEAK": "answers that say what only the text of their twin says (lower is better)",
    "CFS": "edits of a text that the answer follows, changing nothing else",
    "CFS_new_there": "edits whose new words turn up in the answer",
    "CFS_old_gone": "edits whose old words are gone from the answer",
    "CFS_rest_unchanged": "edits after which the answer's other facts stay as they were",
    "MIN": "texts of up to five words that are answered without additions",
    "RULES": "answers that keep the task's rules for fields, which no schema can say",
    "ECHO": "answers that repeat words of the prompt that the text lacks (lower is better)",
    "SOFT": "share of neighbouring words of the prose that stand together in the text",
}
CLASSICAL = {
    "EPR": "entity preservation: share of a text's entities whose letters stand in its answer",
    "FR": "fabrication: share of the prose's entities that stand nowhere in the text (lower is "
    "better)",
    "NP": "number preservation: share of a text's numbers whose digits stand in its answer",
    "TED": "template echo: answers with words of the published prompt (lower is better)",
    "CCS": "cross-contamination: pairs of twins whose answers differ in enough words",
    "MIH": "minimal inputs: answers with little content, a short narrative and a low salience",
    "SC": "schema compliance: answers with the fields of a memory, roughly as they should be",
}
CLASSICAL_NOTE = "as published, for comparison; unreadable answers leave these averages"


def explanation_of(name: str) -> str:
    """What a strict measure counts; "" for one that is not known."""
    if name in STRICT:
        return STRICT[name]
    family, _, kind = name.partition("_")
    return f"the same for facts of the kind {kind}" if family == "TFR" and kind else ""
