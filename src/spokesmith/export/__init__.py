"""Export: trained spokes in files that other engines load."""

from spokesmith.export.fold import FoldedLayer, folded_layers

__all__ = ["FoldedLayer", "folded_layers"]
