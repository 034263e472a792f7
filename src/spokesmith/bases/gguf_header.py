"""What a GGUF file says: its keys and tensors, and where in the file their bytes are.

Values are kept as spans of the file, to be copied as they are; only those that are asked for are
read. Knows no architecture, and not how a file is walked over (`gguf_reader`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gguf import GGMLQuantizationType, GGUFValueType

MAGIC = b"GGUF"
# No single text that anybody asks for is longer; chat templates have some 20 kB.
MAX_STRING_BYTES = 1 << 20

FORMATS: dict[GGUFValueType, str] = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}
Value = int | float | bool | str | list[int | float | bool]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One key with its value. Spans are offsets in the file.

    Attributes:
        key: its name.
        type: of the value, or of an array's items.
        is_array: whether it is an array.
        count: how many values there are, 1 where it is no array.
        start: where its bytes start, the key's name included.
        value_start: where its first value starts (of a string, the length before it).
        end: where its bytes end.
    """

    key: str
    type: GGUFValueType
    is_array: bool
    count: int
    start: int
    value_start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class TensorInfo:
    """One tensor. `dims` is in the file's order: the length of a row first.

    Attributes:
        type: as the file has it; `known_type` where gguf-py knows it.
        offset: of its bytes in the file.
        size: in bytes; of an unknown type, all up to the next tensor.
    """

    name: str
    dims: tuple[int, ...]
    type: int
    offset: int
    size: int

    @property
    def known_type(self) -> GGMLQuantizationType | None:
        try:
            return GGMLQuantizationType(self.type)
        except ValueError:
            return None

    @property
    def type_name(self) -> str:
        known = self.known_type
        return f"type {self.type}" if known is None else known.name


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a GGUF file says of itself."""

    path: Path
    file_size: int
    version: int
    alignment: int
    entries: dict[str, Entry]
    tensors: dict[str, TensorInfo]

    def value(self, key: str) -> Value | None:
        """A key's value, None where the file lacks the key.

        Raises:
            ValueError: it is an array of strings, too long, or no UTF-8.
        """
        entry = self.entries.get(key)
        if entry is None:
            return None
        is_string = entry.type == GGUFValueType.STRING
        if is_string and entry.is_array:
            raise ValueError(f"{self.path}: {key} is a list of texts: want one value or numbers")
        raw = self.raw(entry.value_start, entry.end)
        if is_string:
            if len(raw) > MAX_STRING_BYTES:
                raise ValueError(f"{self.path}: {key} has {len(raw)} bytes: too long to read")
            return text_of(raw[8:], f"{self.path}: {key}")
        values = [one for (one,) in struct.iter_unpack(FORMATS[entry.type], raw)]
        return values if entry.is_array else values[0]

    def integer(self, key: str) -> int | None:
        """A key's value, which has to be one whole number; None where the file lacks the key.

        Raises:
            ValueError: it is something else.
        """
        value = self.value(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise ValueError(f"{self.path}: {key} = {value!r}: want one whole number")
        return value

    def integers(self, key: str) -> list[int]:
        """A key's one whole number or array of them; empty where the file lacks the key.

        Raises:
            ValueError: it is something else.
        """
        value = self.value(key)
        if value is None:
            return []
        numbers: list[int] = []
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, bool) or not isinstance(one, int):
                raise ValueError(f"{self.path}: {key} holds {one!r}: want whole numbers")
            numbers.append(one)
        return numbers

    def texts(self, key: str) -> list[str]:
        """A key's list of texts; empty where the file lacks the key.

        Raises:
            ValueError: it is something else, or no UTF-8.
        """
        entry = self.entries.get(key)
        if entry is None:
            return []
        what = f"{self.path}: {key}"
        if not entry.is_array or entry.type != GGUFValueType.STRING:
            raise ValueError(f"{what} is no list of texts")
        raw, end = self.raw(entry.value_start, entry.end), 0
        found: list[str] = []
        for _ in range(entry.count):
            start = end + 8
            end = start + int.from_bytes(raw[end:start], "little")
            found.append(text_of(raw[start:end], what))
        return found

    def raw(self, start: int, end: int) -> bytes:
        """Bytes of the file."""
        with self.path.open("rb") as file:
            file.seek(start)
            found = file.read(end - start)
        if len(found) != end - start:
            raise ValueError(f"{self.path} became shorter while it was read: try again")
        return found


def text_of(raw: bytes, what: str) -> str:
    """Bytes of a file as a text.

    Raises:
        ValueError: they are no UTF-8; `what` says whose they are.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{what} is no UTF-8") from error


def copy_bytes(file: BinaryIO, start: int, size: int, *, chunk: int = 8 << 20) -> Iterator[bytes]:
    """A span of a file, piece by piece.

    Raises:
        ValueError: the file has become shorter.
    """
    file.seek(start)
    while size:
        piece = file.read(min(chunk, size))
        if not piece:
            raise ValueError(f"{file.name} became shorter while it was read: try again")
        size -= len(piece)
        yield piece
