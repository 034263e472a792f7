"""Families of bases, as facts: one small file each, listed here."""

from spokesmith.bases.families.family import Family
from spokesmith.bases.families.gemma3 import GEMMA3
from spokesmith.bases.families.gemma4 import GEMMA4
from spokesmith.bases.families.llama import LLAMA
from spokesmith.bases.families.qwen3 import QWEN3
from spokesmith.bases.families.qwen3_5 import QWEN3_5

FAMILIES = (LLAMA, GEMMA3, GEMMA4, QWEN3, QWEN3_5)


def family_of(model_type: str) -> Family:
    """The family that a configuration's `model_type` belongs to.

    Raises:
        ValueError: none does.
    """
    for family in FAMILIES:
        if model_type in family.model_types:
            return family
    known = ", ".join(family.name for family in FAMILIES)
    raise ValueError(
        f"model_type '{model_type}' belongs to no known family ({known}): "
        "docs/add-a-family.md shows how to add one"
    )


def family_of_gguf(architecture: object) -> Family | None:
    """The family that a GGUF file's `general.architecture` belongs to; None where none does."""
    for family in FAMILIES:
        if family.gguf_architecture == architecture:
            return family
    return None


__all__ = ["FAMILIES", "Family", "family_of", "family_of_gguf"]
