"""Does the loss move as the gradients say? What is wrong in every setting alike shows here alone.

The spokes of the first half of the layers go a small step along their gradients and against them:
what reaches those has come back through most of the base.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from spokesmith.diagnose.findings import Check
from spokesmith.diagnose.passes import forward, targets
from spokesmith.diagnose.sameness import REFERENCE, Comparisons, dtype_of

NAME = "the loss moves as they say"
# Either way the loss should move by so many times what rounding moves it, and by such a share of
# itself: less is lost in its last digits, and further away a straight line says nothing.
NOISE_FACTOR = 6.0
LEAST_STEP, MOST_STEP = 1e-3, 0.05
# The loss is no straight line, and in bfloat16 a part of so small a step is lost.
WITHIN = {torch.float32: (0.8, 1.25), torch.bfloat16: (0.25, 4.0)}


def loss_follows(passes: Comparisons) -> Check:
    """How far the loss moves between two points, in units of what the gradients promise."""
    layers = passes.spokes.config.layer_indices
    nearer = [f"layers.{layer}." for layer in layers[: math.ceil(len(layers) / 2)]]
    slope = {
        name: gradient
        for name, gradient in passes.wanted_gradients.items()
        if name.startswith(tuple(nearer))
    }
    norm = math.hypot(*(gradient.norm().item() for gradient in slope.values()))
    if not 0 < norm < math.inf:
        return Check(name=NAME, verdict="no", figure=f"their norm is {norm}", value=norm)
    loss = passes.wanted.loss
    wanted = max(LEAST_STEP * loss, NOISE_FACTOR * _noise(passes))
    step = min(wanted, MOST_STEP * loss)
    ahead, behind = (_loss_at(passes, slope, sign * step / norm**2) for sign in (1, -1))
    ratio = (ahead - behind) / (2 * step)
    figure = f"{ratio:.2f} times as far, in {len(nearer)} layers"
    if wanted > MOST_STEP * loss:
        figure += "; rounding drowns it, ask with --dtype float32"
        return Check(name=NAME, verdict="told", figure=figure, value=ratio)
    least, most = WITHIN[dtype_of(passes.base)]
    figure += f" (within {least} to {most})"
    verdict = "yes" if least <= ratio <= most else "no"
    return Check(name=NAME, verdict=verdict, figure=figure, value=ratio)


def _noise(passes: Comparisons) -> float:
    """How far rounding alone moves the mean loss, as its standard deviation."""
    wanted = targets(passes.base, passes.samples)
    plain, rounded = (
        F.cross_entropy(result.logits, wanted, reduction="none")
        for result in (passes.wanted, passes.rounded)
    )
    return (rounded - plain).square().mean().sqrt().item() / math.sqrt(len(wanted))


def _loss_at(passes: Comparisons, slope: dict[str, Tensor], length: float) -> float:
    """The loss where the spokes have gone `length` times their gradients.

    In float32, since the digits of a set that is stored in bfloat16 lose so small a step.
    """
    moved = {name: passes.spokes.get_parameter(name) for name in slope}
    before = {name: parameter.data for name, parameter in moved.items()}
    try:
        for name, parameter in moved.items():
            parameter.data = parameter.data.float() + length * slope[name]
        return forward(passes.base, passes.samples, REFERENCE).loss
    finally:
        for name, parameter in moved.items():
            parameter.data = before[name]
