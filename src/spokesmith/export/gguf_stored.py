"""Rows of matrices as a GGUF file stores them, and a set as a written file holds it: its values
after the rounding of the file's types."""

from pathlib import Path
from typing import BinaryIO

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType

from spokesmith.bases.gguf_header import TensorInfo, copy_bytes
from spokesmith.bases.gguf_reader import read_header
from spokesmith.export.gguf_base import GGUFBase, ffn_name
from spokesmith.export.gguf_types import Array
from spokesmith.spokes import SpokeSet


@torch.no_grad()
def stored_spokes(path: Path, base: GGUFBase, spokes: SpokeSet) -> SpokeSet:
    """Read the spokes out of a folded file, in float32.

    Args:
        path: of the file.
        base: the file that it was made from, whose rows and columns come first.
        spokes: the set that was written, for its shape and scales.
    """
    stored = SpokeSet(spokes.config)
    inner = spokes.config.num_spokes * spokes.config.rank
    tensors = read_header(path).tensors
    with path.open("rb") as file:
        for layer in spokes.config.layer_indices:
            exact, own = spokes.at(layer), stored.at(layer)
            assert own.gate is not None, "only ffn sets are folded"
            width, d = base.ffn(layer, "down").dims
            gate, up, down = (tensors[ffn_name(layer, part)] for part in ("gate", "up", "down"))
            own.gate_bias.copy_(exact.gate_bias)
            own.gate.copy_(_values(gate, file, width, width + inner))
            own.down.copy_(_values(up, file, width, width + inner))
            own.up.copy_(_values(down, file, 0, d)[:, width : width + inner] / own.scale)
    return stored


def stored_rows(info: TensorInfo, file: BinaryIO, start: int, end: int) -> Array:
    """Some rows of a matrix as a file stores them: uint8, [rows, bytes of a row]."""
    row_bytes = info.size // info.dims[1]
    raw = b"".join(copy_bytes(file, info.offset + start * row_bytes, (end - start) * row_bytes))
    return np.frombuffer(raw, np.uint8).reshape(end - start, row_bytes)


def _values(info: TensorInfo, file: BinaryIO, start: int, end: int) -> torch.Tensor:
    """Some rows of a matrix in float32, [rows, columns]."""
    rows = stored_rows(info, file, start, end)
    return torch.tensor(gguf.dequantize(rows, GGMLQuantizationType(info.type)))
