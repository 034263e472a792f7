"""Qwen 3, the dense bases."""

from spokesmith.bases.families.family import Family

QWEN3 = Family(
    name="qwen3",
    model_types=("qwen3",),
    turn_end="<|im_end|>",
    template_options={"enable_thinking": False},
    gguf_architecture="qwen3",
)
