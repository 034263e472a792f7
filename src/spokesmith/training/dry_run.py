"""A training step on a base that has shapes but no memory.

No formula of a family stands here. The base is built from its configuration, spokes are attached
as training does, and one real step of the real objective runs on fake tensors while its memory is
counted. So checkpointing, a shared prompt, sliding windows and the chunks of the loss need no word
of their own. It takes seconds and a few hundred megabytes, whatever the size of the base.

What it does not know: kernels that are chosen by the device, where this machine lacks the device
that is asked about (those of the CPU stand in); packed rows and sharded bases; evaluation and
calibration, which keep no activations and need less than a step. Every token that is not in the
shared prompt counts as labelled, and every example is as long as may be: the result is an upper
limit.
"""

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F

from spokesmith.bases import Base, make_base, set_checkpointing
from spokesmith.bases.four_bits import WHOLE_IN_NF4
from spokesmith.bases.loading import BaseSource
from spokesmith.spokes import SpokeSet, attach
from spokesmith.training.config import TrainConfig, shape_of
from spokesmith.training.live_bytes import MemoryEstimate, measure_step, unique_bytes
from spokesmith.training.objective import Objective

# 4 bits a weight; a scale of 8 bits for each 64 weights; a scale of 32 bits for each 256 of those.
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)


class NoEstimateError(Exception):
    """A base whose step cannot run on tensors without memory, so that none is known of it."""


@dataclass(frozen=True, kw_only=True)
class TrainingSetup:
    """All that the memory of a training run depends on.

    Attributes:
        source: the base, as `find_base` finds it.
        config: of the run; its shape of spokes, optimiser, rows and lengths are read.
        dtype: of the base's weights.
        device: where the run will be; it need not be in this machine.
        quantize: none or nf4, as for `load_base`; a CPU computes with nf4 unpacked.
        ple: where a table of per-layer embeddings stays: device or cpu, as for `load_base`.
        prefix_length: tokens of the prompt that all examples share, P; part of an example's length.
        checkpointing: none, second or every, as for `set_checkpointing`.
    """

    source: BaseSource
    config: TrainConfig
    dtype: torch.dtype
    device: torch.device
    quantize: str = "none"
    ple: str = "device"
    prefix_length: int = 0
    checkpointing: str = "none"


def dry_run(setup: TrainingSetup, *, length: int) -> MemoryEstimate:
    """The memory of a training step, without loading or allocating anything of its size.

    Args:
        setup: of the run.
        length: tokens of every example, prompt included.

    Raises:
        ValueError: the shared prompt fills the whole length, or a choice is wrong.
        NoEstimateError: the base's step does more than shapes can tell, or its weights come
            quantised.
    """
    if hasattr(setup.source.whole_config, "quantization_config"):
        raise NoEstimateError(
            f"the memory of training '{setup.source.name}' is unknown: its weights come quantised"
        )
    if length <= setup.prefix_length:
        raise ValueError(
            f"max_length = {length}: the prompt alone has {setup.prefix_length} tokens, "
            "use a larger max_length or a shorter prompt"
        )
    objective = _shapes_only(setup)
    with FakeTensorMode(), _as_unfaked(), _plain_errors(setup.source.name):
        _give_fake_tensors(objective.model, _fake_device(setup.device))
        step = measure_step(
            objective, setup.config, length=length, prefix_length=setup.prefix_length
        )
    host_bytes = _host_bytes(objective.base, setup)
    return replace(step, weight_bytes=step.weight_bytes - host_bytes, host_bytes=host_bytes)


class _PackedLinear(nn.Linear):
    """The shapes of a bitsandbytes layer of 4 bits: its weight is unpacked for every product."""

    def forward(self, input: Tensor) -> Tensor:
        output = _UnpackedProduct.apply(input, self.in_features, self.out_features)
        assert isinstance(output, Tensor)
        return output if self.bias is None else output + self.bias


class _UnpackedProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, width: int, out_width: int) -> Tensor:
        ctx.shape = (out_width, width)
        return F.linear(x, x.new_empty(ctx.shape))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        return grad_outputs[0] @ grad_outputs[0].new_empty(ctx.shape), None, None


def _shapes_only(setup: TrainingSetup) -> Objective:
    """What training runs, on the meta device."""
    from transformers import AutoModelForCausalLM

    source, config = setup.source, setup.config
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(copy.deepcopy(source.config), dtype=setup.dtype)
        base = make_base(source.name, model, source.tokenizer, source.family)
        if setup.quantize == "nf4" and setup.device.type != "cpu":
            _pack_weights(model)
        spokes = SpokeSet(shape_of(base, config))
        attach(model, base.sites(), spokes)
    set_checkpointing(base, setup.checkpointing)
    return Objective(base, spokes)


def _pack_weights(model: Any) -> None:
    """Give every linear layer that `load_base` quantises a weight of 4 bits."""
    for name, module in model.named_modules():
        if type(module) is nn.Linear and not name.endswith(WHOLE_IN_NF4):
            packed = torch.empty(int(module.weight.numel() * NF4_BYTES), dtype=torch.uint8)
            module.weight = nn.Parameter(packed, requires_grad=False)
            module.__class__ = _PackedLinear


def _give_fake_tensors(model: nn.Module, device: torch.device) -> None:
    """Replace all tensors of a model on the meta device by fake ones; tied ones stay tied."""
    # The key is the tensor itself, which the dictionary so keeps alive.
    fakes: dict[Tensor, Tensor] = {}

    def fake(tensor: Tensor) -> Any:
        if tensor not in fakes:
            empty = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
            is_parameter = isinstance(tensor, nn.Parameter)
            fakes[tensor] = nn.Parameter(empty, tensor.requires_grad) if is_parameter else empty
        return fakes[tensor]

    for module in model.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = fake(tensor)


def _fake_device(device: torch.device) -> torch.device:
    """Where the fake tensors are, if this machine has such a device: it chooses the kernels."""
    if device.type == "cuda" and torch.cuda.is_available():
        return torch.device(
            "cuda", torch.cuda.current_device() if device.index is None else device.index
        )
    return torch.device("cpu")


@contextmanager
def _as_unfaked() -> Iterator[None]:
    """Keep transformers from preparing for packed rows, which fake positions cannot rule out."""
    from transformers import masking_utils

    def none_packed(position_ids: Tensor) -> None:
        """What the real function finds in positions that rise by one."""

    before = masking_utils.find_packed_sequence_indices
    masking_utils.find_packed_sequence_indices = none_packed
    try:
        yield
    finally:
        masking_utils.find_packed_sequence_indices = before


def _host_bytes(base: Base, setup: TrainingSetup) -> int:
    """Size of the table that stays in the host's memory, where the device has its own."""
    name = base.family.per_layer_table
    table = getattr(base.decoder, name, None) if name else None
    if table is None or setup.ple != "cpu" or setup.device.type == "cpu":
        return 0
    return unique_bytes(table.parameters())


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Errors of fake tensors as one that says what it means here."""
    noise = logging.getLogger("torch._subclasses.fake_tensor")
    before = noise.disabled
    noise.disabled = True
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NoEstimateError(f"the memory of training '{name}' is unknown: {reason}") from error
    finally:
        noise.disabled = before
