"""Attention of few tokens to long rows on a GPU: every row is read in parts at the same time.

The usual kernels give all that a token reads to one of a GPU's many processors, so that a step of
few tokens leaves the others idle. Here each part of a row is a program of its own, and a second
kernel adds the parts up (as Flash-Decoding does, Dao et al. 2023). Tokens of different rows, each
with its own length, need no padding.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

# Positions of a part, and most parts of a row.
PART, MOST_PARTS = 64, 32
# So many keys, and as many values, fit into one processor's own memory on any card.
BLOCK_BYTES = 2**15
DTYPES = (torch.bfloat16, torch.float16, torch.float32)


def split_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    positions: Tensor,
    places: Tensor,
    *,
    width: int,
    scaling: float,
    window: int | None,
) -> Tensor:
    """What each token reads of its row.

    Args:
        query: [N, H, D].
        key: a whole buffer, [R, C, K, D].
        value: a whole buffer, [R, C, K, D].
        positions: [N], of each token in its row.
        places: [N], of each token in a buffer whose rows are joined.
        width: more than any position.
        scaling: of the scores.
        window: how many positions a token reads at most; None for all.

    Returns:
        [N, H, D].
    """
    tokens, heads, size = query.shape
    kv_heads = key.shape[2]
    part = max(PART, triton.next_power_of_2(triton.cdiv(width, MOST_PARTS)))
    parts = triton.cdiv(width, part)
    sums = query.new_empty(tokens, heads, parts, size, dtype=torch.float32)
    weights = query.new_empty(2, tokens, heads, parts, dtype=torch.float32)
    result = torch.empty_like(query, memory_format=torch.contiguous_format)
    block_size = max(16, triton.next_power_of_2(size))
    _read_part[tokens, kv_heads, parts](
        query,
        key,
        value,
        positions,
        places,
        sums,
        weights,
        scaling,
        query.stride(0),
        query.stride(1),
        tokens * heads * parts,
        WINDOW=window or 0,
        HEADS=heads,
        KV_HEADS=kv_heads,
        SIZE=size,
        PART=part,
        BLOCK_HEADS=max(16, triton.next_power_of_2(heads // kv_heads)),
        BLOCK_SIZE=block_size,
        BLOCK=max(16, min(PART, BLOCK_BYTES // (block_size * key.element_size()))),
        # No block is read ahead of its turn: small cards have no room for two.
        num_stages=1,
    )
    _add_parts[tokens, heads](
        sums,
        weights,
        result,
        tokens * heads * parts,
        HEADS=heads,
        PARTS=parts,
        SIZE=size,
        BLOCK_PARTS=triton.next_power_of_2(parts),
        BLOCK_SIZE=block_size,
    )
    return result


@triton.jit
def _read_part(
    query: tl.tensor,
    key: tl.tensor,
    value: tl.tensor,
    positions: tl.tensor,
    places: tl.tensor,
    sums: tl.tensor,
    weights: tl.tensor,
    scaling: tl.tensor,
    query_token: tl.tensor,
    query_head: tl.tensor,
    num_weights: tl.tensor,
    WINDOW: tl.constexpr,
    HEADS: tl.constexpr,
    KV_HEADS: tl.constexpr,
    SIZE: tl.constexpr,
    PART: tl.constexpr,
    BLOCK_HEADS: tl.constexpr,
    BLOCK_SIZE: tl.constexpr,
    BLOCK: tl.constexpr,
) -> None:
    """One part of a row for the heads of a token that share keys and values."""
    token, kv_head, part = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    position = tl.load(positions + token)
    row_start = tl.load(places + token) - position
    repeats: tl.constexpr = HEADS // KV_HEADS
    head = tl.arange(0, BLOCK_HEADS)
    heads = kv_head * repeats + head
    is_head = head < repeats
    along = tl.arange(0, BLOCK_SIZE)
    is_along = along < SIZE
    first = tl.maximum(position - WINDOW + 1, 0) if WINDOW > 0 else 0
    highest = tl.full((BLOCK_HEADS,), float("-inf"), tl.float32)
    total = tl.zeros((BLOCK_HEADS,), tl.float32)
    found = tl.zeros((BLOCK_HEADS, BLOCK_SIZE), tl.float32)
    start = part * PART
    if (start <= position) & (start + PART > first):
        asked = tl.load(
            query + token * query_token + heads[:, None] * query_head + along[None, :],
            mask=is_head[:, None] & is_along[None, :],
            other=0.0,
        )
        for block in range(0, PART, BLOCK):
            column = start + block + tl.arange(0, BLOCK)
            is_read = (column <= position) & (column >= first)
            place = ((row_start + column) * KV_HEADS + kv_head)[:, None] * SIZE + along[None, :]
            is_there = is_read[:, None] & is_along[None, :]
            keys = tl.load(key + place, mask=is_there, other=0.0)
            scores = tl.dot(asked, tl.trans(keys), input_precision="ieee") * scaling
            scores = tl.where(is_read[None, :], scores, float("-inf"))
            higher = tl.maximum(highest, tl.max(scores, 1))
            # A block of which nothing is read must not make a number that is none.
            safe = tl.where(higher == float("-inf"), 0.0, higher)
            shrink = tl.exp(highest - safe)
            likely = tl.exp(scores - safe[:, None])
            values = tl.load(value + place, mask=is_there, other=0.0)
            total = total * shrink + tl.sum(likely, 1)
            found = found * shrink[:, None] + tl.dot(
                likely.to(values.dtype), values, input_precision="ieee"
            )
            highest = higher
    parts = tl.num_programs(2)
    to = (token * HEADS + heads) * parts + part
    tl.store(weights + to, highest, mask=is_head)
    tl.store(weights + num_weights + to, total, mask=is_head)
    tl.store(
        sums + to[:, None] * SIZE + along[None, :],
        found,
        mask=is_head[:, None] & is_along[None, :],
    )


@triton.jit
def _add_parts(
    sums: tl.tensor,
    weights: tl.tensor,
    result: tl.tensor,
    num_weights: tl.tensor,
    HEADS: tl.constexpr,
    PARTS: tl.constexpr,
    SIZE: tl.constexpr,
    BLOCK_PARTS: tl.constexpr,
    BLOCK_SIZE: tl.constexpr,
) -> None:
    """All parts of one head of a token."""
    head = tl.program_id(0) * HEADS + tl.program_id(1)
    part = tl.arange(0, BLOCK_PARTS)
    is_part = part < PARTS
    along = tl.arange(0, BLOCK_SIZE)
    is_along = along < SIZE
    from_ = head * PARTS + part
    highest = tl.load(weights + from_, mask=is_part, other=float("-inf"))
    totals = tl.load(weights + num_weights + from_, mask=is_part, other=0.0)
    shares = tl.exp(highest - tl.max(highest, 0))
    found = tl.load(
        sums + from_[:, None] * SIZE + along[None, :],
        mask=is_part[:, None] & is_along[None, :],
        other=0.0,
    )
    answer = tl.sum(found * shares[:, None], 0) / tl.sum(totals * shares, 0)
    tl.store(result + head * SIZE + along, answer.to(result.dtype.element_ty), mask=is_along)
