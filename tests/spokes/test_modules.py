"""The mathematics of a spoke against the plainest way to write it."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from spokesmith.spokes import SpokesConfig, SpokeSet

CONFIG = {"hidden_size": 24, "num_layers": 5, "num_spokes": 3, "rank": 4}


def trained(placement: str) -> SpokeSet:
    """A set whose every parameter has been moved away from its start."""
    spokes = SpokeSet.create(SpokesConfig(placement=placement, **CONFIG), seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in spokes.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return spokes


@pytest.mark.parametrize("placement", ["residual", "ffn"])
def test_stacked_equals_the_sum_over_spokes(placement: str) -> None:
    spoke = trained(placement).at(2).double()
    x = torch.randn(2, 7, 24, generator=torch.Generator().manual_seed(3)).double()
    total = torch.zeros_like(x)
    for s in range(3):
        rows = slice(4 * s, 4 * s + 4)
        down, up = spoke.down[rows], spoke.up[:, rows]
        if placement == "residual":
            normed = x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
            inner = F.silu(normed @ down.T)
        else:
            assert spoke.gate is not None
            inner = torch.tanh(x @ spoke.gate[rows].T) * (x @ down.T)
        total += inner @ up.T
    wanted = total / (1 + math.exp(-spoke.gate_bias.item())) / 3
    if placement == "ffn":
        torch.testing.assert_close(spoke.beside_ffn(x, torch.tanh), wanted, rtol=1e-12, atol=1e-12)
    else:
        # This placement computes in fp32 whatever comes in.
        torch.testing.assert_close(spoke.add_to_hidden(x), x + wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("hidden_size", "num_layers", "parameters"),
    [(1536, 35, 27_525_155), (2048, 24, 25_165_848), (576, 30, 8_847_390)],
)
def test_residual_parameter_counts(hidden_size: int, num_layers: int, parameters: int) -> None:
    config = SpokesConfig(hidden_size=hidden_size, num_layers=num_layers, placement="residual")
    with torch.device("meta"):
        assert SpokeSet(config).num_parameters() == parameters


def test_the_gate_opens_from_first_layer_to_last() -> None:
    spokes = SpokeSet.create(SpokesConfig(**CONFIG), seed=0)
    gates = [torch.sigmoid(spokes.at(i).gate_bias).item() for i in range(5)]
    assert gates == sorted(gates)
    assert gates[0] == pytest.approx(0.1192, abs=1e-4)
    assert gates[-1] == pytest.approx(0.8808, abs=1e-4)
    assert SpokesConfig(hidden_size=8, num_layers=1).initial_gate_bias(0) == 0.0


@pytest.mark.parametrize("placement", ["residual", "ffn"])
def test_the_same_seed_gives_the_same_set(placement: str) -> None:
    config = SpokesConfig(placement=placement, **CONFIG)
    one, same, other = (SpokeSet.create(config, seed=seed) for seed in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.at(0).down, other.at(0).down)


def test_calibration_scales_the_input_matrices() -> None:
    config = SpokesConfig(**CONFIG)
    plain = SpokeSet.create(config, seed=0)
    rms = {i: 0.1 * (i + 1) for i in range(5)}
    scaled = SpokeSet.create(config, seed=0, input_rms=rms)
    for i, size in rms.items():
        torch.testing.assert_close(scaled.at(i).down * size, plain.at(i).down)
        torch.testing.assert_close(scaled.at(i).gate * size, plain.at(i).gate)


def test_layers_are_chosen_by_step_or_by_list() -> None:
    assert SpokesConfig(every_n_layers=2, **CONFIG).layer_indices == (0, 2, 4)
    assert SpokesConfig(layers=(1, 4), **CONFIG).layer_indices == (1, 4)
    assert set(SpokeSet(SpokesConfig(layers=(1, 4), **CONFIG)).state_dict()) == {
        f"layers.{i}.{part}" for i in (1, 4) for part in ("down", "up", "gate", "gate_bias")
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"placement": "beside"}, "placement 'beside' is unknown"),
        ({"rank": 0}, "rank = 0"),
        ({"num_layers": 4097}, "num_layers = 4097: .* at most 4096"),
        ({"layers": (5,)}, "from 0 to 4"),
        ({"layers": (2, 1)}, "in rising order"),
        ({"layers": ()}, "layers = "),
    ],
)
def test_a_wrong_shape_is_named(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SpokesConfig(**{**CONFIG, **wrong})


@pytest.mark.parametrize("placement", ["residual", "ffn"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("bfloat16", 2e-2)])
def test_fused_equals_unfused_and_follows_the_parameters(
    placement: Any, dtype: str, tolerance: float
) -> None:
    config = SpokesConfig(hidden_size=32, num_layers=3, placement=placement, num_spokes=2, rank=8)
    spoke = SpokeSet.create(config, seed=0).to(getattr(torch, dtype)).at(1)
    torch.manual_seed(0)
    x = torch.randn(2, 5, 32, dtype=getattr(torch, dtype))

    def added() -> torch.Tensor:
        return spoke.add_to_hidden(x) if placement == "residual" else spoke.beside_ffn(x, F.gelu)

    for _ in range(3):
        with torch.no_grad():
            for parameter in spoke.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        with torch.inference_mode():
            fused = added()
        torch.testing.assert_close(fused, added().detach(), atol=tolerance, rtol=tolerance)
