"""Copied word pairs, echoes of the prompt and phrases repeated across outputs."""

import pytest

from spokesmith.metrics import prompt_echo, repeated_sixgrams
from spokesmith.metrics.phrases import share_known
from spokesmith.metrics.soft import soft

PROMPT = "Say only what the text says. Add no fact, no cause, no name."


def test_soft_is_the_share_of_copied_word_pairs() -> None:
    text = "The cache was moved into the gateway."
    assert soft([text], text) == 1.0
    assert soft(["the cache, WAS moved"], text) == 1.0
    assert soft(["the cache grew quickly"], text) == pytest.approx(1 / 3)
    assert soft(["cache", ""], text) is None


def test_prompt_echo_needs_five_words_that_the_input_lacks() -> None:
    assert prompt_echo(["Add no fact, no cause at all"], PROMPT, "Tea is hot.") == [
        "add no fact no cause"
    ]
    assert prompt_echo(["add no fact, no name"], PROMPT, "Tea is hot.") == []
    assert prompt_echo(["add no fact, no cause"], PROMPT, "They add no fact, no cause!") == []
    assert prompt_echo(["add no fact, no cause"], "", "Tea is hot.") == []


def test_sixgrams_are_repeated_where_several_outputs_have_them_and_their_inputs_lack_them() -> None:
    phrase = "a note of no great weight"
    outputs = [(["tea is hot"], "tea is hot")] * 98
    assert repeated_sixgrams([*outputs, ([phrase], "tea"), ([phrase, phrase], "milk")]) == {}
    three = [([phrase], text) for text in ("tea", "milk", "water")]
    assert repeated_sixgrams([*outputs, *three]) == {phrase: 3}
    assert repeated_sixgrams([([phrase], "tea")]) == {}
    assert repeated_sixgrams([([phrase], phrase), ([phrase], phrase)]) == {}


def test_share_known_compares_stems() -> None:
    assert share_known("pruning the pears", "She pruned a pear.") == 1.0
    assert share_known("pruning the roses", "She pruned a pear.") == 0.5
    assert share_known("of the", "She pruned a pear.") is None
