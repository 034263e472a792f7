"""The base's own matrices in the layout in which the processor is fastest, for inference.

A linear layer keeps its weights and its place; only calls in inference mode take the other layout.
"""

from typing import Any

import psutil
from torch import Tensor, nn

from spokesmith.spokes.fixed import FixedProduct, can_pack, in_inference


class _FixedLinear(nn.Linear):
    """A linear layer that multiplies by a `FixedProduct` in inference mode."""

    fixed: FixedProduct

    def forward(self, input: Tensor) -> Tensor:
        return self.fixed(input) if in_inference() else super().forward(input)


def fix_linear_layers(model: Any) -> None:
    """Give every plain linear layer of a frozen model the fastest layout, where there is one.

    The layout is a copy: the model takes up to twice its memory. Where less than twice the copy's
    size is free, nothing is changed.
    """
    layers = [one for one in model.modules() if type(one) is nn.Linear and can_pack(one.weight)]
    num_bytes = sum(one.weight.numel() * one.weight.element_size() for one in layers)
    if 2 * num_bytes > psutil.virtual_memory().available:
        return
    for module in layers:
        module.__class__ = _FixedLinear
        assert isinstance(module, _FixedLinear)
        # Not a submodule, not a parameter: nothing of it is saved.
        object.__setattr__(module, "fixed", FixedProduct(module.weight, module.bias))
