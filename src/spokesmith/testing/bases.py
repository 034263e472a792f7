"""Tiny random bases of the real architectures: the same for the same arguments."""

from typing import Any

from spokesmith.bases import Base, make_base
from spokesmith.bases.families import family_of

SIZES = {
    "vocab_size": 320,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
    "initializer_range": 0.2,
    "bos_token_id": 256,
    "eos_token_id": 257,
    "pad_token_id": 257,
    "tie_word_embeddings": True,
}
# A sliding window shorter than the test prompts, so that both kinds of attention are at work.
SLIDING = {"sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]}
GEMMA4_DENSE = {
    **SLIDING,
    "model_type": "gemma4_text",
    "global_head_dim": 32,
    "final_logit_softcapping": 30.0,
    "hidden_size_per_layer_input": 0,
    "attention_k_eq_v": True,
    "num_global_key_value_heads": 1,
}
# The real structure of each architecture, small. A name that is no `model_type` names one itself.
FAMILY_SIZES: dict[str, dict[str, Any]] = {
    "llama": {},
    "gemma3_text": {**SLIDING, "query_pre_attn_scalar": 16},
    # As in Gemma 4 E2B: the last layers share keys and values and are twice as wide, and every
    # layer reads a row of a table.
    "gemma4_text": {
        **SLIDING,
        "num_key_value_heads": 1,
        "global_head_dim": 32,
        "final_logit_softcapping": 30.0,
        "num_kv_shared_layers": 2,
        "use_double_wide_mlp": True,
        "hidden_size_per_layer_input": 8,
        "vocab_size_per_layer_input": 320,
    },
    # As in the larger dense ones: keys serve as values in full attention, and nothing is shared.
    "gemma4_dense": GEMMA4_DENSE,
    "gemma4_experts": {
        **GEMMA4_DENSE,
        "enable_moe_block": True,
        "num_experts": 4,
        "top_k_experts": 2,
        "moe_intermediate_size": 32,
    },
    "qwen3": {},
    "qwen3_5_text": {
        "layer_types": ["linear_attention", "full_attention"],
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
    },
}


def tiny_base(
    model_type: str = "llama",
    *,
    hidden_size: int = 64,
    num_layers: int = 4,
    seed: int = 0,
    dtype: str = "float32",
    **sizes: Any,
) -> Base:
    """A random base: the same for the same arguments.

    Args:
        model_type: one of `FAMILY_SIZES`.
        hidden_size: its width.
        num_layers: its layers; kinds of attention take turns.
        seed: of its weights.
        dtype: of its weights, by torch's name.
        sizes: entries of the configuration that are to differ from `FAMILY_SIZES`.
    """
    import torch
    from transformers import AutoModelForCausalLM

    config = tiny_config(model_type, hidden_size=hidden_size, num_layers=num_layers, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    return make_base(
        f"tiny-{model_type}",
        model,
        byte_tokenizer(),
        family_of(model.config.model_type),
        has_random_weights=True,
    )


def tiny_config(
    model_type: str, *, hidden_size: int = 64, num_layers: int = 4, **sizes: Any
) -> Any:
    """The configuration of a tiny base, see `tiny_base`."""
    from transformers import AutoConfig

    sizes = {**SIZES, **FAMILY_SIZES[model_type], "hidden_size": hidden_size, **sizes}
    if layer_types := sizes.get("layer_types"):
        sizes["layer_types"] = [layer_types[i % len(layer_types)] for i in range(num_layers)]
    name = sizes.pop("model_type", model_type)
    return AutoConfig.for_model(name, num_hidden_layers=num_layers, **sizes)


def byte_tokenizer() -> Any:
    """A tokenizer of the 256 bytes and three control tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token in ("<|start|>", "<|end|>", "<|unknown|>")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|start|>",
        eos_token="<|end|>",
        unk_token="<|unknown|>",
        pad_token="<|end|>",
        chat_template=(
            "{% for message in messages %}"
            "{{ '<|start|>' + message['role'] + '\n' + message['content'] + '<|end|>\n' }}"
            "{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
        ),
    )
