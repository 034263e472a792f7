"""The memory of a batch in which every row is a sequence of its own length.

Keys and values stand in preallocated buffers, one place for each row and position, in sliding
layers too: a mask hides what lies outside of the window, so a row can be cut back to any position.
Layers with a running state keep one for each row. Knows no request and no grammar.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil
import torch
import transformers
from torch import Tensor
from transformers import Cache, DynamicCache

from spokesmith.bases.out_of_memory import is_out_of_memory
from spokesmith.decoding.request import ContextError

# Buffers grow by so many positions, unless told otherwise.
BLOCK = 512


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
        self._places: Tensor | None = None
        # By the number of heads, for buffers in which heads stand before positions.
        self._places_by_heads: dict[int, Tensor] = {}
        # Versions in which shared keys and values travel through the cache put them here.
        self.shared_layers: dict[int, Any] = {}
        self._recurrent = [i for i, layer in enumerate(self.layers) if is_recurrent(layer)]
        self._states: list[dict[int, Any]] = [{} for _ in range(num_rows)]

    @contextmanager
    def step(self, places: Tensor, batch_rows: Sequence[int] = ()) -> Iterator[None]:
        """Inside the block the base computes new tokens.

        Args:
            places: [N], where each token's keys and values go in a buffer whose rows are joined.
            batch_rows: the rows along the batch axis, where layers keep a running state. They are
                all new, or none is.
        """
        self._places, self._places_by_heads = places, {}
        for index in self._recurrent:
            states = [self._states[row].get(index) for row in batch_rows]
            self.layers[index] = _joined(self.layers[index], states)
        yield
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
            self.buffers[layer_idx] = (
                self._empty(key_states.transpose(1, 2), self.capacity),
                self._empty(value_states.transpose(1, 2), self.capacity),
            )
        buffers = self.buffers[layer_idx]
        for buffer, states in zip(buffers, (key_states, value_states), strict=True):
            joined, places = self._as_one_axis(buffer)
            tokens = states.transpose(1, 2).reshape(-1, *joined.shape[1:])
            joined.index_copy_(0, places.to(joined.device), tokens)
        return buffers

    def _as_one_axis(self, buffer: Tensor) -> tuple[Tensor, Tensor]:
        """A buffer along one axis, and where the step's tokens go on it: rows and positions, and
        where the positions of a head stand together the heads between them."""
        assert self._places is not None
        if buffer.is_contiguous():
            return buffer.flatten(0, 1), self._places
        num_heads = buffer.shape[2]
        if num_heads not in self._places_by_heads:
            rows, positions = self._places // self.capacity, self._places % self.capacity
            heads = rows[:, None] * num_heads + torch.arange(num_heads)
            self._places_by_heads[num_heads] = (
                heads * self.capacity + positions[:, None]
            ).flatten()
        return buffer.transpose(1, 2).flatten(0, 2), self._places_by_heads[num_heads]

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

    @property
    def bytes_per_position(self) -> int:
        """Of one position of one row, in all layers."""
        return sum(buffer[0, 0].nbytes for pair in self.buffers.values() for buffer in pair)

    def states(self, row: int) -> dict[int, Any]:
        """The running states of a row; a step makes new ones and leaves these as they are."""
        return dict(self._states[row])

    def set_states(self, row: int, states: dict[int, Any]) -> None:
        self._states[row] = dict(states)

    def clear(self, row: int) -> None:
        """A row begins anew."""
        self._states[row] = {}

    @torch.inference_mode()
    def wipe(self, row: int, length: int | None = None) -> None:
        """Zero the keys and values of a row's first positions, or of all: attention weighs what
        another answer has left in a row with nothing, and nothing times no number is no number."""
        for pair in self.buffers.values():
            for buffer in pair:
                buffer[row, :length].zero_()

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return 0

    def _empty(self, like: Tensor, capacity: int) -> Tensor:
        """A buffer, [R, C, K, D], for tokens or for those of another buffer, [..., K, D].

        On the CPU the positions of each head stand together in it: attention goes head by head
        there, and reads a third faster what is not interrupted by other heads.
        """
        *_, heads, width = like.shape
        if like.device.type == "cpu":
            return like.new_zeros(self._rows_in_buffers, heads, capacity, width).transpose(1, 2)
        return like.new_zeros(self._rows_in_buffers, capacity, heads, width)

    def make_room(self, columns: int) -> None:
        """Let each row have so many positions; what stands in the rows stays.

        Raises:
            ContextError: there is no memory for them; the buffers stay as they are.
        """
        if columns <= self.capacity:
            return
        capacity = -(-columns // self._block) * self._block
        held = [one for pair in self.buffers.values() for one in pair]
        num_bytes = sum(one.nbytes for one in held) // self.capacity * capacity
        on_cpu = any(one.device.type == "cpu" for one in held)
        # Linux promises more memory than there is, and ends the process that uses it.
        is_short = on_cpu and num_bytes > psutil.virtual_memory().available
        grown = None if is_short else self._grown(capacity)
        if grown is None:
            raise ContextError(
                f"the answer needs room for {capacity} tokens in each of {self.num_rows} slots, "
                f"{num_bytes / 1e9:.1f} GB, more than is free: shorten the text, or start with "
                "fewer slots"
            )
        self.buffers, self.capacity = grown, capacity

    def _longer(self, buffer: Tensor, capacity: int) -> Tensor:
        """A buffer with more positions, and with what stands in this one."""
        longer = self._empty(buffer, capacity)
        longer[:, : buffer.shape[1]] = buffer
        return longer

    def _grown(self, capacity: int) -> dict[int, tuple[Tensor, Tensor]] | None:
        """The buffers of all layers with more positions; None where there is no memory for them."""
        try:
            return {
                index: (self._longer(keys, capacity), self._longer(values, capacity))
                for index, (keys, values) in self.buffers.items()
            }
        except RuntimeError as error:
            if is_out_of_memory(error):
                # The error ends here: it holds on to the layers that have grown.
                return None
            raise


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
