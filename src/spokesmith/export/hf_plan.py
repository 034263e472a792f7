"""The model that a base and a set make: which tensors it has, and how each comes about.

Folded, the feed-forward blocks get the spokes as further inner units. All layers of an architecture
have one width in the configuration, so a layer without spokes is filled up with zeros, which add
exactly nothing. Where the last layers are twice as wide as the others, one unit in the
configuration is two of theirs. For vLLM's plugin, the spokes are tensors beside the base's.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spokesmith.bases.families import Family
from spokesmith.bases.loading import BaseSource
from spokesmith.export import vllm_plugin
from spokesmith.export.fold import FoldedLayer, folded_layers
from spokesmith.export.hf_weights import TextWeights, build_empty, find_weights, stored_tensors
from spokesmith.spokes import SpokeSet


@dataclass(frozen=True, kw_only=True)
class HfPlan:
    """A model to write.

    Attributes:
        config: its configuration.
        architecture: what the configuration names.
        tensors: its tensors by name, without memory.
        make: makes one of them.
        weights: those of the base.
    """

    config: Any
    architecture: str
    tensors: Mapping[str, Tensor]
    make: Callable[[str], Tensor]
    weights: TextWeights


def plan_folded(source: BaseSource, spokes: SpokeSet, dtype: torch.dtype) -> HfPlan:
    """A base with an `ffn` set folded into it.

    Raises:
        ValueError: the set is a residual one, the base's blocks are mixtures of experts, or its
            files are not usable.
    """
    family = source.family
    if family.has_experts(source.config):
        raise ValueError(
            f"the feed-forward blocks of '{source.name}' are mixtures of experts, and a set cannot "
            "be folded into those: serve it with `spokesmith serve`"
        )
    folded = folded_layers(spokes)
    weights = find_weights(source, stored_tensors(build_empty(source.config)))
    config = copy.deepcopy(source.config)
    config.intermediate_size += further_width(family, source.config, folded)
    model = build_empty(config)
    tensors = {name: as_dtype(one, dtype) for name, one in stored_tensors(model).items()}
    parts = _parts_of(model, family, folded)

    def make(name: str) -> Tensor:
        base, shape = as_dtype(weights.read(name), dtype), tuple(tensors[name].shape)
        if tuple(base.shape) == shape:
            return base
        axis, added = parts[name]
        return widened(base, shape, axis, added)

    return HfPlan(
        config=config,
        architecture=type(model).__name__,
        tensors=tensors,
        make=make,
        weights=weights,
    )


def plan_beside(source: BaseSource, spokes: SpokeSet, dtype: torch.dtype) -> HfPlan:
    """A base as it is, and a `residual` set as tensors of their own, for vLLM's plugin.

    Raises:
        ValueError: the set is an `ffn` one, the plugin does not know the base's architecture, or
            its files are not usable.
    """
    shape = spokes.config
    if shape.placement != "residual":
        raise ValueError(
            "an ffn set needs no plugin: leave out --layout, which folds it into the base"
        )
    model = build_empty(source.config)
    architecture = type(model).__name__
    if architecture not in vllm_plugin.SUPPORTED or source.family.has_experts(source.config):
        raise ValueError(
            f"vLLM's plugin does not serve '{source.name}': serve the set with `spokesmith serve`"
        )
    base = stored_tensors(model)
    weights = find_weights(source, base)
    added = _beside(model, spokes)
    config = copy.deepcopy(source.config)
    setattr(
        config,
        vllm_plugin.CONFIG_KEY,
        {"layers": list(shape.layer_indices), "inner": shape.num_spokes * shape.rank},
    )

    def make(name: str) -> Tensor:
        return added[name] if name in added else as_dtype(weights.read(name), dtype)

    return HfPlan(
        config=config,
        architecture=vllm_plugin.PREFIX + architecture,
        tensors={**{name: as_dtype(one, dtype) for name, one in base.items()}, **added},
        make=make,
        weights=weights,
    )


def further_width(family: Family, config: Any, folded: Mapping[int, FoldedLayer]) -> int:
    """By how much `intermediate_size` grows, so that every layer has room for its spokes."""
    needed = 0
    for index, layer in folded.items():
        units = family.ffn_width(config, index) // config.intermediate_size
        needed = max(needed, -(-layer.gate.shape[0] // units))
    return needed


def widened(base: Tensor, shape: tuple[int, ...], axis: int, added: Tensor | None) -> Tensor:
    """A matrix or bias made longer along `axis`: the base's part, what is added, then zeros."""
    wide = base.new_zeros(shape)
    start = base.shape[axis]
    wide.narrow(axis, 0, start).copy_(base)
    if added is not None:
        wide.narrow(axis, start, added.shape[axis]).copy_(added)
    return wide


def as_dtype(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _parts_of(
    model: Any, family: Family, folded: Mapping[int, FoldedLayer]
) -> dict[str, tuple[int, Tensor | None]]:
    """By the names of feed-forward tensors: the axis of the inner units, and what spokes add."""
    names = {module: name for name, module in model.named_modules()}
    parts: dict[str, tuple[int, Tensor | None]] = {}
    for index, layer in enumerate(model.get_decoder().layers):
        own = folded.get(index)
        added = (own.gate, own.up, own.down) if own else (None, None, None)
        for projection, part, axis in zip(family.ffn_projections, added, (0, 0, 1), strict=True):
            name = names[getattr(getattr(layer, family.ffn), projection)]
            parts[f"{name}.weight"] = (axis, part)
            # Spokes have no biases; that of the last projection is not along the inner units.
            parts[f"{name}.bias"] = (0, None)
    return parts


def _beside(model: Any, spokes: SpokeSet) -> dict[str, Tensor]:
    """The spokes' tensors by the names that the plugin gives them."""
    names = {module: name for name, module in model.named_modules()}
    added: dict[str, Tensor] = {}
    for index in spokes.config.layer_indices:
        layer = names[model.get_decoder().layers[index]]
        down, up = spokes.at(index).fused_weights(torch.float32)
        added[f"{layer}.{vllm_plugin.DOWN_NAME}"] = down.cpu()
        added[f"{layer}.{vllm_plugin.UP_NAME}"] = up.cpu()
    return added
