"""The layers of a base may stand on several devices, and what a step tells them goes along.

There is one device here. The second one is torch's without memory, on which nothing is computed,
but where a tensor of another device is out of place all the same.
"""

import torch

from spokesmith.decoding.attention import plan_of
from spokesmith.decoding.cache import SlotCache
from spokesmith.decoding.forward import Work
from spokesmith.spokes import SpokesConfig, SpokeSet
from spokesmith.spokes.mixing import add_to_hidden_mixed
from spokesmith.testing import tiny_base

FIRST, SECOND = torch.device("cpu"), torch.device("meta")
WORKS = [
    Work(row=0, start=0, token_ids=[1, 2, 3], wanted=1, spokes=None),
    Work(row=1, start=4, token_ids=[5], wanted=1, spokes=None),
]


def test_a_plan_goes_to_each_device_once() -> None:
    plan = plan_of([work.segment for work in WORKS], 16, FIRST)
    there = plan.on(SECOND)
    assert plan.on(FIRST) is plan
    assert plan.on(SECOND) is there
    parts = [there.positions, there.places]
    for group in there.groups:
        parts += [group.positions, group.mask(None, 2, torch.float32)]
        parts += [one for one in (group.gather, group.scatter) if one is not None]
    assert {part.device for part in parts} == {SECOND}
    assert all(group.mask(None, 2, torch.float32).device == FIRST for group in plan.groups)


def test_keys_and_values_are_written_where_their_layer_is() -> None:
    cache = SlotCache(tiny_base(num_layers=2).config, 2)
    plan = plan_of([work.segment for work in WORKS], cache.capacity, FIRST)
    states = torch.zeros(1, 2, 4, 16, device=SECOND)
    with cache.step(plan.places, ()):
        keys, values = cache.update(states, states, 0)
    assert (keys.device, values.device) == (SECOND, SECOND)


def test_spokes_are_added_where_their_layer_is() -> None:
    config = SpokesConfig(hidden_size=8, num_layers=1, rank=2, placement="residual")
    spokes = [SpokeSet.create(config, seed=seed).at(0).to(SECOND) for seed in range(2)]
    places = [torch.tensor([0, 2]), torch.tensor([1])]
    hidden = torch.zeros(1, 4, 8, device=SECOND)
    added = add_to_hidden_mixed(hidden, list(zip(spokes, places, strict=True)))
    assert added.device == SECOND
