"""llama.cpp on every family's kind of memory, and on the embedded base's own file."""

from pathlib import Path
from typing import Any

import pytest
import torch
from spoked_bases import outspoken

from spokesmith.backends.llamacpp import LlamaCppBackend, LlamaCppOptions
from spokesmith.backends.llamacpp.engine import LlamaCppEngine
from spokesmith.backends.request import Constraint, Request
from spokesmith.bases import EMBEDDED, Base, find_base
from spokesmith.bases.gguf_chat import read_gguf_chat
from spokesmith.bases.gguf_reader import read_header
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.metrics import check
from spokesmith.probes import load_set
from spokesmith.tasks import load_task
from spokesmith.testing import tiny_base
from spokesmith.testing.gguf_files import write_gguf

pytest.importorskip("xllamacpp", reason="xllamacpp, the extra llamacpp, is not installed")

MEMORY = load_task("memory")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 8},
        "town": {"type": "string", "maxLength": 8},
    },
    "required": ["city", "town"],
    "additionalProperties": False,
}
HELD = Constraint(kind="schema", value=SCHEMA)
FAMILIES = ("llama", "qwen3", "gemma3_text", "gemma4_text", "gemma4_dense", "qwen3_5_text")
# As likely as llama.cpp's keys and values in float16 can tell, in nats.
TIE = 0.05
SMOLLM2 = EMBEDDED["smollm2-135m"]


def largest_lead(base: Base, prompt: list[int], answer: str) -> float:
    """By how much, in nats, a token that the schema allows leads one of an answer's, at most.

    PyTorch reads prompt and answer in one piece, so nothing of it rests on what was kept.
    """
    tokens = base.chat.text_ids(answer, control_tokens=False)
    with torch.inference_mode():
        logits = base.model(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 : -1]
    compiler = GrammarCompiler(base.tokenizer, base.chat.end_id, base.config.vocab_size)
    grammar, leads = compiler.start(HELD), []
    for token, scores in zip(tokens, logits, strict=True):
        allowed = torch.from_numpy(grammar.allowed())
        assert allowed[token]
        leads.append(float(scores[allowed].max() - scores[token]))
        grammar.accept(token)
    return max(leads)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_family_shares_beginnings_and_speculates(model_type: str, tmp_path: Path) -> None:
    base = outspoken(tiny_base(model_type))
    path = write_gguf(tmp_path / "tiny.gguf", base)
    chats = [MEMORY.messages(f"a b a b {number}") for number in range(6)]
    shared, _ = base.chat.prompt_parts(chats[0])
    texts: dict[str, list[str]] = {}
    for speculation in ("none", "ngram-simple+ngram-mod"):
        options = LlamaCppOptions(num_slots=3, context=2048, threads=1, speculation=speculation)
        backend = LlamaCppBackend(path, base.chat, options=options)
        backend.share_prefix(chats[0])
        jobs = [
            backend.start(Request(messages=chat, constraint=HELD, max_tokens=90)) for chat in chats
        ]
        done = [job.result(60) for job in jobs]
        texts[speculation] = [one.text for one in done]
        assert all(check(one.text, SCHEMA).valid for one in done)
        # A sliding or a running memory goes on from a few tokens before the end of what is shared.
        assert all(one.usage.cached_tokens >= len(shared) - 8 for one in done)
        assert (backend.stats().tokens_copied > 0) == (speculation != "none")
        backend.close()
    assert len(set(map(tuple, texts.values()))) == 1
    # Each token is the base's own choice.
    prompts = [base.chat.prompt_ids(chat) for chat in chats]
    answered = list(zip(prompts, texts["none"], strict=True))
    assert max(largest_lead(base, prompt, text) for prompt, text in answered) < TIE
    # Without what they share some would be others.
    rests = [(prompt[len(shared) :], text) for prompt, text in answered]
    assert max(largest_lead(base, rest, text) for rest, text in rests) > TIE


@pytest.mark.skipif(
    SMOLLM2.gguf_path() is None or not SMOLLM2.is_cached(), reason="the embedded base is not there"
)
def test_prompts_are_the_same_tokens_from_the_file_the_base_and_llamacpp() -> None:
    path = SMOLLM2.gguf_path()
    assert path is not None
    of_base = find_base(SMOLLM2.name).chat
    of_file = read_gguf_chat(read_header(path))
    assert of_file.stop_ids == of_base.stop_ids
    engine = LlamaCppEngine(path, LlamaCppOptions(num_slots=1, threads=1), context=256)
    texts = [probe.text for probe in load_set("gold", MEMORY).probes]
    assert len(texts) == 25
    # Where digits are cut off before words are, the blanks before them go together.
    for text in [*texts, "## Days\n\n12  cups\n   3. stir\n\n\u0663\u00b2"]:
        messages = MEMORY.messages(text)
        wanted = of_base.prompt_ids(messages)
        assert of_file.prompt_ids(messages) == wanted
        # Texts and the marks around them are cut apart.
        parts = [
            ("<|im_start|>system\n", True),
            (messages[0]["content"], False),
            ("<|im_end|>\n<|im_start|>user\n", True),
            (messages[1]["content"], False),
            ("<|im_end|>\n<|im_start|>assistant\n", True),
        ]
        found: list[int] = []
        for text, control_tokens in parts:
            found += engine.tokenize(text, control_tokens=control_tokens)
        assert found == wanted
    engine.close()
