"""Several sets at once: the tokens of one call use different spokes, in one batched product.

For inference only. The tokens of each set are laid out as one batch entry, padded to the longest,
and the sets' matrices are stacked beside them; sets of other shapes are computed one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from spokesmith.spokes.modules import RMS_NORM_EPS, Activation, Spoke

Parts = Sequence[tuple[Spoke, Tensor]]


@dataclass(frozen=True)
class Mixture:
    """Names of sets, each with the places of its tokens."""

    parts: list[tuple[str, Tensor]]


def add_beside_ffn_mixed(output: Tensor, x: Tensor, parts: Parts, activation: Activation) -> Tensor:
    """A feed-forward block's output [..., d] for its input x, with each token's spokes added."""

    def added(tokens: Tensor, into: Tensor, up: Tensor) -> Tensor:
        gate, value = torch.bmm(tokens, into).chunk(2, dim=-1)
        return torch.bmm(activation(gate) * value, up)

    flat = output.flatten(0, -2)
    for places, addition in _additions(x.flatten(0, -2), parts, x.dtype, added):
        flat = flat.index_add(0, places, addition)
    return flat.view(output.shape)


def add_to_hidden_mixed(h: Tensor, parts: Parts) -> Tensor:
    """A layer's output h, [..., d], with each token's spokes added, in h's dtype."""
    flat = h.flatten(0, -2)
    wide = flat if flat.dtype == torch.float64 else flat.float()
    normed = F.rms_norm(wide, (wide.shape[-1],), eps=RMS_NORM_EPS)

    def added(tokens: Tensor, into: Tensor, up: Tensor) -> Tensor:
        return torch.bmm(F.silu(torch.bmm(tokens, into)), up)

    for places, addition in _additions(normed, parts, wide.dtype, added):
        wide = wide.index_add(0, places, addition)
    return wide.to(h.dtype).view(h.shape)


def _additions(
    x: Tensor,
    parts: Parts,
    dtype: torch.dtype,
    added: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> list[tuple[Tensor, Tensor]]:
    """What is to be added where, one product for all sets of a shape."""
    shapes: dict[torch.Size, list[tuple[Spoke, Tensor]]] = {}
    for spoke, places in parts:
        # The places are told once, and a layer may stand on another device.
        shapes.setdefault(spoke.down.shape, []).append((spoke, places.to(x.device)))
    found = []
    for alike in shapes.values():
        spokes = [spoke for spoke, _ in alike]
        lengths = [len(places) for _, places in alike]
        gathered = x.new_zeros(len(alike), max(lengths), x.shape[-1])
        for entry, (_, places) in zip(gathered, alike, strict=True):
            entry[: len(places)] = x[places]
        into, up = _stacked(spokes, dtype)
        additions = added(gathered, into, up)
        kept = [entry[:length] for entry, length in zip(additions, lengths, strict=True)]
        found.append((torch.cat([places for _, places in alike]), torch.cat(kept)))
    return found


def _stacked(spokes: Sequence[Spoke], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The transposed matrices of several spokes, [G, d, S*r] and [G, S*r, d].

    The first spoke keeps the stack of the sets that it was last used with.
    """
    states = [(dtype, one.state_of_parameters()) for one in spokes]
    kept = spokes[0].kept_stack
    # The stack holds on to its spokes, so no other spoke can be taken for one of them.
    if kept is None or kept[0] != states or list(map(id, kept[1])) != list(map(id, spokes)):
        pairs = [one.fused_weights(dtype) for one in spokes]
        into = torch.stack([into.T for into, _ in pairs])
        up = torch.stack([up.T for _, up in pairs])
        kept = (states, list(spokes), (into, up))
        spokes[0].kept_stack = kept
    return kept[2]
