"""What a text denies is no cue of a good outcome or a pleased tone."""

import pytest

from spokesmith.data.cues import weigh

ADVISORY = "security advisory"


@pytest.mark.parametrize(
    "text",
    [
        "The overflow will not be fixed.",
        "The overflow was never fixed.",
        "The overflow won't be patched.",
        "The overflow hasn’t yet been addressed.",
        "The overflow cannot be fully mitigated.",
        "The overflow is not yet properly resolved.",
    ],
)
def test_a_flaw_that_is_not_fixed_is_no_success(text: str) -> None:
    assert weigh(text, ADVISORY).outcome == "ongoing"


@pytest.mark.parametrize(
    "text",
    [
        "The overflow was fixed in 1.2.",
        "The overflow, which does not affect 1.1, was fixed in 1.2.",
        "The overflow was not only fixed, it was found in two forks.",
        "The overflow was fixed in 1.2 and never seen again.",
    ],
)
def test_a_flaw_that_is_fixed_is_a_success(text: str) -> None:
    assert weigh(text, ADVISORY).outcome == "success"


@pytest.mark.parametrize(
    "text",
    [
        "The soup was not great.",
        "The soup was far from perfect.",
        "We didn't love the soup or find it tasty.",
        "It is anything but delicious.",
        "It was never a favourite.",
    ],
)
def test_denied_praise_is_not_pleased(text: str) -> None:
    assert weigh(text, "").emotional_tone == "neutral"


@pytest.mark.parametrize(
    "text",
    [
        "The soup was great.",
        "It is not sweet, yet it is perfect for a cold day.",
        "It takes no time and tastes great.",
        "You can't go wrong. A delicious soup.",
        "This no-knead bread is great.",
        "Not only tasty: it is cheap too.",
    ],
)
def test_praise_beside_a_denial_is_pleased(text: str) -> None:
    assert weigh(text, "").emotional_tone == "satisfying"
