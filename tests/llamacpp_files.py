"""A tiny random base as a GGUF file, so that llama.cpp runs the same model as the local engine."""

from pathlib import Path

import gguf

from spokesmith.bases import Base, make_base
from spokesmith.testing import byte_tokenizer, tiny_base
from spokesmith.testing.gguf_files import write_gguf


def tiny_chat_base() -> Base:
    """A tiny llama base with SmolLM2's marks of turns.

    Those of the byte tokenizer are another family's: by their names llama.cpp takes them for texts.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    base, known = tiny_base(), byte_tokenizer()

    def renamed(text: str) -> str:
        return text.replace("<|start|>", "<|im_start|>").replace("<|end|>", "<|im_end|>")

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(renamed(known.backend_tokenizer.to_str())),
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        unk_token=known.unk_token,
        pad_token="<|im_end|>",
        chat_template=renamed(known.chat_template),
    )
    return make_base(base.name, base.model, tokenizer, base.family, has_random_weights=True)


def write_tiny_gguf(base: Base, path: Path, *, name: str = "Tiny", **own_keys: str) -> Path:
    """Write a tiny base in float32, with keys of our own."""

    def add(writer: gguf.GGUFWriter) -> None:
        for key, value in own_keys.items():
            writer.add_string(f"spokesmith.{key}", value)

    return write_gguf(path, base, name=name, add=add)
