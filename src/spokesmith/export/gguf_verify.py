"""Reading a written GGUF file back: is every byte of the base where it should be, and the spokes?

The file is read as any other file is, by its own header, and compared with the base's file and with
the float32 values of the spokes; nothing that the writer computed is trusted.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import gguf
import numpy as np
from gguf import GGMLQuantizationType

from spokesmith.bases.gguf_header import Header, TensorInfo, copy_bytes
from spokesmith.bases.gguf_reader import read_header
from spokesmith.export.gguf_graft import PIECE_VALUES
from spokesmith.export.gguf_plan import GgufPlan, NewTensor, entries_bytes
from spokesmith.export.gguf_stored import stored_rows
from spokesmith.export.gguf_types import Array

# Largest error of stored values, as a share of their root mean square. Rounding to 4 bits gives
# about 0.1; a wrong row, column or order gives 1 and more.
LARGEST_ERROR = {
    "Q2_K": 0.5,
    "Q3_K": 0.3,
    **dict.fromkeys(("Q4_0", "Q4_1", "Q4_K", "IQ4_NL", "IQ4_XS"), 0.2),
    **dict.fromkeys(("Q5_0", "Q5_1", "Q5_K"), 0.1),
    "Q6_K": 0.05,
    "BF16": 0.01,
}
OTHER_LARGEST_ERROR = 0.02
# A block has a scale in float16. Of values so small that it is subnormal, its rounding alone is a
# larger share: it is up to 2^-25, and changes them by that times what the scale is multiplied with.
# Blocks of 256 values multiply it with up to some thousand, of which a quarter counts here: no more
# than a few of so many values are as large as the largest.
LARGEST_SCALE_ERROR = {
    kind: multiple * 2.0**-25
    for kind, multiple in {
        "Q8_0": 127,
        "IQ4_NL": 127,
        "Q2_K": 45 / 4,
        "Q3_K": 128 / 4,
        "Q4_K": 945 / 4,
        "Q5_K": 1953 / 4,
        "Q6_K": 4096 / 4,
        "IQ4_XS": 4064 / 4,
    }.items()
}


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What was compared.

    Attributes:
        keys: of the base, found again byte for byte.
        copied: tensors of the base, found again byte for byte.
        kept: tensors of the base that grew, whose own bytes were found again in them.
        converted: tensors of the base that changed their type.
        largest_error: of the spokes' stored values, see `LARGEST_ERROR`.
    """

    keys: int
    copied: int
    kept: int
    converted: int
    largest_error: float


class CheckFailedError(ValueError):
    """A file that was written is not what it should be, and was not kept.

    Attributes:
        types: those of the matrices with the spokes (`GgufPlan.touched`) where other types may mend
            it; none where no type can.
    """

    def __init__(self, words: str, *, types: frozenset[str] = frozenset()) -> None:
        super().__init__(words)
        self.types = types


def verify(plan: GgufPlan, path: Path) -> Verified:
    """Compare a written file with its plan.

    Raises:
        CheckFailedError: it differs.
    """
    written = read_header(path)
    try:
        keys = _check_keys(plan, written)
        _check_shapes(plan, written)
        return _check_values(plan, written, keys)
    except _RoundedError as difference:
        raise CheckFailedError(
            f"the file as it was read back is too far from what was to be written ({difference}), "
            "so it was not kept: --touched q8_0 or f16 rounds less; if that fails too, check the "
            "disk",
            types=plan.touched,
        ) from difference
    except _DiffersError as difference:
        raise CheckFailedError(
            f"the file as it was read back is not what was to be written ({difference}), so it was "
            "not kept: try again, and check the disk"
        ) from difference


class _DiffersError(Exception):
    """What differs, in words."""


class _RoundedError(_DiffersError):
    """What differs by more than its type may round."""


def _check_keys(plan: GgufPlan, written: Header) -> int:
    """All keys in order, each with the bytes that it is to have; how many are the base's own."""
    base = plan.base.header
    wanted = {
        entry.key: plan.changed.get(entry.key) or base.raw(entry.start, entry.end)
        for entry in base.entries.values()
    }
    own = dict(zip(plan.entries, entries_bytes(plan.entries), strict=True))
    if list(written.entries) != [*wanted, *own]:
        raise _DiffersError("its keys are others")
    for key, raw in (wanted | own).items():
        found = written.entries[key]
        if written.raw(found.start, found.end) != raw:
            raise _DiffersError(f"the key {key} differs")
        before = base.entries.get(key)
        if before and (found.type, found.is_array) != (before.type, before.is_array):
            raise _DiffersError(f"the key {key} has another type")
    if (written.version, written.alignment) != (base.version, base.alignment):
        raise _DiffersError("its version or alignment is another")
    return len(base.entries) - len(plan.changed)


def _check_shapes(plan: GgufPlan, written: Header) -> None:
    if list(written.tensors) != [tensor.name for tensor in plan.tensors]:
        raise _DiffersError("its tensors are others")
    for tensor in plan.tensors:
        found = written.tensors[tensor.name]
        if (found.dims, found.type) != (tensor.dims, tensor.type):
            raise _DiffersError(f"{tensor.name} is {found.type_name} {list(found.dims)}")


def _check_values(plan: GgufPlan, written: Header, keys: int) -> Verified:
    copied = kept = converted = 0
    largest = 0.0
    with plan.base.header.path.open("rb") as base, written.path.open("rb") as file:
        for tensor in plan.tensors:
            found = written.tensors[tensor.name]
            if tensor.is_copy:
                assert tensor.source is not None, "a copy is one of something"
                _check_copy(tensor.source, base, found, file)
                copied += 1
                continue
            largest = max(largest, _check_grown(tensor, base, found, file))
            kept += tensor.source is not None and tensor.source.type == tensor.type
            converted += tensor.source is not None and tensor.source.type != tensor.type
    return Verified(keys=keys, copied=copied, kept=kept, converted=converted, largest_error=largest)


def _check_copy(source: TensorInfo, base: BinaryIO, found: TensorInfo, file: BinaryIO) -> None:
    own = copy_bytes(base, source.offset, source.size)
    for piece, other in zip(own, copy_bytes(file, found.offset, source.size), strict=True):
        if piece != other:
            raise _DiffersError(f"{source.name} has other bytes")


def _check_grown(tensor: NewTensor, base: BinaryIO, found: TensorInfo, file: BinaryIO) -> float:
    """Compare a matrix that grew or changed; return the error of what was added."""
    added = np.zeros((0, 0), np.float32) if tensor.added is None else tensor.added
    num_rows = found.dims[1]
    base_rows = tensor.source.dims[1] if tensor.source else 0
    at_once = max(1, PIECE_VALUES // found.dims[0])
    error = size = 0.0
    count = 0
    # The base's rows and the spokes' are read apart, each in pieces.
    starts = [*range(0, base_rows, at_once), *range(base_rows, num_rows, at_once), num_rows]
    for start, end in itertools.pairwise(starts):
        rows = stored_rows(found, file, start, end)
        if start >= base_rows:
            wanted = added[start - base_rows : end - base_rows]
            stored = rows
        else:
            assert tensor.source is not None, "only a source has rows"
            own = stored_rows(tensor.source, base, start, end)
            same = tensor.source.type == tensor.type
            _check_own(tensor, own, rows, same=same)
            if not tensor.adds_columns:
                continue
            wanted = added[start:end]
            own_bytes = rows.shape[1] * tensor.source.dims[0] // found.dims[0]
            stored = rows[:, own_bytes:]
        values = gguf.dequantize(np.ascontiguousarray(stored), GGMLQuantizationType(found.type))
        error += float(np.square(values - wanted, dtype=np.float64).sum())
        size += float(np.square(wanted, dtype=np.float64).sum())
        count += wanted.size
    share = _share(error, size)
    if not _is_rounding(found.type, error, size, count):
        raise _RoundedError(f"the spokes in {tensor.name} are off by {share:.3g} of their size")
    return share


def _check_own(tensor: NewTensor, own: Array, rows: Array, *, same: bool) -> None:
    """Compare the base's part of some rows: its bytes, or its values where the type changed."""
    assert tensor.source is not None, "the base's part is that of a source"
    length = rows.shape[1] * tensor.source.dims[0] // tensor.dims[0]
    stored = rows[:, :length]
    if same:
        if not np.array_equal(own, stored):
            raise _DiffersError(f"the base's part of {tensor.name} has other bytes")
        return
    before = gguf.dequantize(own, GGMLQuantizationType(tensor.source.type))
    after = gguf.dequantize(np.ascontiguousarray(stored), GGMLQuantizationType(tensor.type))
    error = float(np.square(after - before, dtype=np.float64).sum())
    size = float(np.square(before, dtype=np.float64).sum())
    if not _is_rounding(tensor.type, error, size, before.size):
        raise _RoundedError(f"the base's part of {tensor.name} is off by {_share(error, size):.3g}")


def _share(error: float, size: float) -> float:
    """Root mean square of an error as a share of that of the values; any error of zeros is inf."""
    if size == 0.0:
        return 0.0 if error == 0.0 else float("inf")
    return (error / size) ** 0.5


def _is_rounding(kind: int, error: float, size: float, count: int) -> bool:
    """Whether an error, the sum of its squares as `size` is that of the values', is no more than a
    type makes of so many values."""
    name = GGMLQuantizationType(kind).name
    if _share(error, size) <= LARGEST_ERROR.get(name, OTHER_LARGEST_ERROR):
        return True
    return error <= count * LARGEST_SCALE_ERROR.get(name, 0.0) ** 2
