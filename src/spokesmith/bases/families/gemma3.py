"""Gemma 3: sliding and full attention, norms before and after each block."""

from spokesmith.bases.families.family import Family

GEMMA3 = Family(
    name="gemma3",
    model_types=("gemma3", "gemma3_text"),
    turn_end="<end_of_turn>",
    starts_texts=True,
    gguf_architecture="gemma3",
)
