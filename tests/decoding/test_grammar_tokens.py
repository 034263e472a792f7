"""One token and all of them: what may follow is the same, however it is asked."""

import random
from typing import Any

import pytest

from spokesmith.bases import find_base
from spokesmith.decoding import Constraint
from spokesmith.decoding.grammar import Grammar, GrammarCompiler
from spokesmith.tasks.canonical import canonical_json

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "kind": {"enum": ["person", "place", "perhaps"]},
        "counts": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        "sure": {"type": "boolean"},
    },
    "required": ["name", "kind", "counts", "sure"],
    "additionalProperties": False,
}
ANSWER = {"name": "Ada, née K.", "kind": "person", "counts": [3, 14], "sure": True}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Of the embedded base: many of its tokens spell the same text together."""
    return find_base("smollm2-135m").tokenizer


def start(tokenizer: Any, schema: Any = SCHEMA) -> Grammar:
    compiler = GrammarCompiler(tokenizer, tokenizer.eos_token_id, len(tokenizer))
    return compiler.start(Constraint(kind="schema", value=schema))


def test_asking_for_one_token_says_what_asking_for_all_says(tokenizer: Any) -> None:
    draw = random.Random(5)
    for _ in range(4):
        grammar = start(tokenizer)
        for _ in range(60):
            allowed = grammar.allowed()
            may = allowed.nonzero()[0].tolist()
            asked = draw.sample(range(len(tokenizer)), 200) + draw.sample(may, min(len(may), 50))
            assert [grammar.allows(token) for token in asked] == allowed[asked].tolist()
            grammar.accept(draw.choice(may))
            if grammar.has_ended:
                break


def test_a_text_that_must_follow_is_written_as_a_tokenizer_writes_it(tokenizer: Any) -> None:
    grammar = start(tokenizer)
    brace, both = (tokenizer(text).input_ids for text in ("{", '{"'))
    assert len(brace) == len(both) == 1
    assert [grammar.allows(ids[0]) for ids in (brace, both)] == [False, True]
    assert grammar.only_choice() == both[0]


def test_the_tokens_of_a_canonical_answer_may_follow(tokenizer: Any) -> None:
    grammar = start(tokenizer)
    for token in tokenizer(canonical_json(ANSWER)).input_ids:
        assert grammar.allows(token), tokenizer.decode([token])
        grammar.accept(token)
    assert grammar.may_end


@pytest.mark.parametrize(
    "rules", ["root ::= foo", 'answer ::= "a"', 'root ::= start\nstart ::= "a"', "root ::= ("]
)
def test_rules_that_are_no_grammar_are_refused(tokenizer: Any, rules: str) -> None:
    compiler = GrammarCompiler(tokenizer, tokenizer.eos_token_id, len(tokenizer))
    with pytest.raises(ValueError, match="the gbnf cannot be read"):
        compiler.start(Constraint(kind="gbnf", value=rules))
