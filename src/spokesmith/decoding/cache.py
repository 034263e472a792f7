"""The memory of a batch in which every row is a sequence of its own length.

Keys and values stand in preallocated buffers, one place for each row and position, in sliding
layers too: a mask hides what lies outside of the window, so a row can be cut back to any position.
The tokens of a step come one behind the other, whatever row they belong to, so no row pads another;
`slot_attention` tells them apart by the step's plan. Layers with a running state keep one for each
row. Knows no request and no grammar.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
import transformers
from torch import Tensor
from torch.nn import functional as F
from transformers import AttentionInterface, Cache, DynamicCache

ATTENTION = "spokesmith_slots"
# Buffers grow by so many positions, unless told otherwise.
BLOCK = 512
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
    plan = _plan.get()
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


class SlotCache(Cache):
    """Keys, values and states of `num_rows` sequences; what the base's layers see as their cache.

    Args:
        config: of the base's text part.
        num_rows: most sequences at once.
        spare_row: whether there is one more row, for what nobody reads.
        block: buffers grow by so many positions.

    Raises:
        ValueError: layers keep a running state, and this version of transformers has no dictionary
            for it.
    """

    def __init__(
        self, config: Any, num_rows: int, *, spare_row: bool = False, block: int = BLOCK
    ) -> None:
        super().__init__(layers=list(DynamicCache(config=config).layers))
        if not all(isinstance(getattr(one, "conv_states", {}), dict) for one in self.layers):
            raise ValueError(
                f"transformers {transformers.__version__} is too old to decode with a base whose "
                "layers keep a running state: pip install -U transformers"
            )
        self.num_rows = num_rows
        self.capacity = block
        self._block = block
        self._rows_in_buffers = num_rows + spare_row
        self.buffers: dict[int, tuple[Tensor, Tensor]] = {}
        self.places: Tensor | None = None
        # Versions in which shared keys and values travel through the cache put them here.
        self.shared_layers: dict[int, Any] = {}
        self._recurrent = [i for i, layer in enumerate(self.layers) if is_recurrent(layer)]
        self._states: list[dict[int, Any]] = [{} for _ in range(num_rows)]

    @contextmanager
    def step(self, plan: Plan, batch_rows: Sequence[int] = ()) -> Iterator[None]:
        """Inside the block the base computes a plan's tokens.

        Args:
            batch_rows: the rows along the batch axis, where layers keep a running state. They are
                all new, or none is.
        """
        self.places = plan.places
        for index in self._recurrent:
            states = [self._states[row].get(index) for row in batch_rows]
            self.layers[index] = _joined(self.layers[index], states)
        token = _plan.set(plan)
        try:
            yield
        finally:
            _plan.reset(token)
        for index in self._recurrent:
            for place, row in enumerate(batch_rows):
                self._states[row][index] = _state_of(self.layers[index], place)

    @torch.compiler.disable
    def update(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        key_states: Tensor,
        value_states: Tensor,
        layer_idx: int,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor]:
        """Write the step's keys and values, [B, K, T, D], and give the whole buffers."""
        if layer_idx not in self.buffers:
            self.buffers[layer_idx] = (self._empty(key_states), self._empty(value_states))
        assert self.places is not None
        buffers = self.buffers[layer_idx]
        for buffer, states in zip(buffers, (key_states, value_states), strict=True):
            tokens = states.transpose(1, 2).reshape(-1, *buffer.shape[2:])
            buffer.view(-1, *buffer.shape[2:]).index_copy_(0, self.places, tokens)
        return buffers

    @torch.inference_mode()
    def take(self, row: int, length: int) -> dict[int, tuple[Tensor, Tensor]]:
        """A copy of the first positions of a row, by layer: [length, K, D] each."""
        return {
            index: (keys[row, :length].clone(), values[row, :length].clone())
            for index, (keys, values) in self.buffers.items()
        }

    @torch.inference_mode()
    def put(self, row: int, kept: dict[int, tuple[Tensor, Tensor]], length: int) -> None:
        """Let a row begin with what `take` gave, of which the first `length` positions are used."""
        self.make_room(length)
        for index, parts in kept.items():
            for buffer, part in zip(self.buffers[index], parts, strict=True):
                buffer[row, :length] = part[:length]

    def states(self, row: int) -> dict[int, Any]:
        """The running states of a row; a step makes new ones and leaves these as they are."""
        return dict(self._states[row])

    def set_states(self, row: int, states: dict[int, Any]) -> None:
        self._states[row] = dict(states)

    def clear(self, row: int) -> None:
        """A row begins anew."""
        self._states[row] = {}

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return 0

    def _empty(self, states: Tensor) -> Tensor:
        _, heads, _, width = states.shape
        return states.new_zeros(self._rows_in_buffers, self.capacity, heads, width)

    def make_room(self, columns: int) -> None:
        """Let each row have so many positions; what stands in the rows stays."""
        if columns <= self.capacity:
            return
        capacity = -(-columns // self._block) * self._block
        missing = (0, 0, 0, 0, 0, capacity - self.capacity)
        # All layers or none: there may be no memory for the next one.
        grown = {
            index: (F.pad(keys, missing), F.pad(values, missing))
            for index, (keys, values) in self.buffers.items()
        }
        self.buffers, self.capacity = grown, capacity


def is_recurrent(layer: Any) -> bool:
    """Whether a layer of a cache keeps a state that each token replaces."""
    return hasattr(layer, "conv_states")


STATE_NAMES = ("conv_states", "recurrent_states")


def _joined(layer: Any, states: Sequence[dict[str, Any] | None]) -> Any:
    """A layer of the library's with the states of several rows, batch first; new without any."""
    joined = type(layer)()
    found = [state for state in states if state is not None]
    if not found:
        return joined
    assert len(found) == len(states), "rows that begin and rows that go on cannot share a batch"
    vars(joined).update(found[0])
    for name in STATE_NAMES:
        setattr(
            joined,
            name,
            {key: torch.cat([state[name][key] for state in found]) for key in found[0][name]},
        )
    return joined


def _state_of(layer: Any, place: int) -> dict[str, Any]:
    """What a layer of the library's keeps for one row of the batch, in tensors of its own."""
    state = dict(vars(layer))
    for name in STATE_NAMES:
        state[name] = {key: part[place : place + 1].clone() for key, part in state[name].items()}
    return state


def state_tensors(states: dict[int, Any]) -> list[Tensor]:
    """All tensors of a row's running states."""
    return [
        part for state in states.values() for name in STATE_NAMES for part in state[name].values()
    ]


@contextmanager
def attending_by_slots(configs: Sequence[Any]) -> Iterator[None]:
    """Inside the block the layers that read these configurations attend by `slot_attention`."""
    before = [config._attn_implementation for config in configs]
    for config in configs:
        config._attn_implementation = ATTENTION
    try:
        yield
    finally:
        for config, name in zip(configs, before, strict=True):
            config._attn_implementation = name
