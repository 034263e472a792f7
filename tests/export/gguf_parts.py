"""A tiny base as a GGUF file, a set for it, and grafting the one onto the other."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from export_parts import busy_set
from gguf import GGMLQuantizationType, GGUFValueType

from spokesmith.bases import Base
from spokesmith.bases.gguf_header import Header
from spokesmith.bases.gguf_reader import read_header
from spokesmith.export.gguf_base import PARTS
from spokesmith.export.gguf_export import Grafted, export_gguf
from spokesmith.spokes import SpokesCard, SpokeSet
from spokesmith.testing import tiny_base
from spokesmith.testing.gguf_files import write_gguf

# Where blocks keep their float16 scales.
SCALES = {
    "Q2_K": (80, 82),
    "Q3_K": (108,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q6_K": (208,),
    "IQ3_S": (0,),
    "IQ4_NL": (0,),
    "IQ4_XS": (0,),
}
LARGE = {"hidden_size": 256, "intermediate_size": 256, "num_layers": 3}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an export needs."""

    base: Base
    path: Path
    spokes: SpokeSet
    card: SpokesCard

    def graft(self, out: Path, **choices: Any) -> Grafted:
        given = {"find": self.not_asked, "load": None, **choices}
        return export_gguf(out, self.path, self.spokes, self.card, **given)

    def not_asked(self) -> Any:
        raise AssertionError("the file's own keys say which base it is")


def make_parts(
    folder: Path,
    model_type: str = "llama",
    kind: str = "F32",
    *,
    extra: bool = False,
    sizes: dict[str, Any] | None = None,
    base: Base | None = None,
    **choices: Any,
) -> Parts:
    """A base of some sizes as a file of some type, and a set of some shape for it."""
    base = base or tiny_base(model_type, **{"num_layers": 4, **(sizes or {})})
    add = add_odd_entries if extra else None
    path = write_gguf(folder / "base.gguf", base, kind, add=add)
    spokes: Any = busy_set(base, **{"rank": 16, **choices})  # pyright: ignore[reportArgumentType]
    card = SpokesCard(
        spokes=spokes.config, base=base.name, base_fingerprint=base.fingerprint, task="notes"
    )
    return Parts(base=base, path=path, spokes=spokes, card=card)


def add_odd_keys(writer: gguf.GGUFWriter) -> None:
    """Keys that only a copy of their bytes keeps as they are."""
    for number, kind in enumerate(GGUFValueType):
        if kind == GGUFValueType.ARRAY:
            continue
        value: Any = "näme" if kind == GGUFValueType.STRING else 1
        if kind == GGUFValueType.BOOL:
            value = True
        writer.add_key_value(f"odd.{kind.name.lower()}", value, kind)
        values = [value] * (number + 2)
        writer.add_key_value(f"odd.list.{kind.name.lower()}", values, GGUFValueType.ARRAY, kind)
    writer.add_key_value("odd.empty", "", GGUFValueType.STRING)
    pattern = [True, False, False, True]
    writer.add_key_value("odd.pattern", pattern, GGUFValueType.ARRAY, GGUFValueType.BOOL)


def add_odd_entries(writer: gguf.GGUFWriter) -> None:
    """Odd keys, and a tensor of an odd shape."""
    add_odd_keys(writer)
    writer.add_tensor("odd.weight", np.arange(7, dtype=np.int8))


def tensor_bytes(header: Header, name: str) -> bytes:
    info = header.tensors[name]
    return header.raw(info.offset, info.offset + info.size)


def entry_of(header: Header, key: str) -> bytes:
    entry = header.entries[key]
    return header.raw(entry.start, entry.end)


def read(path: Path) -> Header:
    return read_header(path)


def values_of(header: Header, name: str) -> np.ndarray:
    """A matrix as float32."""
    info = header.tensors[name]
    raw = np.frombuffer(tensor_bytes(header, name), np.uint8).reshape(info.dims[1], -1)
    return gguf.dequantize(raw, GGMLQuantizationType(info.type))


def in_k_quants(parts: Parts, kinds: dict[str, str], *, scale: float = 0.002) -> None:
    """Put random blocks of other types into the feed-forward matrices of a file."""
    header = read(parts.path)
    writer = gguf.GGUFWriter(parts.path.with_suffix(".new"), "llama")
    generator = np.random.default_rng(0)
    reader = gguf.GGUFReader(parts.path)
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), field.types[0], sub_type)
    for info in header.tensors.values():
        part = next((part for part in PARTS if f"ffn_{part}.weight" in info.name), None)
        if part is None:
            kind = GGMLQuantizationType(info.type)
            raw = np.frombuffer(tensor_bytes(header, info.name), np.uint8)
            writer.add_tensor(info.name, raw.reshape(*info.dims[:0:-1], -1), raw_dtype=kind)
            continue
        kind = GGMLQuantizationType[kinds[part]]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        shape = (info.dims[1], info.dims[0] // block, size)
        raw = generator.integers(0, 256, shape).astype(np.uint8)
        for place in SCALES[kinds[part]]:
            raw[..., place : place + 2] = np.frombuffer(np.float16(scale).tobytes(), np.uint8)
        writer.add_tensor(info.name, raw.reshape(info.dims[1], -1), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(parts.path.with_suffix(".new"), parts.path)


def rewritten(
    parts: Parts,
    *,
    architecture: str = "llama",
    values: dict[str, Any] | None = None,
    without: tuple[str, ...] = (),
    more: tuple[tuple[str, tuple[int, ...]], ...] = (),
) -> Path:
    """The parts' file with keys and tensors changed."""
    header, reader = read(parts.path), gguf.GGUFReader(parts.path)
    writer = gguf.GGUFWriter(parts.path.with_name("changed.gguf"), architecture)
    for key, field in reader.fields.items():
        replaced = {"general.architecture", *(values or {}), *without}
        if key.startswith("GGUF.") or key in replaced:
            continue
        sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), field.types[0], sub_type)
    for key, value in (values or {}).items():
        kind = GGUFValueType.get_type(value)
        sub_type = GGUFValueType.get_type(value[0]) if isinstance(value, list) else None
        writer.add_key_value(key, value, kind, sub_type)
    for info in header.tensors.values():
        if info.name not in without:
            raw = tensor_bytes(header, info.name)
            array = np.frombuffer(raw, np.uint8).reshape(*info.dims[:0:-1], -1)
            writer.add_tensor(info.name, array, raw_dtype=GGMLQuantizationType(info.type))
    for name, shape in more:
        writer.add_tensor(name, np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return parts.path.with_name("changed.gguf")
