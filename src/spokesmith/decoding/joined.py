"""Feed-forward blocks with all `ffn` sets of spokes in them: one product in, one product out.

By themselves spokes are two small products and some small operations more for every layer, which on
a GPU cost their start and not their size. But a spoke is nothing else than further units of the
block that it stands beside. So the matrices of a block lie in two larger ones, followed by those of
each set, and a token takes the units of its own set alone. Which set a token uses is thus a matter
of numbers: one recorded pass serves them all, in one batch too.

The base's own parameters become parts of the larger matrices, with every value as it was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spokesmith.bases import Base
from spokesmith.spokes import Site, SpokeSet, attached_sets


class _JoinedBlock(nn.Module):
    """A feed-forward block whose units are its own and those of the spokes.

    `into` is [2 * units, d] with the gate's half first, `out` is [d, units], and `share` is
    [N, units]: 1 for the units that a token uses, 0 for those of sets that it does not.
    """

    into: Tensor
    out: Tensor
    share: Tensor

    def __init__(self, activation: Any) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        gate, value = F.linear(x, self.into).chunk(2, dim=-1)
        return F.linear(self.activation(gate) * value * self.share, self.out)


@dataclass(frozen=True)
class _Layout:
    """Whose units a block has: its own, and then of each set (its number, units)."""

    own: int
    of_sets: tuple[tuple[int, int], ...]


class JoinedBlocks:
    """The joined blocks of a base.

    Args:
        base: whose feed-forward blocks; see `can_join`.

    Attributes:
        names: of the sets that are in the blocks.
        version: rises whenever the matrices have moved in memory.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._sites = base.sites()
        self._blocks = [_JoinedBlock(site.activation) for site in self._sites]
        self._layouts: list[_Layout] = []
        self._owners: dict[_Layout, Tensor] = {}
        self._state: Any = None
        self.names: list[str] = []
        self.version = 0

    def number(self, name: str | None) -> int:
        """The number by which `in_use` knows a set; 0 where it is not in the blocks."""
        return 1 + self.names.index(name) if name in self.names else 0

    def refresh(self) -> None:
        """Take in what has happened to the sets since the last call."""
        attached = attached_sets(self._base.model)
        found = {name: one for name, one in attached.items() if one.config.placement == "ffn"}
        state = [(name, one, one.state_of_parameters()) for name, one in found.items()]
        if state == self._state:
            return
        self.names, sets = list(found), list(found.values())
        layouts = [self._layout(index, sets) for index in range(len(self._sites))]
        if layouts != self._layouts:
            self._layouts = layouts
            self.version += 1
            for index in range(len(self._sites)):
                self._move(index)
            self._owners = {layout: self._owner(layout) for layout in set(layouts)}
        for index in range(len(self._sites)):
            self._write(index, sets)
        self._state = state

    @contextmanager
    def in_use(self, sets: Tensor) -> Iterator[None]:
        """Inside the block the base computes by joined blocks.

        Args:
            sets: [N], the number of each token's set.
        """
        dtype = self._base.model.dtype
        shares = {
            layout: ((owner == 0) | (owner == sets[:, None])).to(dtype)
            for layout, owner in self._owners.items()
        }
        name = self._base.family.ffn
        try:
            for site, block, layout in zip(self._sites, self._blocks, self._layouts, strict=True):
                block.share = shares[layout]
                setattr(site.layer, name, block)
            yield
        finally:
            for site in self._sites:
                setattr(site.layer, name, site.ffn)

    def _projections(self, site: Site) -> list[nn.Linear]:
        return [getattr(site.ffn, name) for name in self._base.family.ffn_projections]

    def _layout(self, index: int, sets: Sequence[SpokeSet]) -> _Layout:
        own = self._projections(self._sites[index])[0].out_features
        units = [
            (number, spokes.at(index).down.shape[0])
            for number, spokes in enumerate(sets, start=1)
            if index in spokes.config.layer_indices
        ]
        return _Layout(own, tuple(units))

    def _owner(self, layout: _Layout) -> Tensor:
        """The set of each unit, [units]; 0 for the block's own."""
        numbers = torch.tensor([0, *(number for number, _ in layout.of_sets)])
        counts = torch.tensor([layout.own, *(count for _, count in layout.of_sets)])
        return numbers.repeat_interleave(counts).to(self._base.device)

    @torch.no_grad()
    def _move(self, index: int) -> None:
        """Give a block matrices of the right size, of which the base's own are a part."""
        gate, up, down = self._projections(self._sites[index])
        layout, block = self._layouts[index], self._blocks[index]
        units = layout.own + sum(count for _, count in layout.of_sets)
        into = gate.weight.new_empty(2, units, gate.in_features)
        out = down.weight.new_empty(down.out_features, units)
        for linear, part in (
            (gate, into[0, : layout.own]),
            (up, into[1, : layout.own]),
            (down, out[:, : layout.own]),
        ):
            part.copy_(linear.weight)
            linear.weight.data = part
        block.into, block.out = into.flatten(0, 1), out

    @torch.no_grad()
    def _write(self, index: int, sets: Sequence[SpokeSet]) -> None:
        """Write the sets' matrices behind the base's own."""
        layout, block = self._layouts[index], self._blocks[index]
        gates, values = block.into.chunk(2)
        start = layout.own
        for number, count in layout.of_sets:
            into, out = sets[number - 1].at(index).fused_weights(block.into.dtype)
            stop = start + count
            gates[start:stop], values[start:stop] = into.chunk(2)
            block.out[:, start:stop] = out
            start = stop


def can_join(base: Base) -> bool:
    """Whether the feed-forward blocks are three plain products without biases."""
    linears = [
        getattr(site.ffn, name, None)
        for site in base.sites()
        for name in base.family.ffn_projections
    ]
    return all(isinstance(one, nn.Linear) and one.bias is None for one in linears)
