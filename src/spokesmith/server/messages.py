"""From a client's messages to the turns that a base's chat template takes: a role and a text each.

Calls of tools and their results are written out as texts, in the form that small models are most
often trained on, so no template has to know tools. Tools themselves are described in the system
turn. What a message says stays a text: nothing here makes control tokens.
"""

import contextlib
import json
import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from spokesmith.server.errors import ApiError
from spokesmith.server.fields import Items
from spokesmith.tasks import Message

CALL_START, CALL_END = "<tool_call>", "</tool_call>"
RESULT_START, RESULT_END = "<tool_response>", "</tool_response>"
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
_SWITCH = "/no_think"
_SWITCH_FIRST = re.compile(rf"\s*{_SWITCH}\b\s*")


class ContentPart(BaseModel):
    """A piece of a message; only texts are understood."""

    model_config = ConfigDict(extra="ignore")

    type: str = "text"
    text: str | None = None


class CalledFunction(BaseModel):
    """The name of a tool and its arguments, a JSON object in a string."""

    name: str
    arguments: str | dict[str, Any] | None = None


class ToolCall(BaseModel):
    """A call that an earlier answer made."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = None
    type: str | None = "function"
    function: CalledFunction


class ChatMessage(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(extra="ignore")

    role: Role
    content: str | Items[ContentPart] | None = None
    tool_calls: Items[ToolCall] | None = None
    function_call: CalledFunction | None = Field(
        None, description="A call in the form that came before `tool_calls`."
    )
    tool_call_id: str | None = None
    name: str | None = Field(None, description="Taken, not used.")

    @property
    def text(self) -> str:
        """The content as one text. Raises ApiError where it holds anything else."""
        if isinstance(self.content, list):
            for part in self.content:
                if part.type not in ("text", "refusal"):
                    raise ApiError(
                        f"a message holds a part of type '{part.type[:50]}'",
                        remedy="send texts only",
                        param="messages",
                    )
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


def wants_no_thinking(messages: Sequence[ChatMessage]) -> bool:
    """Whether a message carries the switch `/no_think`, at its start or end."""
    return any(plain_text(message) != message.text for message in messages)


def plain_text(message: ChatMessage) -> str:
    """What a message says, without the switch `/no_think`: it is no part of a text to encode."""
    text = message.text
    if message.role not in ("system", "user"):
        return text
    first = _SWITCH_FIRST.match(text)
    start = first.end() if first else 0
    # By a regular expression this would be tried at every blank of a long run.
    rest = text[start:].rstrip()
    at = start + len(rest) - len(_SWITCH)
    if rest.endswith(_SWITCH) and text[at - 1].isspace():
        return text[start:at].rstrip()
    return text[start:]


def as_turns(messages: Sequence[ChatMessage], *, tools_note: str | None = None) -> list[Message]:
    """The turns of a chat; `tools_note` ends the system turn, or makes one."""
    turns: list[Message] = []
    for are_results, group in groupby(messages, lambda one: one.role in ("tool", "function")):
        if are_results:
            # Results of several calls answer one turn.
            results = "\n".join(f"{RESULT_START}\n{one.text}\n{RESULT_END}" for one in group)
            turns.append({"role": "user", "content": results})
            continue
        for message in group:
            if message.role == "assistant":
                turns.append({"role": "assistant", "content": _with_calls(message)})
            else:
                role = "system" if message.role == "developer" else message.role
                turns.append({"role": role, "content": plain_text(message)})
    if tools_note is None:
        return turns
    if turns and turns[0]["role"] == "system":
        first = turns[0]["content"]
        return [{"role": "system", "content": f"{first}\n\n{tools_note}"}, *turns[1:]]
    return [{"role": "system", "content": tools_note}, *turns]


def _with_calls(message: ChatMessage) -> str:
    parts = [message.text] if message.text else []
    called = [call.function for call in message.tool_calls or []]
    if message.function_call is not None:
        called.append(message.function_call)
    parts += [f"{CALL_START}\n{_call_json(one)}\n{CALL_END}" for one in called]
    return "\n".join(parts)


def _call_json(called: CalledFunction) -> str:
    arguments: Any = called.arguments
    if isinstance(arguments, str):
        # Another server's broken call: the model is to see it as it was.
        with contextlib.suppress(ValueError, RecursionError):
            arguments = json.loads(arguments) if arguments.strip() else {}
    call = {"name": called.name, "arguments": arguments or {}}
    return json.dumps(call, ensure_ascii=False, separators=(",", ":"))
