"""Copies of feed-forward blocks with the spokes in them compute what both do beside each other."""

import pytest
import torch
from generating import generate
from spoked_bases import (
    HAS_LAYOUT,
    STEPS,
    assert_alike,
    exact,
    needs_layout,
    noisy,
    rounded,
    spoked,
    squared_errors,
    third_call_lacks_memory,
    work,
)

from spokesmith.bases import Base
from spokesmith.decoding import Engine
from spokesmith.decoding.joined import JoinedBlocks, can_join
from spokesmith.decoding.packing import fix_layout
from spokesmith.decoding.runner import Runner
from spokesmith.spokes import attach, attached_sets, detach
from spokesmith.testing import FAMILY_SIZES

DENSE = [name for name in FAMILY_SIZES if name != "gemma4_experts"]


def joining(base: Base) -> Runner:
    return Runner(base, 3, joined=JoinedBlocks(base, copies=True))


@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_joined_blocks_give_the_logits_of_plain_ones(model_type: str) -> None:
    base = exact(model_type)
    assert can_join(base)
    assert_alike(joining(base), Runner(base, 3), STEPS)


@pytest.mark.parametrize("model_type", DENSE)
def test_one_set_alone_is_used_by_all_tokens_or_by_some(model_type: str) -> None:
    base = exact(model_type)
    detach(base.model, "third")
    detach(base.model, "other")
    steps = [[one for one in works if one.spokes in ("noise", None)] for works in STEPS]
    assert_alike(joining(base), Runner(base, 3), [works for works in steps if works])


def test_without_a_set_a_block_is_the_base_s_own() -> None:
    base = spoked("llama")
    detach(base.model)
    steps = [[work] for works in STEPS for work in works if work.spokes is None]
    assert_alike(joining(base), Runner(base, 3), steps)


@needs_layout
@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_in_bfloat16_the_fixed_layout_is_as_near_to_the_truth(model_type: str) -> None:
    """Sums are made in another order, so logits differ, but by no more than plain ones do."""
    truth = Runner(rounded(spoked(model_type, dtype="float32")), 3)
    plain, fixed = (spoked(model_type, dtype="bfloat16") for _ in range(2))
    joined = fix_layout(fixed)
    assert joined is not None
    runners = {"plain": Runner(plain, 3), "fixed": Runner(fixed, 3, joined=joined)}
    errors = squared_errors(runners, truth)
    assert 0 < errors["fixed"] < 1.5 * errors["plain"]


@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_rows_share_a_pass(model_type: str) -> None:
    base = exact(model_type)
    runner, passes = joining(base), list[int]()
    base.decoder.register_forward_pre_hook(lambda *_: passes.append(1))
    runner.run([work(row, 0, 9) for row in range(3)])
    assert len(passes) == runner.num_forwards == 1
    # Whatever their lengths and their sets, unless layers keep a running state.
    runner.run([work(0, 9, 1), work(1, 9, 2, "third"), work(2, 9, 1, None)])
    assert len(passes) == runner.num_forwards == (4 if runner.has_states else 2)


def test_a_set_that_changes_comes_or_goes_is_seen() -> None:
    base = spoked("llama")
    joined, plain = joining(base), Runner(base, 3)
    assert_alike(joined, plain, STEPS[:1])
    with torch.no_grad():
        attached_sets(base.model)["noise"].at(1).up.mul_(3)
    assert_alike(joined, plain, STEPS[:2])
    detach(base.model, "noise")
    assert_alike(joined, plain, STEPS[5:6])
    attach(base.model, base.sites(), noisy(base, 5, rank=8), name="noise")
    assert_alike(joined, plain, STEPS[:2])


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("copies", [True, False])
def test_blocks_for_which_memory_was_lacking_are_laid_out_anew(copies: bool, stays: bool) -> None:
    base = spoked("llama")
    blocks = JoinedBlocks(base, copies=copies)
    joined, plain = Runner(base, 3, joined=blocks), Runner(base, 3)
    assert_alike(joined, plain, STEPS[:1])
    version = blocks.version
    attach(base.model, base.sites(), noisy(base, 5, rank=8), name="late")
    with (
        third_call_lacks_memory(JoinedBlocks, "_join"),
        pytest.raises(torch.OutOfMemoryError, match="no memory is left"),
    ):
        blocks.refresh()
    if not stays:
        detach(base.model, "late")
    assert_alike(joined, plain, STEPS[1:])
    # What was recorded with the former blocks is of no use.
    assert blocks.version > version


def test_the_base_keeps_its_parameters_where_they_are() -> None:
    base = spoked("gemma4_text")
    before = [(name, one.data_ptr()) for name, one in base.model.named_parameters()]
    values = [one.clone() for one in base.model.parameters()]
    blocks = [site.ffn for site in base.sites()]
    joining(base).run(STEPS[0])
    assert [(name, one.data_ptr()) for name, one in base.model.named_parameters()] == before
    assert all(map(torch.equal, base.model.parameters(), values))
    assert [site.ffn for site in base.sites()] == blocks


def test_the_engine_joins_on_a_cpu_that_has_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    base = spoked("llama", dtype="bfloat16")
    used = []
    original = JoinedBlocks.in_use
    monkeypatch.setattr(
        JoinedBlocks, "in_use", lambda self, sets: used.append(sets) or original(self, sets)
    )
    engine = Engine(base)
    generate(engine, [65, 66], spokes="noise", max_tokens=2)
    engine.close()
    assert bool(used) == HAS_LAYOUT
