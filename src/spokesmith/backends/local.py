"""`complete` by the local engine."""

from collections.abc import Sequence
from typing import Any

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.bases import Base
from spokesmith.decoding import Engine
from spokesmith.tasks import Message


class LocalBackend:
    """Answers with a base in this process and one of the sets of spokes beside it."""

    def __init__(self, base: Base, *, spokes: str | None) -> None:
        self.base = base
        self.spokes = spokes
        self.engine = Engine(base)

    def complete(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = 1024,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Completion:
        """Answer a chat; see `Engine.generate` for the arguments and errors."""
        prompt_ids = self.base.chat.prompt_ids(messages)
        generation = self.engine.generate(
            prompt_ids,
            spokes=self.spokes,
            max_tokens=max_tokens,
            schema=schema,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
        )
        text = self.base.tokenizer.decode(
            generation.tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return Completion(
            text=text,
            finish_reason=generation.finish_reason,
            usage=Usage(prompt_tokens=len(prompt_ids), completion_tokens=len(generation.tokens)),
            timing=Timing(first_token_s=generation.first_token_s, total_s=generation.total_s),
        )
