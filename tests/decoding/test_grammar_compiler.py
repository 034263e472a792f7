"""Grammars are compiled once where they are asked for again, and nobody waits for another's."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from spokesmith.decoding import Constraint, grammar
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.request import ConstraintError
from spokesmith.testing import byte_tokenizer

TOKENIZER = byte_tokenizer()
KNOWN, NEW = (Constraint(kind="regex", value=value) for value in ("known", "new"))


def test_a_known_grammar_does_not_wait_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, 320)
    compiler.start(KNOWN)
    compiling, go_on, as_grammar = threading.Event(), threading.Event(), grammar._as_grammar

    def slowly(constraint: Constraint) -> str:
        compiling.set()
        assert go_on.wait(20)
        return as_grammar(constraint)

    monkeypatch.setattr(grammar, "_as_grammar", slowly)
    with ThreadPoolExecutor(2) as threads:
        new = threads.submit(compiler.start, NEW)
        assert compiling.wait(20)
        try:
            assert not threads.submit(compiler.start, KNOWN).result(10).has_ended
        finally:
            go_on.set()
        assert not new.result(20).has_ended


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    ],
)
def test_no_schema_says_that_it_need_not_hold(schema: dict[str, Any]) -> None:
    compiler = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, 320)
    given = {**schema, "x-guidance": {"lenient": True, "coerce_one_of": True}}
    with pytest.raises(ConstraintError):
        compiler.start(Constraint(kind="schema", value=given))


def test_white_space_stays_bounded_whatever_a_schema_says() -> None:
    compiler = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, 320)
    given = {"type": "object", "x-guidance": {"whitespace_pattern": "[ ]*"}}
    grammar = compiler.start(Constraint(kind="schema", value=given))
    assert grammar.advance(TOKENIZER("{ }", add_special_tokens=False).input_ids) == 1


def test_a_new_grammar_that_two_ask_for_is_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, 320)
    both, as_grammar = threading.Barrier(2, timeout=20), grammar._as_grammar

    def together(constraint: Constraint) -> str:
        both.wait()
        return as_grammar(constraint)

    monkeypatch.setattr(grammar, "_as_grammar", together)
    with ThreadPoolExecutor(2) as threads:
        found: list[Any] = list(threads.map(compiler.start, [NEW, NEW]))
    (letter,) = TOKENIZER("n", add_special_tokens=False).input_ids
    found[0].accept(letter)
    assert [one.allows(letter) for one in found] == [False, True]
    assert len(compiler._compiled) == 1


def test_an_added_token_that_looks_like_a_mark_and_is_none_is_a_text() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens(["<b>"])
    (mark,) = tokenizer("<b>", add_special_tokens=False).input_ids
    letters = tokenizer.convert_tokens_to_ids(list("<b>"))
    compiler = GrammarCompiler(tokenizer, tokenizer.eos_token_id, 320)
    anything = compiler.start(Constraint(kind="regex", value="(.|\n)*"))
    control = [tokenizer.bos_token_id, tokenizer.unk_token_id, 300]
    assert anything.allows(mark)
    assert not any(anything.allows(token) for token in control)
    for value in ("<b>|x", "[<x]b>", "(.|\n)*"):
        for tokens in ([mark], letters):
            grammar = compiler.start(Constraint(kind="regex", value=value))
            assert grammar.advance(tokens) == len(tokens)
            assert grammar.may_end
    certain = compiler.start(Constraint(kind="regex", value="<b>"))
    assert certain.only_choice() == mark
    certain.accept(mark)
    assert certain.has_ended
