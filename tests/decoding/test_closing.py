"""Endings of answers that were cut: always valid, and the shortest there is."""

import json
from collections import Counter
from typing import Any

import pytest

from spokesmith.backends import LocalBackend
from spokesmith.backends.request import Request
from spokesmith.decoding import Constraint
from spokesmith.decoding.closing import MAX_TOKENS, MOST_QUESTIONS, Closer
from spokesmith.decoding.grammar import Grammar, GrammarCompiler
from spokesmith.metrics.compliance import check
from spokesmith.tasks import load_task
from spokesmith.tasks.verbatim import held_to_text
from spokesmith.testing import byte_tokenizer, tiny_base

TOKENIZER = byte_tokenizer()
COMPILER = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, 320)
CLOSER = Closer(COMPILER.all_token_bytes())
MEMORY = load_task("memory").schema
ENCODING = {
    "gist": "a pump",
    "summary": "A pump stopped.",
    "content": "A pump stopped.",
    "narrative": "",
    "concepts": ["pump"],
    "structured_concepts": {
        "topics": [{"label": "pump", "path": "plant/pump"}],
        "entities": [{"name": "pump", "type": "device", "context": ""}],
        "actions": [{"verb": "stop", "object": "pump", "details": ""}],
        "causality": [],
    },
    "significance": "routine",
    "emotional_tone": "neutral",
    "outcome": "failure",
    "salience": 0.25,
}


def closed(schema: dict[str, Any], written: str) -> str:
    grammar = COMPILER.start(Constraint(kind="schema", value=schema))
    ids = TOKENIZER(written, add_special_tokens=False).input_ids
    assert grammar.advance(ids) == len(ids)
    ending = CLOSER.close(grammar)
    assert ending is not None
    return written + TOKENIZER.decode(ending)


def test_an_answer_can_be_closed_wherever_it_is_cut() -> None:
    whole = json.dumps(ENCODING, separators=(",", ":"))
    for length in range(0, len(whole), 7):
        answer = closed(MEMORY, whole[:length])
        assert answer.startswith(whole[:length])
        assert check(answer, MEMORY).valid, answer


def test_it_is_closed_with_words_of_its_text_where_it_is_held_to_them() -> None:
    task = load_task("memory")
    address = "https://example.org/a?" + "&".join(f"k{i}=v_{i}" for i in range(14))
    text = f'A pump "P-7 \\ old" stopped; Ana-Maria Grün\nsaw it. See {address}'
    entities = [
        {"name": name, "type": "device", "context": ""}
        for name in ('"P-7 \\ old"', "Ana-Maria Grün saw", "pump", address)
    ]
    parts = {**ENCODING["structured_concepts"], "entities": entities}  # pyright: ignore
    encoding = {**ENCODING, "structured_concepts": parts}
    whole = json.dumps(encoding, separators=(",", ":"), ensure_ascii=False)
    held = task.schema_for(text)
    for length in range(0, len(whole), 17):
        answer = closed(held, whole[:length])
        assert check(answer, held).valid, answer


SIGNS = [{"enum": ["<", "<=", ">", ">=", "="]}, {"enum": ["$", "%"]}, {"enum": ["#a", "*b"]}]
PATTERNS = ["^[0-9]+%$", "^[^;]+;", r"^[a-z]+\([a-z]+\)$", r"^\w+/\w+$", "^.{3,}@$", "^x{200}$"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((sign, "") for sign in SIGNS),
        *(({"type": "string", "pattern": pattern}, "") for pattern in PATTERNS),
        ({"type": "string", "format": "email"}, "jo"),
        ({"type": "string", "format": "date-time"}, "2026-0"),
        ({"type": "string", "minLength": 300}, "jo"),
        ({"type": "string", "enum": ["n" * 40, "no"]}, ""),
    ],
    ids=str,
)
def test_a_value_that_waits_for_a_certain_character_is_closed(
    value: dict[str, Any], written: str
) -> None:
    schema = object_of(a=value)
    answer = closed(schema, f'{{"a":"{written}')
    assert check(answer, schema).valid, answer


def test_a_word_of_another_script_is_ended_where_it_was_cut() -> None:
    schema = held_to_text(object_of(name={"type": "string"}), ["/name"], "Мария и Мурад, Жанна")
    for cut in ("М", "Му", "Ж", ""):
        answer = closed(schema, f'{{"name":"{cut}')
        assert check(answer, schema).valid, answer


def object_of(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("schema", "written", "shortest"),
    [
        (object_of(a={"enum": ["longest", "long", "no"]}), "", '{"a":"no"}'),
        (
            object_of(a={"enum": ["longest", "no"]}, b={"enum": ["y", "yes"]}),
            "",
            '{"a":"no","b":"y"}',
        ),
        (object_of(a={"enum": ["longest", "no"]}), '{"a":"l', '{"a":"longest"}'),
        (object_of(a={"type": "string", "minLength": 3}), '{"a":"x', None),
        (object_of(a={"type": "array", "items": {"type": "integer"}}), '{"a":[1', '{"a":[1]}'),
        (object_of(a={"type": ["string", "null", "integer"]}), "", None),
        (object_of(a={"type": "number", "minimum": 0, "maximum": 1}), '{"a":0.', None),
        (
            object_of(a={"anyOf": [object_of(long={"type": "string"}), {"type": "boolean"}]}),
            "",
            None,
        ),
    ],
)
def test_the_ending_is_the_shortest(
    schema: dict[str, Any], written: str, shortest: str | None
) -> None:
    answer = closed(schema, written)
    assert check(answer, schema).valid, answer
    if shortest is not None:
        assert answer == shortest
    assert len(answer) == len(written) + shortest_by_search(schema, written)


@pytest.mark.parametrize("length", [200, 2000])
def test_a_long_ending_is_found_in_bounded_work(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    asked, most = Counter[str](), 2 * MOST_QUESTIONS

    def counted(name: str, original: Any) -> Any:
        def ask(*args: Any) -> Any:
            asked[name] += 1
            assert asked.total() < most, asked
            return original(*args)

        return ask

    for name in ("allows", "forced", "advance", "accept", "copy"):
        monkeypatch.setattr(Grammar, name, counted(name, getattr(Grammar, name)))
    schema = object_of(t={"type": "string", "minLength": length})
    answer = closed(schema, '{"t":"')
    assert check(answer, schema).valid
    assert len(answer) == len('{"t":""}') + length


def test_an_ending_that_is_too_long_is_none() -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": MAX_TOKENS}
    grammar = COMPILER.start(Constraint(kind="schema", value=schema))
    assert CLOSER.close(grammar) is None


def test_what_may_end_where_it_is_cut_needs_no_ending() -> None:
    grammar = COMPILER.start(Constraint(kind="regex", value="[a-z]{2,9}"))
    grammar.advance(TOKENIZER("abc", add_special_tokens=False).input_ids)
    assert CLOSER.close(grammar) == []


def shortest_by_search(schema: dict[str, Any], written: str) -> int:
    """How many letters the shortest ending has, by trying all endings in the order of length."""
    grammar = COMPILER.start(Constraint(kind="schema", value=schema))
    grammar.advance(TOKENIZER(written, add_special_tokens=False).input_ids)
    states, length = [grammar], 0
    # Of a string's letters one stands for all: they lead to the same endings.
    letters = TOKENIZER('"{}[]:,.0123456789-truefalsnongybi', add_special_tokens=False).input_ids
    while True:
        if any(state.may_end or state.has_ended for state in states):
            return length
        following = []
        for state in states:
            for letter in dict.fromkeys(state.forced()[:1] or letters):
                if state.allows(letter):
                    after = state.copy()
                    after.accept(letter)
                    following.append(after)
        states, length = following[:4000], length + 1


def test_the_engine_closes_where_it_is_asked_to() -> None:
    backend = LocalBackend(tiny_base(), spokes=None)
    messages = [{"role": "user", "content": "x"}]

    def ask(**options: Any) -> Any:
        held = Constraint(kind="schema", value=MEMORY)
        return backend.start(
            Request(messages=messages, constraint=held, max_tokens=30, **options)  # pyright: ignore
        ).result()

    cut = ask()
    assert (cut.finish_reason, cut.closed) == ("length", False)
    assert not check(cut.text, MEMORY).valid
    told = ask(on_truncation="close")
    assert (told.finish_reason, told.closed) == ("length", True)
    assert check(told.text, MEMORY).valid
    # A character that was cut in two is whole now.
    assert told.text.startswith(cut.text.rstrip("\ufffd"))
    assert [one.origin for one in told.tokens].count("closing") == len(told.tokens) - 30
