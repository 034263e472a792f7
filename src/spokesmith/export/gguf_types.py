"""Rows of matrices in the types of GGUF files: which can be read and written, and by what.

The gguf package reads all types that it knows and writes the plain ones. K-quants and IQ4 are
written by llama.cpp's own quantiser, which is in the library that the extra `llamacpp` brings.
"""

import ctypes
import importlib
import importlib.util
from collections.abc import Callable
from functools import cache

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from spokesmith.bases.gguf_header import TensorInfo

Array = np.ndarray
ENGINE = "xllamacpp"


def _types(*names: str) -> tuple[GGMLQuantizationType, ...]:
    return tuple(GGMLQuantizationType[name] for name in names)


PLAIN_TYPES = _types("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
# Those of llama.cpp's types that want no statistics of a text to be written.
ENGINE_TYPES = _types("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS")


def engine_is_installed() -> bool:
    """Whether llama.cpp can be asked in this process."""
    return importlib.util.find_spec(ENGINE) is not None


def is_writable(kind: GGMLQuantizationType) -> bool:
    """Whether any values can be written in a type, here and now."""
    return kind in PLAIN_TYPES or (kind in ENGINE_TYPES and _engine_quantiser() is not None)


def readable_type(info: TensorInfo) -> GGMLQuantizationType:
    """A tensor's type, which has to be one that gguf-py reads.

    Raises:
        ValueError: it is another.
    """
    kind = info.known_type
    try:
        if kind is not None:
            gguf.dequantize(np.zeros((1, GGML_QUANT_SIZES[kind][1]), np.uint8), kind)
            return kind
    except NotImplementedError:
        pass
    raise ValueError(
        f"{info.name} is of {info.type_name}, which the gguf package cannot read: give the base in "
        "another type, Q8_0 for example, or update gguf"
    )


def converted(rows: Array, before: int, after: GGMLQuantizationType) -> Array:
    """Stored rows in another type; the same bytes where the type is the same."""
    if before == after:
        return rows
    return quantised(gguf.dequantize(rows, GGMLQuantizationType(before)), after)


def quantised(values: Array, kind: GGMLQuantizationType) -> Array:
    """Rows of float32 values, [rows, columns], as a type stores them: uint8, [rows, bytes].

    In a type that cannot be written values have to be zeros, and their bytes be zeros too: the plan
    of a file sees to both.
    """
    block, block_bytes = GGML_QUANT_SIZES[kind]
    num_rows, length = values.shape
    # llama.cpp would write beyond the rows' ends.
    assert length % block == 0, "a row is made of whole blocks"
    values = np.ascontiguousarray(values, np.float32)
    if kind in PLAIN_TYPES:
        stored = gguf.quantize(values, kind)
        return np.ascontiguousarray(stored).view(np.uint8).reshape(num_rows, -1)
    rows = np.zeros((num_rows, length // block * block_bytes), np.uint8)
    if values.any():
        quantise = _engine_quantiser() if kind in ENGINE_TYPES else None
        assert quantise is not None, "only zeros are written in a type that cannot be written"
        size = quantise(int(kind), values.ctypes.data, rows.ctypes.data, 0, num_rows, length, None)
        assert size == rows.nbytes, "llama.cpp writes blocks of the size that gguf-py knows"
    return rows


@cache
def _engine_quantiser() -> Callable[..., int] | None:
    """llama.cpp's `ggml_quantize_chunk`; None where the engine is not installed, does not start, or
    hides the function.

    It takes a type, the addresses of float32 values and of what they become, the first value, how
    many rows of how many values, and the address of weights of the values, or none; it returns how
    many bytes it wrote.
    """
    if not engine_is_installed():
        return None
    try:
        compiled = importlib.import_module(f"{ENGINE}.{ENGINE}")
    except ImportError:
        return None
    function = getattr(ctypes.CDLL(compiled.__file__), "ggml_quantize_chunk", None)
    if function is None:
        return None
    count, address = ctypes.c_int64, ctypes.c_void_p
    function.argtypes = [ctypes.c_int, address, address, count, count, count, address]
    function.restype = ctypes.c_size_t
    return function
