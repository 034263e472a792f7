"""A set of spokes that is random but not silent, so that a gradient reaches all of its parts."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from spokesmith.bases import Base
from spokesmith.diagnose.passes import Sample, bare
from spokesmith.spokes import SpokeSet, attached, measure_input_rms

NAME = "trial"
NUM_SPOKES = 2
RANK = 8
UPDATE_SHARE = 0.1


@contextmanager
def trial_set(base: Base, samples: Sequence[Sample], placement: str) -> Iterator[SpokeSet]:
    """A small random set, attached and active inside the block, gone after it."""
    tokens = torch.tensor([list(samples[0].tokens)], device=base.device)
    with bare(base):
        input_rms = measure_input_rms(base.decoder, base.sites(), tokens)
    shape = base.spokes_config(placement=placement, num_spokes=NUM_SPOKES, rank=RANK)
    spokes = SpokeSet.create(shape, seed=0, input_rms=input_rms)
    generator = torch.Generator().manual_seed(0)
    for index in shape.layer_indices:
        # An update of a tenth of the block's input: enough to matter, too little to drown it.
        std = UPDATE_SHARE * input_rms[index] / math.sqrt(NUM_SPOKES * RANK)
        nn.init.normal_(spokes.at(index).up, std=std, generator=generator)
    with attached(base.model, base.sites(), spokes, name=NAME):
        yield spokes
