"""Passes of a few fixed shapes, which a GPU runs again as one recorded graph.

A pass starts a thousand kernels and more, and to start them one by one takes a processor longer
than a GPU takes to run them. So a pass is recorded once for each shape, with inputs that stay at
their place in memory, and from then on only the inputs are written anew. What a step lacks to the
next larger shape is filled up: with tokens that write to the cache's spare row, and whose results
nobody reads.

Without a GPU the same passes are computed anew each time, so that tests can hold them against
plain ones.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from typing import Any

import torch
from torch import Tensor

from spokesmith.bases import Base
from spokesmith.bases.host_table import HostTable
from spokesmith.decoding.attention import Group, Plan, laid_out, positions_and_places
from spokesmith.decoding.compiling import CompiledLayers
from spokesmith.decoding.forward import Forward, Step, Work, wanted_tokens
from spokesmith.decoding.joined import JoinedBlocks, can_join
from spokesmith.spokes import attached_sets

log = logging.getLogger(__name__)
# Numbers of new tokens that there are passes for. Up to some dozens, a GPU takes as long for all.
SIZES = (1, 4, 8, 16, 32, 64, 128, 256, 512)
# Where a pass has many rows, the most tokens of one row. What is too many costs little attention.
LONGEST_OF_MANY = (4, 32, 256, 512)
MOST_WANTED = 128
# Most tokens that attend each by itself.
MOST_SPLIT = 64
LEAST_WIDTH = 512
# Recorded passes hold on to the cache's buffers, so those are made larger at once and grow rarely.
LARGE_BLOCK = 2048
# How long sequences are expected to be, at the start.
USUAL_WIDTHS = (512, 1024)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What passes must have in common to be one graph.

    Attributes:
        tokens: new ones.
        rows: the first so many of the cache take part.
        longest: most tokens of one row.
        width: positions that attention reads.
        spokes: the `residual` set in use, if there is one; others are inputs.
    """

    tokens: int
    rows: int
    longest: int
    width: int
    spokes: str | None

    @property
    def wanted(self) -> int:
        """How many tokens' logits there are."""
        return min(self.tokens, MOST_WANTED)


class CapturedSteps:
    """Computes steps by recorded passes.

    Args:
        forward: computes a pass; its cache has a spare row.
        compiled: the layers of its base, compiled; None takes the plain ones.
    """

    def __init__(self, forward: Forward, *, compiled: CompiledLayers | None = None) -> None:
        self._forward = forward
        self._compiled = compiled
        self._joined = JoinedBlocks(forward.base) if can_join(forward.base) else None
        self._kept: dict[Shape, _Captured] = {}
        self._places: tuple[int, int] | None = None
        # The results of all passes stand in one place, since the next step writes over them.
        self._logits: Tensor | None = None
        self._records = forward.base.device.type == "cuda"
        self._tables = [one for one in forward.base.decoder.modules() if isinstance(one, HostTable)]
        self._pool: Any = None
        self._splits = self._records and _can_split(forward.base)

    def __len__(self) -> int:
        return len(self._kept)

    def compute(self, works: Sequence[Work]) -> Tensor | None:
        """The wanted logits of works by rising row, [sum of wanted, V], to be read before the next
        step; None where there is no pass for such a step."""
        self.refresh()
        shape = self._shape(works)
        if shape is None:
            return None
        kept = self._pass_of(shape)
        self._fill(kept.inputs, works)
        if kept.graph is None:
            self._run(kept.inputs)
        else:
            kept.graph.replay()
        assert self._logits is not None
        return self._logits[: sum(work.wanted for work in works)]

    def record_usual(self) -> None:
        """Record the passes that most answers take."""
        self.refresh()
        sets = {self._apart(name) for name in (None, *attached_sets(self._forward.base.model))}
        rows, most = self._forward.cache.num_rows, self._forward.cache.capacity
        layouts = {(size, 1, size) for size in SIZES}
        if rows > 1:
            layouts |= {
                (size, rows, min(longest, size))
                for size, longest in product(SIZES, LONGEST_OF_MANY)
                if size // 2 < rows * longest
            }
        for spokes, width, (tokens, num_rows, longest) in product(
            sorted(sets, key=str), USUAL_WIDTHS, sorted(layouts)
        ):
            if tokens <= width <= most:
                self._pass_of(
                    Shape(tokens=tokens, rows=num_rows, longest=longest, width=width, spokes=spokes)
                )

    def forget(self, spokes: str) -> None:
        """Drop the passes of a set, which may come back under its name with other weights."""
        self._kept = {shape: one for shape, one in self._kept.items() if shape.spokes != spokes}

    def refresh(self) -> None:
        """Take in what has happened to the sets, and drop the passes whose memory has moved."""
        version = 0
        if self._joined is not None:
            self._joined.refresh()
            version = self._joined.version
        places = self._forward.cache.capacity, version
        if places != self._places:
            self._kept.clear()
            self._places = places

    def _shape(self, works: Sequence[Work]) -> Shape | None:
        """The shape of the pass for a step, if there is one."""
        cache = self._forward.cache
        names = {self._apart(work.spokes) for work in works}
        tokens = _size(sum(len(work.token_ids) for work in works), SIZES)
        # The first row alone has a pass of its own.
        rows = 1 if works[-1].row == 0 else cache.num_rows
        most = max(len(work.token_ids) for work in works)
        longest = tokens if rows == 1 else _size(most, LONGEST_OF_MANY)
        if len(names) > 1 or tokens is None or longest is None:
            return None
        stop = max(work.segment.stop for work in works)
        shape = Shape(
            tokens=tokens,
            rows=rows,
            longest=min(longest, tokens),
            width=min(max(_power_of_two(stop), LEAST_WIDTH), cache.capacity),
            spokes=names.pop(),
        )
        return shape if sum(work.wanted for work in works) <= shape.wanted else None

    def _apart(self, spokes: str | None) -> str | None:
        """A set that needs passes of its own, or None."""
        return None if self._joined is not None and spokes in self._joined.names else spokes

    def _fill(self, inputs: "_Inputs", works: Sequence[Work]) -> None:
        cache, joined = self._forward.cache, self._joined
        inputs.fill(
            works,
            capacity=cache.capacity,
            spare_row=cache.num_rows,
            sets=[] if joined is None else joined.sets_of_tokens(works),
        )

    def _pass_of(self, shape: Shape) -> "_Captured":
        """The pass of a shape, recorded if need be."""
        state = self._state(shape.spokes)
        kept = self._kept.get(shape)
        if kept is None or kept.state != state:
            device = self._forward.base.device
            inputs = _Inputs(shape, device, self._tables, splits=self._splits)
            kept = self._kept[shape] = _Captured(inputs=inputs, state=state)
            if self._records:
                self._record(kept)
        return kept

    def _state(self, spokes: str | None) -> list[tuple[int, int]]:
        """Where the memory of a set lies that its passes use."""
        if spokes is None:
            return []
        return attached_sets(self._forward.base.model)[spokes].state_of_parameters()

    def _record(self, kept: "_Captured") -> None:
        self._fill(kept.inputs, [])
        # Run before, so that what is kept for later passes is not made inside of the graph.
        self._run(kept.inputs)
        if not any(one.graph for one in self._kept.values()):
            # A pool ends with its last graph, and none can begin in it again.
            self._pool = torch.cuda.graph_pool_handle()
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                self._run(kept.inputs)
        except RuntimeError as error:
            # It has just run unrecorded, and goes on so. A capture that breaks off may leave its
            # own stream behind.
            torch.cuda.set_stream(stream)
            log.warning("a pass of %s cannot be recorded: %s", kept.inputs.shape, error)
            return
        kept.graph = graph

    def _run(self, inputs: "_Inputs") -> None:
        with ExitStack() as stack:
            if self._compiled is not None:
                stack.enter_context(self._compiled.in_use(inputs.shape.spokes))
            for table, rows in zip(self._tables, inputs.table_rows, strict=True):
                stack.enter_context(table.giving(rows))
            if self._joined is not None:
                stack.enter_context(self._joined.in_use(inputs.sets))
            logits = self._forward.compute(inputs.step())
        if self._logits is None:
            shape = MOST_WANTED, logits.shape[1]
            self._logits = torch.empty(shape, dtype=logits.dtype, device=logits.device)
        self._logits[: len(logits)].copy_(logits)


class _Inputs:
    """What a recorded pass reads, always at the same place in memory."""

    def __init__(
        self, shape: Shape, device: torch.device, tables: Sequence[HostTable], *, splits: bool
    ) -> None:
        self.shape = shape
        queries = shape.rows * shape.longest
        self._sizes = {
            "token_ids": shape.tokens,
            "positions": shape.tokens,
            "places": shape.tokens,
            "sets": shape.tokens,
            "scatter": shape.tokens,
            "gather": queries,
            "query_positions": queries,
            "wanted": shape.wanted,
        }
        total = sum(self._sizes.values())
        on_gpu = device.type == "cuda"
        self._host = torch.zeros(total, dtype=torch.long, pin_memory=on_gpu)
        self._copied = torch.cuda.Event() if on_gpu else None
        self._device = torch.zeros(total, dtype=torch.long, device=device)
        self._splits = splits and shape.tokens <= MOST_SPLIT
        split = self._device.split(list(self._sizes.values()))
        self._parts = dict(zip(self._sizes, split, strict=True))
        self._tables = tables
        self.table_rows = [one.empty_rows(shape.tokens, device) for one in tables]

    def fill(
        self, works: Sequence[Work], *, capacity: int, spare_row: int, sets: list[int]
    ) -> None:
        """Write the inputs of a step; what the works leave is filled up. `sets` are the numbers
        of the tokens' sets, where there are any."""
        shape = self.shape
        segments = [work.segment for work in works]
        token_ids = [token for work in works for token in work.token_ids]
        positions, places = positions_and_places(segments, capacity)
        gather, query_positions, scatter = laid_out(segments, 0, shape.rows, shape.longest)
        wanted = wanted_tokens(works)
        missing = shape.tokens - len(token_ids)
        parts = {
            "token_ids": token_ids + [0] * missing,
            "positions": positions + [0] * missing,
            "places": places + [spare_row * capacity] * missing,
            "sets": sets + [0] * (shape.tokens - len(sets)),
            "scatter": scatter + [0] * missing,
            "gather": gather,
            "query_positions": query_positions,
            "wanted": wanted + [0] * (shape.wanted - len(wanted)),
        }
        if self._copied is not None:
            # A step of which nobody wanted results may not have begun yet.
            self._copied.synchronize()
        torch.cat([torch.tensor(parts[name]) for name in self._sizes], out=self._host)
        self._device.copy_(self._host, non_blocking=True)
        if self._copied is not None:
            self._copied.record()
        for table, rows in zip(self._tables, self.table_rows, strict=True):
            table.look_up(parts["token_ids"], rows)

    @property
    def sets(self) -> Tensor:
        """The numbers of the tokens' sets, [tokens]."""
        return self._parts["sets"]

    def step(self) -> Step:
        """The pass that reads these inputs."""
        shape, parts = self.shape, self._parts
        # One row that has all tokens has them in order.
        in_order = shape.rows == 1 and shape.longest == shape.tokens
        group = Group(
            rows=slice(0, shape.rows),
            num_rows=shape.rows,
            longest=shape.longest,
            width=shape.width,
            first=0,
            last=shape.tokens,
            positions=parts["query_positions"].view(shape.rows, shape.longest),
            gather=None if in_order else parts["gather"],
            scatter=None if in_order else parts["scatter"],
        )
        return Step(
            token_ids=parts["token_ids"][None],
            plan=Plan(
                positions=parts["positions"],
                places=parts["places"],
                groups=[group],
                split_width=shape.width if self._splits else None,
            ),
            wanted=parts["wanted"],
            parts=[(shape.spokes, None)],
        )


@dataclass(kw_only=True)
class _Captured:
    """A pass of one shape, and what its graph depends on."""

    inputs: _Inputs
    state: list[tuple[int, int]]
    graph: Any = None


def can_capture(base: Base) -> bool:
    """Whether passes of this base can be recorded: plain weights that all lie on one GPU, and no
    mixture of experts, whose products want the numbers of tokens from the host."""
    model = base.model
    return (
        base.device.type == "cuda"
        and not base.family.has_experts(base.config)
        and all(one.device == base.device and one.is_floating_point() for one in model.parameters())
        and not any(hasattr(module, "_hf_hook") for module in model.modules())
    )


def _can_split(base: Base) -> bool:
    """Whether few tokens attend by `split_attention`, which needs the compiler of torch's GPU
    builds for Linux."""
    if find_spec("triton") is None:
        return False
    from spokesmith.decoding.split_attention import DTYPES

    return base.model.dtype in DTYPES


def _size(number: int, sizes: Sequence[int]) -> int | None:
    """The next larger size, if there is one."""
    return next((size for size in sizes if size >= number), None)


def _power_of_two(number: int) -> int:
    """The next larger power of two."""
    return 1 << (number - 1).bit_length()
