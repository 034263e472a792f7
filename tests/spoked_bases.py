"""Tiny bases with spokes that look trained, and steps on which two ways to compute are compared."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import torch

from spokesmith.bases import Base
from spokesmith.decoding.forward import Work
from spokesmith.decoding.runner import Runner
from spokesmith.spokes import SpokeSet, attach
from spokesmith.spokes.fixed import can_pack
from spokesmith.testing import tiny_base


def spoked(model_type: str, *, device: str = "cpu", dtype: str = "float64", **sizes: Any) -> Base:
    """A tiny base with trained-looking sets of spokes: two beside the feed-forward blocks, of
    different sizes, and one after the layers."""
    base = tiny_base(model_type, dtype=dtype, **sizes)
    base.model.to(device)
    for seed, (name, shape) in enumerate(
        {
            "noise": {"placement": "ffn", "rank": 8},
            "third": {"placement": "ffn", "rank": 12, "every_n_layers": 2},
            "other": {"placement": "residual", "rank": 8},
        }.items()
    ):
        attach(base.model, base.sites(), noisy(base, seed, dtype, **shape), name=name)
    return base


def exact(model_type: str) -> Base:
    """A spoked base in the widest numbers that the family's products take."""
    return spoked(model_type, dtype="float32" if model_type == "gemma4_experts" else "float64")


def outspoken(base: Base) -> Base:
    """Let what attention adds, and where it is normed what feed-forward blocks add, count for four
    times as much, so that answers depend on what stands far before and on the spokes in use."""
    has_norms = base.family.name.startswith("gemma")
    with torch.no_grad():
        for name, weight in base.model.named_parameters():
            if name.endswith(("o_proj.weight", "out_proj.weight")):
                weight.mul_(4)
            # Gemma 3 adds one to these weights, and Gemma 4 begins with one.
            norms = ("post_attention_layernorm.weight", "post_feedforward_layernorm.weight")
            if has_norms and name.endswith(norms):
                weight.add_(3)
    return base


def noisy(base: Base, seed: int, dtype: str = "float64", **shape: Any) -> SpokeSet:
    if base.family.has_experts(base.config):
        shape["placement"] = "residual"
    config = base.spokes_config(num_spokes=1, **shape)
    spokes = SpokeSet.create(config, seed=seed).to(getattr(torch, dtype))
    for index in config.layer_indices:
        generator = torch.Generator().manual_seed(10 * seed + index)
        torch.nn.init.normal_(spokes.at(index).up, std=1.0, generator=generator)
    return spokes


# Whether this machine's processor has a layout of its own for matrices.
HAS_LAYOUT = can_pack(torch.zeros(8, 8, dtype=torch.bfloat16))
needs_layout = pytest.mark.skipif(not HAS_LAYOUT, reason="the processor has no layout of its own")


def work(row: int, start: int, length: int, spokes: str | None = "noise", wanted: int = 1) -> Work:
    token_ids = [(7 * row + 3 * place) % 250 for place in range(start, start + length)]
    return Work(row=row, start=start, token_ids=token_ids, wanted=wanted, spokes=spokes)


# Prompts, then rows that join, go on by a token or several, and stand far apart.
STEPS: list[list[Work]] = [
    [work(0, 0, 20)],
    [work(0, 20, 3, wanted=3)],
    [work(0, 23, 1), work(2, 0, 40, wanted=0)],
    [work(1, 0, 9), work(2, 40, 5, wanted=5)],
    [work(0, 24, 1), work(1, 9, 2, wanted=2), work(2, 45, 1)],
    [work(0, 25, 1, "other"), work(1, 11, 1, "other"), work(2, 46, 1, "other")],
    [work(0, 26, 1, None), work(2, 47, 30, None, wanted=30)],
    [work(0, 27, 1, "noise"), work(2, 77, 1, "other")],
    [work(0, 28, 2, "third"), work(1, 12, 1, None), work(2, 78, 3, "noise", wanted=3)],
]


def assert_alike(one: Runner, other: Runner, steps: Sequence[Sequence[Work]]) -> None:
    for works in steps:
        mine, yours = one.run(works), other.run(works)
        assert mine.keys() == yours.keys()
        for row, scores in mine.items():
            torch.testing.assert_close(
                scores.logits.cpu(), yours[row].logits.cpu(), rtol=1e-4, atol=1e-4
            )


def rounded(base: Base) -> Base:
    """A base whose weights and spokes are numbers that bfloat16 has."""
    for one in base.model.parameters():
        one.data = one.data.bfloat16().float()
    return base


def squared_errors(runners: dict[str, Runner], exact: Runner) -> dict[str, float]:
    """How far the logits of each runner are from exact ones, over all steps."""
    errors = dict.fromkeys(runners, 0.0)
    for works in STEPS:
        expected = exact.run(works)
        for name, runner in runners.items():
            for row, scores in runner.run(works).items():
                difference = scores.logits.float() - expected[row].logits
                errors[name] += float(difference.square().sum())
    return errors


@contextmanager
def third_call_lacks_memory(owner: Any, method: str) -> Iterator[None]:
    """Inside the block the third call of a class's method fails for lack of memory."""
    original, calls = getattr(owner, method), count(1)

    def scarce(*args: Any, **options: Any) -> Any:
        if next(calls) == 3:
            raise torch.OutOfMemoryError("no memory is left")
        return original(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, method, scarce)
        yield
