"""The processes of one run: who writes, and how they agree, wait and add up.

`accelerate launch` and `torchrun` start one process a device; each holds all spokes and works on
its own rows. Nothing here wraps the model: a step adds up the gradients of the processes once, when
every process has gone through its rows, so a process may cut its rows as finely as its memory asks
for. Agreement goes through a group on the CPU, which waits for no kernel. This file knows no model
and no data.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor, nn

Result = TypeVar("Result")

# What `accelerate launch` sets for a strategy that would wrap the model.
FOREIGN_STRATEGIES = {
    "ACCELERATE_USE_FSDP": "--use_fsdp",
    "ACCELERATE_USE_DEEPSPEED": "--use_deepspeed",
    "ACCELERATE_USE_MEGATRON_LM": "--use_megatron_lm",
}


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process among those of a run; the defaults are a run of one process.

    Attributes:
        rank: of this process, from 0; the process of rank 0 is the one that writes.
        count: of processes.
        device: of this process; None leaves the base where it is.
        control: a group of all processes that works on the CPU.
    """

    rank: int = 0
    count: int = 1
    device: torch.device | None = None
    control: dist.ProcessGroup | None = None

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        """Return once every process has come here."""
        if self.count > 1:
            dist.barrier(group=self.control)

    def any_of(self, here: bool) -> bool:
        """Whether it is so in any process; every process must ask."""
        return self.sums(float(here))[0] > 0

    def sums(self, *numbers: float) -> list[float]:
        """Each number added up over the processes, in double precision."""
        if self.count == 1:
            return list(numbers)
        tensor = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(tensor, group=self.control)
        return tensor.tolist()

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes, by rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value, group=self.control)
        return values

    def on_main(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, which runs in the writing process alone.

        Raises:
            ValueError: `work` raised one; every process raises it.
        """
        if self.count == 1:
            return work()
        outcome: list[Any] = [None, None]
        if self.is_main:
            try:
                outcome[0] = work()
            except ValueError as error:
                outcome[1] = str(error)
        dist.broadcast_object_list(outcome, src=0, group=self.control)
        if outcome[1] is not None:
            raise ValueError(outcome[1])
        return outcome[0]

    def main_first(self, work: Callable[[], Result]) -> Result:
        """The result of `work` in this process; the writing process runs it before the others.

        Raises:
            ValueError: `work` raised one in the writing process; every process raises it.
        """
        results: list[Result] = []
        self.on_main(lambda: results.append(work()))
        return results[0] if results else work()

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each parameter's gradient by the sum over all processes; None counts as 0."""
        gradients: list[Tensor] = []
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        if self.count == 1:
            return
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def is_writing_process() -> bool:
    """Whether this is the process that writes, by what its launcher says."""
    return os.environ.get("RANK", "0") == "0"


def start_processes(*, on_cpu: bool = False) -> Processes:
    """Join the processes that a launcher has started; a run of its own where there is none.

    Args:
        on_cpu: each works on the CPU, also where there are GPUs.

    Raises:
        ValueError: the launcher was asked for a strategy that wraps the model, or for a precision
            that scales the loss.
    """
    for variable, option in FOREIGN_STRATEGIES.items():
        if os.environ.get(variable, "false").lower() in ("1", "true"):
            raise ValueError(
                f"{option} would wrap the model: leave it out; gradients are added up without it, "
                "and --set shard_base=true shards the base"
            )
    if os.environ.get("ACCELERATE_MIXED_PRECISION", "no").lower() == "fp16":
        raise ValueError(
            "--mixed_precision fp16 would scale the loss: use --mixed_precision no; --dtype says "
            "in which precision the base computes"
        )
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes()
    state = PartialState(cpu=on_cpu or not torch.cuda.is_available())
    control = dist.new_group(backend="gloo")
    assert isinstance(control, dist.ProcessGroup)
    return Processes(
        rank=state.process_index, count=state.num_processes, device=state.device, control=control
    )
