"""A tiny random base as a GGUF file, so that llama.cpp runs the same model as the local engine."""

from pathlib import Path
from typing import Any

import gguf
import torch

from spokesmith.bases import Base, make_base
from spokesmith.testing import byte_tokenizer, tiny_base

NORMAL, CONTROL, UNUSED = 1, 3, 5
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


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
    """Write a tiny llama base in float32, with its tokenizer of bytes and keys of our own."""
    config = base.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    for key, value in own_keys.items():
        writer.add_string(f"spokesmith.{key}", value)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, base.tokenizer, config.vocab_size)
    weights: dict[str, Any] = base.model.state_dict()
    writer.add_tensor("token_embd.weight", _array(weights["model.embed_tokens.weight"]))
    writer.add_tensor("output_norm.weight", _array(weights["model.norm.weight"]))
    for layer in range(config.num_hidden_layers):
        for theirs, ours in NAMES.items():
            weight = weights[f"model.layers.{layer}.{theirs}.weight"]
            if ours in ("attn_q", "attn_k"):
                weight = _interleaved(weight, config.head_dim)
            writer.add_tensor(f"blk.{layer}.{ours}.weight", _array(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Any, vocabulary: int) -> None:
    tokens = [f"<unused-{token}>" for token in range(vocabulary)]
    types = [UNUSED] * vocabulary
    for text, token in tokenizer.get_vocab().items():
        tokens[token] = text
        types[token] = CONTROL if text in tokenizer.all_special_tokens else NORMAL
    # The format wants one token that is made of others: here of the bytes FE and FF, which no text
    # has; so are they written.
    tokens[-1], types[-1] = "þÿ", NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(["þ ÿ"])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _interleaved(weight: torch.Tensor, head_dim: int) -> torch.Tensor:
    """Rows in llama.cpp's order: of each head the halves that are rotated together take turns."""
    heads = weight.view(-1, 2, head_dim // 2, weight.shape[1])
    return heads.transpose(1, 2).reshape(weight.shape)


def _array(weight: torch.Tensor) -> Any:
    return weight.float().contiguous().numpy()
