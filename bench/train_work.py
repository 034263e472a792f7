"""The arithmetic that a training step needs, and the rate at which the machine could do it.

Model FLOPs, as usual: the work that the loss asks for, without padding and without what is computed
again. A frozen base needs two passes, forward and the gradient of its inputs; an adapter three. The
head counts where there is a label. A shared opening counts once a batch, and only in the layers
whose keys and values are read.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from train_base import Settings

from spokesmith.bases import Base
from spokesmith.bases.loading import choose_dtype
from spokesmith.data.prepare import Example

FLOPS_OF_A_WEIGHT = 2
BASE_PASSES, ADAPTER_PASSES = 2, 3
# Scores and weighted values forward; for the backward, the gradients of both factors of each.
ATTENTION_PRODUCTS = 2 * 3
MATRIX_SIZES = {"cpu": 4096, "cuda": 8192}
MATRIX_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class LayerWork:
    """One decoder layer: its weights, the width of all heads together, its window if it has one."""

    weights: int
    heads_width: int
    window: int | None


@dataclass(frozen=True, kw_only=True)
class BaseWork:
    """What the arithmetic of a base depends on; read before an adapter joins it."""

    layers: Sequence[LayerWork]
    num_writing_keys: int
    head_weights: int

    @classmethod
    def of(cls, base: Base) -> "BaseWork":
        config = base.config
        kinds = getattr(config, "layer_types", None) or ["full_attention"] * len(base.sites())
        layers = [
            LayerWork(
                weights=_linear_weights(site.layer),
                heads_width=_heads_width(site.layer),
                window=config.sliding_window if kind == "sliding_attention" else None,
            )
            for site, kind in zip(base.sites(), kinds, strict=True)
        ]
        return cls(
            layers=layers,
            num_writing_keys=len(layers) - base.family.shared_kv_layers(config),
            head_weights=config.hidden_size * config.vocab_size,
        )

    def step_flops(
        self, examples: Sequence[Example], prefix: int, *, shares_prefix: bool, adapter: int
    ) -> float:
        """FLOPs for examples that open with `prefix` tokens, beside `adapter` parameters."""
        ends = [prefix + len(example.tokens) for example in examples]
        start = prefix if shares_prefix else 0
        total = sum(_stretch(self.layers, start, end) for end in ends)
        tokens = sum(end - start for end in ends)
        if shares_prefix:
            total += _stretch(self.layers[: self.num_writing_keys], 0, prefix)
            tokens += prefix
        labels = sum(len(example.tokens) - example.answer_start for example in examples)
        total += labels * self.head_weights * FLOPS_OF_A_WEIGHT * BASE_PASSES
        return total + tokens * adapter * FLOPS_OF_A_WEIGHT * ADAPTER_PASSES


def _stretch(layers: Sequence[LayerWork], start: int, end: int) -> float:
    """FLOPs of the positions from `start` to `end` of one text in some layers."""
    total = 0
    for layer in layers:
        total += (end - start) * layer.weights * FLOPS_OF_A_WEIGHT * BASE_PASSES
        pairs = _pairs(end, layer.window) - _pairs(start, layer.window)
        total += pairs * layer.heads_width * FLOPS_OF_A_WEIGHT * ATTENTION_PRODUCTS
    return total


def _pairs(length: int, window: int | None) -> int:
    """How many pairs of a position and one that it attends to a text of this length has."""
    near = min(length, window or length)
    return near * (near + 1) // 2 + (length - near) * near


def _linear_weights(module: nn.Module) -> int:
    return sum(part.weight.numel() for part in module.modules() if isinstance(part, nn.Linear))


def _heads_width(layer: nn.Module) -> int:
    projection = next(part for name, part in layer.named_modules() if name.endswith("q_proj"))
    assert isinstance(projection, nn.Linear)
    return projection.out_features


def matrix_rate(settings: Settings) -> float:
    """FLOP/s of one large matrix product in the dtype of the base: the best that was seen."""
    device = torch.device(settings.device)
    dtype = choose_dtype("auto", device)
    size = MATRIX_SIZES[device.type]
    first, second = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best, begin = float("inf"), now(device)
    while now(device) - begin < MATRIX_SECONDS:
        start = now(device)
        _ = first @ second
        best = min(best, now(device) - start)
    return 2 * size**3 / best


def now(device: torch.device) -> float:
    """Seconds, once the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
