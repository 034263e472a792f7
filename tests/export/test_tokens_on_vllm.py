"""Sets of every family on vLLM, folded or by the plugin: token for token what is written here."""

from pathlib import Path
from typing import Any

import pytest
import torch
from export_parts import busy_set, card_of, tiny_source
from vllm_parts import greedy_tokens, has_module, vllm_python

from spokesmith.bases import Base, find_base, load_base
from spokesmith.bases.loading import BaseSource
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
}
PROMPTS = [list(range(10, 50)), list(range(200, 100, -5)), [7, 7, 7]]


@pytest.fixture(scope="module")
def python() -> str:
    return vllm_python()


def written(base: Base, prompts: list[list[int]]) -> list[tuple[list[int], torch.Tensor]]:
    """After each prompt: the tokens that the base writes, and log-probabilities [places, V]."""
    answers = []
    for prompt in prompts:
        output = base.model.generate(
            torch.tensor([prompt]),
            max_new_tokens=MAX_TOKENS,
            do_sample=False,
            eos_token_id=None,
            output_scores=True,
            return_dict_in_generate=True,
        )
        tokens = output.sequences[0, len(prompt) :].tolist()
        answers.append((tokens, torch.cat(output.scores).log_softmax(-1)))
    return answers


def check(
    python: str,
    source: BaseSource,
    spokes: SpokeSet,
    prompts: list[list[int]],
    work: Path,
    places: int = MAX_TOKENS,
    tolerance: float = 1e-3,
    **options: Any,
) -> None:
    """Compare tokens and log-probabilities at the first `places` after each prompt."""
    layout = "plugin" if spokes.config.placement == "residual" else "folded"
    card = card_of(source, spokes, "0")
    export_hf(work / "out", source, spokes, card, layout=layout, dtype="fp32")
    base = load_base(source.name, dtype="float32", device="cpu")
    bare = written(base, prompts)
    with attached(base.model, base.sites(), spokes, name="busy"):
        wanted = written(base, prompts)
    found = greedy_tokens(python, work / "out", prompts, MAX_TOKENS, work, **options)
    for (tokens, scores), (_, bare_scores), (tokens_there, likeliest) in zip(
        wanted, bare, found, strict=True
    ):
        assert tokens_there[:places] == tokens[:places]
        rows = [(place, *one) for place, row in enumerate(likeliest[:places]) for one in row]
        at, ids, scores_there = zip(*rows, strict=True)
        own, without = scores[at, ids], bare_scores[at, ids]
        torch.testing.assert_close(torch.tensor(scores_there), own, rtol=0, atol=tolerance)
        assert (without - own).abs().max() > 5 * tolerance


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


@pytest.mark.parametrize("placement", ["ffn", "residual"])
@pytest.mark.parametrize("model_type", TINY)
def test_tiny_bases_of_every_family(
    model_type: str, placement: str, python: str, tmp_path: Path
) -> None:
    sizes = {**SIZES, **TINY[model_type]}
    source = tiny_source(model_type, tmp_path / "base", **sizes)
    check(python, source, busy_set(source, placement=placement), PROMPTS, tmp_path)


@pytest.mark.parametrize("model_type", ["llama", "gemma4_text"])
def test_spokes_of_the_plugin_are_compiled_with_their_layers(
    model_type: str, python: str, tmp_path: Path
) -> None:
    """As vLLM runs where nothing else is said; elsewhere here its start is spared."""
    sizes = {**SIZES, **TINY[model_type]}
    source = tiny_source(model_type, tmp_path / "base", **sizes)
    spokes = busy_set(source, placement="residual")
    check(python, source, spokes, PROMPTS, tmp_path, enforce_eager=False)


@pytest.mark.parametrize("placement", ["ffn", "residual"])
def test_two_processes_share_a_model(placement: str, python: str, tmp_path: Path) -> None:
    source = tiny_source("llama", tmp_path / "base", **SIZES)
    spokes = busy_set(source, placement=placement)
    check(python, source, spokes, PROMPTS, tmp_path, tensor_parallel_size=2)


@pytest.mark.parametrize("placement", ["ffn", "residual"])
def test_qwen_3_5_begins_alike(placement: str, python: str, tmp_path: Path) -> None:
    """On a processor, vLLM computes its linear attention in bfloat16 only."""
    if not has_module(python, "torchvision"):
        pytest.skip("vLLM's module of Qwen 3.5 imports torchvision, which is not there")
    heads = {"linear_key_head_dim": 128, "linear_value_head_dim": 128}
    source = tiny_source("qwen3_5_text", tmp_path / "base", **SIZES, **heads)
    spokes = busy_set(source, placement=placement, num_spokes=1, rank=64)
    rounding = {"places": 1, "tolerance": 0.3}
    check(python, source, spokes, PROMPTS, tmp_path, **rounding, dtype="bfloat16")
