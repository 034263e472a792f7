"""What one training step keeps in memory, counted tensor by tensor.

`LiveBytes` sees every operation of PyTorch while it is entered, and follows the memory that their
results own until it is gone. It counts fake tensors, which have shapes but no memory, as well as
real ones. What it does not know: memory inside kernels, the workspaces of libraries, and what an
allocator leaves unused; on the CPU glibc keeps freed blocks of up to 32 MB, of which small bases
make many.
"""

import weakref
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.optim import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from spokesmith.bases import Base
from spokesmith.spokes import SpokeSet
from spokesmith.training.config import TrainConfig
from spokesmith.training.loss import IGNORED
from spokesmith.training.objective import Objective
from spokesmith.training.optimizer import build_optimizer

Kind = Literal["gradients", "optimizer", "activations", "transient"]
GB = 1e9


@dataclass(frozen=True, kw_only=True)
class MemoryEstimate:
    """What is in memory at the fullest moment of a training step, in bytes.

    Attributes:
        length: tokens of the longest example, prompt included.
        weight_bytes: of the base on the device.
        spoke_bytes: of the spokes, fp32.
        gradient_bytes: gradients of spokes that are there at that moment.
        optimizer_bytes: the optimiser's state.
        activation_bytes: what the forward pass keeps for the backward pass.
        transient_bytes: what is soon gone: a layer computed again, a chunk of logits.
        host_bytes: of the base in the host's memory, beside a device of its own; not in the total.
    """

    length: int
    weight_bytes: int
    spoke_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int
    transient_bytes: int
    host_bytes: int

    @property
    def total_bytes(self) -> int:
        """All that is on the device."""
        return sum(getattr(self, f"{name}_bytes") for name in _PARTS)

    def describe(self) -> str:
        """The parts in GB, on one line."""
        plural = ("weight", "spoke", "gradient", "activation")
        parts = [f"{name}s" if name in plural else name for name in _PARTS]
        sizes = [getattr(self, f"{name}_bytes") / GB for name in _PARTS]
        listed = [f"{part} {size:.2f}" for part, size in zip(parts, sizes, strict=True)]
        return ", ".join(listed)


_PARTS = [
    field.name.removesuffix("_bytes")
    for field in fields(MemoryEstimate)
    if field.name not in ("length", "host_bytes")
]


def measure_step(
    objective: Objective, config: TrainConfig, *, length: int, prefix_length: int = 0
) -> MemoryEstimate:
    """Run one training step and count its memory; `weight_bytes` is that of the whole base.

    The step is like any but the first: the optimiser's state is there. Its gradients and tokens
    are zeros, so the spokes should not be ones that matter.

    Args:
        objective: a base with spokes attached, checkpointed as training would.
        config: its optimiser, its rows and whether they share the prompt.
        length: tokens of every example, prompt included.
        prefix_length: tokens of the prompt.
    """
    objective.train()
    spokes = list(objective.spokes.parameters())
    static = [*objective.model.parameters(), *objective.model.buffers()]
    batch = _full_batch(objective.base, config, length, prefix_length)
    labelled = config.batch_size * (length - prefix_length)
    with LiveBytes(static, labelled=labelled) as live:
        optimizer = _step_of_zeros(objective.spokes, config, live)
        kept_state_bytes = live.bytes["optimizer"]
        # The gradients of earlier micro-batches are set aside while one runs.
        held = [one.grad for one in spokes] if config.gradient_accumulation > 1 else []
        optimizer.zero_grad()
        handles = [one.register_post_accumulate_grad_hook(live.note_gradient) for one in spokes]
        live.phase = "activations"
        loss = objective(**batch)["loss"]
        kept_activation_bytes = live.bytes["activations"]
        live.phase = "transient"
        loss.backward()
        held.clear()
    for handle in handles:
        handle.remove()
    state_bytes = min(live.peak["optimizer"], kept_state_bytes)
    activation_bytes = min(live.peak["activations"], kept_activation_bytes)
    named_bytes = live.peak["gradients"] + state_bytes + activation_bytes
    return MemoryEstimate(
        length=length,
        weight_bytes=unique_bytes(static) - unique_bytes(spokes),
        spoke_bytes=unique_bytes(spokes),
        gradient_bytes=live.peak["gradients"],
        optimizer_bytes=state_bytes,
        activation_bytes=activation_bytes,
        transient_bytes=live.peak.total() - named_bytes,
        host_bytes=0,
    )


def _step_of_zeros(spokes: SpokeSet, config: TrainConfig, live: "LiveBytes") -> Optimizer:
    """An optimiser that has its state, after a step with gradients of zero, which are left."""
    optimizer = build_optimizer(
        spokes,
        kind=config.optimizer,
        rate=config.learning_rate,
        input_rms=dict.fromkeys(spokes.config.layer_indices, 1.0),
        weight_decay=config.weight_decay,
    )
    live.phase = "gradients"
    for parameter in spokes.parameters():
        parameter.grad = torch.zeros_like(parameter)
    live.phase = "optimizer"
    nn.utils.clip_grad_norm_(spokes.parameters(), config.max_grad_norm)
    optimizer.step()
    return optimizer


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of tensors that are alive while it is entered, by the phase that made them.

    Attributes:
        phase: the kind that new tensors count as.
        bytes: alive now, by kind.
        peak: `bytes` at the moment when their sum was largest.
    """

    def __init__(self, static: Iterable[Tensor], *, labelled: int) -> None:
        """Count all but the `static` tensors.

        Args:
            static: tensors that are there all the time.
            labelled: how many positions have a label, which fake tensors cannot say.
        """
        super().__init__()
        self.static = [tensor.untyped_storage() for tensor in static]
        self.static_ids = {id(storage) for storage in self.static}
        self.labelled = labelled
        self.phase: Kind = "transient"
        self.bytes: Counter[Kind] = Counter()
        self.peak: Counter[Kind] = Counter()
        self.alive: dict[int, tuple[weakref.ref[Any], Kind, int]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten.index.Tensor and _is_fake_choice(args):
            hidden, (wanted,) = args
            output = hidden.new_empty((self.labelled, *hidden.shape[wanted.ndim :]))
        else:
            output = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(output):
            if isinstance(leaf, Tensor):
                self._note(leaf)
        if self.bytes.total() > self.peak.total():
            self.peak = self.bytes.copy()
        return output

    def note_gradient(self, parameter: Tensor) -> None:
        """A parameter's gradient has been made: count it as one."""
        assert parameter.grad is not None
        storage = parameter.grad.untyped_storage()
        if found := self.alive.pop(id(storage), None):
            self.bytes[found[1]] -= found[2]
        self._count(storage, "gradients")

    def _note(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if id(storage) not in self.alive and id(storage) not in self.static_ids:
            self._count(storage, self.phase)

    def _count(self, storage: Any, kind: Kind) -> None:
        key, size = id(storage), storage.nbytes()

        def gone(_reference: Any) -> None:
            _, last_kind, _ = self.alive.pop(key)
            self.bytes[last_kind] -= size

        self.alive[key] = (weakref.ref(storage, gone), kind, size)
        self.bytes[kind] += size


def _full_batch(
    base: Base, config: TrainConfig, length: int, prefix_length: int
) -> dict[str, Tensor]:
    """A batch of examples that are all as long as may be, as the collator makes it."""
    shares = config.share_prefix and base.family.shares_prefix and prefix_length > 0
    opening = 0 if shares else prefix_length
    shape = (config.batch_size, length - prefix_length + opening)
    input_ids = torch.zeros(shape, dtype=torch.long, device=base.device)
    labels = torch.zeros_like(input_ids)
    labels[:, :opening] = IGNORED
    batch = {"input_ids": input_ids, "labels": labels}
    if shares:
        batch["prefix_ids"] = input_ids.new_zeros(1, prefix_length)
    return batch


def _is_fake_choice(args: Any) -> bool:
    """Whether an indexing takes the places that a fake mask marks, whose number is unknown."""
    indices = args[1]
    fake = len(indices) == 1 and isinstance(indices[0], FakeTensor)
    return fake and indices[0].dtype == torch.bool


def unique_bytes(tensors: Iterable[Tensor]) -> int:
    """Size of the tensors' memory, that of tied ones counted once."""
    sizes = {id(one.untyped_storage()): one.untyped_storage().nbytes() for one in tensors}
    return sum(sizes.values())
