"""A product with a matrix that does not change, in the layout in which the processor is fastest.

Torch's own product in bfloat16 on the CPU lays the matrix out anew at every call, which takes
longer than the product itself where there are few rows.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


class FixedProduct:
    """`x @ weight.T + bias`, for inference only.

    Args:
        weight: [out, in].
        bias: [out], or None.
        packs: whether to keep a copy in that layout, where there is one; else the matrix itself
            is used.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, *, packs: bool = True) -> None:
        self.bias = None if bias is None else bias.detach()
        self.is_packed = packs and can_pack(weight)
        detached = weight.detach()
        if self.is_packed:
            # Without a number of rows the layout serves any.
            detached = torch.ops.mkldnn._reorder_linear_weight(detached.contiguous(), None)
        self.weight = detached

    def __call__(self, x: Tensor) -> Tensor:
        if self.is_packed:
            return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return F.linear(x, self.weight, self.bias)


def in_inference() -> bool:
    """Whether this call is for inference only; a compiler, which cannot trace that, is told no."""
    return not torch.compiler.is_compiling() and torch.is_inference_mode_enabled()


def can_pack(weight: Tensor) -> bool:
    """Whether there is a better layout for this matrix on this machine."""
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.bfloat16
        and torch.backends.mkldnn.is_available()
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
