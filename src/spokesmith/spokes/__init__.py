"""Spokes: the adapter itself. Knows PyTorch modules, and no model by name."""

from spokesmith.spokes.attach import (
    Site,
    activate,
    active_set,
    attach,
    attached,
    attached_sets,
    detach,
    holding_products,
    measure_input_rms,
    using,
    using_parts,
)
from spokesmith.spokes.files import (
    SpokesCard,
    hash_of_weights,
    load_spokes,
    read_card,
    save_spokes,
)
from spokesmith.spokes.interchange import OlderSpokes, read_older_spokes
from spokesmith.spokes.modules import Placement, SpokesConfig, SpokeSet
from spokesmith.spokes.shipped import find_spokes, shipped_names

__all__ = [
    "OlderSpokes",
    "Placement",
    "Site",
    "SpokeSet",
    "SpokesCard",
    "SpokesConfig",
    "activate",
    "active_set",
    "attach",
    "attached",
    "attached_sets",
    "detach",
    "find_spokes",
    "hash_of_weights",
    "holding_products",
    "load_spokes",
    "measure_input_rms",
    "read_card",
    "read_older_spokes",
    "save_spokes",
    "shipped_names",
    "using",
    "using_parts",
]
