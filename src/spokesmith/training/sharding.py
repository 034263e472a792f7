"""A base whose layers are shared out over the processes (FSDP2), with whole spokes beside it.

Each process keeps a part of every decoder layer and gathers a layer's weights when it needs them.
Embedding, final norm and head stay whole: the head is called outside of the decoder, and is often
the embedding itself; the layers are where the weight is. The spokes are attached afterwards, so
they are no business of FSDP: every process holds all of them, as Muon needs, since it
orthogonalises whole matrices, and `Processes.add_gradients` adds their gradients up.

Gathering is a joint act: a process that runs out of memory in the middle of a pass would leave the
others waiting for ever. So before each gathering the processes ask each other, on the CPU, whether
one has failed, and all give the pass up together.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from spokesmith.bases import Base
from spokesmith.training.processes import Processes

# The name that newer versions of PyTorch ask for.
all_gather: Any = getattr(dist, "all_gather_single", dist.all_gather_into_tensor)


class PeerFailedError(Exception):
    """Another process has given the pass up; all processes know."""


class ShardedBase:
    """A base that `shard_base` has shared out; knows how to start afresh after a failed pass."""

    def __init__(self, base: Base) -> None:
        self.base = base

    def forget_pass(self) -> None:
        """Make the base ready for a new pass after one that ended in an error.

        Raises:
            ValueError: this version of PyTorch cannot.
        """
        decoder: Any = self.base.decoder
        if not hasattr(decoder, "reset_iter_state"):
            raise ValueError(
                "out of memory, and PyTorch "
                f"{torch.__version__} cannot repeat a step of a sharded base: use a smaller "
                "batch_size with more gradient_accumulation, or a newer PyTorch"
            )
        decoder.reset_iter_state()


class _AskingGather:
    """FSDP2's all-gather, which first asks whether another process has failed."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    def allocate(
        self, size: Sequence[int], *, dtype: torch.dtype, device: torch.device
    ) -> torch.Tensor:
        return torch.empty(*size, dtype=dtype, device=device)

    def __call__(
        self,
        output_tensor: torch.Tensor,
        input_tensor: torch.Tensor,
        group: dist.ProcessGroup,
        async_op: bool = False,
    ) -> dist.Work | None:
        if self.processes.any_of(False):
            raise PeerFailedError
        return all_gather(output_tensor, input_tensor, group=group, async_op=async_op)


def shard_base(base: Base, processes: Processes) -> ShardedBase:
    """Share the decoder layers of a base out over the processes.

    Args:
        base: whole, without spokes; it goes to the device of this process.
        processes: more than one.

    Raises:
        ValueError: there is one process, or the base is quantised.
    """
    if processes.count == 1:
        raise ValueError(
            "shard_base = true needs several processes: start them with torchrun or accelerate "
            "launch, or leave it out"
        )
    if not all(parameter.is_floating_point() for parameter in base.model.parameters()):
        raise ValueError("shard_base = true: a quantised base cannot be sharded, leave it out")
    assert processes.device is not None
    mesh = init_device_mesh(processes.device.type, (processes.count,))
    layers = [site.layer for site in base.sites()]
    for layer in layers:
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    inside = {parameter for layer in layers for parameter in layer.parameters()}
    whole = {one for one in base.decoder.parameters() if one not in inside}
    base.model.to(processes.device)
    fully_shard(base.decoder, mesh=mesh, ignored_params=whole)
    gather: Any = _AskingGather(processes)
    for layer in layers:
        assert isinstance(layer, FSDPModule)
        layer.set_custom_all_gather(gather)
    return ShardedBase(base)
