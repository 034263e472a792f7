"""Texts of every script hold their encodings, up to the longest that do, on both engines."""

import random
from typing import Any

import pytest

from spokesmith.backends.llamacpp.grammar import grammar_text
from spokesmith.bases import find_base
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.request import Constraint
from spokesmith.tasks import load_task
from spokesmith.tasks.verbatim import MOST_CHARACTERS, run_pattern

MEMORY = load_task("memory")
WORD = 7
# Letters, what stands between words, and how many words make the longest pattern.
SCRIPTS = {
    "Latin": ("abcdefghijklmnopqrstuvwxyz", " ", 3200),
    "Cyrillic": ("абвгдежзийклмнопрстуфхцчшщъыьэюя", " ", 3200),
    "Chinese": ("".join(map(chr, range(0x4E00, 0x5000))), "", 1110),
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return find_base("smollm2-135m").tokenizer


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_longest_text_of_a_script_holds_its_encoding(tokenizer: Any, script: str) -> None:
    letters, between, count = SCRIPTS[script]
    draw = random.Random(0)
    text = between.join("".join(draw.choices(letters, k=WORD)) for _ in range(count))
    pattern = run_pattern(text)
    assert pattern is not None
    assert len(pattern) > 0.98 * MOST_CHARACTERS
    compiler = GrammarCompiler(tokenizer, tokenizer.eos_token_id, len(tokenizer))
    held = Constraint(kind="schema", value=MEMORY.schema_for(text))
    told = Constraint(kind="lark", value=grammar_text(held, [tokenizer.eos_token_id]))
    for constraint in (held, told):
        grammar = compiler.start(constraint)
        assert grammar.advance(tokenizer('{"gist":"').input_ids) > 0
        assert not grammar.may_end
