"""JSON Schemas as grammars over a tokenizer's tokens, by llguidance.

White space is fixed to that of the canonical JSON, so that the grammar and the trained model agree
and no answer can run off into blanks.
"""

import json
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from torch import Tensor
from transformers import LogitsProcessor

from spokesmith.tasks.canonical import ITEM_SEPARATOR, KEY_SEPARATOR


class Grammar(LogitsProcessor):
    """The state of one answer in one grammar, as a logits processor of `generate`.

    Serves a single sequence: make one an answer.
    """

    def __init__(self, matcher: LLMatcher, prompt_length: int) -> None:
        self.matcher = matcher
        self.consumed = prompt_length

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Forbid every token that cannot follow. `input_ids` [1, T], `scores` [1, V]."""
        assert len(input_ids) == 1, "a grammar follows one sequence"
        for token in input_ids[0, self.consumed :].tolist():
            if not self.matcher.consume_token(token):
                raise RuntimeError(f"the grammar refused a token: {self.matcher.get_error()}")
        self.consumed = input_ids.shape[1]
        packed = np.frombuffer(self.matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.zeros(scores.shape[1], dtype=bool)
        bits = np.unpackbits(packed, bitorder="little")[: scores.shape[1]]
        allowed[: len(bits)] = bits
        mask = torch.from_numpy(allowed).to(scores.device)
        return scores.masked_fill(~mask, -torch.inf)


class GrammarCompiler:
    """Compiles schemas for one tokenizer; each schema once."""

    def __init__(self, tokenizer: Any, end_id: int, vocabulary: int) -> None:
        self._tokenizer = tokenizer
        self._end_id = end_id
        self._vocabulary = vocabulary
        self._wrapped: LLTokenizer | None = None
        self._compiled: dict[str, LLMatcher] = {}

    def start(self, schema: dict[str, Any], *, prompt_length: int) -> Grammar:
        """The grammar of `schema` at the start of an answer.

        Raises:
            ValueError: the schema has a part that cannot be enforced.
        """
        key = json.dumps(schema)
        if key not in self._compiled:
            self._compiled[key] = self._compile(schema)
        return Grammar(self._compiled[key].deep_copy(), prompt_length)

    def _compile(self, schema: dict[str, Any]) -> LLMatcher:
        if self._wrapped is None:
            self._wrapped = from_tokenizer(
                self._tokenizer, n_vocab=self._vocabulary, eos_token=self._end_id
            )
        grammar = LLMatcher.grammar_from_json_schema(
            schema,
            overrides={
                "whitespace_flexible": False,
                "item_separator": ITEM_SEPARATOR,
                "key_separator": KEY_SEPARATOR,
            },
        )
        matcher = LLMatcher(self._wrapped, grammar, log_level=0)
        if matcher.is_error():
            reason = matcher.get_error().splitlines()[0]
            raise ValueError(f"the schema cannot be enforced ({reason}): change that part of it")
        return matcher
