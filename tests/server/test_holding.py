"""Every way to say what holds an answer, and schemas that are too large to be held to."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scripted_backend import BASE, ScriptedBackend
from serving import client_of, error_of

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.request import Constraint
from spokesmith.server.constraints import outcome
from spokesmith.server.schema_limits import check_schema, closed
from spokesmith.testing import byte_tokenizer

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED = {**SCHEMA, "additionalProperties": False}
GRAMMAR = 'root ::= "yes" | "no"'


@pytest.fixture
def backend() -> ScriptedBackend:
    return ScriptedBackend('{"a":"b"}')


@pytest.fixture
def client(backend: ScriptedBackend) -> Iterator[httpx.Client]:
    with client_of(backend) as client:
        yield client


def post(client: httpx.Client, **more: Any) -> httpx.Response:
    messages = [{"role": "user", "content": "a text"}]
    return client.post("/v1/chat/completions", json={"model": BASE, "messages": messages, **more})


@pytest.mark.parametrize(
    ("given", "constraint"),
    [
        ({}, None),
        ({"response_format": {"type": "text"}}, None),
        ({"response_format": {"type": "text", "json_schema": {"name": "x"}}}, None),
        ({"response_format": {"type": "json_object"}}, Constraint(kind="json")),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
            Constraint(kind="schema", value=SCHEMA),
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "strict": True, "schema": SCHEMA},
                }
            },
            Constraint(kind="schema", value=CLOSED),
        ),
        (
            {"response_format": {"type": "json_schema", "strict": True, "schema": SCHEMA}},
            Constraint(kind="schema", value=CLOSED),
        ),
        (
            {"response_format": {"type": "json_object", "schema": SCHEMA}},
            Constraint(kind="schema", value=SCHEMA),
        ),
        ({"json_schema": True}, Constraint(kind="schema", value={})),
        ({"json_schema": SCHEMA}, Constraint(kind="schema", value=SCHEMA)),
        ({"grammar": GRAMMAR}, Constraint(kind="gbnf", value=GRAMMAR)),
    ],
)
def test_the_ways_to_hold_an_answer(
    client: httpx.Client,
    backend: ScriptedBackend,
    given: dict[str, Any],
    constraint: Constraint | None,
) -> None:
    response = post(client, **given)
    assert response.status_code == 200, response.text
    assert backend.requests[0].constraint == constraint


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format.json_schema.schema",
        ),
        (
            {"response_format": {"type": "json_schema", "schema": "object"}},
            "response_format.schema",
        ),
        ({"response_format": {"type": "json_object"}, "grammar": GRAMMAR}, "grammar"),
        ({"response_format": {"type": "text", "schema": SCHEMA}}, "response_format.schema"),
        (
            {"response_format": {"type": "text", "json_schema": {"schema": SCHEMA}}},
            "response_format.json_schema.schema",
        ),
        ({"json_schema": SCHEMA, "grammar": GRAMMAR}, "grammar"),
        ({"json_schema": [SCHEMA]}, "json_schema"),
        ({"grammar": "  "}, "grammar"),
        ({"grammar": "a" * 100_000}, "grammar"),
    ],
)
def test_what_cannot_hold_an_answer(
    client: httpx.Client, backend: ScriptedBackend, given: dict[str, Any], param: str
) -> None:
    assert error_of(post(client, **given), 400)["param"] == param
    assert backend.jobs == []


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


BOMBS: dict[str, Any] = {
    "deep": nested(70),
    "many values": {"enum": [f"value {index}" for index in range(30_000)]},
    "long": {"description": "a" * 300_000},
    "many properties": {"properties": {f"p{index}": {} for index in range(501)}},
    "pattern": {"pattern": "(a|b)" * 1000},
    "multiple": {"type": "integer", "multipleOf": 999_983},
    "decimals": {"type": "number", "multipleOf": 1.0000001},
    "huge": {"type": "integer", "multipleOf": 10**30},
    "nothing": False,
    "elsewhere": {"$ref": "http://127.0.0.1:1/schema.json"},
    "file": {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
    "infinite": {"minimum": float("inf")},
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_schemas_that_would_cost_too_much_are_refused(bomb: Any) -> None:
    with pytest.raises(ValueError, match="the schema"):
        check_schema(bomb)


def test_bombs_are_bad_requests(client: httpx.Client) -> None:
    # The limit of the body's own depth stands before that of the schema's.
    for name in ("many values", "elsewhere", "deep"):
        given = {"type": "json_schema", "json_schema": {"name": "x", "schema": BOMBS[name]}}
        error = error_of(post(client, response_format=given), 400)
        assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "schema",
    [True, {}, SCHEMA, {"type": "number", "multipleOf": 0.01}, {"$ref": "#/$defs/a"}, nested(50)],
)
def test_usual_schemas_are_fine(schema: Any) -> None:
    check_schema(schema)


def test_closing_reaches_all_objects_that_stand_for_themselves() -> None:
    inner = {"properties": {"b": {"type": "integer"}}}
    schema = {
        "properties": {
            "list": {"type": "array", "items": inner},
            "either": {"anyOf": [inner, {"type": "null"}]},
            "open": {"properties": {"c": {}}, "additionalProperties": True},
            "free": {"type": "object"},
            "parts": {"properties": {"d": {}}, "allOf": [{"properties": {"e": {}}}]},
            "properties": inner,
        },
        "$defs": {"one": inner},
    }
    shut = {**inner, "additionalProperties": False}
    assert closed(schema) == {
        "properties": {
            "list": {"type": "array", "items": shut},
            "either": {"anyOf": [shut, {"type": "null"}]},
            "open": {"properties": {"c": {}}, "additionalProperties": True},
            "free": {"type": "object"},
            "parts": {"properties": {"d": {}}, "allOf": [{"properties": {"e": {}}}]},
            "properties": shut,
        },
        "$defs": {"one": shut},
        "additionalProperties": False,
    }


INHERITED = {
    "$defs": {"B": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}},
    "type": "object",
    "required": ["p"],
}
C = {"properties": {"c": {"type": "integer"}}, "required": ["c"]}
EITHER = {
    "type": "object",
    "properties": {"kind": {"type": "string"}},
    "required": ["kind"],
    "anyOf": [{"properties": {"b": {"type": "integer"}}, "required": ["b"]}, C],
}


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        (EITHER, '{"kind":"x","b":1}'),
        (
            {**INHERITED, "properties": {"p": {"allOf": [{"$ref": "#/$defs/B"}, C]}}},
            '{"p":{"a":1,"c":2}}',
        ),
        (
            {**INHERITED, "properties": {"p": {"$ref": "#/$defs/B", **C}}},
            '{"p":{"a":1,"c":2}}',
        ),
    ],
)
def test_the_parts_of_one_object_stay_open(schema: dict[str, Any], answer: str) -> None:
    tokenizer = byte_tokenizer()
    compiler = GrammarCompiler(tokenizer, tokenizer.eos_token_id, 320)
    grammar = compiler.start(Constraint(kind="schema", value=closed(schema)))
    tokens = tokenizer(answer, add_special_tokens=False).input_ids
    assert grammar.advance(tokens) == len(tokens)
    assert grammar.may_end


def test_a_part_that_stands_for_itself_is_closed_where_it_is_described_too() -> None:
    part = {"properties": {"a": {}}}
    schema = {"$defs": {"B": part}, "properties": {"p": {"$ref": "#/$defs/B", "description": "x"}}}
    assert closed(schema)["$defs"]["B"]["additionalProperties"] is False


def completion(text: str, reason: str = "stop", *, is_closed: bool = False) -> Completion:
    return Completion(
        text=text,
        finish_reason=reason,
        closed=is_closed,
        usage=Usage(prompt_tokens=1, completion_tokens=1),
        timing=Timing(first_token_s=0, total_s=0),
    )


@pytest.mark.parametrize(
    ("constraint", "text", "told"),
    [
        (None, "a", None),
        (Constraint(kind="gbnf", value=GRAMMAR), "yes", None),
        (Constraint(kind="json"), '{"a":1}', "valid"),
        (Constraint(kind="json"), '{"a":1}}', "invalid"),
        (Constraint(kind="schema", value=SCHEMA), '{"a":"b"}', "valid"),
        (Constraint(kind="schema", value=SCHEMA), '{"a":1}', "invalid"),
        (Constraint(kind="schema", value={}), "1", "valid"),
        (Constraint(kind="schema", value={"type": "strnig"}), '"a"', None),
        # Neither is run on the answer: it could take for ever.
        (Constraint(kind="schema", value={"pattern": "^(a+)+$"}), '"' + "a" * 99 + 'b"', "valid"),
        (Constraint(kind="schema", value={"$ref": "#"}), "1", "valid"),
    ],
)
def test_whether_an_answer_held(constraint: Constraint | None, text: str, told: str | None) -> None:
    assert outcome(constraint, completion(text)) == told


def test_a_cut_answer_is_neither_and_a_closed_one_is_checked() -> None:
    constraint = Constraint(kind="schema", value=SCHEMA)
    assert outcome(constraint, completion('{"a":"', "length")) == "cut"
    assert outcome(constraint, completion('{"a":""}', "length", is_closed=True)) == "valid"
