"""The fields that every request for text may carry, and those that cannot be met.

A field that nobody knows is ignored, as other servers do. A known one that would change the answer
and is not supported is refused: an answer that ignores it would be wrong in silence.
"""

import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from spokesmith.backends.request import ContextError, Request, Sampling
from spokesmith.server.errors import ApiError, as_api_error, fault_of

MAX_STOPS, MAX_STOP_CHARACTERS = 16, 1_000
MAX_SEED = 2**63 - 1
UNLIMITED = -1
# As many as the largest vocabulary has tokens.
MAX_BIASES = 2**18
# As many as a file's name may have.
ModelName = Annotated[str, Field(max_length=256)]
TokenId = Annotated[int, Field(ge=0, lt=2**31)]
Item = TypeVar("Item")
# Of a long list whose items are all wrong one fault is told: the others would take gigabytes.
Items = Annotated[list[Item], Field(fail_fast=True)]
USE_SCHEMA = "use response_format"
NO_REASONING = "leave it out: answers come without reasoning"
ONLY_PENALTIES = "use presence_penalty and frequency_penalty"
ONLY_SAMPLERS = "use temperature, top_p, top_k and min_p"
WHOLE_TURNS = "leave it out: an answer is a turn of its own; /v1/completions goes on from any text"
# Name: the values that change nothing, and what to do instead.
NOT_SUPPORTED: dict[str, tuple[tuple[Any, ...], str]] = {
    "add_generation_prompt": ((True,), WHOLE_TURNS),
    "allowed_token_ids": ((), "use grammar"),
    "audio": ((), "ask for text"),
    "bad_words": (([],), "use logit_bias"),
    "best_of": ((1,), "use n"),
    "chat_template": ((), "leave it out: the base's own is used"),
    "continue_final_message": ((False,), WHOLE_TURNS),
    "dry_multiplier": ((0,), ONLY_PENALTIES),
    "dynatemp_range": ((0,), ONLY_SAMPLERS),
    "ebnf": ((), "use grammar"),
    "echo": ((False,), "put the prompt before the answer yourself"),
    "enable_thinking": ((False,), NO_REASONING),
    "format": (("",), USE_SCHEMA),
    "function_call": ((), "use tool_choice"),
    "functions": (([],), "use tools"),
    "guided_choice": ((), USE_SCHEMA + " with an enum"),
    "guided_grammar": ((), "use grammar"),
    "guided_json": ((), USE_SCHEMA),
    "guided_regex": ((), USE_SCHEMA + " with a pattern"),
    "ignore_eos": ((False,), "use max_tokens"),
    "include_stop_str_in_output": ((False,), "add the stop text yourself"),
    "length_penalty": ((1,), "leave it out"),
    "lora": (([],), "name a set of spokes in model"),
    "logprobs": ((False,), "use n_probs"),
    "max_completion_tokens": ((UNLIMITED,), "use max_tokens"),
    "min_tokens": ((0,), "leave it out"),
    "mirostat": ((0,), ONLY_SAMPLERS),
    "modalities": ((["text"],), "ask for text"),
    "n": ((1,), "send the request several times"),
    "n_cmpl": ((1,), "use n, or send the request several times where n is not taken"),
    "n_predict": ((UNLIMITED,), "use max_tokens"),
    "n_probs": ((0,), "use logprobs"),
    "options": (({},), "put the options beside the messages, by OpenAI's names"),
    "post_sampling_probs": ((False,), "leave it out: probabilities are those before sampling"),
    "prompt_logprobs": ((), "use logprobs, which are those of the answer"),
    "reasoning": (({}, {"effort": "none"}, {"enabled": False}), NO_REASONING),
    "regex": ((), USE_SCHEMA + " with a pattern"),
    "repeat_penalty": ((1,), ONLY_PENALTIES),
    "repetition_penalty": ((1,), ONLY_PENALTIES),
    "response_fields": (([],), "leave it out: the answer has all fields"),
    "samplers": ((), ONLY_SAMPLERS),
    "stop_regex": ((), "use stop"),
    "stop_token_ids": (([],), "use stop"),
    "structural_tag": ((), USE_SCHEMA + " or tools"),
    "structured_outputs": ((), USE_SCHEMA),
    "suffix": (("",), "put the text into the prompt"),
    "t_max_predict_ms": ((-1, 0), "use max_tokens"),
    "tfs_z": ((1,), ONLY_SAMPLERS),
    "think": ((False,), NO_REASONING),
    "thinking": (({"type": "disabled"},), NO_REASONING),
    "top_n_sigma": ((-1,), ONLY_SAMPLERS),
    "truncate_prompt_tokens": ((), "shorten the prompt yourself"),
    "typical_p": ((1,), ONLY_SAMPLERS),
    "use_beam_search": ((False,), "leave it out"),
    "verbosity": (("medium",), "ask for shorter or longer answers in the messages"),
    "web_search_options": ((), "leave it out: nothing is looked up"),
    "xtc_probability": ((0,), ONLY_SAMPLERS),
}


def _some_tokens(count: int) -> int:
    if count == 0:
        raise ValueError("0 tokens are no answer: give at least 1")
    return count


# Most tokens of an answer; -1 lets it run to the context's end.
TokenLimit = Annotated[int, Field(ge=UNLIMITED), AfterValidator(_some_tokens)]


class StreamOptions(BaseModel):
    """How a stream is sent."""

    include_usage: bool | None = Field(
        None, description="Send one more event with the token counts before the end."
    )


class TextFields(BaseModel):
    """What may be asked of any text: how tokens are chosen and where the answer ends."""

    model_config = ConfigDict(allow_inf_nan=False, protected_namespaces=(), extra="ignore")

    model: ModelName | None = Field(
        None, description="A name that GET /v1/models lists; the default model if left out."
    )
    temperature: float | None = Field(
        None, ge=0, le=5, description="0, the default, takes the most likely token."
    )
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=-1, le=1_000_000, description="0 or -1 has no limit.")
    min_p: float | None = Field(None, ge=0, le=1)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[TokenId, Annotated[float, Field(ge=-100, le=100)]] | None = Field(
        None, description="Added to the logits of tokens, by token id."
    )
    seed: int | None = Field(
        None,
        ge=-1,
        le=MAX_SEED,
        description="The same seed gives the same text, up to near ties in bfloat16; -1 draws one.",
    )
    stop: str | Items[str] | None = Field(None, description="Texts at which the answer ends.")
    stream: bool | None = None
    on_truncation: Literal["cut", "close"] | None = Field(
        None,
        description="`close` gives an answer under a schema that reaches its limit the shortest "
        "valid ending, and marks it as closed.",
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_is_not_supported(cls, given: Any) -> Any:
        if isinstance(given, dict):
            for name, (harmless, remedy) in NOT_SUPPORTED.items():
                value = given.get(name)
                if value is not None and value not in harmless and name not in cls.model_fields:
                    raise fault_of(name, f"{name} is not supported: {remedy}")
        return given

    @field_validator("logit_bias", mode="before")
    @classmethod
    def _biases_by_id(cls, given: Any) -> Any:
        """llama-server's form, pairs of an id and a bias, where false bans a token."""
        if isinstance(given, dict | list) and len(given) > MAX_BIASES:
            raise ValueError(f"it has {len(given)} biases: give at most {MAX_BIASES}")
        if not isinstance(given, list):
            return given
        for pair in given:
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], int):
                raise ValueError("a bias is no pair of a token id and a number: give [id, bias]")
        return {token: -100.0 if bias is False else bias for token, bias in given}

    @field_validator("stop")
    @classmethod
    def _stops_are_few_and_not_empty(cls, stop: str | list[str] | None) -> str | list[str] | None:
        texts = [stop] if isinstance(stop, str) else stop or []
        if len(texts) > MAX_STOPS:
            raise ValueError(f"{len(texts)} stop texts: give at most {MAX_STOPS}")
        if any(not text or len(text) > MAX_STOP_CHARACTERS for text in texts):
            raise ValueError(
                f"a stop text is empty or too long: give 1 to {MAX_STOP_CHARACTERS} characters"
            )
        return stop

    @property
    def stops(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    def samplings(self, count: int) -> list[Sampling]:
        """How the tokens of `count` answers are chosen: each has a seed of its own."""
        drawn = self.seed is None or self.seed < 0
        seed = secrets.randbits(62) if drawn else self.seed or 0
        # The smallest nucleus is the most likely token alone.
        greedy = self.top_p == 0
        return [
            Sampling(
                temperature=0.0 if greedy else self.temperature or 0.0,
                top_p=1.0 if greedy or self.top_p is None else self.top_p,
                top_k=max(0, self.top_k or 0),
                min_p=self.min_p or 0.0,
                presence_penalty=self.presence_penalty or 0.0,
                frequency_penalty=self.frequency_penalty or 0.0,
                logit_bias=self.logit_bias or {},
                seed=(seed + index) % (MAX_SEED + 1),
            )
            for index in range(count)
        ]


def check_count(parts: Sequence[object], *, context_length: int, param: str) -> None:
    """What takes a token each need not be rendered to see that there are too many."""
    if len(parts) > context_length:
        raise as_api_error(
            ContextError(
                f"{param} has {len(parts)} parts, each a token or more, and the context is "
                f"{context_length} tokens: send fewer"
            ),
            param=param,
        )


def check_closing(request: Request) -> None:
    """Only what is held to a grammar has a shortest valid ending."""
    if request.on_truncation == "close" and request.constraint is None:
        raise ApiError(
            "on_truncation is close, but nothing holds the answer",
            remedy="give a response_format, or leave on_truncation out",
            param="on_truncation",
        )
