"""One answer at a time, by transformers' `generate`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList
from transformers.generation.streamers import BaseStreamer

from spokesmith.bases import Base
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.spokes import using


@dataclass(frozen=True, kw_only=True)
class Generation:
    """The tokens of an answer, without the one that ends it.

    `finish_reason` is `stop` where the answer ended by itself, `length` where it was cut.
    """

    tokens: list[int]
    finish_reason: str
    first_token_s: float
    total_s: float


class _FirstToken(BaseStreamer):
    """Notes when the first token of an answer came."""

    def __init__(self) -> None:
        self.calls = 0
        self.at = 0.0

    def put(self, value: torch.Tensor) -> None:
        # The first call brings the prompt.
        self.calls += 1
        if self.calls == 2:
            self.at = time.monotonic()

    def end(self) -> None: ...


class Engine:
    """Generates with one base and the sets of spokes beside it."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.grammars = GrammarCompiler(
            base.tokenizer, base.chat.end_id, base.model.get_output_embeddings().weight.shape[0]
        )

    def generate(
        self,
        prompt_ids: Sequence[int],
        *,
        spokes: str | None,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Generation:
        """Continue a prompt.

        Args:
            prompt_ids: the prompt.
            spokes: name of an attached set; None runs the bare base.
            max_tokens: most tokens of the answer; the base's context may allow fewer.
            schema: whose grammar the answer keeps to; None decodes freely.
            temperature: 0 takes the most likely token.
            top_p: share of the probability that sampling draws from.
            seed: of the draws; the same seed gives the same answer.

        Raises:
            ValueError: the prompt fills the context, or the schema cannot be enforced.
        """
        context = self.base.config.max_position_embeddings
        if len(prompt_ids) >= context:
            raise ValueError(
                f"the prompt has {len(prompt_ids)} tokens, the base's context is {context}: "
                "shorten the text"
            )
        processors = LogitsProcessorList()
        if schema is not None:
            processors.append(self.grammars.start(schema, prompt_length=len(prompt_ids)))
        settings = GenerationConfig(
            max_new_tokens=min(max_tokens, context - len(prompt_ids)),
            do_sample=temperature > 0,
            temperature=temperature if temperature > 0 else None,
            top_p=top_p if temperature > 0 else None,
            top_k=0 if temperature > 0 else None,
            eos_token_id=list(self.base.chat.stop_ids),
            pad_token_id=self.base.chat.end_id,
        )
        input_ids = torch.tensor([list(prompt_ids)], device=self.base.device)
        first_token = _FirstToken()
        torch.manual_seed(seed)
        start = time.monotonic()
        with torch.inference_mode(), using(self.base.model, spokes):
            output = self.base.model.generate(
                input_ids,
                attention_mask=torch.ones_like(input_ids),
                generation_config=settings,
                logits_processor=processors,
                streamer=first_token,
            )
        total_s = time.monotonic() - start
        tokens = output[0, len(prompt_ids) :].tolist()
        ended = bool(tokens) and tokens[-1] in self.base.chat.stop_ids
        return Generation(
            tokens=tokens[:-1] if ended else tokens,
            finish_reason="stop" if ended else "length",
            first_token_s=first_token.at - start,
            total_s=total_s,
        )
