"""`complete` by the local engine."""

from collections.abc import Sequence
from typing import Any

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.bases import Base
from spokesmith.decoding import Engine, Sampling
from spokesmith.tasks import Message


class LocalBackend:
    """Answers with a base in this process and one of the sets of spokes beside it.

    Calls from several threads run as one batch.

    Args:
        base: the base, with its sets attached.
        spokes: the name of an attached set; None runs the bare base.
        num_slots: most answers at once.
    """

    def __init__(self, base: Base, *, spokes: str | None, num_slots: int = 1) -> None:
        self.base = base
        self.spokes = spokes
        self.engine = Engine(base, num_slots=num_slots)

    def complete(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any] | None = None,
        *,
        max_tokens: int = 1024,
        time_limit_s: float | None = None,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Completion:
        """Answer a chat; see `Engine.generate` for the arguments and errors."""
        shared, rest = self.base.chat.prompt_parts(messages)
        generation = self.engine.generate(
            shared + rest,
            num_shared=len(shared),
            spokes=self.spokes,
            max_tokens=max_tokens,
            schema=schema,
            sampling=Sampling(temperature=temperature, top_p=top_p, seed=seed),
            time_limit_s=time_limit_s,
        )
        text = self.base.tokenizer.decode(
            generation.tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return Completion(
            text=text,
            finish_reason=generation.finish_reason,
            usage=Usage(
                prompt_tokens=len(shared) + len(rest), completion_tokens=len(generation.tokens)
            ),
            timing=Timing(first_token_s=generation.first_token_s, total_s=generation.total_s),
        )
