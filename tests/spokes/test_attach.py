"""Spokes beside a real (tiny) model: nothing of the base changes, and everything comes off."""

import hashlib
from collections.abc import Callable

import pytest
import torch
from accelerate import dispatch_model
from torch import nn

from spokesmith.bases import Base
from spokesmith.spokes import (
    SpokesConfig,
    SpokeSet,
    activate,
    active_set,
    attach,
    attached_sets,
    detach,
    measure_input_rms,
    using,
)
from spokesmith.testing import FAMILY_SIZES, tiny_base

PLACEMENTS = ["residual", "ffn"]
# Beside experts only residual spokes have a place; a test of their own shows them.
FAMILIES = [name for name in FAMILY_SIZES if name != "gemma4_experts"]
IDS = torch.arange(40)[None] % 250


def make(base: Base, placement: str, *, trained: bool = True, seed: int = 1) -> SpokeSet:
    config = base.spokes_config(placement=placement, num_spokes=2, rank=4)
    rms = measure_input_rms(base.decoder, base.sites(), IDS)
    spokes = SpokeSet.create(config, seed=seed, input_rms=rms)
    if trained:
        generator = torch.Generator().manual_seed(seed)
        for index in config.layer_indices:
            nn.init.normal_(spokes.at(index).up, std=0.3, generator=generator)
    return spokes


def logits(base: Base) -> torch.Tensor:
    with torch.no_grad():
        return base.model(input_ids=IDS).logits


def digest(model: nn.Module) -> str:
    parts = hashlib.sha256()
    for name, parameter in model.named_parameters():
        if "spokes" not in name:
            parts.update(parameter.detach().contiguous().view(torch.uint8).numpy().tobytes())
    return parts.hexdigest()


@pytest.fixture(params=FAMILIES)
def base(request: pytest.FixtureRequest) -> Base:
    return tiny_base(request.param)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_untrained_equals_the_base_bit_for_bit(family: str, placement: str, dtype: str) -> None:
    base = tiny_base(family, dtype=dtype)
    before = logits(base)
    spokes = make(base, placement, trained=False)
    attach(base.model, base.sites(), spokes)
    assert torch.equal(logits(base), before)
    assert all(parameter.dtype == torch.float32 for parameter in spokes.parameters())


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_detached_is_as_before(base: Base, placement: str) -> None:
    before, names = logits(base), [name for name, _ in base.model.named_modules()]
    classes = [type(module) for module in base.model.modules()]
    attach(base.model, base.sites(), make(base, placement))
    assert not torch.equal(logits(base), before)
    detach(base.model)
    assert torch.equal(logits(base), before)
    assert [name for name, _ in base.model.named_modules()] == names
    assert [type(module) for module in base.model.modules()] == classes
    assert not attached_sets(base.model)


def test_residual_spokes_stand_beside_experts() -> None:
    base = tiny_base("gemma4_experts")
    before = logits(base)
    attach(base.model, base.sites(), make(base, "residual", trained=False), name="untrained")
    assert torch.equal(logits(base), before)
    attach(base.model, base.sites(), make(base, "residual"), name="trained")
    assert not torch.equal(logits(base), before)
    detach(base.model)
    assert torch.equal(logits(base), before)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_device_map_s_hooks_stay_in_place(base: Base, placement: str) -> None:
    attach(base.model, base.sites(), make(base, placement))
    wanted = logits(base)
    detach(base.model)
    bare = logits(base)
    dispatch_model(base.model, {"": "cpu"}, force_hooks=True)
    layers = [site.layer for site in base.sites()]
    hooks = [vars(module).get("_hf_hook") for layer in layers for module in layer.modules()]
    assert any(hooks)
    attach(base.model, base.sites(), make(base, placement))
    assert torch.equal(logits(base), wanted)
    detach(base.model)
    assert torch.equal(logits(base), bare)
    after = [vars(module).get("_hf_hook") for layer in layers for module in layer.modules()]
    assert after == hooks


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_spokes_are_switched_off_and_on(base: Base, placement: str) -> None:
    bare = logits(base)
    attach(base.model, base.sites(), make(base, placement))
    spoked = logits(base)
    with using(base.model, None):
        assert torch.equal(logits(base), bare)
    assert torch.equal(logits(base), spoked)


def test_names_may_have_dots() -> None:
    base = tiny_base()
    names = ["a.b", "a%2Eb", "a%252Eb"]
    for seed, name in enumerate(names):
        attach(base.model, base.sites(), make(base, "ffn", seed=seed), name=name)
    detach(base.model, "a%2Eb")
    assert list(attached_sets(base.model)) == ["a.b", "a%252Eb"]
    spoked = [logits(base)]
    activate(base.model, "a.b")
    assert not torch.equal(logits(base), spoked[0])


def test_several_sets_one_active(base: Base) -> None:
    sets = {
        name: make(base, placement, seed=seed)
        for seed, (name, placement) in enumerate((("a", "ffn"), ("b", "residual"), ("c", "ffn")))
    }
    alone = {}
    for name, spokes in sets.items():
        attach(base.model, base.sites(), spokes, name=name)
        alone[name] = logits(base)
        detach(base.model)
    for name, spokes in sets.items():
        attach(base.model, base.sites(), spokes, name=name)
    assert active_set(base.model) == "c"
    for name in "abc":
        activate(base.model, name)
        assert torch.equal(logits(base), alone[name])
    detach(base.model, "c")
    assert set(attached_sets(base.model)) == {"a", "b"}
    with using(base.model, "a"):
        assert torch.equal(logits(base), alone["a"])


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_gradients_reach_every_spoke_and_the_base_stays(base: Base, placement: str) -> None:
    before = digest(base.model)
    spokes = make(base, placement, trained=False)
    attach(base.model, base.sites(), spokes)
    optimizer = torch.optim.AdamW(spokes.parameters(), lr=1e-2)
    for step in range(2):
        base.model(input_ids=IDS, labels=IDS).loss.backward()
        for name, parameter in spokes.named_parameters():
            # While `up` is zero it alone gets a gradient.
            reaches = parameter.grad is not None and bool(parameter.grad.abs().max() > 0)
            assert reaches == (step > 0 or name.endswith(".up")), name
        optimizer.step()
        optimizer.zero_grad()
    assert digest(base.model) == before
    assert all(
        parameter.grad is None
        for name, parameter in base.model.named_parameters()
        if "spokes" not in name
    )


def test_captured_hidden_states_are_those_after_the_spoke(base: Base) -> None:
    with torch.no_grad():
        plain = base.model(input_ids=IDS, output_hidden_states=True).hidden_states
        config = base.spokes_config(placement="residual", num_spokes=2, rank=4, layers=(1,))
        spokes = SpokeSet.create(config, seed=0)
        nn.init.normal_(spokes.at(1).up, std=0.3)
        attach(base.model, base.sites(), spokes)
        spoked = base.model(input_ids=IDS, output_hidden_states=True).hidden_states
    assert torch.equal(spoked[1], plain[1])
    torch.testing.assert_close(spoked[2], spokes.at(1).add_to_hidden(plain[2]))
    assert not torch.equal(spoked[2], plain[2])


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_checkpointed_equals_plain_with_gradients(base: Base, placement: str) -> None:
    spokes = make(base, placement)
    attach(base.model, base.sites(), spokes)

    def loss_and_gradients() -> list[torch.Tensor]:
        spokes.zero_grad()
        loss = base.model(input_ids=IDS, labels=IDS, use_cache=False).loss
        loss.backward()
        return [loss.detach(), *(parameter.grad.clone() for parameter in spokes.parameters())]

    base.model.train()
    plain = loss_and_gradients()
    base.model.gradient_checkpointing_enable({"use_reentrant": False})
    for one, other in zip(plain, loss_and_gradients(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_cached_equals_uncached(base: Base, placement: str) -> None:
    attach(base.model, base.sites(), make(base, placement))
    whole = logits(base)
    with torch.no_grad():
        cache = base.model(input_ids=IDS[:, :25], use_cache=True).past_key_values
        rest = [
            base.model(input_ids=IDS[:, i : i + 1], past_key_values=cache, use_cache=True).logits
            for i in range(25, IDS.shape[1])
        ]
    torch.testing.assert_close(torch.cat(rest, 1), whole[:, 25:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_compiled_layer_gives_the_same_numbers(placement: str, backend: str) -> None:
    base = tiny_base("llama", num_layers=2)
    attach(base.model, base.sites(), make(base, placement))
    site = base.sites()[1]
    x = torch.randn(1, 9, 64, generator=torch.Generator().manual_seed(0))
    if placement == "ffn":
        module, call = site.ffn, lambda run: run(x)
    else:
        cos_sin = base.model.model.rotary_emb(x, torch.arange(9)[None])
        module, call = site.layer, lambda run: run(x, position_embeddings=cos_sin)
    compiled: Callable = torch.compile(module, backend=backend, fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(call(compiled), call(module), rtol=1e-5, atol=1e-5)


def test_measured_input_sizes_are_those_of_the_blocks(base: Base) -> None:
    seen: list[torch.Tensor] = []
    before = dict(base.sites()[0].ffn._forward_pre_hooks)
    handle = base.sites()[2].ffn.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    rms = measure_input_rms(base.decoder, base.sites(), IDS)
    handle.remove()
    assert set(rms) == set(range(4))
    assert rms[2] == pytest.approx(seen[0].pow(2).mean().sqrt().item())
    assert dict(base.sites()[0].ffn._forward_pre_hooks) == before


def test_mistakes_are_named(base: Base) -> None:
    attach(base.model, base.sites(), make(base, "ffn"), name="one")
    with pytest.raises(ValueError, match="'one' is attached"):
        attach(base.model, base.sites(), make(base, "ffn"), name="one")
    with pytest.raises(ValueError, match="a set needs a name"):
        attach(base.model, base.sites(), make(base, "ffn"), name="")
    with pytest.raises(ValueError, match="no set named 'two' is attached: attached are one"):
        activate(base.model, "two")
    with pytest.raises(ValueError, match="no set named 'two'"):
        detach(base.model, "two")
    detach(base.model)
    base.sites()[0].ffn.forward = lambda x: x
    with pytest.raises(ValueError, match="has a forward of its own"):
        attach(base.model, base.sites(), make(base, "ffn"))
    wrong = SpokeSet.create(SpokesConfig(hidden_size=64, num_layers=9), seed=0)
    with pytest.raises(ValueError, match="for 9 layers, the model has 4"):
        attach(base.model, base.sites(), wrong, name="two")
