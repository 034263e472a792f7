"""Random bases as GGUF files, in the form in which llama.cpp's converter writes real ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType

from spokesmith.bases import Base
from spokesmith.export.gguf_types import quantised

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "gemma3": gguf.MODEL_ARCH.GEMMA3,
    "gemma4": gguf.MODEL_ARCH.GEMMA4,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "qwen3_5": gguf.MODEL_ARCH.QWEN35,
}
# So many rows are drawn for a tensor without values, and repeated.
DRAWN_ROWS = 64
DRAWN_STD = 0.02


def write_gguf(
    path: Path,
    base: Base,
    kind: str = "F32",
    *,
    name: str = "tiny",
    add: Callable[[gguf.GGUFWriter], None] | None = None,
    add_tokenizer: Callable[[gguf.GGUFWriter], None] | None = None,
) -> Path:
    """Write a base as a GGUF file.

    Args:
        path: of the file.
        base: with a tokenizer of bytes. On the meta device it has shapes and no values; the file's
            are random then, and repeat.
        kind: type of its matrices, by gguf's name.
        name: of the model, in the file.
        add: adds further keys and tensors.
        add_tokenizer: adds the keys of a tokenizer, in place of those of the base's own.
    """
    family = base.family.name
    writer = gguf.GGUFWriter(path, base.family.gguf_architecture)
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_sizes(writer, base)
    if family in ("gemma3", "gemma4"):
        _add_gemma(writer, base)
    if family == "qwen3_5":
        _add_qwen35(writer, base)
    if add_tokenizer is None:
        _add_tokenizer(writer, base)
    else:
        add_tokenizer(writer)
    tensors = gguf.get_tensor_name_map(ARCHITECTURES[family], base.config.num_hidden_layers)
    for hf_name, tensor in base.model.state_dict().items():
        if hf_name == "lm_head.weight" and base.config.tie_word_embeddings:
            continue
        found, values = _converted(base, hf_name, tensor.float())
        short = tensors.get_name(found, try_suffixes=(".weight", ".bias"))
        assert short, f"no GGUF name for {found}"
        _add_tensor(writer, short, values, kind)
    if family == "gemma4":
        writer.add_tensor("rope_freqs.weight", _proportional(base))
    if add is not None:
        add(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tensor(writer: gguf.GGUFWriter, name: str, values: torch.Tensor, kind: str) -> None:
    wanted = GGMLQuantizationType[kind]
    block = gguf.GGML_QUANT_SIZES[wanted][0]
    if values.ndim < 2 or values.shape[-1] % block or "conv1d" in name:
        wanted = GGMLQuantizationType.F32
    if values.is_meta:
        raw = _drawn(values.shape, wanted)
    else:
        rows = quantised(values.reshape(-1, values.shape[-1]).numpy(), wanted)
        raw = rows.reshape(*values.shape[:-1], -1)
    writer.add_tensor(name, raw, raw_dtype=wanted)


def _drawn(shape: torch.Size, kind: GGMLQuantizationType) -> np.ndarray:
    """Random values of a shape, quantised: a few rows again and again."""
    *rows, width = shape
    few = np.random.default_rng(0).normal(0, DRAWN_STD, (DRAWN_ROWS, width)).astype(np.float32)
    raw = quantised(few, kind)
    return np.resize(raw, (*rows, raw.shape[-1]))


def _add_sizes(writer: gguf.GGUFWriter, base: Base) -> None:
    config, family = base.config, base.family
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    widths = [family.ffn_width(config, layer) for layer in range(config.num_hidden_layers)]
    writer.add_feed_forward_length(widths if len(set(widths)) > 1 else widths[0])
    writer.add_head_count(config.num_attention_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    rope = config.rope_parameters
    full = rope.get("full_attention", rope)
    writer.add_rope_freq_base(full["rope_theta"])
    if family.name != "gemma4":
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
        share = full.get("partial_rotary_factor", 1.0)
        writer.add_rope_dimension_count(int(config.head_dim * share))


def _add_gemma(writer: gguf.GGUFWriter, base: Base) -> None:
    config = base.config
    sliding = [kind == "sliding_attention" for kind in config.layer_types]
    writer.add_sliding_window(config.sliding_window)
    if config.final_logit_softcapping:
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    writer.add_rope_freq_base_swa(config.rope_parameters["sliding_attention"]["rope_theta"])
    writer.add_sliding_window_pattern(sliding)
    if base.family.name != "gemma4":
        return
    writer.add_shared_kv_layers(config.num_kv_shared_layers)
    writer.add_embedding_length_per_layer_input(config.hidden_size_per_layer_input)
    full_size, full_heads = _attention(base, "full")
    sliding_size, sliding_heads = _attention(base, "sliding")
    writer.add_key_length(full_size)
    writer.add_value_length(full_size)
    writer.add_key_length_swa(sliding_size)
    writer.add_value_length_swa(sliding_size)
    writer.add_head_count_kv([sliding_heads if one else full_heads for one in sliding])
    writer.add_rope_dimension_count(full_size)
    writer.add_rope_dimension_count_swa(sliding_size)


def _attention(base: Base, kind: str) -> tuple[int, int]:
    """Size of a head and number of key heads in layers of a kind of attention, by their tensors.

    What configurations call them depends on the version of transformers.
    """
    layer = f"model.layers.{base.config.layer_types.index(f'{kind}_attention')}.self_attn"
    tensors = base.model.state_dict()
    size = tensors[f"{layer}.q_norm.weight"].shape[0]
    return size, tensors[f"{layer}.k_proj.weight"].shape[0] // size


def _proportional(base: Base) -> np.ndarray:
    """Factors that leave the last dimensions of full attention without rotation."""
    size, _ = _attention(base, "full")
    half, share = size // 2, base.config.rope_parameters["full_attention"]["partial_rotary_factor"]
    turned = int(size * share / 2)
    return np.array([1.0] * turned + [1e30] * (half - turned), np.float32)


def _add_qwen35(writer: gguf.GGUFWriter, base: Base) -> None:
    config = base.config
    writer.add_ssm_conv_kernel(config.linear_conv_kernel_dim)
    writer.add_ssm_state_size(config.linear_key_head_dim)
    writer.add_ssm_group_count(config.linear_num_key_heads)
    writer.add_ssm_time_step_rank(config.linear_num_value_heads)
    writer.add_ssm_inner_size(config.linear_value_head_dim * config.linear_num_value_heads)
    writer.add_full_attention_interval(config.layer_types.index("full_attention") + 1)
    pairs = int(config.head_dim * config.rope_parameters["partial_rotary_factor"]) // 2
    # Pairs of dimensions take turns by what they turn with; one in no section never turns.
    writer.add_rope_dimension_sections([(pairs + 2) // 3, (pairs + 1) // 3, pairs // 3, 0])


def _add_tokenizer(writer: gguf.GGUFWriter, base: Base) -> None:
    tokenizer, size = base.tokenizer, base.config.vocab_size
    tokens = [f"<unused-{token}>" for token in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for text, token in tokenizer.get_vocab().items():
        special = text in tokenizer.all_special_tokens
        tokens[token] = text
        kinds[token] = gguf.TokenType.CONTROL if special else gguf.TokenType.NORMAL
    # The format wants one token that is made of others: here of the bytes FE and FF, which no text
    # has; so are they written.
    tokens[-1], kinds[-1] = "þÿ", gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(["þ ÿ"])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _converted(base: Base, name: str, tensor: torch.Tensor) -> tuple[str, torch.Tensor]:
    """A tensor under the name and in the form in which GGUF files have it."""
    config, family = base.config, base.family.name
    if family == "llama" and name.endswith(("q_proj.weight", "k_proj.weight")):
        heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
        halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
        return name, halves.swapaxes(1, 2).reshape(tensor.shape)
    if name.endswith(".layer_scalar"):
        return f"{name}.weight", tensor
    if family == "qwen3_5" and "linear_attn." in name:
        return _linear_attention(config, name, tensor)
    if family in ("gemma3", "qwen3_5") and name.endswith("norm.weight"):
        return name, tensor + 1
    return name, tensor


def _linear_attention(config: Any, name: str, tensor: torch.Tensor) -> tuple[str, torch.Tensor]:
    """GGUF files have the value heads in another order: the first of each group, then the rest."""
    groups = config.linear_num_key_heads
    heads = config.linear_num_value_heads // groups

    def reordered(part: torch.Tensor, size: int) -> torch.Tensor:
        shape = part.shape
        return part.reshape(groups, heads, size, *shape[1:]).swapaxes(0, 1).reshape(shape)

    before = 2 * config.linear_key_head_dim * groups
    size = config.linear_value_head_dim
    if name.endswith("A_log"):
        return name, reordered(-tensor.exp(), 1)
    if name.endswith("dt_bias"):
        return name.replace("dt_bias", "dt_proj.bias"), reordered(tensor, 1)
    if "in_proj_qkv" in name or "conv1d" in name:
        tensor = tensor.squeeze(1) if "conv1d" in name else tensor
        return name, torch.cat([tensor[:before], reordered(tensor[before:], size)])
    if "in_proj_z" in name:
        return name, reordered(tensor, size)
    if "in_proj_a" in name or "in_proj_b" in name:
        return name, reordered(tensor, 1)
    if "out_proj" in name:
        return name, reordered(tensor.T, size).T
    return name, tensor
