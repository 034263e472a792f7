"""The cache of a batch in which every row is a sequence of its own length.

A row starts at position 0 and grows to the right, so what it attends to never depends on its
neighbours: no padding stands before it. Rows are filled from the caches of prefills and taken again
without touching the others. Knows no request and no grammar.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

# Columns are allotted and read in blocks of this many. Torch's attention on the CPU goes through
# blocks of this size too, and one that is masked as a whole adds exact zeros: so how long the other
# rows are does not change a row's last bits.
BLOCK = 512
SLIDING, FULL = "sliding_attention", "full_attention"


def prefill_cache(config: Any) -> DynamicCache:
    """An empty cache for one sequence that keeps every position, also in sliding layers.

    A mask hides what lies outside of the window; so any row of any layer can be copied as it is.
    """
    cache = DynamicCache(config=config)
    cache.layers = [
        DynamicLayer() if isinstance(layer, DynamicSlidingWindowLayer) else layer
        for layer in cache.layers
    ]
    return cache


class AttentionRows:
    """Keys and values of one layer: [R, H, C, D], of which each row uses its own first part."""

    is_sliding = False
    is_compileable = False
    is_initialized = True

    def __init__(self, slots: "Slots", like: DynamicLayer) -> None:
        assert like.keys is not None
        assert like.values is not None
        self.slots = slots
        self.keys = self._empty(like.keys)
        self.values = self._empty(like.values)

    def _empty(self, like: Tensor) -> Tensor:
        _, heads, _, width = like.shape
        return like.new_zeros(self.slots.num_rows, heads, self.slots.capacity, width)

    def grow(self) -> None:
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = self._empty(old)
            new[:, :, : old.shape[2]] = old
            setattr(self, name, new)

    def load(self, row: int, layer: DynamicLayer) -> None:
        assert layer.keys is not None
        assert layer.values is not None
        length = layer.keys.shape[2]
        self.keys[row, :, :length] = layer.keys[0]
        self.values[row, :, :length] = layer.values[0]

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write one column a row, [R, H, 1, D], each at its row's position."""
        rows = torch.arange(len(self.keys), device=self.keys.device)
        self.keys[rows, :, self.slots.positions] = key_states[:, :, 0]
        self.values[rows, :, self.slots.positions] = value_states[:, :, 0]
        width = self.slots.width
        return self.keys[:, :, :width], self.values[:, :, :width]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.slots.width, 0

    def get_seq_length(self) -> int:
        return self.slots.width

    def get_max_length(self) -> int:
        return -1

    def get_max_cache_shape(self) -> int:
        return -1


class Slots(Cache):
    """`num_rows` sequences side by side.

    Attributes:
        positions: [R], where each row's next token is written.
        width: columns that attention reads in this step, past the longest row's next token.
    """

    def __init__(self, config: Any, num_rows: int, device: torch.device) -> None:
        super().__init__(layers=[])
        self.config = config
        self.num_rows = num_rows
        self.capacity = BLOCK
        self.positions = torch.zeros(num_rows, dtype=torch.long, device=device)
        self.width = BLOCK

    def load(self, row: int, prefilled: DynamicCache, length: int) -> None:
        """Let a row go on where a prefill of `length` tokens ended."""
        if not self.layers:
            self.layers = [self._rows_like(layer) for layer in prefilled.layers]
        self._make_room(length)
        for rows, layer in zip(self.layers, prefilled.layers, strict=True):
            if isinstance(rows, AttentionRows):
                assert isinstance(layer, DynamicLayer)
                rows.load(row, layer)
            else:
                for states, new in zip(_states(rows), _states(layer), strict=True):
                    states[row] = new[0]
        self.positions[row] = length

    def clear(self, row: int) -> None:
        """Take a row out of use: it runs on at position 0, and nobody reads it."""
        self.positions[row] = 0

    def prepare(self, longest: int) -> None:
        """Make ready for a step whose longest row writes at position `longest`."""
        self.width = _blocks(longest + 1)
        self._make_room(self.width)

    def advance(self, rows: list[int]) -> None:
        self.positions[rows] += 1

    def masks(self, dtype: torch.dtype) -> Tensor | dict[str, Tensor | None]:
        """What each row's next token may read: additive, [R, 1, 1, width]; by layer type where
        the base has types of layers."""
        columns = torch.arange(self.width, device=self.positions.device)
        positions = self.positions[:, None]
        full = _additive(columns <= positions, dtype)
        kinds: set[str] = set(getattr(self.config, "layer_types", None) or ())
        if not kinds:
            return full
        masks: dict[str, Tensor | None] = dict.fromkeys(kinds)
        masks[FULL] = full
        if SLIDING in kinds:
            near = columns > positions - self.config.sliding_window
            masks[SLIDING] = _additive((columns <= positions) & near, dtype)
        return masks

    def _rows_like(self, layer: Any) -> Any:
        if isinstance(layer, DynamicLayer):
            return AttentionRows(self, layer)
        if not is_recurrent(layer):
            # A layer that uses the keys and values of an earlier one keeps nothing.
            return layer
        rows = type(layer)()
        vars(rows).update(vars(layer))
        for name in ("conv_states", "recurrent_states"):
            states = getattr(layer, name)
            setattr(rows, name, {key: self._repeat(state) for key, state in states.items()})
        return rows

    def _repeat(self, state: Tensor) -> Tensor:
        return state.new_zeros(self.num_rows, *state.shape[1:])

    def _make_room(self, columns: int) -> None:
        if columns <= self.capacity:
            return
        self.capacity = _blocks(columns)
        for layer in self.layers:
            if isinstance(layer, AttentionRows):
                layer.grow()


def _blocks(columns: int) -> int:
    return -(-columns // BLOCK) * BLOCK


def is_recurrent(layer: Any) -> bool:
    """Whether a layer of a cache keeps a state that each token replaces."""
    return hasattr(layer, "conv_states")


def _states(layer: Any) -> list[Tensor]:
    """The states of a recurrent layer, batch first; other layers have none."""
    if not is_recurrent(layer):
        return []
    return [*layer.conv_states.values(), *layer.recurrent_states.values()]


def _additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None, None]
