"""Feed-forward blocks with all `ffn` sets of spokes in them: one product in, one product out.

By themselves spokes are two small products and some small operations more for every layer, which
cost their start and not their size. But a spoke is nothing else than further units of the block
that it stands beside. So the matrices of a block lie in two larger ones, followed by those of each
set, and a token takes the units of its own set alone. Which set a token uses is thus a matter of
numbers: one recorded pass serves them all, in one batch too.

Either the base's own parameters become parts of the larger matrices, with every value as it was,
or the larger matrices are copies in the processor's own layout.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spokesmith.bases import Base
from spokesmith.decoding.forward import Work
from spokesmith.spokes import Site, SpokeSet, attached_sets
from spokesmith.spokes.fixed import FixedProduct


class _JoinedBlock(nn.Module):
    """A feed-forward block whose units are its own and those of the spokes.

    The matrix of `enter` is [2 * units, d] with the gate's half first, that of `leave` [d, units].
    `share` is [..., units]: 1 for the units that a token uses, 0 for those of sets that it does
    not; None where every token uses all.
    """

    enter: FixedProduct
    leave: FixedProduct
    share: Tensor | None

    def __init__(self, activation: Any) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.enter(x).chunk(2, dim=-1)
        inner = self.activation(gate) * value
        return self.leave(inner if self.share is None else inner * self.share)


@dataclass(frozen=True)
class _Layout:
    """Whose units a block has: its own, and then of each set (its number, units)."""

    own: int
    of_sets: tuple[tuple[int, int], ...]


class JoinedBlocks:
    """The joined blocks of a base.

    Args:
        base: whose feed-forward blocks; see `can_join`.
        copies: whether the matrices are copies in the processor's own layout, beside the base's
            own parameters; for inference mode.

    Attributes:
        names: of the sets that are in the blocks.
        version: rises whenever the matrices have moved in memory.
    """

    def __init__(self, base: Base, *, copies: bool = False) -> None:
        self._base = base
        self._copies = copies
        self._sites = base.sites()
        self._blocks = [_JoinedBlock(site.activation) for site in self._sites]
        self._layouts: list[_Layout] = []
        self._owners: dict[_Layout, Tensor] = {}
        self._state: Any = None
        self.names: list[str] = []
        self.version = 0

    def sets_of_tokens(self, works: Sequence[Work]) -> list[int]:
        """The number by which `in_use` knows the set of each token; 0 where it is not in the
        blocks."""
        numbers: dict[str | None, int] = {
            name: number for number, name in enumerate(self.names, start=1)
        }
        return [numbers.get(work.spokes, 0) for work in works for _ in work.token_ids]

    def refresh(self) -> None:
        """Take in what has happened to the sets since the last call.

        Where that fails, for instance for lack of memory, the next call lays out all blocks anew.
        """
        attached = attached_sets(self._base.model)
        found = {name: one for name, one in attached.items() if one.config.placement == "ffn"}
        state = [(name, one, one.state_of_parameters()) for name, one in found.items()]
        if state == self._state:
            return
        sets = list(found.values())
        layouts = [self._layout(index, sets) for index in range(len(self._sites))]
        moved = layouts != self._layouts
        self._state, self._layouts = None, []
        for index, layout in enumerate(layouts):
            self._join(index, layout, sets, moved=moved)
        if moved:
            self._owners = {layout: self._owner(layout) for layout in set(layouts)}
            self.version += 1
        self.names, self._layouts, self._state = list(found), layouts, state

    @contextmanager
    def in_use(self, sets: Tensor | None) -> Iterator[None]:
        """Inside the block the base computes by joined blocks.

        Args:
            sets: [...], the number of each token's set; None where all tokens use all sets.
        """
        shares = {
            layout: None if sets is None else self._share(owner, sets)
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

    def _share(self, owner: Tensor, sets: Tensor) -> Tensor:
        return ((owner == 0) | (owner == sets[..., None])).to(self._base.model.dtype)

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
    def _join(self, index: int, layout: _Layout, sets: Sequence[SpokeSet], *, moved: bool) -> None:
        """Lay the base's matrices and those of the sets into a block's."""
        gate, up, down = self._projections(self._sites[index])
        block = self._blocks[index]
        pairs = [
            sets[number - 1].at(index).fused_weights(gate.weight.dtype)
            for number, _ in layout.of_sets
        ]
        halves = [into.chunk(2) for into, _ in pairs]
        gates, values = ([half[place] for half in halves] for place in range(2))
        into = torch.cat([gate.weight, *gates, up.weight, *values])
        out = torch.cat([down.weight, *(out for _, out in pairs)], dim=1)
        if self._copies or moved:
            block.enter = FixedProduct(into, packs=self._copies)
            block.leave = FixedProduct(out, packs=self._copies)
        else:
            block.enter.weight.copy_(into)
            block.leave.weight.copy_(out)
        if moved and not self._copies:
            own, units = layout.own, len(into) // 2
            gate.weight.data, up.weight.data = into[:own], into[units : units + own]
            down.weight.data = out[:, :own]


def can_join(base: Base) -> bool:
    """Whether the feed-forward blocks are three plain products without biases, in one place."""
    sites, names = base.sites(), base.family.ffn_projections
    linears = [getattr(site.ffn, name, None) for site in sites for name in names]
    return all(type(one) is nn.Linear and one.bias is None for one in linears) and not any(
        hasattr(module, "_hf_hook") for site in sites for module in site.ffn.modules()
    )
