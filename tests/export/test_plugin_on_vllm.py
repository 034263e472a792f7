"""Residual sets on vLLM by the plugin: token for token what the base and its spokes write here."""

from pathlib import Path
from typing import Any

import pytest
import torch
from export_parts import busy_set, card_of, tiny_source
from vllm_parts import greedy_tokens, vllm_python

from spokesmith.bases import Base, find_base, load_base
from spokesmith.export.hf import export_hf
from spokesmith.spokes import SpokesConfig, SpokeSet, attached

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

MAX_TOKENS = 24
# What vLLM's attention on a processor takes; two layers of each kind.
SIZES: dict[str, Any] = {"hidden_size": 128, "head_dim": 64}
TINY: dict[str, dict[str, Any]] = {
    "llama": {},
    "gemma3_text": {},
    "gemma4_text": {"global_head_dim": 128},
    "qwen3": {},
    "qwen3_5_text": {},
}


@pytest.fixture(scope="module")
def python() -> str:
    return vllm_python()


def written(base: Base, prompts: list[list[int]]) -> list[list[int]]:
    """What the base writes, with the spokes that are active beside it."""
    answers = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        output = base.model.generate(
            ids, max_new_tokens=MAX_TOKENS, do_sample=False, eos_token_id=None
        )
        answers.append(output[0, len(prompt) :].tolist())
    return answers


def check(python: str, source: Any, spokes: SpokeSet, prompts: Any, work: Path) -> None:
    card = card_of(source, spokes, "0")
    export_hf(work / "out", source, spokes, card, layout="plugin", dtype="fp32")
    base = load_base(source.name, dtype="float32", device="cpu")
    bare = written(base, prompts)
    with attached(base.model, base.sites(), spokes, name="residual"):
        wanted = written(base, prompts)
    assert wanted != bare
    assert greedy_tokens(python, work / "out", prompts, MAX_TOKENS, work) == wanted


def test_the_embedded_base_with_spokes_of_some_layers(python: str, tmp_path: Path) -> None:
    source = find_base("smollm2-135m")
    config = SpokesConfig(
        hidden_size=576, num_layers=30, placement="residual", rank=8, every_n_layers=2
    )
    spokes, generator = SpokeSet.create(config, seed=0), torch.Generator().manual_seed(0)
    for index in config.layer_indices:
        torch.nn.init.normal_(spokes.at(index).up, std=2, generator=generator)
    texts = ["The pump in hall 3 stopped at 14:05.", "Ana likes tea. Ben", "1, 2, 4, 8,"]
    prompts = [source.tokenizer(text).input_ids for text in texts]
    check(python, source, spokes, prompts, tmp_path)


@pytest.mark.parametrize("model_type", TINY)
def test_tiny_bases_of_every_family(model_type: str, python: str, tmp_path: Path) -> None:
    sizes = {**SIZES, **TINY[model_type]}
    source = tiny_source(model_type, tmp_path / "base", **sizes)
    spokes = busy_set(source, placement="residual")
    prompts = [list(range(10, 50)), list(range(200, 100, -5)), [7, 7, 7]]
    check(python, source, spokes, prompts, tmp_path)
