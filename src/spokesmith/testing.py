"""Tiny random bases of the real architectures, for tests: no download, milliseconds a step."""

from typing import Any

from spokesmith.bases import Base, ChatFormat
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
FAMILY_SIZES: dict[str, dict[str, Any]] = {
    "llama": {},
    "gemma3_text": {
        "sliding_window": 16,
        "layer_types": ["sliding_attention", "full_attention"],
        "query_pre_attn_scalar": 16,
    },
}


def tiny_base(
    model_type: str = "llama",
    *,
    hidden_size: int = 64,
    num_layers: int = 4,
    seed: int = 0,
    dtype: str = "float32",
) -> Base:
    """A random base: the same for the same arguments."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {**SIZES, **FAMILY_SIZES[model_type], "hidden_size": hidden_size}
    if layer_types := sizes.get("layer_types"):
        sizes["layer_types"] = [layer_types[i % len(layer_types)] for i in range(num_layers)]
    config = AutoConfig.for_model(model_type, num_hidden_layers=num_layers, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    tokenizer = byte_tokenizer()
    return Base(
        name=f"tiny-{model_type}",
        model=model.eval().requires_grad_(False),
        tokenizer=tokenizer,
        family=family_of(model_type),
        chat=ChatFormat(tokenizer),
    )


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
