"""A base's GGUF file in another type, to compare what types cost.

The recipe is plain: all matrices of the layers get the type, the tables of embeddings and the head
Q8_0 where that is finer, and vectors stay. llama.cpp's own tool knows finer mixes.
"""

import dataclasses
import struct
from pathlib import Path

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType, LlamaFileType

from spokesmith.export.folders import check_space
from spokesmith.export.gguf_base import GGUFBase, read_base
from spokesmith.export.gguf_graft import num_bytes, whole_file, write_gguf
from spokesmith.export.gguf_header import FORMATS, TensorInfo
from spokesmith.export.gguf_plan import WRITABLE, NewTensor, Plan, readable_type
from spokesmith.export.gguf_verify import Verified, verify

FILE_TYPE_KEY = "general.file_type"
TABLES = ("token_embd.weight", "output.weight", "per_layer_token_embd.weight")


def requantise(base_gguf: Path, out: Path, kind: str) -> Verified:
    """Write a base's file with its matrices in another type, whole or not at all.

    Args:
        base_gguf: the file to read.
        out: the file to write.
        kind: a type that can be written, by its name: Q8_0, Q4_0, Q4_1, ...

    Raises:
        ValueError: the type is another, a matrix cannot be read, or `out` is there or does not fit
            on the disk.
    """
    names = {one.name: one for one in WRITABLE}
    if kind not in names:
        raise ValueError(f"type '{kind}' cannot be written: use {', '.join(names)}")
    if out.exists():
        raise ValueError(f"{out} is there already: give another name")
    base = read_base(base_gguf)
    tensors = [_requantised(info, names[kind]) for info in base.header.tensors.values()]
    plan = Plan(base=base, tensors=tensors, changed=_file_type(base, names[kind]), entries={})
    check_space(out, num_bytes(plan))
    with whole_file(out) as partial:
        with partial.open("wb") as file:
            write_gguf(plan, file, lambda _count: None)
        return verify(plan, partial)


def _requantised(info: TensorInfo, kind: GGMLQuantizationType) -> NewTensor:
    same = NewTensor(name=info.name, dims=info.dims, type=info.type, source=info)
    if len(info.dims) != 2 or not info.name.endswith(".weight") or "conv1d" in info.name:
        return same
    coarse = GGML_QUANT_SIZES[kind][0] > 1
    wanted = GGMLQuantizationType.Q8_0 if info.name in TABLES and coarse else kind
    if info.dims[0] % GGML_QUANT_SIZES[wanted][0] or readable_type(info) == wanted:
        return same
    return dataclasses.replace(same, type=int(wanted))


def _file_type(base: GGUFBase, kind: GGMLQuantizationType) -> dict[str, bytes]:
    """The key that names the recipe, where the file has it."""
    entry = base.header.entries.get(FILE_TYPE_KEY)
    if entry is None or entry.is_array or entry.type == GGUFValueType.STRING:
        return {}
    name = "ALL_F32" if kind.name == "F32" else f"MOSTLY_{kind.name}"
    value = struct.pack(FORMATS[entry.type], int(LlamaFileType[name]))
    return {FILE_TYPE_KEY: base.header.raw(entry.start, entry.value_start) + value}
