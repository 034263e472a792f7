"""The mathematics of a spoke, and a set of spokes as one module.

Two placements. `residual` adds to a decoder layer's output h, [..., d]:
    h + sigmoid(b) / S * sum_s U_s SiLU(D_s rms_norm(h))
`ffn` adds to a feed-forward block's output for its input x, [..., d]:
    mlp(x) + sigmoid(b) / S * sum_s U_s (act(G_s x) * (V_s x))
The S spokes of a layer are stored stacked, so the sum is two matrix products (three for `ffn`).
In inference mode the matrices into an `ffn` spoke are one and the scale is a part of the last one.
This file knows no model: where layers are and what they compute is the caller's business.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spokesmith.spokes.fixed import FixedProduct, in_inference

Placement = Literal["residual", "ffn"]
Activation = Callable[[Tensor], Tensor]

FIRST_GATE_BIAS = -2.0
LAST_GATE_BIAS = 2.0
RMS_NORM_EPS = 1e-6
# More than any base has; a card may claim any number.
MAX_LAYERS = 4096


@dataclass(frozen=True, kw_only=True)
class SpokesConfig:
    """Shape of a set of spokes.

    Attributes:
        hidden_size: the base's model width d.
        num_layers: the base's decoder layers L.
        placement: where a spoke reads and writes.
        num_spokes: spokes a layer carries, S.
        rank: width r of one spoke.
        every_n_layers: layers 0, n, 2n, ... carry spokes; read where `layers` is None.
        layers: the layers that carry spokes, by index.
    """

    hidden_size: int
    num_layers: int
    placement: Placement = "ffn"
    num_spokes: int = 4
    rank: int = 64
    every_n_layers: int = 1
    layers: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.placement not in get_args(Placement):
            raise ValueError(f"placement '{self.placement}' is unknown: use residual or ffn")
        for name in ("hidden_size", "num_layers", "num_spokes", "rank", "every_n_layers"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} = {value!r}: use a whole number of at least 1")
        if self.num_layers > MAX_LAYERS:
            raise ValueError(
                f"num_layers = {self.num_layers}: use the base's own number, at most {MAX_LAYERS}"
            )
        indices = self.layer_indices
        inside = all(0 <= index < self.num_layers for index in indices)
        if not indices or not inside or sorted(set(indices)) != list(indices):
            raise ValueError(
                f"layers = {list(indices)}: name each layer once, in rising order, "
                f"from 0 to {self.num_layers - 1}"
            )

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "SpokesConfig":
        """The shape that `dataclasses.asdict` made of one, read back from JSON.

        Raises:
            ValueError, TypeError: it is none.
        """
        layers = document.get("layers")
        return cls(**{**document, "layers": None if layers is None else tuple(layers)})

    @property
    def layer_indices(self) -> tuple[int, ...]:
        if self.layers is not None:
            return self.layers
        return tuple(range(0, self.num_layers, self.every_n_layers))

    def initial_gate_bias(self, layer: int) -> float:
        """From -2 in the base's first layer to 2 in its last; 0 where there is one layer."""
        if self.num_layers == 1:
            return 0.0
        span = LAST_GATE_BIAS - FIRST_GATE_BIAS
        return FIRST_GATE_BIAS + span * layer / (self.num_layers - 1)


class Spoke(nn.Module):
    """The stacked spokes of one layer: `down` and `gate` are [S*r, d], `up` is [d, S*r]."""

    gate: nn.Parameter | None

    def __init__(self, config: SpokesConfig, layer: int) -> None:
        super().__init__()
        inner, width = config.num_spokes * config.rank, config.hidden_size
        self.num_spokes = config.num_spokes
        self.placement: Placement = config.placement
        self.down = nn.Parameter(torch.empty(inner, width))
        self.up = nn.Parameter(torch.zeros(width, inner))
        self.gate_bias = nn.Parameter(torch.tensor(config.initial_gate_bias(layer)))
        self.gate = nn.Parameter(torch.empty(inner, width)) if config.placement == "ffn" else None
        self._kept: tuple[Any, tuple[FixedProduct, FixedProduct]] | None = None
        # For a compiler, which cannot tell inference mode nor whether parameters have changed.
        self.held_products: tuple[FixedProduct, FixedProduct] | None = None
        self.kept_stack: tuple[Any, list[Spoke], tuple[Tensor, Tensor]] | None = None

    def initialise(self, generator: torch.Generator, input_rms: float) -> None:
        """Draw the input matrices; `up` is zero, so that an untrained spoke adds nothing.

        Args:
            generator: source of the draws.
            input_rms: root mean square of an `ffn` spoke's input. Dividing by it makes G x and
                V x about 1 in size in every layer of every base; without it the small inputs of
                a feed-forward block make such a spoke learn several times slower.
        """
        if self.gate is None:
            nn.init.kaiming_uniform_(self.down, a=math.sqrt(5), generator=generator)
            return
        std = 1.0 / (math.sqrt(self.down.shape[1]) * input_rms)
        for matrix in (self.gate, self.down):
            nn.init.normal_(matrix, std=std, generator=generator)

    @property
    def scale(self) -> Tensor:
        """The factor of the sum, sigmoid(b) / S, a scalar."""
        return torch.sigmoid(self.gate_bias) / self.num_spokes

    def fused_weights(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The matrices into the spokes, [S*r, d] or for `ffn` [2*S*r, d] with the gate first, and
        the one out of them, [d, S*r], with the scale in it."""
        into = self.down if self.gate is None else torch.cat([self.gate, self.down])
        wide = torch.promote_types(self.up.dtype, torch.float32)
        return into.detach().to(dtype), (self.up.to(wide) * self.scale.to(wide)).detach().to(dtype)

    def state_of_parameters(self) -> list[tuple[int, int]]:
        """What changes when a parameter does."""
        # Asked at every step: the module's own table is many times faster than `parameters()`.
        return [
            (one.data_ptr(), one._version) for one in self._parameters.values() if one is not None
        ]

    def products(self, dtype: torch.dtype) -> tuple[FixedProduct, FixedProduct]:
        """The products of `fused_weights` for hidden states of a dtype, made anew after the
        parameters have changed."""
        if self.placement == "residual":
            dtype = torch.promote_types(dtype, torch.float32)
        state = (dtype, self.state_of_parameters())
        if self._kept is None or self._kept[0] != state:
            into, up = self.fused_weights(dtype)
            self._kept = (state, (FixedProduct(into), FixedProduct(up)))
        return self._kept[1]

    def add_to_hidden(self, h: Tensor) -> Tensor:
        """`residual`: the layer's output h, [..., d], with the spokes added, in h's dtype."""
        wide = h if h.dtype == torch.float64 else h.float()
        normed = F.rms_norm(wide, (wide.shape[-1],), eps=RMS_NORM_EPS)
        if self.held_products is not None or in_inference():
            into, up = self.held_products or self.products(h.dtype)
            return (wide + up(F.silu(into(normed)))).to(h.dtype)
        inner = F.silu(F.linear(normed, self.down.to(wide.dtype)))
        added = F.linear(inner, self.up.to(wide.dtype)) * self.scale.to(wide.dtype)
        return (wide + added).to(h.dtype)

    def beside_ffn(self, x: Tensor, activation: Activation) -> Tensor:
        """`ffn`: what the spokes add to the block's output for its input x, [..., d].

        The products run in x's dtype, as those of a folded block do; the parameters themselves
        stay as they are stored (fp32 in training), so small updates are not lost.
        """
        assert self.gate is not None, "an ffn spoke has a gate matrix"
        if self.held_products is not None or in_inference():
            into, up = self.held_products or self.products(x.dtype)
            gate, value = into(x).chunk(2, dim=-1)
            return up(activation(gate) * value)
        inner = activation(F.linear(x, self.gate.to(x.dtype))) * F.linear(x, self.down.to(x.dtype))
        return F.linear(inner, self.up.to(x.dtype)) * self.scale.to(x.dtype)


class SpokeSet(nn.Module):
    """All spokes of one base, by layer index: parameters `layers.{i}.down`, `.up`, ..."""

    def __init__(self, config: SpokesConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleDict({str(i): Spoke(config, i) for i in config.layer_indices})

    @classmethod
    def create(
        cls, config: SpokesConfig, *, seed: int, input_rms: Mapping[int, float] | None = None
    ) -> "SpokeSet":
        """An untrained set, the same for the same seed.

        Args:
            config: its shape.
            seed: of the draws.
            input_rms: of each layer's feed-forward input (`measure_input_rms`); None takes 1.
        """
        spokes = cls(config)
        generator = torch.Generator().manual_seed(seed)
        for index in config.layer_indices:
            spokes.at(index).initialise(generator, input_rms[index] if input_rms else 1.0)
        return spokes

    def at(self, layer: int) -> Spoke:
        """The spokes of a layer."""
        spoke = self.layers[str(layer)]
        assert isinstance(spoke, Spoke)
        return spoke

    def spokes(self) -> Iterator[Spoke]:
        """The spokes of all layers, in order."""
        return (self.at(index) for index in self.config.layer_indices)

    def state_of_parameters(self) -> list[tuple[int, int]]:
        """What changes when a parameter does."""
        spokes: Any = self.layers.values()
        return [state for spoke in spokes for state in spoke.state_of_parameters()]

    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())
