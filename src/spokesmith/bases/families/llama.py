"""Llama, and what is built like it: SmolLM2 among others."""

from spokesmith.bases.families.family import Family

LLAMA = Family(
    name="llama",
    model_types=("llama",),
    # The template of Llama 3.2 writes today's date where it is told none, so that a set would be
    # asked something else than it was trained on every day.
    template_options={"date_string": "26 Jul 2024"},
    gguf_architecture="llama",
)
