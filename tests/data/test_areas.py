"""Topics of a text: a field's cues count only where the text is surely of the field."""

import pytest

from spokesmith.data.areas import find_topics


def fields(text: str, domain: str = "") -> set[str]:
    """The fields of a text's topics."""
    topics = find_topics("", text, [], domain)
    return {topic["path"].split("/")[0] for topic in topics}


@pytest.mark.parametrize(
    "text",
    [
        "The newsletter of the museum is sent daily.",
        "My brother and my mother painted the shed. He lives next door to us.",
        "The repair of the lift is an operation of two hours; an alert tells when it is done.",
        "Please be patient: the repair of the bridge takes a month.",
        "A patient man, he smoked two pipes daily and lived with his sister.",
    ],
)
def test_everyday_words_make_no_text_medical(text: str) -> None:
    assert fields(text) == set()


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("The patient takes two tablets daily.", ""),
        ("Patient denies chest pain and fever.", ""),
        ("Two of the patients had surgery of the knee.", ""),
        ("Her daily dose of Naxolin is 20 mg.", ""),
        ("He has diabetes and hypertension.", ""),
        ("The library of the hospital lists the symptoms: fever and cough.", ""),
        # Nothing in its words but the cues: the record says what it is.
        ("He is married and smokes. His father had an operation.", "clinical note"),
    ],
)
def test_clinical_texts_are_medical(text: str, domain: str) -> None:
    assert fields(text, domain) == {"medicine"}


def test_a_text_of_another_field_is_not_medical_too() -> None:
    recipe = "Boil 2 cups of oats for a breakfast that lowers blood pressure, 300 mg of salt daily."
    assert fields(recipe) == {"cooking"}
