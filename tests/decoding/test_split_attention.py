"""Attention in parts gives what plain attention does: its kernels, interpreted on the CPU.

The interpreter is chosen by a variable that Triton reads when it is imported, so the checks run in
a process of their own. It knows no bfloat16; `test_captured` compares that on a GPU.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

SCALING = 0.2
# Which row each token belongs to.
ROWS, NUM_ROWS = [0, 0, 2, 1, 1, 3], 4
# Heads, those of keys and values, their size, and the rows' width.
SHAPES = [(8, 1, 64, 512), (4, 2, 16, 128), (9, 3, 48, 256), (2, 1, 32, 4096)]


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is made for Linux alone")
def test_parts_add_up() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    subprocess.run([sys.executable, __file__], env=environment, check=True)


def check(heads: int, kv_heads: int, size: int, width: int, window: int | None) -> None:
    from spokesmith.decoding.split_attention import split_attention

    generator = torch.Generator().manual_seed(0)
    positions = [width - 1, 3, width // 3, width // 2 - 1, width // 4, 0]
    key, value = torch.randn(2, NUM_ROWS, width, kv_heads, size, generator=generator)
    # Nobody may read what lies behind a row's tokens.
    key[1, width // 2 :] = value[1, width // 2 :] = torch.nan
    # As layers hand it over: heads before tokens.
    query = torch.randn(1, heads, len(ROWS), size, generator=generator).transpose(1, 2)[0]
    places = [row * width + position for row, position in zip(ROWS, positions, strict=True)]
    found = split_attention(
        query,
        key,
        value,
        torch.tensor(positions),
        torch.tensor(places),
        width=width,
        scaling=SCALING,
        window=window,
    )
    for token, (row, position) in enumerate(zip(ROWS, positions, strict=True)):
        first = 0 if window is None else max(0, position - window + 1)
        read = slice(first, position + 1)
        expected = plain(query[token], key[row, read], value[row, read])
        torch.testing.assert_close(found[token], expected, rtol=1e-5, atol=1e-5)


def plain(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What one token reads, [H, D], of keys and values [C, K, D]."""
    repeats = query.shape[0] // key.shape[1]
    keys, values = (one.repeat_interleave(repeats, dim=1) for one in (key, value))
    shares = (torch.einsum("hd,chd->hc", query, keys) * SCALING).softmax(dim=-1)
    return torch.einsum("hc,chd->hd", shares, values)


if __name__ == "__main__":
    for shape in SHAPES:
        for window in (None, 100):
            check(*shape, window)
