"""Bodies with thousands of faults: one is told, the others take no memory."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from spokesmith.server.chat_request import ChatRequest
from spokesmith.server.completions import CompletionRequest
from spokesmith.server.fields import MAX_BIASES
from spokesmith.server.llama import LlamaRequest

MESSAGE = {"role": "user", "content": "a"}
# A union tells one fault of each of its kinds.
MOST_FAULTS = 8


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (ChatRequest, {"messages": [MESSAGE], "stop": [1] * 1000}),
        (ChatRequest, {"messages": [1] * 1000}),
        (ChatRequest, {"messages": [{"role": "user", "content": [1] * 1000}]}),
        (ChatRequest, {"messages": [{**MESSAGE, "tool_calls": [1] * 1000}]}),
        (ChatRequest, {"messages": [MESSAGE], "tools": [1] * 1000}),
        (ChatRequest, {"messages": [MESSAGE], "logit_bias": dict.fromkeys(range(MAX_BIASES + 1))}),
        (CompletionRequest, {"prompt": [None] * 1000}),
        (CompletionRequest, {"prompt": [[-1] * 1000] * 1000}),
        (LlamaRequest, {"prompt": [-1] * 1000}),
    ],
    ids=str,
)
def test_few_faults_are_told(body: type[BaseModel], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        body.model_validate(given)
    assert refused.value.error_count() <= MOST_FAULTS


def test_as_many_biases_as_tokens_are_taken() -> None:
    biases = {str(token): -100 for token in range(262_144)}
    body = ChatRequest.model_validate({"messages": [MESSAGE], "logit_bias": biases})
    assert body.logit_bias is not None
    assert len(body.logit_bias) == 262_144
