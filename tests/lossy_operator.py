"""An operator that passes no gradient on, as libraries register kernels that are for inference."""

import torch
from torch import Tensor

LIBRARY = torch.library.Library("lossy", "DEF")
LIBRARY.define("double(Tensor x) -> Tensor")
LIBRARY.impl("double", lambda x: torch.from_numpy(x.detach().numpy() * 2), "CPU")
REFUSED = r"'lossy::double' passes no gradient on.*use --quantize none"


def double(x: Tensor) -> Tensor:
    """Twice x, without a gradient."""
    return torch.ops.lossy.double(x)
