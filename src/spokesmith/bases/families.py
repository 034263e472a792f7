"""Families of bases, as facts. A family is data: no class per model, no forward of our own.

`model_types` are the names that a configuration carries; everything else says where a decoder
layer keeps what spokes need.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Family:
    """What one architecture looks like to spokes.

    Attributes:
        name: of the family.
        model_types: `model_type` values of the configurations that belong to it.
        ffn: attribute of a decoder layer that holds its feed-forward block.
        activation: attribute of that block that holds its activation function.
        shares_prefix: whether a prompt's keys and values may be computed once and shared by the
            examples of a batch, with gradients (true where all of a layer's memory is keys and
            values).
    """

    name: str
    model_types: tuple[str, ...]
    ffn: str = "mlp"
    activation: str = "act_fn"
    shares_prefix: bool = True


FAMILIES = (
    Family(name="llama", model_types=("llama",)),
    Family(name="gemma3", model_types=("gemma3", "gemma3_text")),
)


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
        "add one in spokesmith/bases/families.py"
    )
