"""Sets of spokes in an older form, one torch file, read so that they can be saved as a set folder.

The file holds a dictionary with `spoke_config`, a dictionary of numbers and words, and
`spoke_state_dict`, which for a layer l and its spokes s has the tensors
    {l}.w_down.{s}.weight [r, d], {l}.w_up.{s}.weight [d, r], {l}.gate_bias, one number,
all behind one common prefix or none. Its spokes are those of the `residual` placement with the
S spokes of a layer kept apart, so stacking them in order gives ours. One difference stays: some
programs of that form add 1.2e-7 (PyTorch's default) where our rms norm adds 1e-6 to the mean square
of h, which changes a spoke's input by less than one part in 20,000 where that mean square is above
0.01.

Sizes come from the tensors; what the configuration says about them must agree. The form names
neither its base nor, mostly, that base's number of layers: the caller brings both. This file does
not know what a base is.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spokesmith.spokes.modules import SpokesConfig, SpokeSet

CONFIG_KEY = "spoke_config"
STATE_KEY = "spoke_state_dict"
# The names under which programs of the older form state a size.
SIZE_NAMES = {
    "num_spokes": ("num_spokes", "n_spokes"),
    "rank": ("spoke_rank", "rank"),
    "hidden_size": ("hidden_size", "d_model"),
    "num_layers": ("num_layers", "num_hidden_layers", "n_layers"),
    "every_n_layers": ("spoke_every_n", "every_n_layers", "every_n"),
}
# Steps of the older form that our spokes do not have: a set that used one cannot be converted.
ROTATION_NAMES = ("rotation", "bottleneck_rotation")
# How many reflections one of those rotations has; it says nothing where there is no rotation.
EMPTY_NAMES = ("householder_k",)
FLOAT_DTYPES = (torch.float32, torch.bfloat16, torch.float16)
TENSOR_KEY = re.compile(
    r"(?P<prefix>(?:.*\.)?)(?P<layer>0|[1-9][0-9]*)\."
    r"(?P<part>gate_bias|w_(?:down|up)\.(?:0|[1-9][0-9]*)\.weight)"
)
SHOWN_KEYS = 3


@dataclass(frozen=True, kw_only=True)
class OlderSpokes:
    """What an older file holds, checked and stacked, before it is known for which base.

    Attributes:
        state: `layers.{l}.down` [S*r, d], `.up` [d, S*r] and `.gate_bias` [], in fp32.
        layers: the layers that carry spokes, in rising order.
        hidden_size: the base's width d.
        num_spokes: spokes a layer carries, S.
        rank: width r of one spoke.
        num_layers: the base's decoder layers as the file states them; None where it does not.
        every_n_layers: the step between layers with spokes as the file states it, or None.
        unused: names in the file's configuration that were not understood, so not used.
    """

    state: Mapping[str, Tensor]
    layers: tuple[int, ...]
    hidden_size: int
    num_spokes: int
    rank: int
    num_layers: int | None
    every_n_layers: int | None
    unused: tuple[str, ...]

    def for_base(self, *, hidden_size: int, num_layers: int) -> SpokeSet:
        """The set, fp32 on the CPU, for a base of this shape.

        Args:
            hidden_size: the base's width.
            num_layers: the base's decoder layers.

        Raises:
            ValueError: the spokes were made for a base of another shape.
        """
        least = max(self.layers) + 1
        fits = num_layers >= least if self.num_layers is None else num_layers == self.num_layers
        if not fits or hidden_size != self.hidden_size:
            raise ValueError(
                f"the spokes are for width {self.hidden_size} and "
                f"{self.num_layers or f'at least {least}'} layers, the base has width "
                f"{hidden_size} and {num_layers} layers: name the base that they were trained on"
            )
        if self.every_n_layers is not None:
            wanted = tuple(range(0, num_layers, self.every_n_layers))
            if self.layers != wanted:
                raise ValueError(
                    f"spokes every {self.every_n_layers} of {num_layers} layers are at "
                    f"{list(wanted)}, the file has them at {list(self.layers)}: name the base that "
                    "they were trained on, or copy the file again"
                )
        config = SpokesConfig(
            hidden_size=hidden_size,
            num_layers=num_layers,
            placement="residual",
            num_spokes=self.num_spokes,
            rank=self.rank,
            every_n_layers=self.every_n_layers or 1,
            layers=None if self.every_n_layers else self.layers,
        )
        with torch.device("meta"):
            spokes = SpokeSet(config)
        spokes.load_state_dict(self.state, assign=True)
        return spokes


def read_older_spokes(path: Path) -> OlderSpokes:
    """Read a file of the older form; code in it is never run.

    Args:
        path: of a file that `torch.save` wrote.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it needs code, is damaged or of another form, lacks a tensor, has one too many,
            has tensors whose sizes do not agree, or states a size that they do not have.
    """
    document = _load_plain(path)
    config, state = _part(document, CONFIG_KEY, path), _part(document, STATE_KEY, path)
    # First, since a rotation adds tensors, whose unknown names would say less.
    _check_rotations(config, path)
    try:
        tensors = _without_prefix(state)
        layers, num_spokes = _check_keys(tensors)
        hidden_size, rank = _check_shapes(tensors, layers, num_spokes)
        stated = {name: _stated_size(config, name) for name in SIZE_NAMES}
        found = {"num_spokes": num_spokes, "rank": rank, "hidden_size": hidden_size}
        for name, size in found.items():
            if stated[name] not in (None, size):
                raise ValueError(
                    f"{CONFIG_KEY} says {name} = {stated[name]}, the tensors have {size}"
                )
        if stated["num_layers"] is not None and layers[-1] >= stated["num_layers"]:
            raise ValueError(
                f"{CONFIG_KEY} says num_layers = {stated['num_layers']}, the tensors have layer "
                f"{layers[-1]}"
            )
    except ValueError as error:
        raise ValueError(f"{path}: {error}: give the file as training saved it") from error
    known = {*ROTATION_NAMES, *EMPTY_NAMES}.union(*SIZE_NAMES.values())
    return OlderSpokes(
        state=_stack(tensors, layers, num_spokes),
        layers=layers,
        num_layers=stated["num_layers"],
        every_n_layers=stated["every_n_layers"],
        unused=tuple(str(name) for name in config if name not in known),
        **found,
    )


def _load_plain(path: Path) -> Any:
    """What a torch file holds if that is tensors, numbers, words, lists and dictionaries alone."""
    with path.open("rb") as file, warnings.catch_warnings():
        # Its warnings are about what the file was written with; we say what is wrong ourselves.
        warnings.simplefilter("ignore")
        try:
            return torch.load(file, weights_only=True, map_location="cpu")
        # A damaged file, or one made to do harm, can fail in any step of reading it.
        except Exception as error:
            needed = re.search(r"GLOBAL ([\w.]+)", str(error))
            what = f"needs code to be read ({needed[1]})" if needed else "cannot be read"
            raise ValueError(
                f"{path} {what}, and code in a file is never run: give a whole file of torch.save "
                "that holds only tensors, numbers, words, lists and dictionaries"
            ) from error


def _part(document: Any, key: str, path: Path) -> Mapping[Any, Any]:
    part = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(part, Mapping):
        raise ValueError(
            f"{path} holds no dictionary '{key}': give a file with {CONFIG_KEY} and {STATE_KEY}"
        )
    return part


def _check_rotations(config: Mapping[str, Any], path: Path) -> None:
    for name in ROTATION_NAMES:
        value = config.get(name)
        if value not in (None, "none"):
            raise ValueError(
                f"{path}: {CONFIG_KEY} has {name} = {value!r}, a step that our spokes do not have, "
                "so this file cannot be converted: train a set for its base with `spokesmith train`"
            )


def _without_prefix(state: Mapping[Any, Tensor]) -> dict[str, Tensor]:
    """The tensors by their names from the layer's number on."""
    matches = {key: TENSOR_KEY.fullmatch(key) if isinstance(key, str) else None for key in state}
    unknown = [repr(key) for key, match in matches.items() if match is None]
    if unknown:
        more = f" and {len(unknown) - SHOWN_KEYS} more" if len(unknown) > SHOWN_KEYS else ""
        raise ValueError(f"{STATE_KEY} has the unknown {', '.join(unknown[:SHOWN_KEYS])}{more}")
    prefixes = sorted({match["prefix"] for match in matches.values() if match})
    if len(prefixes) != 1:
        found = " and ".join(repr(prefix) for prefix in prefixes[:2])
        raise ValueError(
            f"the keys of {STATE_KEY} begin with {found}, not all alike"
            if prefixes
            else f"{STATE_KEY} is empty"
        )
    return {key.removeprefix(prefixes[0]): value for key, value in state.items()}


def _check_keys(tensors: Mapping[str, Tensor]) -> tuple[tuple[int, ...], int]:
    """The layers that have tensors, and how many spokes each carries; none may be missing."""
    words = [key.split(".") for key in tensors]
    layers = tuple(sorted({int(parts[0]) for parts in words}))
    num_spokes = 1 + max((int(parts[2]) for parts in words if len(parts) > 2), default=0)
    for layer in layers:
        for key in chain([f"{layer}.gate_bias"], _weight_keys(layer, num_spokes)):
            if key not in tensors:
                raise ValueError(f"{STATE_KEY} lacks {key}")
    return layers, num_spokes


def _check_shapes(
    tensors: Mapping[str, Tensor], layers: tuple[int, ...], num_spokes: int
) -> tuple[int, int]:
    """The width d and the rank r that all tensors share."""
    for key, value in tensors.items():
        plain = isinstance(value, Tensor) and value.layout is torch.strided and not value.is_nested
        if not plain or value.dtype not in FLOAT_DTYPES or value.device.type != "cpu":
            raise ValueError(f"{key} is no plain tensor of fp32, bf16 or fp16")
    first = f"{layers[0]}.w_down.0.weight"
    if tensors[first].ndim != 2 or 0 in tensors[first].shape:
        raise ValueError(f"{first} is {list(tensors[first].shape)}, want [rank, width]")
    rank, width = tensors[first].shape
    for layer in layers:
        bias = tensors[f"{layer}.gate_bias"]
        if bias.shape not in ((), (1,)):
            raise ValueError(f"{layer}.gate_bias is {list(bias.shape)}, want one number")
        for key in _weight_keys(layer, num_spokes):
            shape = (rank, width) if "w_down" in key else (width, rank)
            if tensors[key].shape != shape:
                raise ValueError(
                    f"{key} is {list(tensors[key].shape)}, want {list(shape)} beside {first}, "
                    f"which is {[rank, width]}: all spokes have one rank and one width"
                )
    return width, rank


def _weight_keys(layer: int, num_spokes: int) -> Iterator[str]:
    """One by one, since a file that numbers a spoke 9999999999 is not to fill the memory."""
    for spoke in range(num_spokes):
        yield f"{layer}.w_down.{spoke}.weight"
        yield f"{layer}.w_up.{spoke}.weight"


def _stated_size(config: Mapping[str, Any], name: str) -> int | None:
    """A size as the configuration states it, under any of its names; None where it does not."""
    stated = {key: config[key] for key in SIZE_NAMES[name] if config.get(key) is not None}
    for key, value in stated.items():
        if type(value) is not int or value < 1:
            raise ValueError(f"{CONFIG_KEY} has {key} = {value!r}, want a whole number above 0")
    if len(set(stated.values())) > 1:
        found = " and ".join(f"{key} = {value}" for key, value in stated.items())
        raise ValueError(f"{CONFIG_KEY} contradicts itself: {found}")
    return next(iter(stated.values()), None)


def _stack(
    tensors: Mapping[str, Tensor], layers: tuple[int, ...], num_spokes: int
) -> dict[str, Tensor]:
    """Our tensors, fp32: the spokes of a layer below each other in `down`, side by side in `up`."""
    state: dict[str, Tensor] = {}
    for layer in layers:
        for part, dimension in (("down", 0), ("up", 1)):
            matrices = [tensors[f"{layer}.w_{part}.{s}.weight"] for s in range(num_spokes)]
            state[f"layers.{layer}.{part}"] = torch.cat(matrices, dimension).detach().float()
        # A copy: a file may let several layers share one number, and ours never do.
        bias = tensors[f"{layer}.gate_bias"].detach().clone()
        state[f"layers.{layer}.gate_bias"] = bias.float().reshape(())
    return state
