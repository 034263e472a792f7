"""JSON Schemas and other grammars over a tokenizer's tokens, by llguidance.

White space is fixed to that of the canonical JSON, so that the grammar and the trained model agree
and no answer can run off into blanks.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer, TokenizerWrapper
from llguidance.gbnf_to_lark import gbnf_to_lark
from llguidance.hf import from_tokenizer
from numpy.typing import NDArray

from spokesmith.decoding.request import Constraint, ConstraintError
from spokesmith.tasks.canonical import in_grammar_form

# Kept are the last ones, so many, and no more than so many characters of them: a schema that is
# held to its text is large, and seldom asked for again.
MAX_COMPILED, MAX_COMPILED_CHARACTERS = 64, 1_000_000
MAX_GRAMMAR_CHARACTERS = 1_000_000


class Grammar:
    """The state of one answer in one grammar."""

    def __init__(self, matcher: LLMatcher, tokens: LLTokenizer, vocabulary: int) -> None:
        self._matcher = matcher
        self._tokens = tokens
        self._vocabulary = vocabulary

    @property
    def has_ended(self) -> bool:
        """Whether nothing can follow but the token that ends an answer."""
        return self._matcher.is_stopped()

    @property
    def may_end(self) -> bool:
        """Whether the answer may end here."""
        return self._matcher.is_accepting()

    def allowed(self) -> NDArray[np.bool_]:
        """Which tokens may follow, [V]; the one that ends the answer counts as one of them."""
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check()
        bits = np.unpackbits(packed, bitorder="little")[: self._vocabulary]
        allowed = np.zeros(self._vocabulary, dtype=np.bool_)
        allowed[: len(bits)] = bits
        return allowed

    def allows(self, token: int) -> bool:
        """Whether a token may follow, as `allowed` says it of all."""
        must = self.only_choice()
        allows = self._matcher.validate_tokens([token]) == 1 if must is None else token == must
        if not allows:
            self._check()
        return allows

    def forced(self) -> list[int]:
        """The tokens in which the text is usually written that must follow; often none.

        The same text may be written in other tokens too, and its last ones may be one with what
        comes after it.
        """
        text = self._matcher.compute_ff_bytes()
        return self._tokens.tokenize_bytes(text) if text else []

    def only_choice(self) -> int | None:
        """The token that must follow, if one must.

        A text that must follow is written in the tokens in which a tokenizer writes it: no other
        ones that spell the same may follow then.
        """
        forced = self._matcher.compute_ff_tokens()
        return forced[0] if forced else None

    def advance(self, tokens: Sequence[int]) -> int:
        """Go on by as many of the tokens as may follow; returns how many."""
        return self._matcher.try_consume_tokens(list(tokens))

    def go_back(self, num_tokens: int) -> None:
        """Undo the last tokens."""
        self._check()
        if num_tokens and not self._matcher.rollback(num_tokens):
            raise RuntimeError(f"the grammar cannot go back: {self._matcher.get_error()}")

    def accept(self, token: int) -> None:
        """Go on by one token that may follow."""
        if not self._matcher.consume_token(token):
            self._check()

    def _check(self) -> None:
        """Raises where the grammar has given up, for instance by its limits of work."""
        if self._matcher.is_error():
            reason = self._matcher.get_error().splitlines()[0]
            raise ConstraintError(f"the grammar takes too much work ({reason}): give a simpler one")

    def copy(self) -> "Grammar":
        return Grammar(self._matcher.deep_copy(), self._tokens, self._vocabulary)


class GrammarCompiler:
    """Compiles constraints for one tokenizer; keeps the last ones. Any thread may call it."""

    def __init__(self, tokenizer: Any, end_id: int, vocabulary: int) -> None:
        self._tokenizer = tokenizer
        self._end_id = end_id
        self._vocabulary = vocabulary
        self._wrapped: LLTokenizer | None = None
        self._compiled: OrderedDict[str, LLMatcher] = OrderedDict()
        self._lock = threading.Lock()

    def all_token_bytes(self) -> list[bytes]:
        """What every token stands for."""
        with self._lock:
            tokens = self._tokens()
            return [tokens.decode_bytes([token]) for token in range(self._vocabulary)]

    def start(self, constraint: Constraint) -> Grammar:
        """The grammar of a constraint at the start of an answer.

        Raises:
            ConstraintError: it has a part that cannot be enforced, or is too large.
        """
        try:
            key = json.dumps([constraint.kind, constraint.value], ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ConstraintError(f"the {constraint.kind} is no JSON value: {error}") from error
        if len(key) > MAX_GRAMMAR_CHARACTERS:
            raise ConstraintError(
                f"the {constraint.kind} has {len(key)} characters, the most is "
                f"{MAX_GRAMMAR_CHARACTERS}: give a smaller one"
            )
        with self._lock:
            tokens, matcher = self._tokens(), self._compiled.get(key)
        if matcher is None:
            # Outside of the lock, so that nobody waits for another's grammar.
            matcher = _compile(constraint, tokens)
        with self._lock:
            self._compiled[key] = matcher
            self._compiled.move_to_end(key)
            while len(self._compiled) > 1 and self._keeps_too_much():
                self._compiled.popitem(last=False)
            return Grammar(matcher.deep_copy(), tokens, self._vocabulary)

    def _keeps_too_much(self) -> bool:
        characters = sum(len(key) for key in self._compiled)
        return len(self._compiled) > MAX_COMPILED or characters > MAX_COMPILED_CHARACTERS

    def _tokens(self) -> LLTokenizer:
        if self._wrapped is None:
            self._wrapped = _wrapped(self._tokenizer, self._end_id, self._vocabulary)
        return self._wrapped


def tokens_by_bytes(pieces: Sequence[bytes]) -> dict[bytes, int]:
    """The first token that stands for some bytes.

    Args:
        pieces: the bytes of every token.
    """
    found: dict[bytes, int] = {}
    for token, piece in enumerate(pieces):
        found.setdefault(piece, token)
    return found


def _wrapped(tokenizer: Any, end_id: int, vocabulary: int) -> LLTokenizer:
    """A tokenizer as the library takes it.

    The library takes every added token that looks like a mark for a control token, which no text
    may hold; some are texts, such as Qwen's `<tool_call>`.
    """
    found = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=end_id)
    control = {token for token in range(vocabulary) if found.is_special_token(token)}
    added = tokenizer.added_tokens_decoder.items()
    ends = {end_id, tokenizer.eos_token_id}
    texts = control & {token for token, one in added if not one.special} - ends
    return LLTokenizer(TokenizerWrapper(_Spoken(found, control - texts))) if texts else found


class _Spoken:
    """A tokenizer whose control tokens are told, in the form that the library asks for."""

    bos_token_id = None

    def __init__(self, tokens: LLTokenizer, control: Collection[int]) -> None:
        self.eos_token_id = tokens.eos_token
        self.tokens = [tokens.decode_bytes([token]) for token in range(tokens.vocab_size)]
        self.special_token_ids = sorted(control)
        self._tokens = tokens

    def __call__(self, text: bytes) -> list[int]:
        return self._tokens.tokenize_bytes(text)


def _compile(constraint: Constraint, tokens: LLTokenizer) -> LLMatcher:
    try:
        grammar = _as_grammar(constraint)
    # The converters raise bare exceptions too.
    except Exception as error:
        raise ConstraintError(f"the {constraint.kind} cannot be read ({error}): mend it") from error
    matcher = LLMatcher(tokens, grammar, log_level=0, limits=LLParserLimits())
    if matcher.is_error():
        reason = matcher.get_error().splitlines()[0]
        raise ConstraintError(
            f"the {constraint.kind} cannot be enforced ({reason}): change that part of it"
        )
    return matcher


def _as_grammar(constraint: Constraint) -> str:
    match constraint.kind:
        case "schema":
            return LLMatcher.grammar_from_json_schema(in_grammar_form(constraint.value))
        case "json":
            return LLMatcher.grammar_from_json_schema(in_grammar_form({"type": "object"}))
        case "regex":
            return LLMatcher.grammar_from_regex(constraint.value)
        case "gbnf":
            return LLMatcher.grammar_from_lark(gbnf_to_lark(constraint.value))
        case "lark":
            return LLMatcher.grammar_from_lark(constraint.value)
