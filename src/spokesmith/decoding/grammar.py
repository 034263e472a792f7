"""JSON Schemas as grammars over a tokenizer's tokens, by llguidance.

White space is fixed to that of the canonical JSON, so that the grammar and the trained model agree
and no answer can run off into blanks.
"""

import json
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from numpy.typing import NDArray

from spokesmith.tasks.canonical import ITEM_SEPARATOR, KEY_SEPARATOR


class Grammar:
    """The state of one answer in one grammar."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary

    def allowed(self) -> NDArray[np.bool_]:
        """Which tokens may follow, [V]; the one that ends the answer counts as one of them."""
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        bits = np.unpackbits(packed, bitorder="little")[: self._vocabulary]
        allowed = np.zeros(self._vocabulary, dtype=np.bool_)
        allowed[: len(bits)] = bits
        return allowed

    def accept(self, token: int) -> None:
        """Go on by one token."""
        if not self._matcher.consume_token(token):
            raise RuntimeError(f"the grammar refused a token: {self._matcher.get_error()}")


class GrammarCompiler:
    """Compiles schemas for one tokenizer; each schema once."""

    def __init__(self, tokenizer: Any, end_id: int, vocabulary: int) -> None:
        self._tokenizer = tokenizer
        self._end_id = end_id
        self._vocabulary = vocabulary
        self._wrapped: LLTokenizer | None = None
        self._compiled: dict[str, LLMatcher] = {}

    def start(self, schema: dict[str, Any]) -> Grammar:
        """The grammar of `schema` at the start of an answer.

        Raises:
            ValueError: the schema has a part that cannot be enforced.
        """
        key = json.dumps(schema)
        if key not in self._compiled:
            self._compiled[key] = self._compile(schema)
        return Grammar(self._compiled[key].deep_copy(), self._vocabulary)

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
