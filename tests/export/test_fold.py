"""Folded spokes are a feed-forward block's own rows and columns."""

import pytest
import torch
from torch.nn import functional as F

from spokesmith.export.fold import folded_layers
from spokesmith.spokes import SpokesConfig, SpokeSet


def a_set(**choices: object) -> SpokeSet:
    config = SpokesConfig(hidden_size=24, num_layers=4, num_spokes=3, rank=5, **choices)
    spokes = SpokeSet.create(config, seed=3)
    generator = torch.Generator().manual_seed(4)
    for parameter in spokes.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return spokes


def test_the_rows_and_columns_compute_what_the_spokes_do() -> None:
    spokes = a_set()
    x = torch.randn(7, 24, generator=torch.Generator().manual_seed(5))
    folded = folded_layers(spokes)
    assert list(folded) == [0, 1, 2, 3]
    for index, layer in folded.items():
        assert layer.gate.shape == layer.up.shape == (15, 24)
        assert layer.down.shape == (24, 15)
        assert {part.dtype for part in (layer.gate, layer.up, layer.down)} == {torch.float32}
        wide = F.linear(F.silu(F.linear(x, layer.gate)) * F.linear(x, layer.up), layer.down)
        torch.testing.assert_close(wide, spokes.at(index).beside_ffn(x, F.silu))


def test_layers_without_spokes_are_absent() -> None:
    assert list(folded_layers(a_set(every_n_layers=2))) == [0, 2]
    assert list(folded_layers(a_set(layers=(3,)))) == [3]


def test_a_set_stored_in_half_precision_folds_in_float32() -> None:
    spokes = a_set().to(torch.bfloat16)
    layer = folded_layers(spokes)[1]
    assert layer.down.dtype == torch.float32
    torch.testing.assert_close(layer.gate, spokes.at(1).gate.float())


def test_a_residual_set_says_why_it_cannot_fold_and_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"residual set cannot be folded.*after the whole layer"):
        folded_layers(a_set(placement="residual"))
    with pytest.raises(ValueError, match=r"spokesmith serve.*--layout tensors.*placement ffn"):
        folded_layers(a_set(placement="residual"))
