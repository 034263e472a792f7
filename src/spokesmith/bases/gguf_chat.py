"""The turn format of a GGUF file: its own tokenizer and chat template, without its weights."""

from spokesmith.bases.base import chat_of
from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.families import family_of_gguf
from spokesmith.bases.gguf_header import Header
from spokesmith.bases.gguf_tokenizer import read_gguf_tokenizer


def read_gguf_chat(header: Header, *, tokenizer: str | None = None) -> ChatFormat:
    """The turn format, as the base that the file was made of has it.

    Args:
        header: of the file.
        tokenizer: a Hugging Face folder or id to take the tokenizer and the template from, for
            files whose own cannot be read.

    Raises:
        ValueError: there is no tokenizer to be read, or it lacks a chat template or an end token.
    """
    from transformers import AutoTokenizer

    try:
        if tokenizer is not None:
            found = AutoTokenizer.from_pretrained(tokenizer)
        else:
            found = read_gguf_tokenizer(header)
    # The file is somebody else's, and the library that tokenizers are built with raises bare
    # exceptions where tokens and pairs do not fit together.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"cannot read the tokenizer of {tokenizer or header.path} ({reason}): give a Hugging "
            "Face folder that has it, --tokenizer FOLDER"
        ) from error
    family = family_of_gguf(header.value("general.architecture"))
    return ChatFormat(found) if family is None else chat_of(found, family)
