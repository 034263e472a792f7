"""A base's matrices in the layout in which the processor is fastest, for inference.

Layers that read the same input become one product, and feed-forward blocks are joined with the
spokes beside them (`joined`): a product of few rows costs its start as well as its size. A linear
layer keeps its weights and its place; only calls in inference mode take the other layout.
"""

from collections.abc import Callable, Sequence
from functools import partial

import psutil
import torch
from torch import Tensor, nn

from spokesmith.bases import Base
from spokesmith.decoding.joined import JoinedBlocks, can_join
from spokesmith.spokes.fixed import FixedProduct, can_pack, in_inference

# Linear layers of one module that are called one after the other with the same input.
TOGETHER = (
    ("q_proj", "k_proj", "v_proj"),
    ("in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a"),
)


class _FixedLinear(nn.Linear):
    """A linear layer that multiplies by a matrix in the fixed layout in inference mode."""

    fixed: Callable[[Tensor], Tensor]

    def forward(self, input: Tensor) -> Tensor:
        return self.fixed(input) if in_inference() else super().forward(input)


class _ProductTogether:
    """One product for several layers; each takes its part of it.

    Args:
        layers: with the same width of input, all with a bias or none.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        biases = [layer.bias.detach() for layer in layers if layer.bias is not None]
        self._product = FixedProduct(
            torch.cat([layer.weight.detach() for layer in layers]),
            torch.cat(biases) if biases else None,
        )
        self._sizes = [layer.out_features for layer in layers]
        self._input: Tensor | None = None
        self._parts: list[Tensor | None] = []

    def part(self, place: int, x: Tensor) -> Tensor:
        """The product of one layer, by its place; the first that is asked computes all."""
        found = self._parts[place] if x is self._input else None
        if found is None:
            self._input, self._parts = x, list(self._product(x).split(self._sizes, dim=-1))
            found = self._parts[place]
        self._parts[place] = None
        if not any(part is not None for part in self._parts):
            self._input = None
        assert found is not None
        return found


def fix_layout(base: Base) -> JoinedBlocks | None:
    """Give every plain linear layer of a frozen base the fastest layout, where there is one.

    The layout is a copy: the base takes up to twice its memory. Where less than twice the copies'
    size is free, nothing is changed.

    Returns:
        the joined blocks, to be put in use for each pass; None where there are none.
    """
    plain = [one for one in base.model.modules() if type(one) is nn.Linear and can_pack(one.weight)]
    num_bytes = sum(one.weight.numel() * one.weight.element_size() for one in plain)
    if not plain or 2 * num_bytes > psutil.virtual_memory().available:
        return None
    joined, in_blocks = None, set[nn.Module]()
    if can_join(base):
        joined = JoinedBlocks(base, copies=True)
        joined.refresh()
        in_blocks = {module for site in base.sites() for module in site.ffn.children()}
    left = set(plain) - in_blocks
    for module in base.model.modules():
        for names in TOGETHER:
            layers = [getattr(module, name, None) for name in names]
            group = [layer for layer in layers if layer in left]
            if len({(layer.in_features, layer.bias is None) for layer in group}) == 1:
                _fix(group)
                left -= set(group)
    for layer in left:
        _fix([layer])
    return joined


def _fix(layers: Sequence[nn.Linear]) -> None:
    for layer, product in zip(layers, _products(layers), strict=True):
        layer.__class__ = _FixedLinear
        assert isinstance(layer, _FixedLinear)
        # Not a submodule, not a parameter: nothing of it is saved.
        object.__setattr__(layer, "fixed", product)


def _products(layers: Sequence[nn.Linear]) -> list[Callable[[Tensor], Tensor]]:
    if len(layers) == 1:
        return [FixedProduct(layers[0].weight, layers[0].bias)]
    together = _ProductTogether(layers)
    return [partial(together.part, place) for place in range(len(layers))]
