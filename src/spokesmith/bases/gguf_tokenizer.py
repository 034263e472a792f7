"""The tokenizer of a GGUF file, from its tokens and the rules by which letters become tokens.

Three kinds of rules are known, those of our families. "gpt2" joins bytes within words, and the file
names how texts are cut into words; "gemma4" joins the characters of whole texts. Both list pairs to
be joined, the first ones first. "llama" joins characters too, and those neighbours first whose
joint token has the highest score. The library's own reader is not used: what it makes of a file
depends on its version, and it believes every count in the file.
"""

import re
from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE

from spokesmith.bases.gguf_header import Header

KEYS = "tokenizer.ggml"
# What tokens are for, as files number it.
UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
# What stands for a blank in tokens that are made of characters.
BLANK = "\u2581"
# Where a file does not say it, llama.cpp puts the start token before prompts for these tokenizers,
# and for "gpt2" where its pre-tokenizer is one of the latter.
STARTING_MODELS = ("llama", "gemma4")
STARTING_PRES = (
    *("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"),
    *("jina-v5-nano", "tekken", "chameleon"),
)
# Files of Gemma 4 say that texts may hold these, so that engines show them in answers.
GEMMA4_MARKS = re.compile(r"<\|.*>|<.*\|>")
# No token of a vocabulary is longer; where pairs are not listed, every cut of a token is looked at.
MAX_TOKEN_CHARACTERS = 512


def _words(letter: str, number: str) -> str:
    """A rule of how texts are cut into words."""
    return (
        rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?[{letter}]+|{number}"
        rf"| ?[^\s{letter}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


LLAMA3, QWEN = ("llama3", "llama-v3", "llama-bpe"), ("qwen2", "qwen35")
WORDS = {
    **dict.fromkeys(LLAMA3, _words(r"\p{L}", r"\p{N}{1,3}")),
    "qwen2": _words(r"\p{L}", r"\p{N}"),
    "qwen35": _words(r"\p{L}\p{M}", r"\p{N}"),
}


def read_gguf_tokenizer(header: Header) -> Any:
    """The tokenizer of a file, with its chat template.

    What else a damaged file does to the libraries comes out as they raise it.

    Raises:
        ValueError: the file's tokenizer is of no known kind, or its parts do not fit together.
    """
    from transformers import PreTrainedTokenizerFast

    tokens = header.texts(f"{KEYS}.tokens")
    kind = header.value(f"{KEYS}.model")
    if kind == "gpt2":
        tokenizer = _of_bytes(tokens, _listed_pairs(header), header.value(f"{KEYS}.pre"))
    elif kind == "gemma4":
        tokenizer = _of_characters(tokens, _listed_pairs(header), begins_blank=False)
    elif kind == "llama":
        pairs = _pairs_by_score(tokens, header.value(f"{KEYS}.scores"))
        tokenizer = _of_characters(tokens, pairs, begins_blank=begins_blank(header))
    else:
        raise ValueError(f"tokenizers of the kind {kind!r} are not known")
    kinds = header.integers(f"{KEYS}.token_type")
    if len(kinds) != len(tokens):
        raise ValueError(f"it has {len(tokens)} tokens, and {len(kinds)} of them have a type")
    marks = GEMMA4_MARKS if kind == "gemma4" else None
    tokenizer.add_tokens(_never_cut(tokens, kinds, marks))
    template = header.value("tokenizer.chat_template")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=template if isinstance(template, str) else None,
        add_bos_token=adds_start(header),
        bos_token=named_token(header, tokens, "bos"),
        eos_token=named_token(header, tokens, "eos"),
        unk_token=named_token(header, tokens, "unknown"),
        pad_token=named_token(header, tokens, "padding"),
    )


def adds_start(header: Header) -> bool:
    """Whether llama.cpp puts the start token before a text by itself."""
    chosen = header.value(f"{KEYS}.add_bos_token")
    if chosen is not None:
        return bool(chosen)
    model, pre = (header.value(f"{KEYS}.{key}") for key in ("model", "pre"))
    return model in STARTING_MODELS or (model == "gpt2" and pre in STARTING_PRES)


def begins_blank(header: Header) -> bool:
    """Whether llama.cpp puts a blank before a text, and takes it off where tokens become one."""
    chosen = header.value(f"{KEYS}.add_space_prefix")
    return header.value(f"{KEYS}.model") == "llama" if chosen is None else bool(chosen)


def _of_bytes(tokens: Sequence[str], pairs: list[tuple[str, str]], pre: object) -> Tokenizer:
    """Tokens of bytes, each of which is written as a letter; `pre` names the rule of words."""
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if pre in WORDS:
        words = pre_tokenizers.Split(Regex(WORDS[str(pre)]), "isolated")
        plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        steps = [words, plain]
    elif pre == "smollm":
        steps = [pre_tokenizers.Digits(individual_digits=True), by_bytes]
    elif pre == "gpt-2":
        steps = [by_bytes]
    else:
        raise ValueError(f"its rule {pre!r} of how texts are cut into words is not known")
    # Where a word is a token, Llama 3 takes it even if no joining of pairs leads there.
    tokenizer = Tokenizer(BPE(_ids(tokens), pairs, ignore_merges=pre in LLAMA3))
    if pre in QWEN:
        # The file does not say so, but such bases were trained on composed letters.
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _of_characters(
    tokens: Sequence[str], pairs: list[tuple[str, str]], *, begins_blank: bool
) -> Tokenizer:
    """Tokens of characters; one that is no token becomes those of its bytes."""
    tokenizer = Tokenizer(BPE(_ids(tokens), pairs, byte_fallback=True))
    blanks = normalizers.Replace(" ", BLANK)
    steps = [decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse()]
    if begins_blank:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(BLANK), blanks])
        steps.append(decoders.Strip(" ", 1, 0))
    else:
        tokenizer.normalizer = blanks
    tokenizer.decoder = decoders.Sequence(steps)
    return tokenizer


def _ids(tokens: Sequence[str]) -> dict[str, int]:
    return {token: index for index, token in enumerate(tokens)}


def _listed_pairs(header: Header) -> list[tuple[str, str]]:
    parts = [pair.partition(" ") for pair in header.texts(f"{KEYS}.merges")]
    return [(first, second) for first, _, second in parts]


def _pairs_by_score(tokens: Sequence[str], scores: object) -> list[tuple[str, str]]:
    """All pairs of tokens that make up a token, those of the highest score first."""
    longest = max(map(len, tokens), default=0)
    if longest > MAX_TOKEN_CHARACTERS:
        raise ValueError(f"a token has {longest} characters, at most {MAX_TOKEN_CHARACTERS} may be")
    if not isinstance(scores, list) or len(scores) != len(tokens):
        raise ValueError("it has no score for each of its tokens")
    known = set(tokens)
    found: list[tuple[float, str, str]] = []
    for token, score in zip(tokens, scores, strict=True):
        for place in range(1, len(token)):
            first, second = token[:place], token[place:]
            if first in known and second in known:
                found.append((score, first, second))
    found.sort(key=lambda one: one[0], reverse=True)
    return [(first, second) for _, first, second in found]


def _never_cut(
    tokens: Sequence[str], kinds: Sequence[int], marks: re.Pattern[str] | None
) -> list[AddedToken]:
    """Tokens that are found in texts before anything else: those that a text may hold, and those
    that only the template around it may. `marks` are of the latter whatever the file says."""

    def may_be_text(token: str, kind: int) -> bool:
        return kind == USER_DEFINED and (marks is None or marks.fullmatch(token) is None)

    return [
        AddedToken(token, normalized=False, special=not may_be_text(token, kind))
        for token, kind in zip(tokens, kinds, strict=True)
        if kind in (UNKNOWN, CONTROL, USER_DEFINED)
    ]


def named_token(header: Header, tokens: Sequence[str], name: str) -> str | None:
    """The token that a file names for a purpose: bos, eos, unknown or padding.

    Args:
        header: of the file.
        tokens: all of its tokens.
        name: of the purpose.

    Raises:
        ValueError: there is no token of that number.
    """
    key = f"{KEYS}.{name}_token_id"
    index = header.integer(key)
    if index is None:
        return None
    if not 0 <= index < len(tokens):
        raise ValueError(f"{key} is {index}, and there are {len(tokens)} tokens")
    return tokens[index]
