"""Qwen 3.5, the dense bases: three layers of linear attention to one of full attention."""

from spokesmith.bases.families.family import Family

QWEN3_5 = Family(
    name="qwen3_5",
    model_types=("qwen3_5", "qwen3_5_text"),
    turn_end="<|im_end|>",
    template_options={"enable_thinking": False},
    gguf_architecture="qwen35",
    # A layer of linear attention remembers a running state: it has no past tokens to share or to
    # cut off, and it would carry one packed example's state into the next.
    shares_prefix=False,
    packs=False,
)
