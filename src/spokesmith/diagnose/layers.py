"""Do gradients reach every spoke, and how much does each one change? A table by layer."""

import functools
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from spokesmith.bases import Base
from spokesmith.diagnose.findings import Check, Question
from spokesmith.diagnose.passes import Sample, Setting, bare, forward
from spokesmith.diagnose.sameness import Comparisons
from spokesmith.diagnose.slope import loss_follows
from spokesmith.spokes import SpokeSet

# Layers differ by nature, so only what is orders of magnitude from the middle is called wrong.
DEAD_SHARE = 1e-4
EXPLODING_FACTOR = 1e4
MOVED_SHARE = 0.05


def layer_table(passes: Comparisons, *, is_trained: bool) -> Question:
    """The third question: gradients, weights and updates by layer, dead and exploding ones named,
    and whether the loss moves as the gradients say.

    Args:
        passes: of a base with the set active.
        is_trained: whether the set was trained; then it is also told which layers moved.
    """
    spokes, found = passes.spokes, passes.wanted_gradients
    updates = update_shares(passes.base, passes.samples)
    rows = [
        _row(spokes, index, found, updates[index], is_trained=is_trained)
        for index in spokes.config.layer_indices
    ]
    checks = [_dead(rows), _exploding(rows), loss_follows(passes), _largest_update(rows)]
    if is_trained:
        checks.append(_moved(rows))
    return Question(title="Do gradients reach every spoke?", checks=checks, rows=rows)


@torch.no_grad()
def update_shares(base: Base, samples: Sequence[Sample]) -> dict[int, float]:
    """The norm of what each layer's spokes change, in units of the norm of the layer's output."""
    changed: dict[int, list[Tensor]] = {}

    def measure(
        index: int, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> None:
        with bare(base):
            plain = layer.forward(*args, **kwargs)
        sums = torch.stack([(output - plain).float().pow(2).sum(), output.float().pow(2).sum()])
        changed.setdefault(index, []).append(sums)

    handles = [
        site.layer.register_forward_hook(functools.partial(measure, index), with_kwargs=True)
        for index, site in enumerate(base.sites())
    ]
    try:
        forward(base, samples, Setting())
    finally:
        for handle in handles:
            handle.remove()
    totals = {index: torch.stack(sums).sum(0) for index, sums in changed.items()}
    return {index: (total[0] / total[1]).sqrt().item() for index, total in totals.items()}


def _row(
    spokes: SpokeSet,
    layer: int,
    found: dict[str, Tensor],
    update_share: float,
    *,
    is_trained: bool,
) -> dict[str, Any]:
    spoke = spokes.at(layer)
    row: dict[str, Any] = {"layer": layer, "gate": torch.sigmoid(spoke.gate_bias).item()}
    row["gate_gradient"] = found[f"layers.{layer}.gate_bias"].norm().item()
    for name, parameter in spoke.named_parameters():
        if name != "gate_bias":
            matrix = "gate_matrix" if name == "gate" else name
            row[f"{matrix}_norm"] = parameter.detach().float().norm().item()
            row[f"{matrix}_gradient"] = found[f"layers.{layer}.{name}"].norm().item()
    row["update_share"] = update_share
    if is_trained:
        initial = spokes.config.initial_gate_bias(layer)
        row["gate_moved"] = row["gate"] - 1 / (1 + math.exp(-initial))
        # `up` starts at zero, so its size is the way it has gone.
        row["up_moved"] = row["up_norm"] / math.sqrt(spoke.up.numel())
    return row


def _gradient(row: dict[str, Any]) -> float:
    """The gradient norm of a layer's matrices; `up` alone has one while it is zero."""
    names = ("gate_matrix_gradient", "down_gradient", "up_gradient")
    return math.hypot(*(row[name] for name in names if name in row))


def _dead(rows: list[dict[str, Any]]) -> Check:
    # Without the gate's bias, whose gradient is zero where `up` is and may cancel elsewhere.
    norms = [_gradient(row) for row in rows]
    middle = statistics.median(norms)
    return _named(rows, "no layer is dead", norms, lambda norm: norm <= DEAD_SHARE * middle)


def _exploding(rows: list[dict[str, Any]]) -> Check:
    norms = [math.hypot(_gradient(row), row["gate_gradient"]) for row in rows]
    middle = statistics.median(norms)

    def explodes(norm: float) -> bool:
        return not math.isfinite(norm) or norm > EXPLODING_FACTOR * middle

    return _named(rows, "no layer explodes", norms, explodes)


def _named(
    rows: list[dict[str, Any]], name: str, norms: list[float], is_bad: Callable[[float], bool]
) -> Check:
    bad = [row["layer"] for row, norm in zip(rows, norms, strict=True) if is_bad(norm)]
    figure = f"gradient norms from {min(norms):.1e} to {max(norms):.1e}"
    if bad:
        figure += f"; layers {', '.join(map(str, bad))}"
    return Check(name=name, verdict="no" if bad else "yes", figure=figure, value=float(len(bad)))


def _largest_update(rows: list[dict[str, Any]]) -> Check:
    row = max(rows, key=lambda one: one["update_share"])
    figure = f"at most {row['update_share']:.1%} of the residual stream, in layer {row['layer']}"
    return Check(name="size of the update", verdict="told", figure=figure)


def _moved(rows: list[dict[str, Any]]) -> Check:
    middle = statistics.median(row["up_moved"] for row in rows)
    still = [row["layer"] for row in rows if row["up_moved"] < MOVED_SHARE * middle]
    figure = f"{len(rows) - len(still)} of {len(rows)} layers moved"
    if still:
        figure += f"; those that hardly did: {', '.join(map(str, still))}"
    return Check(name="what training moved", verdict="told", figure=figure)
