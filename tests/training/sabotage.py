"""Faults that tests put into a base: no memory for many rows, numbers that are not finite."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from spokesmith.bases import Base

NO_MEMORY = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"
)


def no_memory_above(
    base: Base, rows: int, *, layer: int = 1, backward: bool = False, only_training: bool = False
) -> list[int]:
    """In one layer, a call with more than `rows` rows fails as the CPU's allocator does.

    Returns:
        The numbers of rows that were refused, a list that grows.
    """
    refused: list[int] = []

    def refuse(count: int) -> None:
        if count > rows and (torch.is_grad_enabled() or backward or not only_training):
            refused.append(count)
            raise RuntimeError(NO_MEMORY)

    ffn = base.sites()[layer].ffn
    if backward:

        def before_gradient(_module: nn.Module, gradients: Any) -> None:
            refuse(len(gradients[0]))

        ffn.register_full_backward_pre_hook(before_gradient)
    else:

        def before(_module: nn.Module, inputs: Any) -> None:
            refuse(len(inputs[0]))

        ffn.register_forward_pre_hook(before)
    return refused


def not_a_number(base: Base, *, layer: int, backward: bool, from_call: int = 0) -> None:
    """One layer's feed-forward block gives nan, forward or in its gradient, from a call on.

    Calls without gradients neither count nor fail.
    """
    calls = [0]

    def spoil(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return output
        calls[0] += 1
        if calls[0] <= from_call:
            return output
        return _Spoiled.apply(output, backward)  # pyright: ignore[reportReturnType]

    base.sites()[layer].ffn.register_forward_hook(spoil)


class _Spoiled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, output: Tensor, backward: bool) -> Tensor:
        ctx.backward = backward
        return output.clone() if backward else output * math.nan

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * (math.nan if ctx.backward else 1.0), None
