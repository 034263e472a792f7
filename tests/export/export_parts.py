"""Small bases as folders and sets that do something, for the tests of exports."""

from pathlib import Path
from typing import Any

import torch

from spokesmith.bases import Base
from spokesmith.bases.loading import BaseSource, find_base
from spokesmith.spokes import SpokesCard, SpokesConfig, SpokeSet
from spokesmith.testing import tiny_base

IDS = torch.arange(60).reshape(2, 30) * 7 % 250
FOLDABLE = ("llama", "gemma3_text", "gemma4_text", "gemma4_dense", "qwen3", "qwen3_5_text")


def write_base(base: Base, folder: Path) -> BaseSource:
    """Save a base as a folder, as it would lie on a disk."""
    base.model.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    return find_base(str(folder))


def tiny_source(model_type: str, folder: Path, **choices: Any) -> BaseSource:
    return write_base(tiny_base(model_type, **choices), folder)


def busy_set(source: BaseSource, **choices: Any) -> SpokeSet:
    """A set whose spokes change the base's answers."""
    config = SpokesConfig(
        hidden_size=source.config.hidden_size,
        num_layers=source.config.num_hidden_layers,
        **{"num_spokes": 2, "rank": 4, **choices},
    )
    spokes = SpokeSet.create(config, seed=1)
    generator = torch.Generator().manual_seed(2)
    for index in config.layer_indices:
        spoke = spokes.at(index)
        spoke.up.data = torch.randn(spoke.up.shape, generator=generator)
        spoke.gate_bias.data = torch.randn((), generator=generator)
    return spokes


def card_of(source: BaseSource, spokes: SpokeSet, fingerprint: str) -> SpokesCard:
    return SpokesCard(
        spokes=spokes.config,
        base=source.name,
        base_fingerprint=fingerprint,
        task="notes",
        training={"examples": 1234, "steps": 56, "eval_loss": 0.125},
    )
