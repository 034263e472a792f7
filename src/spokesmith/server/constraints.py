"""What an answer is held to, however the caller says it: OpenAI's ways and llama-server's."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spokesmith.backends.completion import Completion
from spokesmith.backends.request import Constraint
from spokesmith.metrics import check, parse_strict
from spokesmith.server.answers import is_whole
from spokesmith.server.errors import ApiError, as_api_error
from spokesmith.server.schema_limits import check_grammar, check_schema, closed, is_cheap_to_check

KINDS = ("text", "json_object", "json_schema")


class ResponseFormat(BaseModel):
    """OpenAI's form, with the schema in `json_schema.schema`, or the flat one, in `schema`."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    type: str = Field(description="text, json_object or json_schema.")
    json_schema: dict[str, Any] | None = Field(
        None, description="`schema` is the JSON Schema; `name` and `strict` may stand beside it."
    )
    schema_: Any = Field(None, alias="schema", description="The JSON Schema, flat.")
    strict: bool | None = None


class ConstraintFields(BaseModel):
    """What may hold an answer, beside `response_format`: llama-server's fields."""

    json_schema: Any = Field(None, description="A JSON Schema, as llama-server takes it.")
    grammar: str | None = Field(None, description="A grammar in llama.cpp's notation (GBNF).")
    response_format: ResponseFormat | None = None


@dataclass(frozen=True, kw_only=True)
class Held:
    """A constraint and the field that it came from, for messages."""

    constraint: Constraint
    field: str


def held_by(fields: ConstraintFields) -> Held | None:
    """What the caller wants the answer to be held to.

    Raises:
        ApiError: it is said twice, is not known, or is too large.
    """
    found: list[Held] = []
    if fields.response_format is not None:
        held = _of_response_format(fields.response_format)
        found += [] if held is None else [held]
    if fields.json_schema is not None:
        found.append(of_schema(fields.json_schema, field="json_schema"))
    if fields.grammar:
        try:
            check_grammar(fields.grammar)
        except ValueError as error:
            raise as_api_error(error, param="grammar") from error
        found.append(
            Held(constraint=Constraint(kind="gbnf", value=fields.grammar), field="grammar")
        )
    if len(found) > 1:
        both = " and ".join(held.field for held in found)
        raise ApiError(f"{both} both hold the answer", remedy="give one", param=found[1].field)
    return found[0] if found else None


def of_schema(schema: Any, *, field: str, strict: bool = False) -> Held:
    """A schema as a constraint. Raises ApiError where it is too large."""
    try:
        check_schema(schema)
    except ValueError as error:
        raise as_api_error(error, param=field) from error
    # The short form of the schema that allows everything.
    value = {} if schema is True else closed(schema) if strict else schema
    return Held(constraint=Constraint(kind="schema", value=value), field=field)


def outcome(constraint: Constraint | None, completion: Completion) -> str | None:
    """Whether an answer holds to what it was held to; None where that is not to be known.

    `valid`, `invalid`, or `cut` where the answer ended before its time. Under a schema that is not
    cheap to check, an answer is checked for being JSON alone.
    """
    if constraint is None or constraint.kind not in ("schema", "json"):
        return None
    if not is_whole(completion):
        return "cut"
    try:
        parse_strict(completion.text)
    except ValueError:
        return "invalid"
    schema = constraint.value
    if schema is None or not is_cheap_to_check(schema):
        return "valid"
    try:
        return "valid" if check(completion.text, schema).valid else "invalid"
    except ValueError:
        # The engine took a schema that no checker takes.
        return None


def _of_response_format(wanted: ResponseFormat) -> Held | None:
    if wanted.type not in KINDS:
        raise ApiError(
            f"response_format.type is '{wanted.type[:50]}'",
            remedy=f"use one of {', '.join(KINDS)}",
            param="response_format.type",
        )
    strict = bool(wanted.strict)
    field = "response_format.schema"
    schema = wanted.schema_
    if wanted.json_schema is not None:
        field = "response_format.json_schema.schema"
        schema = wanted.json_schema.get("schema")
        strict = bool(wanted.json_schema.get("strict"))
    if wanted.type == "text":
        if schema is None:
            return None
        raise ApiError(
            "response_format.type is text, which no schema holds",
            remedy="set it to json_schema, or leave the schema out",
            param=field,
        )
    if schema is not None:
        return of_schema(schema, field=field, strict=strict)
    if wanted.type == "json_object":
        return Held(constraint=Constraint(kind="json"), field="response_format")
    raise ApiError(
        "response_format has no schema",
        remedy='give {"type": "json_schema", "json_schema": {"name": ..., "schema": ...}}',
        param="response_format.json_schema.schema",
        code="missing",
    )
