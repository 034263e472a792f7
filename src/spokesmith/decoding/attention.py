"""The plan of a step, and attention by it.

The tokens of a step come one behind the other, whatever row they belong to, so no row pads another;
`slot_attention` tells them apart by the step's plan. It reads whole buffers, in which every row has
a place for each position; a mask hides what a token may not see. Knows no cache and no request.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AttentionInterface

ATTENTION = "spokesmith_slots"
# Attention reads columns in multiples of this.
WIDTH_STEP = 64
# Rows attend together, padded to the longest of them, as long as that is at most so much more work.
MOST_PADDING = 1.2
# What a query costs beside its keys, in queries: short calls are bound by reading the keys.
QUERY_COST = 11


@dataclass(frozen=True, kw_only=True)
class Segment:
    """New tokens of one row: `length` of them, from position `start`."""

    row: int
    start: int
    length: int

    @property
    def stop(self) -> int:
        return self.start + self.length


@dataclass(kw_only=True)
class Group:
    """Rows whose attention is one call: tokens `first` to `last` of the step.

    `gather` lays them out as [rows, longest], `scatter` takes them back; None where they are laid
    out so already.
    """

    rows: slice
    num_rows: int
    longest: int
    width: int
    first: int
    last: int
    positions: Tensor
    gather: Tensor | None
    scatter: Tensor | None
    masks: dict[tuple[int | None, int], Tensor] = field(default_factory=dict)

    def on(self, device: torch.device) -> "Group":
        """The same group on a device, with masks of its own."""
        return replace(
            self,
            positions=self.positions.to(device),
            gather=None if self.gather is None else self.gather.to(device),
            scatter=None if self.scatter is None else self.scatter.to(device),
            masks={},
        )

    def mask(self, window: int | None, repeats: int, dtype: torch.dtype) -> Tensor:
        """What the tokens may read, additive: [rows, 1, repeats * longest, width]."""
        key = (window, repeats)
        if key not in self.masks:
            columns = torch.arange(self.width, device=self.positions.device)
            positions = self.positions[:, :, None]
            allowed = columns <= positions
            if window is not None:
                allowed &= columns > positions - window
            mask = torch.zeros(allowed.shape, dtype=dtype, device=columns.device)
            mask.masked_fill_(~allowed, torch.finfo(dtype).min)
            self.masks[key] = mask.repeat(1, repeats, 1)[:, None]
        return self.masks[key]


@dataclass(kw_only=True)
class Plan:
    """Where the tokens of one step stand.

    Attributes:
        positions: [N], of each token in its row.
        places: [N], where each token's keys and values go in a buffer whose rows are joined.
        groups: of rows whose attention is one call.
        split_width: positions to read, where each token attends by itself on a GPU.
    """

    positions: Tensor
    places: Tensor
    groups: list[Group]
    split_width: int | None = None
    _elsewhere: dict[torch.device, "Plan"] = field(default_factory=dict)

    def on(self, device: torch.device) -> "Plan":
        """The same plan on a device: the layers of a base may stand on several."""
        if device == self.positions.device:
            return self
        if device not in self._elsewhere:
            self._elsewhere[device] = replace(
                self,
                positions=self.positions.to(device),
                places=self.places.to(device),
                groups=[one.on(device) for one in self.groups],
            )
        return self._elsewhere[device]


def plan_of(segments: Sequence[Segment], capacity: int, device: torch.device) -> Plan:
    """The plan of new tokens, for buffers of `capacity` positions a row."""
    positions, places = positions_and_places(segments, capacity)
    return Plan(
        positions=torch.tensor(positions, device=device),
        places=torch.tensor(places, device=device),
        groups=list(_groups(segments, device)),
    )


def positions_and_places(segments: Sequence[Segment], capacity: int) -> tuple[list[int], list[int]]:
    """Of each new token its position in its row, and its place in a buffer whose rows are joined
    and have `capacity` positions each."""
    positions = [position for one in segments for position in range(one.start, one.stop)]
    starts = [one.row * capacity for one in segments for _ in range(one.length)]
    return positions, [start + position for start, position in zip(starts, positions, strict=True)]


def laid_out(
    segments: Sequence[Segment], first_row: int, num_rows: int, longest: int
) -> tuple[list[int], list[int], list[int]]:
    """New tokens in `num_rows` rows of `longest` each: for every place there the token that stands
    in it and its position, [num_rows * longest]; and for every token its place, [N]."""
    gather, scatter = [0] * (num_rows * longest), []
    positions = list(gather)
    for one in segments:
        for offset in range(one.length):
            place = (one.row - first_row) * longest + offset
            gather[place] = len(scatter)
            positions[place] = one.start + offset
            scatter.append(place)
    return gather, positions, scatter


def _groups(segments: Sequence[Segment], device: torch.device) -> Iterator[Group]:
    """Neighbouring rows that are about as long and have about as many new tokens."""
    first, members = 0, [segments[0]]
    for segment in segments[1:]:
        if _padding([*members, segment]) <= MOST_PADDING:
            members.append(segment)
            continue
        group = _group(members, first, device)
        first, members = group.last, [segment]
        yield group
    yield _group(members, first, device)


def _group(segments: Sequence[Segment], first: int, device: torch.device) -> Group:
    low, high = segments[0].row, segments[-1].row + 1
    longest = max(one.length for one in segments)
    num_rows = high - low
    gather, positions, scatter = laid_out(segments, low, num_rows, longest)
    whole = len(scatter) == len(gather)
    width = -(-max(one.stop for one in segments) // WIDTH_STEP) * WIDTH_STEP
    return Group(
        rows=slice(low, high),
        num_rows=num_rows,
        longest=longest,
        width=width,
        first=first,
        last=first + len(scatter),
        positions=torch.tensor(positions, device=device).view(num_rows, longest),
        gather=None if whole else torch.tensor(gather, device=device),
        scatter=None if whole else torch.tensor(scatter, device=device),
    )


def _padding(segments: Sequence[Segment]) -> float:
    """How many times the work of each row by itself is that of all of them in one call."""
    alone = sum((QUERY_COST + one.length) * one.stop for one in segments)
    longest = max(one.length for one in segments)
    num_rows = segments[-1].row + 1 - segments[0].row
    return num_rows * (QUERY_COST + longest) * max(one.stop for one in segments) / alone


_plan: ContextVar[Plan] = ContextVar("plan")


@torch.compiler.disable
def slot_attention(
    _module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _attention_mask: Any,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of a step's tokens to the rows that they belong to.

    Args:
        query: [B, H, T, D], tokens in the plan's order when B and T are read as one.
        key: a whole buffer, [R, C, K, D].
        value: a whole buffer, [R, C, K, E].

    Returns:
        [B, T, H, E], and no weights.
    """
    plan = _plan.get().on(query.device)
    batch, heads, length, width = query.shape
    kv_heads = key.shape[2]
    repeats = heads // kv_heads
    tokens = query.transpose(1, 2).reshape(batch * length, heads, width)
    if plan.split_width is not None:
        from spokesmith.decoding.split_attention import split_attention

        assert scaling is not None
        attended = split_attention(
            tokens,
            key,
            value,
            plan.positions,
            plan.places,
            width=plan.split_width,
            scaling=scaling,
            window=sliding_window,
        )
        return attended.view(batch, length, heads, -1), None
    found: list[Tensor] = []
    for group in plan.groups:
        part = tokens[group.first : group.last]
        if group.gather is not None:
            part = part.index_select(0, group.gather)
        # Heads that share keys and values stand as further queries, so nothing is copied for them.
        shape = (group.num_rows, group.longest, kv_heads, repeats)
        part = part.view(*shape, width).permute(0, 2, 3, 1, 4)
        attended = F.scaled_dot_product_attention(
            part.reshape(group.num_rows, kv_heads, repeats * group.longest, width),
            key[group.rows, : group.width].transpose(1, 2),
            value[group.rows, : group.width].transpose(1, 2),
            attn_mask=group.mask(sliding_window, repeats, query.dtype),
            scale=scaling,
        )
        attended = attended.view(group.num_rows, kv_heads, repeats, group.longest, -1)
        attended = attended.permute(0, 3, 1, 2, 4).reshape(-1, heads, value.shape[3])
        if group.scatter is not None:
            attended = attended.index_select(0, group.scatter)
        found.append(attended)
    whole = found[0] if len(found) == 1 else torch.cat(found)
    return whole.view(batch, length, heads, -1), None


AttentionInterface.register(ATTENTION, slot_attention)


@contextmanager
def attending_by_slots(configs: Sequence[Any], plan: Plan) -> Iterator[None]:
    """Inside the block the layers that read these configurations attend by a plan."""
    before = [config._attn_implementation for config in configs]
    for config in configs:
        config._attn_implementation = ATTENTION
    token = _plan.set(plan)
    try:
        yield
    finally:
        _plan.reset(token)
        for config, name in zip(configs, before, strict=True):
            config._attn_implementation = name
