"""Llama, and what is built like it: SmolLM2 among others."""

from spokesmith.bases.families.family import Family

LLAMA = Family(name="llama", model_types=("llama",), gguf_architecture="llama")
