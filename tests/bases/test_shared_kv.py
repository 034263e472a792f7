"""Bases that share keys and values: what corrupts them is refused, whoever switched it on.

These tests also run on older versions of transformers, where the library's own switch corrupts.
"""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
    CheckpointImpl,
    apply_activation_checkpointing,
    checkpoint_wrapper,
)
from transformers import Trainer, TrainingArguments

from spokesmith.bases import Base, unguarded
from spokesmith.bases.shared_kv import CallCache
from spokesmith.spokes import SpokeSet, attach
from spokesmith.testing import tiny_base

IDS = torch.arange(80).reshape(2, 40) % 250
CORRUPTS = transformers.__version__ in ("5.5.0", "5.5.1")
# Where the library's switch corrupts even without reentrance, that is what is said.
REFUSED = "the library's activation checkpointing" if CORRUPTS else "reentrant activation checkp"


def spoked(model_type: str = "gemma4_text") -> tuple[Base, SpokeSet]:
    base = tiny_base(model_type)
    spokes = SpokeSet.create(base.spokes_config(num_spokes=2, rank=4), seed=0)
    for index in spokes.config.layer_indices:
        torch.nn.init.normal_(spokes.at(index).up, std=0.3)
    attach(base.model, base.sites(), spokes)
    return base, spokes


def gradients(base: Base, spokes: SpokeSet) -> dict[str, torch.Tensor]:
    spokes.zero_grad(set_to_none=True)
    base.model(input_ids=IDS, labels=IDS).loss.backward()
    return {
        name: one.grad.clone() for name, one in spokes.named_parameters() if one.grad is not None
    }


def worst(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    return max(((one[key] - other[key]).norm() / one[key].norm()).item() for key in one)


def test_a_call_without_a_cache_equals_one_with_it() -> None:
    base = tiny_base("gemma4_text")
    with torch.no_grad():
        wanted = base.model(input_ids=IDS, use_cache=True).logits
        assert torch.equal(base.model(input_ids=IDS, use_cache=False).logits, wanted)
        with unguarded(base.decoder):
            bare = base.model(input_ids=IDS, use_cache=False).logits
    assert torch.equal(bare, wanted) != CORRUPTS


def test_the_library_s_own_switch_is_seen_to_corrupt_where_it_does() -> None:
    base, spokes = spoked()
    plain = gradients(base, spokes)
    with torch.no_grad():
        wanted = base.model(input_ids=IDS).logits
    base.model.gradient_checkpointing_enable({"use_reentrant": False})
    base.model.train()
    with unguarded(base.decoder):
        logits = base.model(input_ids=IDS).logits.detach()
        difference = (logits - wanted).abs().max().item()
        error = worst(plain, gradients(base, spokes))
    if CORRUPTS:
        assert difference > 0.5
        assert error > 0.1
        with pytest.raises(ValueError, match="the library's activation checkpointing is on"):
            base.model(input_ids=IDS)
    else:
        assert difference == 0
        assert error < 1e-5
        assert torch.equal(base.model(input_ids=IDS).logits, wanted)


def test_reentrant_checkpointing_is_seen_to_give_wrong_gradients() -> None:
    base, spokes = spoked()
    plain = gradients(base, spokes)
    base.model.gradient_checkpointing_enable({"use_reentrant": True})
    base.model.enable_input_require_grads()
    base.model.train()
    with unguarded(base.decoder):
        assert worst(plain, gradients(base, spokes)) > 0.1


def test_reentrant_checkpointing_is_refused_from_the_model() -> None:
    base, _ = spoked()
    base.model.gradient_checkpointing_enable({"use_reentrant": True})
    base.model.train()
    with pytest.raises(ValueError, match=REFUSED):
        base.model(input_ids=IDS, labels=IDS)
    base.model.eval()
    with torch.no_grad():
        base.model(input_ids=IDS)


def test_reentrant_checkpointing_is_refused_from_a_trainer_s_argument(tmp_path: Path) -> None:
    base, _ = spoked()
    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        gradient_checkpointing=True,
        gradient_checkpointing_kwargs={"use_reentrant": True},
        max_steps=1,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
    )
    rows = [{"input_ids": IDS[0], "labels": IDS[0]}]
    with pytest.raises(ValueError, match=REFUSED):
        Trainer(model=base.model, args=arguments, train_dataset=rows).train()


def test_reentrant_checkpointing_is_refused_from_a_plugin_s_wrapper() -> None:
    base, _ = spoked()
    layers = {site.layer for site in base.sites()}
    apply_activation_checkpointing(
        base.model,
        checkpoint_wrapper_fn=partial(checkpoint_wrapper, checkpoint_impl=CheckpointImpl.REENTRANT),
        check_fn=lambda module: module in layers,
    )
    base.model.train()
    with pytest.raises(ValueError, match="reentrant activation checkpointing"):
        base.model(input_ids=IDS, labels=IDS)


def test_bases_that_share_nothing_are_left_alone() -> None:
    base, spokes = spoked("llama")
    plain = gradients(base, spokes)
    base.model.gradient_checkpointing_enable({"use_reentrant": True})
    base.model.enable_input_require_grads()
    base.model.train()
    assert worst(plain, gradients(base, spokes)) < 1e-5


def test_a_call_cache_writes_once() -> None:
    class Counting:
        layers: tuple[Any, ...] = ()
        writes = 0

        def update(self, keys: str, values: str, layer_idx: int) -> tuple[str, str]:
            self.writes += 1
            return keys, values

    inner = Counting()
    cache = CallCache(inner)
    assert cache.update("first", "first", 3) == ("first", "first")
    assert cache.update("again", "again", 3) == ("first", "first")
    assert cache.update("other", "other", 4) == ("other", "other")
    assert inner.writes == cache.writes == 2
