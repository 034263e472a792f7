"""Texts to go on from: the start token where bases want one, and texts that can never fit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spokesmith.backends import LocalBackend
from spokesmith.backends.chats import ChatBackend
from spokesmith.backends.llamacpp import LlamaCppBackend, LlamaCppOptions
from spokesmith.backends.request import ContextError, Request
from spokesmith.bases import Base
from spokesmith.bases.base import chat_of
from spokesmith.testing import tiny_base
from spokesmith.testing.gguf_files import write_gguf

START = "<|start|>"
LONG = "a" * 100_000


def starts_texts(backend: ChatBackend) -> bool:
    """Whether the start token stands before texts; never twice, and before nothing else."""
    start = backend.chat.tokenizer.bos_token_id
    plain = backend.tokenize("ab")
    found = backend.prompt_ids(Request(prompt="ab"))
    assert found in (plain, [start, *plain])
    assert backend.tokenize("ab", add_special=True) == found
    assert backend.prompt_ids(Request(prompt=f"{START}ab")) == [start, *plain]
    assert backend.prompt_ids(Request(prompt=plain)) == plain
    messages: Any = [{"role": "user", "content": "ab"}]
    assert backend.prompt_ids(Request(messages=messages)).count(start) == 2
    return found != plain


@pytest.mark.parametrize(
    ("model_type", "is_started"),
    [("llama", False), ("qwen3", False), ("gemma3_text", True), ("gemma4_text", True)],
)
def test_texts_of_some_families_begin_with_the_start_token(
    model_type: str, is_started: bool
) -> None:
    backend = LocalBackend(tiny_base(model_type), spokes=None)
    assert starts_texts(backend) == is_started
    asked = backend.start(Request(prompt="ab", max_tokens=1)).result(30)
    assert asked.usage.prompt_tokens == 2 + is_started
    backend.close()


def adding_start(base: Base) -> Base:
    """The base with a tokenizer that puts the start token before texts by itself."""
    base.tokenizer.add_bos_token = True
    return replace(base, chat=chat_of(base.tokenizer, base.family))


def test_the_tokenizer_s_word_counts_for_other_families() -> None:
    backend = LocalBackend(adding_start(tiny_base()), spokes=None)
    assert starts_texts(backend)
    backend.close()


@pytest.mark.parametrize(("model_type", "is_started"), [("llama", False), ("gemma3_text", True)])
def test_llamacpp_gets_the_same_texts(model_type: str, is_started: bool, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp, the extra llamacpp, is not installed")
    base = tiny_base(model_type)
    path = write_gguf(tmp_path / "tiny.gguf", base)
    options = LlamaCppOptions(num_slots=1, threads=1, context=512)
    backend = LlamaCppBackend(path, base.chat, options=options)
    assert starts_texts(backend) == is_started
    asked = backend.start(Request(prompt="ab", max_tokens=1)).result(30)
    assert asked.usage.prompt_tokens == 2 + is_started
    backend.close()


@pytest.mark.parametrize(
    "given",
    [
        {"prompt": LONG},
        {"messages": [{"role": "user", "content": LONG}]},
        {"messages": [{"role": "user", "content": LONG[:30_000]}] * 3},
    ],
    ids=["text", "message", "messages"],
)
def test_a_text_that_can_never_fit_is_not_cut_into_tokens(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = LocalBackend(tiny_base(), spokes=None)

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("it was cut into tokens")

    monkeypatch.setattr(backend.chat, "text_ids", fail)
    words = r"the prompt has at least \d+ tokens, the context is 4096: shorten the text"
    with pytest.raises(ContextError, match=words):
        backend.start(Request(**given))
    backend.close()


def test_as_many_letters_as_the_longest_tokens_have_are_looked_at() -> None:
    backend = LocalBackend(tiny_base(), spokes=None)
    unknown = backend.chat.tokenizer.unk_token
    longest = max(backend.chat.tokenizer.get_vocab(), key=len)
    assert longest == unknown
    fits = Request(prompt=unknown * 4000, max_tokens=1)
    assert backend.start(fits).result(60).usage.prompt_tokens == 4000
    backend.close()
