"""The optimiser of spokes: Muon for the matrices, AdamW for the gates, one rate for both.

The rate is relative: it says by how much of its natural size a matrix may move in a step. Natural
sizes differ by layer and width, so each matrix has its own factor:
- an input matrix (`down`, `gate`), [m, d], moves by a share of the spectral norm that makes inputs
  of size x give outputs of size 1, (sqrt(m) + sqrt(d)) / (sqrt(d) * x): an `ffn` spoke's input has
  the measured size of its layer's, a `residual` spoke's is normed to 1;
- an output matrix (`up`), [d, m], which starts at zero, moves so that inputs of size 1 give outputs
  whose size does not depend on the width, sqrt(d / m) (Yang, Simon and Bernstein, 2023, "A Spectral
  Condition for Feature Learning").
An `ffn` spoke multiplies two input matrices, a `residual` spoke has one and reads a longer sum, so
the same step moves its output less: its matrices move `RESIDUAL_FACTOR` times as far (measured).
One default rate therefore serves both placements, all layers and all widths.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from spokesmith.spokes import SpokeSet

GATE_RATE = 0.1
RESIDUAL_FACTOR = 3.0
MOMENTUM = 0.95
ADAM_BETAS = (0.9, 0.95)
# The root mean square of an AdamW update, in units of its rate, that Muon's authors match to.
ADAM_UPDATE_RMS = 0.2


class CombinedOptimizer(Optimizer):
    """Several optimisers behind the interface of one; each keeps its own groups and state."""

    def __init__(self, parts: Iterable[Optimizer]) -> None:
        self.parts = list(parts)
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        self._link()

    def _link(self) -> None:
        # Schedulers write rates into these dictionaries, so they must be the parts' own.
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        assert closure is None, "a closure cannot serve several optimisers"
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._link()


def build_optimizer(
    spokes: SpokeSet,
    *,
    kind: str,
    rate: float,
    input_rms: Mapping[int, float],
    weight_decay: float = 0.0,
) -> Optimizer:
    """The optimiser for a set.

    Args:
        spokes: in training; all of their parameters are optimised.
        kind: `muon` (with AdamW for the gates) or `adamw`.
        rate: the relative rate.
        input_rms: size of the input of each layer's feed-forward block, by layer.
        weight_decay: decoupled, of the matrices: in a step each shrinks by `rate * weight_decay` of
            itself, whatever its natural size.
    """
    matrices: list[dict[str, Any]] = []
    gates: list[nn.Parameter] = []
    for index in spokes.config.layer_indices:
        spoke = spokes.at(index)
        gates.append(spoke.gate_bias)
        inputs = [spoke.down] if spoke.gate is None else [spoke.gate, spoke.down]
        size = _input_size(spoke.down, 1.0 if spoke.gate is None else input_rms[index])
        width, inner = spoke.up.shape
        sized = [(matrix, size) for matrix in inputs] + [(spoke.up, math.sqrt(width / inner))]
        for matrix, natural in sized:
            if spoke.placement == "residual":
                natural *= RESIDUAL_FACTOR
            factor = _muon_factor(matrix) if kind == "muon" else _adamw_factor(matrix)
            scale = natural * factor
            # Both optimisers multiply the decay by the group's own rate.
            decay = weight_decay / scale
            matrices.append({"params": [matrix], "lr": rate * scale, "weight_decay": decay})
    gate_group = {"params": gates, "lr": rate * GATE_RATE, "weight_decay": 0.0}
    if kind == "muon":
        muon = Muon(matrices, momentum=MOMENTUM, adjust_lr_fn="original")
        return CombinedOptimizer([muon, AdamW([gate_group], betas=ADAM_BETAS)])
    if kind == "adamw":
        return AdamW([*matrices, gate_group], betas=ADAM_BETAS)
    raise ValueError(f"optimizer '{kind}' is unknown: use muon or adamw")


def _input_size(matrix: nn.Parameter, input_rms: float) -> float:
    """The spectral norm of a random [m, d] matrix that turns inputs of this size into size 1."""
    inner, width = matrix.shape
    return (math.sqrt(inner) + math.sqrt(width)) / (math.sqrt(width) * input_rms)


def _muon_factor(matrix: nn.Parameter) -> float:
    """Undoes the factor for tall matrices that torch's Muon applies by itself."""
    rows, columns = matrix.shape
    return 1 / math.sqrt(max(1.0, rows / columns))


def _adamw_factor(matrix: nn.Parameter) -> float:
    """Gives an AdamW update the root mean square of an orthogonal update of norm 1."""
    return 1 / (ADAM_UPDATE_RMS * math.sqrt(max(matrix.shape)))
