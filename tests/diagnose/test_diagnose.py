"""A diagnosis says yes to what is right and no to each way in which a pass can be wrong."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from lossy_operator import REFUSED, double
from torch import Tensor, nn

from spokesmith.bases import Base
from spokesmith.diagnose import (
    Diagnosis,
    Reference,
    Sample,
    diagnose,
    preflight,
    reference_pass,
    shorten,
)
from spokesmith.diagnose.passes import Setting, forward, relative_error, rounded_anew
from spokesmith.diagnose.sameness import (
    GRADIENT_SETTINGS,
    SHAPE_SETTINGS,
    Comparisons,
    judged,
    same_forward,
)
from spokesmith.diagnose.slope import loss_follows
from spokesmith.diagnose.trial import trial_set
from spokesmith.spokes import SpokeSet, active_set, attach, attached_sets
from spokesmith.testing import FAMILY_SIZES, tiny_base

DRAWS = random.Random(0)
SAMPLES = [
    Sample(tokens=[DRAWS.randrange(250) for _ in range(length)], answer_start=start)
    for length, start in ((40, 25), (30, 12))
]


def ask(base: Base, unquantised: Reference | None = None) -> Diagnosis:
    placement = "residual" if base.family.has_experts(base.config) else "ffn"
    return diagnose(base, SAMPLES, unquantised=unquantised, placement=placement)


def attached(base: Base) -> SpokeSet:
    """A set that is as good as trained, beside a base."""
    spokes = SpokeSet.create(base.spokes_config(num_spokes=2, rank=4), seed=0)
    for index in spokes.config.layer_indices:
        nn.init.normal_(spokes.at(index).up, std=0.1)
    attach(base.model, base.sites(), spokes)
    return spokes


def verdicts(diagnosis: Diagnosis) -> dict[str, str]:
    """By question's number and check's name."""
    return {
        f"{number} {check.name}": check.verdict
        for number, question in enumerate(diagnosis.questions, start=1)
        for check in question.checks
    }


def wrong(diagnosis: Diagnosis) -> set[str]:
    return {name for name, verdict in verdicts(diagnosis).items() if verdict == "no"}


@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_a_healthy_base_of_every_family_is_all_right(model_type: str) -> None:
    base = tiny_base(model_type)
    diagnosis = ask(base, reference_pass(base, SAMPLES))
    assert diagnosis.ok, diagnosis.failures()
    assert [len(question.checks) >= 3 for question in diagnosis.questions] == [True] * 5
    packed = "1 packed into one row" in verdicts(diagnosis)
    assert packed == base.packs
    assert not attached_sets(base.model)
    assert not base.model.training


def test_bfloat16_is_judged_by_its_own_rounding() -> None:
    reference = reference_pass(tiny_base("gemma4_text"), SAMPLES)
    diagnosis = ask(tiny_base("gemma4_text", dtype="bfloat16"), reference)
    assert diagnosis.ok, diagnosis.failures()


def test_where_rounding_drowns_a_comparison_nothing_is_judged() -> None:
    base = tiny_base("gemma4_text")
    with trial_set(base, SAMPLES, "ffn") as spokes:
        passes = Comparisons(base, spokes, SAMPLES)
        assert passes.reshaped_tolerance == 1e-4
        passes.reshaped_tolerance = 0.9
        checks = same_forward(passes, None, is_quantised=False).checks
    told = {check.name for check in checks if check.verdict == "told"}
    assert told >= set(SHAPE_SETTINGS)
    assert "without a cache" not in told
    assert all("cannot be judged" in check.figure for check in checks if check.name in told)


def test_where_equal_passes_have_other_gradients_nothing_is_judged() -> None:
    base = tiny_base("llama")
    generator = torch.Generator().manual_seed(0)
    attached(base).at(1).up.register_hook(
        lambda gradient: gradient * torch.randn(gradient.shape, generator=generator)
    )
    checks = ask(base).questions[1].checks
    assert {check.verdict for check in checks} == {"told"}
    assert all("cannot be judged" in check.figure for check in checks)


def test_gradients_that_are_not_numbers_are_a_no() -> None:
    base = tiny_base("llama")
    attached(base).at(1).gate_bias.register_hook(lambda gradient: gradient * math.nan)
    third = {"3 no layer explodes", "3 the loss moves as they say"}
    assert wrong(ask(base)) == {f"2 {name}" for name in GRADIENT_SETTINGS} | third


@pytest.mark.parametrize("error", [math.inf, math.nan])
@pytest.mark.parametrize("tolerance", [1e-4, 0.9, math.inf])
def test_an_error_that_is_not_a_number_is_a_no(error: float, tolerance: float) -> None:
    assert judged("any", error, tolerance).verdict == "no"


def test_rounding_noise_is_that_of_the_precision() -> None:
    noise = []
    for dtype in ("float32", "bfloat16"):
        base = tiny_base("gemma4_text", dtype=dtype)
        plain = forward(base, SAMPLES, Setting(cache=True)).logits
        noise.append(relative_error(rounded_anew(base, SAMPLES).logits, plain))
    assert 1e-8 < noise[0] < 1e-5
    assert 1e-3 < noise[1] < 0.2


def test_shared_keys_and_values_make_reentrant_checkpointing_wrong_and_refused() -> None:
    found = {name: verdicts(ask(tiny_base(name))) for name in ("gemma4_text", "gemma4_dense")}
    assert found["gemma4_text"]["2 reentrant checkpointing"] == "refused"
    assert found["gemma4_dense"]["2 reentrant checkpointing"] == "yes"


def in_training(change: Callable[[Tensor], Tensor]) -> Callable[[Base], None]:
    """Damage that shows in training mode only, as that of a wrong switch does."""

    def damage(base: Base) -> None:
        def hook(module: nn.Module, _args: object, output: Tensor) -> Tensor | None:
            return change(output) if module.training else None

        base.sites()[2].layer.register_forward_hook(hook)

    return damage


def leak_between_rows(base: Base) -> None:
    base.sites()[1].layer.register_forward_hook(
        lambda _module, _args, output: output + output.mean(0, keepdim=True) * 0.5
    )


def differ_without_a_cache(base: Base) -> None:
    def hook(_module: nn.Module, _args: object, output: Any) -> None:
        if output.past_key_values is None:
            output.last_hidden_state = output.last_hidden_state * 1.1

    base.decoder.register_forward_hook(hook)


@pytest.mark.parametrize(
    ("damage", "says_no"),
    [
        (in_training(lambda output: output * 1.01), "1 in training mode"),
        (in_training(lambda output: output * 1.01), "1 our checkpointing, every layer"),
        (in_training(lambda output: output * 1.01), "2 in training mode"),
        (leak_between_rows, "1 all examples in one batch"),
        (differ_without_a_cache, "1 without a cache"),
    ],
)
def test_a_pass_that_differs_is_a_no(damage: Callable[[Base], None], says_no: str) -> None:
    base = tiny_base("llama")
    damage(base)
    diagnosis = ask(base)
    assert says_no in wrong(diagnosis)
    assert not diagnosis.ok
    assert any(says_no[2:] in failure for failure in diagnosis.failures())


def test_gradients_that_differ_under_a_checkpoint_are_a_no() -> None:
    base = tiny_base("llama")

    def differ_when_run_again(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        is_in_backward = torch._C._current_graph_task_id() != -1
        return output * 1.5 if is_in_backward else output

    layer: Any = base.sites()[2].layer
    layer.self_attn.o_proj.register_forward_hook(differ_when_run_again)
    assert wrong(ask(base)) == {
        "2 our checkpointing, every layer",
        "2 our checkpointing, every second layer",
        "2 the library's checkpointing",
        "2 reentrant checkpointing",
    }


def test_a_base_that_passes_no_gradient_on_is_refused() -> None:
    base = tiny_base("llama")
    base.sites()[2].ffn.register_forward_hook(lambda _module, _args, output: double(output))
    with pytest.raises(ValueError, match=REFUSED):
        preflight(
            base, SpokeSet.create(base.spokes_config(), seed=0), SAMPLES, checkpointing="none"
        )


@pytest.mark.parametrize("factor", [0.5, -1.0])
def test_gradients_that_are_wrong_under_every_setting_are_a_no(factor: float) -> None:
    base = tiny_base("llama")

    def spoil(_module: nn.Module, _args: object, output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient * factor)

    base.sites()[2].layer.register_forward_hook(spoil)
    assert wrong(ask(base)) == {"3 the loss moves as they say"}
    spokes = SpokeSet.create(base.spokes_config(), seed=0)
    assert wrong(preflight(base, spokes, SAMPLES, checkpointing="every")) == {
        "2 the loss moves as they say"
    }


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_the_loss_moves_as_the_gradients_say(model_type: str, stored: torch.dtype) -> None:
    base = tiny_base(model_type)
    placement = "residual" if base.family.has_experts(base.config) else "ffn"
    with trial_set(base, SAMPLES, placement) as spokes:
        spokes.to(stored)
        before = {name: one.detach().clone() for name, one in spokes.named_parameters()}
        ratio = loss_follows(Comparisons(base, spokes, SAMPLES)).value
        assert all(torch.equal(one, before[name]) for name, one in spokes.named_parameters())
    assert ratio == pytest.approx(1, abs=0.02)


def test_a_layer_that_no_gradient_reaches_is_named() -> None:
    base = tiny_base("gemma4_text")
    spokes = attached(base)
    for parameter in spokes.at(2).parameters():
        parameter.register_hook(torch.zeros_like)
    diagnosis = ask(base)
    assert wrong(diagnosis) == {"3 no layer is dead"}
    assert "layers 2" in diagnosis.failures()[0]
    assert diagnosis.questions[2].rows[2]["up_gradient"] == 0


@pytest.mark.parametrize("name", ["up", "gate_bias"])
def test_a_layer_that_explodes_is_named(name: str) -> None:
    base = tiny_base("llama")
    spokes = attached(base)
    spokes.at(1).get_parameter(name).register_hook(lambda gradient: gradient * 1e9)
    diagnosis = ask(base)
    assert wrong(diagnosis) == {"3 no layer explodes", "3 the loss moves as they say"}
    assert "layers 1" in diagnosis.failures()[0]


def test_a_base_that_predicts_worse_than_chance_is_garbage_unless_that_is_known() -> None:
    base = tiny_base("llama")
    as_if_real = replace(base, has_random_weights=False)
    assert wrong(ask(as_if_real)) == {"4 better than a uniform guess"}
    assert ask(base).ok


def test_logits_that_are_not_numbers_are_a_no() -> None:
    base = tiny_base("llama")
    base.model.model.norm.weight.data[3] = float("nan")
    assert "4 logits are finite" in wrong(ask(base))


def test_logits_at_the_soft_cap_are_a_no() -> None:
    base = tiny_base("gemma4_text")
    base.model.model.norm.weight.data *= 100
    assert "4 logits keep off the soft cap" in wrong(ask(base))


def test_precision_that_costs_too_much_is_a_no() -> None:
    base = tiny_base("llama")
    reference = reference_pass(base, SAMPLES)
    for site in base.sites():
        site.ffn.down_proj.weight.data *= 3
    assert "1 precision" in wrong(ask(base, reference))


def test_packing_where_it_leaks_is_seen() -> None:
    base = tiny_base("qwen3_5_text")
    packing = replace(base, family=replace(base.family, packs=True))
    assert "1 packed into one row" in wrong(ask(packing))


def test_of_a_trained_set_it_is_told_which_layers_moved() -> None:
    base = tiny_base("llama")
    spokes = attached(base)
    nn.init.normal_(spokes.at(3).up, std=1e-4)
    spokes.requires_grad_(False)
    diagnosis = ask(base)
    moved = next(one for one in diagnosis.questions[2].checks if one.name == "what training moved")
    assert moved.figure == "3 of 4 layers moved; those that hardly did: 3"
    assert active_set(base.model) == "default"
    assert not any(parameter.requires_grad for parameter in spokes.parameters())


@pytest.mark.parametrize("checkpointing", ["none", "every"])
@pytest.mark.parametrize("placement", ["ffn", "residual"])
def test_the_preflight_passes_a_healthy_run_and_leaves_it_as_it_was(
    placement: str, checkpointing: str
) -> None:
    base = tiny_base("gemma4_text")
    spokes = SpokeSet.create(base.spokes_config(placement=placement), seed=0)
    attach(base.model, base.sites(), spokes, name="training")
    before = {name: one.clone() for name, one in spokes.state_dict().items()}
    state = torch.random.get_rng_state()
    found = preflight(base, spokes, SAMPLES, checkpointing=checkpointing)
    assert found.ok, found.failures()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert list(attached_sets(base.model)) == ["training"]
    assert active_set(base.model) == "training"
    assert all(torch.equal(before[name], one) for name, one in spokes.state_dict().items())
    assert all(parameter.grad is None for parameter in spokes.parameters())


def test_the_preflight_sees_a_wrong_training_pass() -> None:
    base = tiny_base("gemma4_text")
    in_training(lambda output: output * 1.01)(base)
    spokes = SpokeSet.create(base.spokes_config(), seed=0)
    found = preflight(base, spokes, SAMPLES, checkpointing="every")
    assert "logits as in evaluation" in found.failures()[0]


def test_the_preflight_sees_gradients_that_are_not_numbers() -> None:
    base = tiny_base("llama")

    def spoil(_module: nn.Module, _args: object, output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient * math.nan)

    base.sites()[2].layer.register_forward_hook(spoil)
    spokes = SpokeSet.create(base.spokes_config(), seed=0)
    found = preflight(base, spokes, SAMPLES, checkpointing="every")
    assert any("gradients as in a plain pass" in failure for failure in found.failures())


def test_a_shortened_sample_keeps_its_start_and_the_seam_of_prompt_and_answer() -> None:
    sample = Sample(tokens=list(range(100)), answer_start=60)
    short = shorten(sample, 20)
    assert list(short.tokens) == [0, *range(51, 70)]
    assert short.answer_start == 10
    for most in (100, 120, 200):
        assert shorten(sample, most) == sample
