"""Layers as compiled functions, in which small operations are joined.

A layer of a modern base is some sixty kernels, most of which only norm, rotate, add or multiply
what the one before has written. Torch's compiler makes about twenty of them. It takes a minute or
two for a large base, and works layer by layer, for any number of tokens. The memory of rows and the
attention to it stay as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from spokesmith.bases import Base
from spokesmith.spokes import holding_products

# Layers that differ in a number, and be it their own index, are compiled apart.
MOST_VARIANTS = 1000


class CompiledLayers:
    """The compiled layers of a base. Nothing is compiled before they are first in use.

    Args:
        base: whose layers; the modules themselves stay as they are.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._plain = [site.layer for site in base.sites()]
        self._compiled = [torch.compile(layer, dynamic=True) for layer in self._plain]

    @contextmanager
    def in_use(self, spokes: str | None) -> Iterator[None]:
        """Inside the block the base computes by compiled layers, with this set."""
        layers: Any = self._base.decoder.layers
        limits = {
            "recompile_limit": MOST_VARIANTS,
            "accumulated_recompile_limit": MOST_VARIANTS,
        }
        with (
            holding_products(self._base.model, spokes, self._base.model.dtype),
            torch._dynamo.config.patch(limits),
        ):
            try:
                for index, layer in enumerate(self._compiled):
                    layers[index] = layer
                yield
            finally:
                for index, layer in enumerate(self._plain):
                    layers[index] = layer
