"""The checked walk over the bytes of a GGUF file's header, which may be damaged or made to do harm.

Every count and length is checked against what the file has left before anything is read or kept,
and the header has a bound: memory and time are bounded too. Knows no architecture.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from gguf import GGML_QUANT_SIZES, GGUFValueType

from spokesmith.bases.gguf_header import FORMATS, MAGIC, Entry, Header, TensorInfo, text_of

VERSIONS = (2, 3)
ALIGNMENT_KEY = "general.alignment"
DEFAULT_ALIGNMENT = 32
# The largest vocabularies of today come to about 20 MB.
MAX_HEADER_BYTES = 64 << 20
MAX_COUNT = 1 << 16
MAX_NAME_BYTES = 65_535
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 1 << 20
# The longest list of today, Gemma's pairs of tokens, has 514,906 items. Where a list is read, each
# item becomes an object, which may take a hundred times what it has in the file.
MAX_ITEMS = 1 << 21


def read_header(path: Path) -> Header:
    """Read and check a file's header.

    Raises:
        ValueError: there is no such file, it is no GGUF file of a version that is known, or it is
            damaged.
    """
    if not path.is_file():
        raise ValueError(f"no file at {path}: give the path of a GGUF file")
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ValueError(f"{path} is no GGUF file: it does not start with 'GGUF'")
        cursor = _Cursor(file, size)
        try:
            return _parse(cursor, path, size)
        except ValueError as error:
            raise ValueError(f"{path} is damaged ({error}): get the file anew") from error


class _Cursor:
    """Reads a file from the front; it never asks for more than there is."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.position = file.tell()
        self.bound = min(size, MAX_HEADER_BYTES)
        self.is_cut = size > MAX_HEADER_BYTES

    def check(self, count: int, what: str) -> None:
        if count > self.bound - self.position:
            where = f"the first {MAX_HEADER_BYTES >> 20} MiB" if self.is_cut else "the file"
            raise ValueError(f"{what} reaches past {where}")

    def take(self, count: int, what: str) -> bytes:
        self.check(count, what)
        found = self.file.read(count)
        if len(found) != count:
            raise ValueError(f"the file ends inside {what}")
        self.position += count
        return found

    def skip(self, count: int, what: str) -> None:
        self.check(count, what)
        self.position += count
        self.file.seek(self.position)

    def number(self, code: str, what: str) -> int:
        return struct.unpack(code, self.take(struct.calcsize(code), what))[0]

    def name(self, what: str) -> str:
        length = self.number("<Q", what)
        if length > MAX_NAME_BYTES:
            raise ValueError(f"{what} has {length} bytes, at most {MAX_NAME_BYTES} are allowed")
        return text_of(self.take(length, what), what)


def _parse(cursor: _Cursor, path: Path, size: int) -> Header:
    version = cursor.number("<I", "the version")
    if version not in VERSIONS:
        big_endian = version != 0 and version & 0xFFFF == 0
        what = "of a big-endian machine" if big_endian else f"of version {version}"
        raise ValueError(f"it is {what}, only versions 2 and 3, little-endian, are known")
    num_tensors = cursor.number("<Q", "the number of tensors")
    num_entries = cursor.number("<Q", "the number of keys")
    if max(num_tensors, num_entries) > MAX_COUNT:
        raise ValueError(
            f"it claims {num_entries} keys and {num_tensors} tensors, at most {MAX_COUNT} are read"
        )
    # The shortest key has 8 + 4 + 1 bytes, the shortest tensor 8 + 4 + 4 + 8.
    cursor.check(num_entries * 13 + num_tensors * 24, "the list of keys and tensors")
    entries: dict[str, Entry] = {}
    for _ in range(num_entries):
        entry = _read_entry(cursor)
        if entry.key in entries:
            raise ValueError(f"the key '{entry.key}' is there twice")
        entries[entry.key] = entry
    raw_tensors = [_read_tensor(cursor) for _ in range(num_tensors)]
    alignment = _alignment(cursor.file, entries)
    data_start = -(-cursor.position // alignment) * alignment
    return Header(
        path=path,
        file_size=size,
        version=version,
        alignment=alignment,
        entries=entries,
        tensors=_placed(raw_tensors, alignment, data_start, size),
    )


def _read_entry(cursor: _Cursor) -> Entry:
    start = cursor.position
    key = cursor.name("a key's name")
    kind = _value_type(cursor.number("<I", f"the type of {key!r}"), key)
    is_array, count = kind == GGUFValueType.ARRAY, 1
    if is_array:
        kind = _value_type(cursor.number("<I", f"the type of {key!r}"), key)
        if kind == GGUFValueType.ARRAY:
            raise ValueError(f"{key!r} is an array of arrays, which no engine reads")
        count = cursor.number("<Q", f"the length of {key!r}")
    value_start, what = cursor.position, f"the value of {key!r}"
    is_text = kind == GGUFValueType.STRING
    # Of a text at least the length that stands before it.
    size = count * (8 if is_text else struct.calcsize(FORMATS[kind]))
    cursor.check(size, what)
    if count > MAX_ITEMS:
        raise ValueError(f"{what} has {count} items, at most {MAX_ITEMS} are read")
    if is_text:
        for _ in range(count):
            cursor.skip(cursor.number("<Q", what), what)
    else:
        cursor.skip(size, what)
    return Entry(
        key=key,
        type=kind,
        is_array=is_array,
        count=count,
        start=start,
        value_start=value_start,
        end=cursor.position,
    )


def _value_type(number: int, key: str) -> GGUFValueType:
    try:
        return GGUFValueType(number)
    except ValueError:
        raise ValueError(f"{key!r} has a value of the unknown type {number}") from None


def _read_tensor(cursor: _Cursor) -> tuple[str, tuple[int, ...], int, int]:
    """Name, dims, type, and the offset from where the data starts."""
    name = cursor.name("a tensor's name")
    what = f"tensor {name!r}"
    num_dims = cursor.number("<I", what)
    if not 1 <= num_dims <= MAX_DIMENSIONS:
        raise ValueError(f"{what} has {num_dims} dimensions, want 1 to {MAX_DIMENSIONS}")
    dims = tuple(cursor.number("<Q", what) for _ in range(num_dims))
    return name, dims, cursor.number("<I", what), cursor.number("<Q", what)


def _alignment(file: BinaryIO, entries: dict[str, Entry]) -> int:
    entry = entries.get(ALIGNMENT_KEY)
    if entry is None:
        return DEFAULT_ALIGNMENT
    if entry.type != GGUFValueType.UINT32 or entry.is_array:
        raise ValueError(f"{ALIGNMENT_KEY} is a {entry.type.name}, want a UINT32")
    file.seek(entry.value_start)
    alignment = int.from_bytes(file.read(4), "little")
    if not 1 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise ValueError(
            f"{ALIGNMENT_KEY} = {alignment}: want a power of two up to {MAX_ALIGNMENT}"
        )
    return alignment


def _placed(
    raw: list[tuple[str, tuple[int, ...], int, int]], alignment: int, data_start: int, size: int
) -> dict[str, TensorInfo]:
    """The tensors with their places in the file, checked against it and against each other."""
    by_place = sorted(range(len(raw)), key=lambda index: raw[index][3])
    ends: dict[int, int] = {}
    for place, index in enumerate(by_place):
        is_last = place + 1 == len(by_place)
        ends[index] = size if is_last else data_start + raw[by_place[place + 1]][3]
    placed: dict[str, TensorInfo] = {}
    for index, (name, dims, kind, relative) in enumerate(raw):
        if name in placed:
            raise ValueError(f"the tensor {name!r} is there twice")
        offset, end = data_start + relative, min(ends[index], size)
        if relative % alignment:
            raise ValueError(f"tensor {name!r} is not aligned to {alignment} bytes")
        length = _num_bytes(name, dims, kind)
        if offset + (length or 0) > size:
            raise ValueError(f"tensor {name!r} reaches past the end of the file")
        if offset + (length or 0) > end or (length is None and offset == end):
            raise ValueError(f"tensor {name!r} overlaps another one")
        length = end - offset if length is None else length
        placed[name] = TensorInfo(name=name, dims=dims, type=kind, offset=offset, size=length)
    return placed


def _num_bytes(name: str, dims: tuple[int, ...], kind: int) -> int | None:
    """The size of a tensor, None for a type that is not known."""
    elements = 1
    for length in dims:
        elements *= length
    if elements < 1:
        raise ValueError(f"tensor {name!r} has the shape {list(dims)}, which is empty")
    sizes = {int(key): value for key, value in GGML_QUANT_SIZES.items()}.get(kind)
    if sizes is None:
        return None
    block, block_bytes = sizes
    if dims[0] % block:
        raise ValueError(f"a row of tensor {name!r} has {dims[0]} values, no multiple of {block}")
    return elements // block * block_bytes
