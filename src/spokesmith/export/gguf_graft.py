"""Writing a planned GGUF file: streamed, and whole or not at all.

No tensor is ever in memory as a whole: the base's bytes pass through in pieces, and a matrix that
grows is put together some rows at a time.
"""

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from gguf import GGMLQuantizationType

from spokesmith.bases.gguf_header import MAGIC, TensorInfo, copy_bytes
from spokesmith.export.folders import full_disk_told
from spokesmith.export.gguf_plan import GgufPlan, NewTensor, entries_bytes
from spokesmith.export.gguf_stored import stored_rows
from spokesmith.export.gguf_types import Array, converted, quantised

# Rows are handled in pieces of about this many values.
PIECE_VALUES = 4 << 20
OnBytes = Callable[[int], None]


def header_bytes(plan: GgufPlan) -> bytes:
    """The file up to where the tensors' bytes start: every key as the base has it, byte for byte,
    but for those that the plan changes; then the plan's own keys; then the tensors."""
    header = plan.base.header
    own = entries_bytes(plan.entries)
    keys = [
        plan.changed.get(entry.key) or header.raw(entry.start, entry.end)
        for entry in header.entries.values()
    ]
    counts = struct.pack("<IQQ", header.version, len(plan.tensors), len(keys) + len(own))
    infos = [
        _tensor_info(tensor, offset)
        for tensor, offset in zip(plan.tensors, _offsets(plan), strict=True)
    ]
    joined = b"".join([MAGIC, counts, *keys, *own, *infos])
    return joined + bytes(-len(joined) % header.alignment)


def num_bytes(plan: GgufPlan) -> int:
    """Size of the whole file."""
    last = plan.tensors[-1]
    data = _offsets(plan)[-1] + last.size
    return len(header_bytes(plan)) + data + -data % plan.base.header.alignment


def _offsets(plan: GgufPlan) -> list[int]:
    """Where each tensor starts, from where the data starts."""
    offsets, position = [], 0
    for tensor in plan.tensors:
        offsets.append(position)
        position += tensor.size + -tensor.size % plan.base.header.alignment
    return offsets


def _tensor_info(tensor: NewTensor, offset: int) -> bytes:
    name = tensor.name.encode()
    dims = struct.pack(f"<I{len(tensor.dims)}Q", len(tensor.dims), *tensor.dims)
    return struct.pack("<Q", len(name)) + name + dims + struct.pack("<IQ", tensor.type, offset)


def write_gguf(plan: GgufPlan, file: BinaryIO, on_bytes: OnBytes) -> None:
    """Write a planned file.

    Args:
        plan: of the file.
        file: to write to, empty.
        on_bytes: told how many bytes were written, as they are.
    """

    def write(piece: bytes | memoryview) -> None:
        file.write(piece)
        on_bytes(memoryview(piece).nbytes)

    write(header_bytes(plan))
    with plan.base.header.path.open("rb") as base:
        for tensor in plan.tensors:
            for piece in tensor_pieces(tensor, base):
                write(piece)
            write(bytes(-tensor.size % plan.base.header.alignment))


def tensor_pieces(tensor: NewTensor, base: BinaryIO) -> Iterator[bytes | memoryview]:
    """The bytes of a tensor, piece by piece."""
    source, added = tensor.source, tensor.added
    if tensor.is_copy:
        assert source is not None, "a copy is one of something"
        yield from copy_bytes(base, source.offset, source.size)
        return
    kind = GGMLQuantizationType(tensor.type)
    if not tensor.adds_columns:
        if source is not None:
            for rows in _base_rows(source, base):
                yield converted(rows, source.type, kind).data
        if added is not None:
            yield quantised(added, kind).data
        return
    assert source is not None, "columns are added to a matrix"
    assert added is not None, "what adds columns has some"
    start = 0
    for rows in _base_rows(source, base):
        end = start + len(rows)
        own = converted(rows, source.type, kind)
        yield np.concatenate([own, quantised(added[start:end], kind)], axis=1).data
        start = end


def _base_rows(source: TensorInfo, base: BinaryIO) -> Iterator[Array]:
    """A matrix of the base as it is stored, some rows at a time: uint8, [rows, bytes of a row]."""
    length, num_rows = source.dims
    at_once = max(1, PIECE_VALUES // length)
    for start in range(0, num_rows, at_once):
        yield stored_rows(source, base, start, min(start + at_once, num_rows))


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A new file beside `out` to write; it becomes `out` when the block has ended well.

    Raises:
        ValueError: the disk is full.
    """
    # A link stays, and the file that it leads to is replaced.
    out = out.resolve()
    with full_disk_told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
        os.close(handle)
        partial = Path(name)
        try:
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            # Temporary files start readable by their owner alone.
            partial.chmod(0o644)
            os.replace(partial, out)
        finally:
            partial.unlink(missing_ok=True)
