"""Tokenizers out of GGUF files, written as the real files of each family have them: what is read is
what the base's own tokenizer does, and what llama.cpp makes of the file."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gguf
import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from spokesmith.backends.llamacpp import LlamaCppBackend, LlamaCppOptions
from spokesmith.backends.request import ConstraintError, Request
from spokesmith.bases.base import chat_of
from spokesmith.bases.families import Family, family_of
from spokesmith.bases.gguf_chat import read_gguf_chat
from spokesmith.bases.gguf_header import MAX_STRING_BYTES
from spokesmith.bases.gguf_reader import read_header
from spokesmith.bases.gguf_tokenizer import (
    CONTROL,
    MAX_TOKEN_CHARACTERS,
    USER_DEFINED,
    begins_blank,
)
from spokesmith.decoding.request import Constraint
from spokesmith.metrics import check
from spokesmith.testing import tiny_base
from spokesmith.testing.gguf_files import write_gguf

CORPUS = """The pump at gate 4711 stopped at 02:30, and Marta moved the backup job to Friday.

Der Zug nach Köln fährt um 14:05 ab; die Fahrt dauert 3 Stunden, sagt Marta.
def total(items):
    return sum(items)  # it's all of them

It was moved, and moved again: the gate, the job, the backup of the pump.
"""
WHOLE = "<think>"
NORMAL, BYTE = 1, 6


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A tokenizer as a file says it; what a file lacks is None."""

    model_type: str
    kind: str
    tokens: Sequence[str]
    types: Sequence[int]
    template: str
    end: int
    pre: str | None = None
    pairs: Sequence[tuple[str, str]] | None = None
    scores: Sequence[float] | None = None
    begins_blank: bool | None = None
    adds_start: bool = False

    def add(self, writer: gguf.GGUFWriter) -> None:
        writer.add_tokenizer_model(self.kind)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        if self.pre is not None:
            writer.add_tokenizer_pre(self.pre)
        if self.pairs is not None:
            writer.add_token_merges([" ".join(pair) for pair in self.pairs])
        if self.scores is not None:
            writer.add_token_scores(self.scores)
        if self.begins_blank is not None:
            writer.add_add_space_prefix(self.begins_blank)
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(self.end)
        writer.add_add_bos_token(self.adds_start)
        writer.add_chat_template(self.template)

    def write(self, path: Path, schema: Any = None) -> Path:
        """A whole file, which llama.cpp loads, with a task where there is a schema."""

        def add(writer: gguf.GGUFWriter) -> None:
            if schema is not None:
                task = {"task": "letter", "prompt": "Who?", "schema": json.dumps(schema)}
                for key, value in task.items():
                    writer.add_string(f"spokesmith.{key}", value)

        size = len(self.tokens)
        sizes = {"vocab_size": size}
        if self.family.per_layer_table is not None:
            sizes["vocab_size_per_layer_input"] = size
        base = tiny_base(self.model_type, **sizes)  # pyright: ignore[reportArgumentType]
        return write_gguf(path, base, add=add, add_tokenizer=self.add)

    def write_alone(self, path: Path) -> Path:
        """A file of nothing but the tokenizer."""
        writer = gguf.GGUFWriter(path, self.family.gguf_architecture)
        self.add(writer)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        return path

    @property
    def family(self) -> Family:
        return family_of(self.model_type)

    def ids(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}


def trained(
    words: pre_tokenizers.PreTokenizer, size: int, alphabet: Sequence[str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Tokens in the order in which they were made, and the pairs that make them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = words
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=list(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator([CORPUS], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    found: dict[str, int] = model["vocab"]
    return sorted(found, key=found.__getitem__), [(one, two) for one, two in model["merges"]]


def template(start: str, end: str, before: str = "") -> str:
    return (
        f"{before}{{% for turn in messages %}}{start}{{{{ turn.role }}}}\n{{{{ turn.content }}}}"
        f"{end}\n{{% endfor %}}{{% if add_generation_prompt %}}{start}model\n{{% endif %}}"
    )


def of_bytes(model_type: str, pre: str) -> Vocabulary:
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found, pairs = trained(words, 400, pre_tokenizers.ByteLevel.alphabet())
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = [*control, WHOLE, *found]
    return Vocabulary(
        model_type=model_type,
        kind="gpt2",
        pre=pre,
        tokens=tokens,
        types=[CONTROL] * 3 + [USER_DEFINED] + [NORMAL] * len(found),
        pairs=pairs,
        template=template("<|im_start|>", "<|im_end|>"),
        end=2,
    )


def of_characters(model_type: str, kind: str, start: str, end: str) -> Vocabulary:
    lines = pre_tokenizers.Split(Regex(r"\n+"), "isolated")
    blanks = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never")
    found, pairs = trained(pre_tokenizers.Sequence([lines, blanks]), 220, [])
    control = ["<bos>", "<eos>", "<pad>", "<unk>", "<mask>", start, end]
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    tokens = [*control, WHOLE, *bytes_, *found]
    types = [CONTROL] * 7 + [USER_DEFINED] + [BYTE] * 256 + [NORMAL] * len(found)
    return Vocabulary(
        model_type=model_type,
        kind=kind,
        tokens=tokens,
        types=types,
        scores=[0.0] * (len(tokens) - len(found)) + [-float(i) for i in range(len(found))],
        pairs=pairs if kind == "gemma4" else None,
        begins_blank=False,
        template=template(start, end, "{{ bos_token }}"),
        end=1,
    )


VOCABULARIES = {
    "SmolLM2": of_bytes("llama", "smollm"),
    "Llama 3": of_bytes("llama", "llama-bpe"),
    "Llama 2": replace(
        of_characters("llama", "llama", "<|im_start|>", "<|im_end|>"), begins_blank=True
    ),
    "Gemma 3": of_characters("gemma3_text", "llama", "<start_of_turn>", "<end_of_turn>"),
    "Gemma 4": of_characters("gemma4_text", "gemma4", "<|turn>", "<turn|>"),
    "Qwen 3": of_bytes("qwen3", "qwen2"),
    "Qwen 3.5": of_bytes("qwen3_5_text", "qwen35"),
}


# How the library's own tokenizer class of a family cuts texts.
IN_THE_LIBRARY = ("SmolLM2", "Gemma 3", "Gemma 4", "Qwen 3", "Qwen 3.5")
TEXTS = [
    "Marta moved the pump to gate 4711 at 02:30.",
    "Köln, naïve café, 日本語 🙂",
    "  two blanks, a\ttab\n\nand    four\n",
    f"a text that says {WHOLE} and <|im_end|>, <turn|>, <end_of_turn> or <0x41>",
    "it's all of them, and it WAS'T",
    " ",
    "",
]


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"who": {"type": "string", "maxLength": 5}, "how": {"enum": ["naïve", "a b"]}},
    "required": ["who", "how"],
    "additionalProperties": False,
}


def of_the_library(name: str, made: Vocabulary) -> Any:
    """The tokenizer that the library has for such bases."""
    from transformers import (
        GemmaTokenizer,
        PreTrainedTokenizerFast,
        Qwen2Tokenizer,
        Qwen3_5Tokenizer,
    )
    from transformers.tokenization_utils_base import generate_merges

    kinds = zip(made.tokens, made.types, strict=True)
    control = [token for token, kind in kinds if kind == CONTROL]
    given: dict[str, Any] = {"eos_token": made.tokens[made.end], "extra_special_tokens": control}
    pairs = list(made.pairs or generate_merges(made.ids(), None))
    if name == "SmolLM2":
        whole = Tokenizer(models.BPE(made.ids(), pairs))
        digits = pre_tokenizers.Digits(individual_digits=True)
        words = pre_tokenizers.ByteLevel(add_prefix_space=False)
        whole.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
        whole.decoder = decoders.ByteLevel()
        found: Any = PreTrainedTokenizerFast(tokenizer_object=whole, **given)
    else:
        classes = {"Qwen 3": Qwen2Tokenizer, "Qwen 3.5": Qwen3_5Tokenizer}
        found = classes.get(name, GemmaTokenizer)(vocab=made.ids(), merges=pairs, **given)
    found.add_tokens([AddedToken(WHOLE, normalized=False)])
    found.chat_template = made.template
    return found


def chat(text: str) -> list[Any]:
    return [{"role": "system", "content": "Answer."}, {"role": "user", "content": text}]


@contextmanager
def opened(path: Path) -> Iterator[LlamaCppBackend]:
    """A file in llama.cpp, by the file's own tokenizer."""
    pytest.importorskip("xllamacpp", reason="xllamacpp, the extra llamacpp, is not installed")
    options = LlamaCppOptions(num_slots=1, threads=1, context=512)
    backend = LlamaCppBackend(path, read_gguf_chat(read_header(path)), options=options)
    yield backend
    backend.close()


@pytest.mark.parametrize("name", IN_THE_LIBRARY)
def test_a_files_tokenizer_is_that_of_its_base(name: str, tmp_path: Path) -> None:
    made = VOCABULARIES[name]
    path = made.write_alone(tmp_path / "a.gguf")
    found = read_gguf_chat(read_header(path))
    wanted = chat_of(of_the_library(name, made), made.family)
    assert found.stop_ids == wanted.stop_ids
    # A letter and its mark apart too, which some bases want joined.
    for text in [*TEXTS, "cafe\u0301"]:
        assert found.prompt_ids(chat(text)) == wanted.prompt_ids(chat(text))
    for text in TEXTS:
        for control_tokens in (True, False):
            ids = found.text_ids(text, control_tokens=control_tokens)
            assert ids == wanted.text_ids(text, control_tokens=control_tokens)
            assert found.tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


@pytest.mark.parametrize("name", VOCABULARIES)
def test_llamacpp_cuts_texts_as_the_files_tokenizer(name: str, tmp_path: Path) -> None:
    made = VOCABULARIES[name]
    start, _, end = made.template.partition("{{ turn.role }}")[0].rpartition("%}")
    with opened(made.write(tmp_path / "a.gguf")) as backend:
        for text in [*TEXTS, f"a{end}system\nb{made.tokens[made.end]}\n", start]:
            for control_tokens in (True, False):
                wanted = backend.engine.tokenize(text, control_tokens=control_tokens)
                found = backend.chat.text_ids(text, control_tokens=control_tokens)
                assert found == wanted, text


def test_marks_of_gemma_4_are_no_tokens_of_texts(tmp_path: Path) -> None:
    """Files say that texts may hold them; llama.cpp itself then finds them in any text."""
    plain, marks = VOCABULARIES["Gemma 4"], ["<|channel>", "<channel|>", '<|"|>']
    tokens, types = [*plain.tokens, *marks], [*plain.types, *[USER_DEFINED] * len(marks)]
    made = replace(plain, tokens=tokens, types=types, scores=None)
    found = read_gguf_chat(read_header(made.write_alone(tmp_path / "a.gguf")))
    numbers, text = set(range(len(plain.tokens), len(made.tokens))), "".join(marks)
    as_text = found.text_ids(text, control_tokens=False)
    assert not numbers & set(as_text)
    assert found.tokenizer.decode(as_text, clean_up_tokenization_spaces=False) == text
    assert set(found.text_ids(text, control_tokens=True)) == numbers
    assert found.text_ids(WHOLE, control_tokens=False) == [made.ids()[WHOLE]]


@pytest.mark.parametrize(
    ("name", "adds_start", "is_started"),
    [
        ("Llama 3", False, False),
        ("Llama 3", True, True),
        ("Qwen 3", False, False),
        ("Gemma 3", False, True),
        ("Gemma 4", False, True),
    ],
)
def test_texts_begin_with_the_start_token_where_the_file_or_its_family_says_so(
    name: str, adds_start: bool, is_started: bool, tmp_path: Path
) -> None:
    path = changed(name, adds_start=adds_start).write_alone(tmp_path / "a.gguf")
    assert read_gguf_chat(read_header(path)).start_id == (0 if is_started else None)


# In a process each: llama.cpp's grammars may keep the tokens of a file that was open before.
@pytest.mark.parametrize("name", ["Gemma 3", "Gemma 4", "Qwen 3.5"])
def test_a_text_is_encoded_by_a_file_alone(name: str, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp, the extra llamacpp, is not installed")
    path = VOCABULARIES[name].write(tmp_path / "a.gguf", SCHEMA)
    command = [sys.executable, "-m", "spokesmith", "encode", "Who?", "--engine", "llama.cpp"]
    settings = ["--engine-option", "threads=1", "--engine-option", "context=512"]
    done = subprocess.run(
        [*command, "--model", path, *settings], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert check(done.stdout, SCHEMA).valid


def test_a_file_whose_tokens_lose_their_blanks_is_refused_a_schema(tmp_path: Path) -> None:
    with opened(VOCABULARIES["Llama 2"].write(tmp_path / "a.gguf")) as backend:
        with pytest.raises(ConstraintError, match=r"a\.gguf to a schema: .*add_space_prefix"):
            backend.complete(chat("Who?"), SCHEMA)
        held = Constraint(kind="gbnf", value='root ::= "a b"')
        answer = backend.start(Request(messages=chat("Who?"), constraint=held)).result()
        assert answer.text == "a b"


@pytest.mark.parametrize(
    ("name", "chosen", "wanted"),
    [
        ("Llama 2", None, True),
        ("Llama 2", True, True),
        ("Llama 2", False, False),
        ("Gemma 4", None, False),
        ("Qwen 3", None, False),
        ("Qwen 3", True, True),
    ],
)
def test_texts_begin_with_a_blank_where_the_file_or_its_kind_says_so(
    name: str, chosen: bool | None, wanted: bool, tmp_path: Path
) -> None:
    path = changed(name, begins_blank=chosen).write_alone(tmp_path / "a.gguf")
    assert begins_blank(read_header(path)) is wanted


def changed(name: str, **what: Any) -> Vocabulary:
    return replace(VOCABULARIES[name], **what)


LONG = "x" * (MAX_TOKEN_CHARACTERS + 1)
DAMAGED = {
    "eos_token_id is 2147483648, and there are": changed("Qwen 3", end=2**31),
    "the kind 'bert' are not known": changed("Qwen 3", kind="bert"),
    "its rule 'other' of how texts are cut": changed("Qwen 3", pre="other"),
    "its rule None of how texts are cut": changed("Qwen 3", pre=None),
    "out of vocabulary": changed("Gemma 4", pairs=[("no", "token")]),
    "it has no score for each": changed("Gemma 3", scores=None),
    "no score for each": changed("Gemma 3", scores=[0.0]),
    "and 1 of them have a type": changed("Gemma 4", types=[CONTROL]),
    "a token has 513 characters": changed("Gemma 3", tokens=[LONG]),
    "chat_template has 1048585 bytes": changed("Gemma 4", template="x" * (MAX_STRING_BYTES + 1)),
}


@pytest.mark.parametrize("words", DAMAGED)
def test_a_damaged_tokenizer_is_one_line_with_its_remedy(words: str, tmp_path: Path) -> None:
    path = DAMAGED[words].write_alone(tmp_path / "a.gguf")
    with pytest.raises(ValueError, match=r"cannot read .* --tokenizer FOLDER") as refused:
        read_gguf_chat(read_header(path))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
