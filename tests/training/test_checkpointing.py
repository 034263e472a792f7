"""Our checkpointing gives the numbers of the plain pass, in every family and every use of a cache.

These tests also run on older versions of transformers, where the library's own switch corrupts.
"""

import pytest
import torch
from torch import nn

from spokesmith.bases import CHECKPOINT_MODES, Base, set_checkpointing
from spokesmith.bases.families import family_of
from spokesmith.spokes import SpokeSet, attach
from spokesmith.testing import FAMILY_SIZES, tiny_base, tiny_config
from spokesmith.training.objective import Objective

GENERATOR = torch.Generator().manual_seed(0)
PREFIX = torch.randint(0, 250, (1, 30), generator=GENERATOR)
IDS = torch.randint(0, 250, (3, 24), generator=GENERATOR)
LABELS = torch.where(
    torch.arange(24) > 5, torch.randint(0, 250, (3, 24), generator=GENERATOR), -100
)
Result = tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]


def with_spokes(base: Base, placement: str) -> Objective:
    spokes = SpokeSet.create(base.spokes_config(placement=placement, num_spokes=2, rank=4), seed=0)
    for index in spokes.config.layer_indices:
        nn.init.normal_(spokes.at(index).up, std=0.3, generator=GENERATOR)
    attach(base.model, base.sites(), spokes)
    return Objective(base, spokes)


def run(objective: Objective, mode: str, *, share: bool) -> Result:
    """Hidden states, loss and every spoke's gradient, under a mode of checkpointing."""
    set_checkpointing(objective.base, mode)
    objective.train(mode != "plain")
    objective.spokes.zero_grad()
    prefix = PREFIX if share else None
    hidden = objective.last_hidden(IDS, prefix).detach()
    loss = objective(input_ids=IDS, labels=LABELS, prefix_ids=prefix)["loss"]
    loss.backward()
    gradients = {
        name: parameter.grad.clone()
        for name, parameter in objective.spokes.named_parameters()
        if parameter.grad is not None
    }
    return hidden, loss.detach(), gradients


def combinations() -> list[tuple[str, str, bool]]:
    """Families, placements and uses of a shared prompt, as far as a family allows them."""
    found = []
    for model_type in FAMILY_SIZES:
        config = tiny_config(model_type)
        family = family_of(config.model_type)
        placements = ["residual"] if family.has_experts(config) else ["ffn", "residual"]
        shares = [False, True] if family.shares_prefix else [False]
        found += [(model_type, placement, share) for placement in placements for share in shares]
    return found


@pytest.mark.parametrize(("model_type", "placement", "share"), combinations())
def test_checkpointed_equals_plain(model_type: str, placement: str, share: bool) -> None:
    base = tiny_base(model_type, num_layers=6)
    objective = with_spokes(base, placement)
    plain_hidden, plain_loss, plain = run(objective, "none", share=share)
    assert len(plain) == len(list(objective.spokes.parameters()))
    assert all(gradient.abs().max() > 0 for gradient in plain.values())
    for mode in CHECKPOINT_MODES:
        hidden, loss, gradients = run(objective, mode, share=share)
        assert torch.allclose(hidden, plain_hidden, rtol=1e-5, atol=1e-5)
        assert torch.allclose(loss, plain_loss, rtol=1e-5)
        for name, gradient in plain.items():
            error = (gradients[name] - gradient).norm() / gradient.norm()
            assert error < 1e-5, (mode, name)


@pytest.mark.parametrize(("mode", "wanted"), [("none", 0), ("second", 3), ("every", 6)])
def test_each_chosen_layer_runs_twice_and_no_other(mode: str, wanted: int) -> None:
    base = tiny_base("gemma4_text", num_layers=6)
    objective = with_spokes(base, "ffn")
    calls = dict.fromkeys(range(6), 0)

    def count(index: int) -> None:
        calls[index] += 1

    for index, site in enumerate(base.sites()):
        site.ffn.register_forward_pre_hook(lambda *_, index=index: count(index))
    set_checkpointing(base, mode)
    objective.train()
    objective(input_ids=IDS, labels=LABELS)["loss"].backward()
    assert sum(times == 2 for times in calls.values()) == wanted
    assert sum(times == 1 for times in calls.values()) == 6 - wanted


def test_checkpointing_saves_memory() -> None:
    base = tiny_base("gemma4_text", num_layers=6)
    objective = with_spokes(base, "ffn").train()
    saved: dict[str, int] = {}
    for mode in CHECKPOINT_MODES:
        set_checkpointing(base, mode)
        storages: dict[int, int] = {}

        def keep(tensor: torch.Tensor, storages: dict[int, int] = storages) -> torch.Tensor:
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            loss = objective(input_ids=IDS, labels=LABELS, prefix_ids=PREFIX)["loss"]
        saved[mode] = sum(storages.values())
        del loss
    assert saved["every"] < saved["second"] < saved["none"]


def test_decoding_and_evaluation_are_not_recomputed() -> None:
    base = tiny_base("gemma4_text")
    set_checkpointing(base, "every")
    base.model.eval()
    ids = IDS[:1]
    wanted = tiny_base("gemma4_text").model.generate(ids, max_new_tokens=8, do_sample=False)
    assert torch.equal(base.model.generate(ids, max_new_tokens=8, do_sample=False), wanted)


def test_a_cache_that_cannot_be_written_twice_is_refused() -> None:
    base = tiny_base("qwen3_5_text")
    objective = with_spokes(base, "ffn").train()
    set_checkpointing(base, "every")
    with pytest.raises(ValueError, match="cannot be written twice"):
        objective(input_ids=IDS, labels=LABELS, prefix_ids=PREFIX)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="checkpointing 'third' is unknown: use none, second"):
        set_checkpointing(tiny_base("llama"), "third")
