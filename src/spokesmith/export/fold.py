"""`ffn` spokes as rows and columns of the feed-forward block that they sit beside.

    mlp(x) + sigmoid(b) / S * U (act(G x) * (V x))  =  the same block, S*r wider

G is rows of its gate projection, V rows of its up projection, and U, with the scale in it, columns
of its down projection. This file knows no model and no file format.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from spokesmith.spokes import SpokeSet

REMEDY = (
    "serve it with `spokesmith serve`, write it with `export gguf --layout tensors` or, for vLLM's "
    "plugin, `export hf --layout plugin`, or train a set with placement ffn"
)


@dataclass(frozen=True, kw_only=True)
class FoldedLayer:
    """What one layer's spokes add to its feed-forward block: n = S*r inner units, in float32.

    Attributes:
        gate: rows for the gate projection, [n, d].
        up: rows for the up projection, [n, d].
        down: columns for the down projection, [d, n], with the spokes' scale in them.
    """

    gate: Tensor
    up: Tensor
    down: Tensor


@torch.no_grad()
def folded_layers(spokes: SpokeSet) -> dict[int, FoldedLayer]:
    """The layers of a set that carry spokes, by index, in the form in which a block takes them.

    Raises:
        ValueError: the set is a `residual` one.
    """
    if spokes.config.placement != "ffn":
        raise ValueError(
            "a residual set cannot be folded: its spokes read and write after the whole layer, "
            f"where the base has no matrices that they could be a part of: {REMEDY}"
        )
    folded: dict[int, FoldedLayer] = {}
    for index in spokes.config.layer_indices:
        into, down = spokes.at(index).fused_weights(torch.float32)
        gate, up = into.chunk(2)
        folded[index] = FoldedLayer(
            gate=gate.cpu().contiguous(), up=up.cpu().contiguous(), down=down.cpu().contiguous()
        )
    return folded
