"""What a chat completion may ask for, and what that asks of the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field, field_validator, model_validator

from spokesmith.backends.request import Constraint, Model, Request
from spokesmith.server.constraints import ConstraintFields, Held, held_by
from spokesmith.server.errors import ApiError, fault_of
from spokesmith.server.fields import (
    UNLIMITED,
    Items,
    StreamOptions,
    TextFields,
    TokenLimit,
    check_closing,
    check_count,
)
from spokesmith.server.messages import ChatMessage, as_turns, plain_text, wants_no_thinking
from spokesmith.server.service import Service
from spokesmith.server.tools import Tool, ToolChoice, ToolUse, tool_use
from spokesmith.tasks import Message, Task

MAX_TOP_LOGPROBS = 20
# What the chat format itself tells the library that renders the template.
RESERVED_OPTIONS = (
    "add_generation_prompt",
    "chat_template",
    "continue_final_message",
    "conversation",
    "conversations",
    "documents",
    "max_length",
    "messages",
    "padding",
    "return_assistant_tokens_mask",
    "return_dict",
    "return_tensors",
    "sanitize_control_tokens",
    "self",
    "tokenize",
    "tokenizer_kwargs",
    "tools",
    "truncation",
)


class ChatRequest(ConstraintFields, TextFields):
    """A chat to go on with."""

    messages: Items[ChatMessage] = Field(min_length=1)
    max_tokens: TokenLimit | None = Field(
        None, description="Most tokens of the answer; -1 lets it run to the context's end."
    )
    max_completion_tokens: TokenLimit | None = Field(None, description="As max_tokens.")
    n: int | None = Field(None, ge=1, description="How many answers.")
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=MAX_TOP_LOGPROBS)
    stream_options: StreamOptions | None = None
    tools: Items[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = Field(
        None, description="Taken; an answer makes one call at most."
    )
    chat_template_kwargs: dict[str, Any] | None = Field(
        None, description="Told to the base's chat template."
    )
    reasoning_effort: str | None = Field(
        None, description="`none` only: answers come without reasoning."
    )

    @field_validator("reasoning_effort")
    @classmethod
    def _no_reasoning(cls, effort: str | None) -> str | None:
        if effort not in (None, "", "none"):
            raise ValueError(f"'{effort[:20]}' is not supported: use none, or leave it out")
        return effort

    @field_validator("chat_template_kwargs")
    @classmethod
    def _free_options(cls, options: dict[str, Any] | None) -> dict[str, Any] | None:
        for name in options or {}:
            if name in RESERVED_OPTIONS:
                raise ValueError(f"'{name}' is set by the server: leave it out")
        return options

    @model_validator(mode="after")
    def _fields_agree(self) -> "ChatRequest":
        both = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(both) > 1:
            words = "max_tokens and max_completion_tokens differ: give one of them"
            raise fault_of("max_tokens", words)
        if self.top_logprobs and not self.logprobs:
            raise fault_of("top_logprobs", "top_logprobs needs logprobs: set logprobs to true")
        return self


@dataclass(frozen=True, kw_only=True)
class ChatPlan:
    """What a chat completion asks of the engine.

    Attributes:
        model: answers.
        requests: one for each answer.
        tools: how the answers may use tools.
        held: what the answers are held to, tools aside.
        task: name of the task that gave its prompt and schema; None where the caller gave his own.
        constraint: what a valid answer fits; a task's schema without what it says of one text.
    """

    model: Model
    requests: list[Request]
    tools: ToolUse | None
    held: Held | None
    task: str | None
    constraint: Constraint | None


def plan_chat(service: Service, body: ChatRequest) -> ChatPlan:
    """Turn a body into requests to the engine.

    Raises:
        ApiError: fields do not fit together, are not supported, or are too many messages.
        UnknownModelError: no such model.
    """
    model = service.model(body.model)
    context_length = service.backend.context_length
    check_count(body.messages, context_length=context_length, param="messages")
    held = held_by(body)
    limit = body.max_completion_tokens or body.max_tokens
    request = Request(
        template_options=_template_options(body),
        model=model.name,
        max_tokens=None if limit == UNLIMITED else limit,
        stop=body.stops,
        num_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        on_truncation=body.on_truncation or "cut",
    )
    tools: ToolUse | None = None
    task = model.task if _leaves_all_to_the_task(body) else None
    if task is not None:
        # Without tools it refuses a choice that asks for one.
        tool_use(body.tools, body.tool_choice)
        text = plain_text(body.messages[0])
        request = replace(
            request,
            made_for=model,
            messages=task.messages(text),
            constraint=Constraint(kind="schema", value=task.schema_for(text)),
            max_tokens=request.max_tokens if limit else task.max_tokens,
        )
    else:
        tools = tool_use(body.tools, body.tool_choice, answer_schema=_answer_schema(body, held))
        constraint = held.constraint if held else None
        messages: Sequence[Message] = as_turns(
            body.messages, tools_note=tools.note if tools else None
        )
        request = replace(
            request, messages=messages, constraint=tools.constraint if tools else constraint
        )
    check_closing(request)
    count = body.n or 1
    if count > service.settings.max_choices:
        limit_words = f"at most {service.settings.max_choices}"
        raise ApiError(f"n is {count}", remedy=f"ask for {limit_words}", param="n")
    return ChatPlan(
        model=model,
        requests=[replace(request, sampling=sampling) for sampling in body.samplings(count)],
        tools=tools,
        held=held,
        task=task.name if task else None,
        constraint=_as_constraint(task) if task else request.constraint,
    )


def _as_constraint(task: Task) -> Constraint:
    return Constraint(kind="schema", value=task.schema)


def _leaves_all_to_the_task(body: ChatRequest) -> bool:
    """Whether a bare text came: one user message and no word on the form of the answer."""
    given = (body.response_format, body.json_schema, body.grammar, body.tools)
    return (
        not any(part is not None and part not in ("", []) for part in given)
        and len(body.messages) == 1
        and body.messages[0].role == "user"
    )


def _answer_schema(body: ChatRequest, held: Held | None) -> Any:
    """The schema of an answer that is no call, where there are tools to choose from."""
    if not body.tools or body.tool_choice == "none" or held is None:
        return None
    schema = {"type": "object"} if held.constraint.kind == "json" else held.constraint.value
    if body.tool_choice in (None, "auto") and isinstance(schema, dict):
        return schema
    raise ApiError(
        f"tools and {held.field} cannot both hold this answer",
        remedy="leave one out, or set tool_choice to auto with a schema",
        param=held.field,
    )


def _template_options(body: ChatRequest) -> dict[str, Any]:
    options = dict(body.chat_template_kwargs or {})
    if body.reasoning_effort == "none" or wants_no_thinking(body.messages):
        options.setdefault("enable_thinking", False)
    return options
