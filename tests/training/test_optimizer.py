"""The optimiser: its groups, its state, and one rate that serves placements and widths."""

import math

import pytest
import torch

from spokesmith.bases import Base
from spokesmith.spokes import Placement, SpokeSet, attach, measure_input_rms
from spokesmith.testing import tiny_base
from spokesmith.training.config import TrainConfig
from spokesmith.training.optimizer import GATE_RATE, build_optimizer

RATE = TrainConfig().learning_rate
STEPS = 100


def tiny_set(
    placement: str, hidden_size: int = 64
) -> tuple[Base, SpokeSet, dict[int, float], torch.Tensor]:
    base = tiny_base("llama", hidden_size=hidden_size)
    ids = torch.randint(0, 250, (4, 32), generator=torch.Generator().manual_seed(1))
    rms = measure_input_rms(base.decoder, base.sites(), ids)
    config = base.spokes_config(placement=placement, num_spokes=2, rank=8)
    spokes = SpokeSet.create(config, seed=0, input_rms=rms)
    attach(base.model, base.sites(), spokes)
    return base, spokes, rms, ids


def final_loss(placement: str, hidden_size: int, rate: float, kind: str = "muon") -> float:
    """The loss after a short run on one batch, with the decay that real runs have."""
    base, spokes, rms, ids = tiny_set(placement, hidden_size)
    optimizer = build_optimizer(spokes, kind=kind, rate=rate, input_rms=rms)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / STEPS)
    loss = torch.zeros(())
    for _ in range(STEPS):
        loss = base.model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return loss.item()


@pytest.mark.parametrize("hidden_size", [64, 256])
@pytest.mark.parametrize("placement", ["residual", "ffn"])
def test_one_rate_is_the_best_for_both_placements_at_both_widths(
    placement: str, hidden_size: int
) -> None:
    losses = {
        factor: final_loss(placement, hidden_size, RATE * factor) for factor in (0.25, 1.0, 4.0)
    }
    assert losses[1.0] == min(losses.values()), losses
    assert losses[1.0] < 0.1


def test_gates_move_at_a_tenth_and_in_adamw() -> None:
    _, spokes, rms, _ = tiny_set("ffn")
    optimizer = build_optimizer(spokes, kind="muon", rate=0.5, input_rms=rms)
    gates = optimizer.param_groups[-1]
    assert gates["lr"] == pytest.approx(0.5 * GATE_RATE)
    assert all(parameter.ndim == 0 for parameter in gates["params"])
    assert "betas" in gates
    assert all("momentum" in group for group in optimizer.param_groups[:-1])
    everything = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    assert {id(one) for one in everything} == {id(one) for one in spokes.parameters()}
    assert len(everything) == len(list(spokes.parameters()))


def test_a_muon_step_moves_each_matrix_by_its_natural_size() -> None:
    _, spokes, rms, _ = tiny_set("ffn")
    optimizer = build_optimizer(spokes, kind="muon", rate=0.1, input_rms=rms)
    before = [parameter.detach().clone() for parameter in spokes.parameters()]
    generator = torch.Generator().manual_seed(0)
    for parameter in spokes.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()
    moved = {
        name: torch.linalg.matrix_norm(parameter.detach() - start, ord=2).item()
        for (name, parameter), start in zip(spokes.named_parameters(), before, strict=True)
        if parameter.ndim == 2
    }
    for layer, size in rms.items():
        inputs = 0.1 * (math.sqrt(16) + math.sqrt(64)) / (math.sqrt(64) * size)
        # Newton-Schulz brings singular values near to 1, not to it.
        assert moved[f"layers.{layer}.gate"] == pytest.approx(inputs, rel=0.35)
        assert moved[f"layers.{layer}.up"] == pytest.approx(0.1 * math.sqrt(64 / 16), rel=0.35)


@pytest.mark.parametrize("kind", ["muon", "adamw"])
@pytest.mark.parametrize("placement", ["ffn", "residual"])
def test_weight_decay_shrinks_every_matrix_alike(kind: str, placement: Placement) -> None:
    _, spokes, rms, _ = tiny_set(placement)
    for spoke in spokes.spokes():
        torch.nn.init.normal_(spoke.up)
    optimizer = build_optimizer(spokes, kind=kind, rate=0.1, input_rms=rms, weight_decay=0.2)
    before = [parameter.detach().clone() for parameter in spokes.parameters()]
    for parameter in spokes.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for parameter, start in zip(spokes.parameters(), before, strict=True):
        wanted = start * (1 - 0.1 * 0.2) if parameter.ndim == 2 else start
        torch.testing.assert_close(parameter.detach(), wanted)


@pytest.mark.parametrize("kind", ["muon", "adamw"])
def test_state_survives_a_round_trip(kind: str) -> None:
    results = []
    for reload in (False, True):
        _, spokes, rms, _ = tiny_set("ffn")
        optimizer = build_optimizer(spokes, kind=kind, rate=0.1, input_rms=rms)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
        generator = torch.Generator().manual_seed(0)
        for step in range(4):
            for parameter in spokes.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()
            schedule.step()
            if reload and step == 1:
                state, rates = optimizer.state_dict(), schedule.state_dict()
                optimizer = build_optimizer(spokes, kind=kind, rate=0.1, input_rms=rms)
                schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
                optimizer.load_state_dict(state)
                schedule.load_state_dict(rates)
        results.append([parameter.detach().clone() for parameter in spokes.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_an_unknown_optimizer_is_named() -> None:
    _, spokes, rms, _ = tiny_set("ffn")
    with pytest.raises(ValueError, match="optimizer 'sgd' is unknown: use muon or adamw"):
        build_optimizer(spokes, kind="sgd", rate=0.1, input_rms=rms)
