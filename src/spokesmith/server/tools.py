"""Tools: how they are described to the model, what holds its answer, and the call in the answer.

A call is always held to the tools' parameters by a grammar, so there is no broken one: an answer is
either a text or, after an opening mark, one whole call; only the token limit can cut it, and a cut
call is never handed on.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from spokesmith.backends.request import Constraint
from spokesmith.server.errors import ApiError, as_api_error
from spokesmith.server.messages import CALL_END, CALL_START
from spokesmith.server.schema_limits import check_schema, closed
from spokesmith.tasks.canonical import schema_in_grammar

MAX_TOOLS = 64
# What stands between a call's name and its arguments; no name has a quotation mark.
ARGUMENTS = '"arguments":'
NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")


class Function(BaseModel):
    """A function that the model may call."""

    model_config = ConfigDict(extra="ignore")

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = Field(None, description="JSON Schema of the arguments.")
    strict: bool | None = None

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"'{name[:50]}' is no name of a function: use letters, digits, _ and -"
            )
        return name


class Tool(BaseModel):
    """A tool; only functions are known."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["function"] = "function"
    function: Function


class NamedFunction(BaseModel):
    name: str


class NamedTool(BaseModel):
    """The one tool that the answer has to call."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["function"] = "function"
    function: NamedFunction


ToolChoice = Literal["auto", "none", "required"] | NamedTool


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call: `arguments` is a JSON object in a string, as clients want it."""

    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class ToolUse:
    """How an answer may use tools.

    Attributes:
        mode: `auto` a text or a call, `required` a call, `named` the arguments of `name`.
        note: the tools in words, for the system turn.
        constraint: what holds the answer.
        name: of the function, where it is `named`.
        begins_with_call: a text with the mark of a call behind its beginning is no call, since what
            is no call is held to a schema (`auto` only).
    """

    mode: Literal["auto", "required", "named"]
    note: str
    constraint: Constraint
    name: str = ""
    begins_with_call: bool = False

    def parse(self, text: str, *, whole: bool) -> tuple[str, Call | None]:
        """The text and the call of an answer.

        A call that is not `whole`, or that a stop text cut, is left out.
        """
        before, mark, after = text.partition(CALL_START)
        if self.mode != "auto":
            before, after = "", text
        elif not mark or (before and self.begins_with_call):
            return text, None
        try:
            value = json.loads(after.strip().removesuffix(CALL_END)) if whole else None
        except ValueError:
            value = None
        if value is None:
            return before.rstrip(), None
        if self.mode == "named":
            return "", Call(name=self.name, arguments=text)
        # As the model wrote them: numbers that are read and written again may change.
        call, _, arguments = after.strip().removesuffix(CALL_END).partition(ARGUMENTS)
        assert call, "the grammar names the function first"
        arguments = arguments.rstrip().removesuffix("}")
        return before.rstrip(), Call(name=value["name"], arguments=arguments.strip())

    def end_of_text(self, text: str) -> int:
        """Where an answer so far ends that is no call, nor may become one with what comes next."""
        if self.mode != "auto":
            return 0
        if self.begins_with_call and not CALL_START.startswith(text[: len(CALL_START)]):
            return len(text)
        start = text.find(CALL_START)
        if start < 0:
            start = len(text)
            for length in range(min(len(CALL_START), len(text)), 0, -1):
                if CALL_START.startswith(text[-length:]):
                    start = len(text) - length
                    break
        # White space before a call belongs to neither.
        return len(text[:start].rstrip())


def tool_use(
    tools: list[Tool] | None, choice: ToolChoice | None, *, answer_schema: Any = None
) -> ToolUse | None:
    """How the answer may use the tools of a request; None where it may not.

    Args:
        answer_schema: what an answer is held to where it is no call (`auto` only).

    Raises:
        ApiError: the tools and the choice do not fit together, or parameters are too large.
    """
    if not tools:
        if choice in (None, "none", "auto"):
            return None
        raise ApiError(
            "tool_choice asks for a call, but there are no tools",
            remedy="give tools, or leave tool_choice out",
            param="tool_choice",
        )
    _check_tools(tools)
    if choice == "none":
        return None
    note = _note([tool.function for tool in tools])
    if isinstance(choice, NamedTool):
        wanted = choice.function.name
        for tool in tools:
            if tool.function.name == wanted:
                constraint = Constraint(kind="schema", value=_parameters(tool.function))
                return ToolUse(mode="named", note=note, constraint=constraint, name=wanted)
        names = ", ".join(tool.function.name for tool in tools)
        raise ApiError(
            f"tool_choice names '{wanted[:50]}', which is no tool here",
            remedy=f"use one of {names}",
            param="tool_choice",
        )
    schema = _call_schema([tool.function for tool in tools])
    if choice == "required":
        return ToolUse(
            mode="required", note=note, constraint=Constraint(kind="schema", value=schema)
        )
    grammar = _text_or_call(schema, answer_schema)
    return ToolUse(
        mode="auto",
        note=note,
        constraint=Constraint(kind="lark", value=grammar),
        begins_with_call=answer_schema is not None,
    )


def _check_tools(tools: list[Tool]) -> None:
    if len(tools) > MAX_TOOLS:
        raise ApiError(f"{len(tools)} tools", remedy=f"give at most {MAX_TOOLS}", param="tools")
    names = [tool.function.name for tool in tools]
    if len(set(names)) < len(names):
        raise ApiError("two tools have one name", remedy="rename one", param="tools")
    for index, tool in enumerate(tools):
        field = f"tools.{index}.function.parameters"
        parameters = tool.function.parameters or {}
        if parameters.get("type", "object") != "object":
            raise ApiError(
                f"the parameters of {tool.function.name} are no object",
                remedy='give {"type": "object", "properties": ...}',
                param=field,
            )
        try:
            check_schema(parameters, what="the schema of the parameters")
        except ValueError as error:
            raise as_api_error(error, param=field) from error


def _parameters(function: Function) -> dict[str, Any]:
    """The schema of the arguments: always an object, closed where it does not say that it is."""
    given = function.parameters or {"properties": {}}
    # A name of its own would be what references in it are relative to.
    return closed({"type": "object", **{key: given[key] for key in given if key != "$id"}})


def _call_schema(functions: list[Function]) -> dict[str, Any]:
    """One call of any of the functions. Their parameters may refer to parts of themselves."""
    calls = [
        {
            "type": "object",
            "properties": {
                "name": {"const": function.name},
                "arguments": {"$ref": f"#/$defs/tool{index}"},
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for index, function in enumerate(functions)
    ]
    parts = {
        f"tool{index}": _moved(_parameters(function), f"#/$defs/tool{index}")
        for index, function in enumerate(functions)
    }
    return {**(calls[0] if len(calls) == 1 else {"anyOf": calls}), "$defs": parts}


def _moved(schema: Any, to: str) -> Any:
    """A schema whose references hold where it is no longer the whole document."""
    if isinstance(schema, list):
        return [_moved(item, to) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: to + value[1:]
        if key == "$ref" and isinstance(value, str) and (value == "#" or value.startswith("#/"))
        else _moved(value, to)
        for key, value in schema.items()
    }


def _text_or_call(call_schema: dict[str, Any], answer_schema: Any) -> str:
    """A grammar of the library's Lark dialect: a text without the mark, or mark and call."""
    call = schema_in_grammar(call_schema)
    mark = CALL_START
    if answer_schema is None:
        answer = rf"ANSWER: /(.|\n)*/ & ~/(.|\n)*{mark}(.|\n)*/"
        # The mark alone decides: what is no answer any more has to become a call.
        start, head = "ANSWER", rf'head[suffix="{mark}"]: /(.|\n)*/'
    else:
        answer, start = f"answer: %json {schema_in_grammar(answer_schema)}", "answer"
        head = f'head: "{mark}"'
    rule = f'start: {start} | head "\\n" call "\\n{CALL_END}"'
    return "\n".join([rule, answer, head, f"call: %json {call}", ""])


def _note(functions: list[Function]) -> str:
    lines = [
        json.dumps(
            {
                "type": "function",
                "function": function.model_dump(exclude_none=True, exclude={"strict"}),
            },
            ensure_ascii=False,
        )
        for function in functions
    ]
    return "\n".join(
        [
            "You may call one of these functions to answer the user:",
            "<tools>",
            *lines,
            "</tools>",
            "A call is a JSON object with the function's name and arguments between two marks:",
            CALL_START,
            '{"name":<name>,"arguments":<arguments>}',
            CALL_END,
        ]
    )
