"""Tiny multimodal bases of random weights: a family's text part and what stands beside it."""

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from spokesmith.testing import tiny_config

TOWER = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16}
SOUND = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
TOWERS: dict[str, dict[str, Any]] = {
    "gemma3": {"vision_config": {**TOWER, "num_attention_heads": 2, "image_size": 32}},
    "gemma4": {
        "vision_config": {**TOWER, **HEADS},
        "audio_config": {**SOUND, "output_proj_dims": 32},
    },
    "qwen3_5": {"vision_config": {"hidden_size": 32, "intermediate_size": 32, "depth": 1}},
}


def multimodal(model_type: str) -> Any:
    """A whole model; its text part is of the type `{model_type}_text`."""
    text = {**tiny_config(f"{model_type}_text").to_dict(), "tie_word_embeddings": True}
    config = AutoConfig.for_model(
        model_type, text_config=text, tie_word_embeddings=True, **TOWERS[model_type]
    )
    torch.manual_seed(0)
    return AutoModelForImageTextToText.from_config(config)
