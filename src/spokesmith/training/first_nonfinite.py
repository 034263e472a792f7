"""Where the first number that is not finite comes from: a second pass over a batch, watched.

The check of every step is one look at the loss and the gradients' norm; only when it fails are the
layers watched. Forward, the first layer whose output is not finite is the one. Backward, it is the
uppermost layer that makes a gradient that is not finite, of its input or of its own spokes. This
file knows layers and hooks, and nothing of runs or files.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from spokesmith.training.microbatches import Batch, MicroBatches
from spokesmith.training.objective import Objective

Kind = Literal["activation", "loss", "gradient"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was not finite first. `layer` is None where it was no decoder layer's doing.

    Attributes:
        kind: `activation` (a forward output), `loss` (made of finite activations), or `gradient`.
        layer: index of the decoder layer.
        place: the same in words: "layer 2", "the embedding", "the head".
    """

    kind: Kind
    layer: int | None
    place: str

    def __str__(self) -> str:
        if self.kind == "loss":
            return f"the loss, in {self.place}, with finite activations in all layers"
        return f"{'a gradient' if self.kind == 'gradient' else 'an activation'} of {self.place}"


def find_non_finite(
    micro_batches: MicroBatches, batch: Batch, num_items: Tensor | int
) -> Finding | None:
    """Run a batch again, forward and backward, and say what is not finite first.

    Args:
        micro_batches: the objective, and how many rows it takes at a time.
        batch: rows of one process, as `MicroBatches.backward` takes them.
        num_items: labels of the step over all processes.

    Returns:
        None where all is finite this time. Gradients of the spokes are left changed.
    """
    objective = micro_batches.objective
    findings: list[Finding] = []

    def work(part: Batch) -> Tensor:
        with _watched(objective) as watch:
            loss = objective(**part, num_items_in_batch=num_items)["loss"]
            loss.backward()
        finding = watch.finding(loss)
        if finding is not None:
            findings.append(finding)
        return loss.detach()

    micro_batches.run(batch, work)
    return findings[0] if findings else None


class _Watch:
    """What one pass over the layers showed."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.last = len(objective.base.sites()) - 1
        self.activation: Finding | None = None
        # Layers whose output, or input, got a gradient that is not finite.
        self.bad_outputs: set[int] = set()
        self.bad_inputs: set[int] = set()

    def before_layer(self, index: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden = args[0] if args else kwargs["hidden_states"]
        if index == 0 and self.activation is None and not _finite(hidden):
            self.activation = Finding(kind="activation", layer=None, place="the embedding")
        _note_gradient(hidden, index, self.bad_inputs)

    def after_layer(self, index: int, output: Any) -> None:
        hidden = output[0] if isinstance(output, tuple) else output
        if self.activation is None and not _finite(hidden):
            self.activation = _layer_finding("activation", index)
        _note_gradient(hidden, index, self.bad_outputs)

    def finding(self, loss: Tensor) -> Finding | None:
        if self.activation is not None:
            return self.activation
        if not _finite(loss):
            return Finding(kind="loss", layer=None, place="the final norm or the head")
        if self.last in self.bad_outputs:
            return Finding(kind="gradient", layer=None, place="the final norm or the head")
        for index in reversed(range(self.last + 1)):
            if index in self.bad_inputs or not self._spoke_gradients_are_finite(index):
                return _layer_finding("gradient", index)
        return None

    def _spoke_gradients_are_finite(self, index: int) -> bool:
        spokes = self.objective.spokes
        if index not in spokes.config.layer_indices:
            return True
        gradients = (parameter.grad for parameter in spokes.at(index).parameters())
        return all(gradient is None or _finite(gradient) for gradient in gradients)


@contextmanager
def _watched(objective: Objective) -> Iterator[_Watch]:
    watch = _Watch(objective)
    handles = []
    for index, site in enumerate(objective.base.sites()):

        def before(_module: nn.Module, args: Any, kwargs: Any, index: int = index) -> None:
            watch.before_layer(index, args, kwargs)

        def after(_module: nn.Module, _args: Any, output: Any, index: int = index) -> None:
            watch.after_layer(index, output)

        handles.append(site.layer.register_forward_pre_hook(before, with_kwargs=True))
        handles.append(site.layer.register_forward_hook(after))
    try:
        yield watch
    finally:
        for handle in handles:
            handle.remove()


def _note_gradient(hidden: Tensor, index: int, found: set[int]) -> None:
    """Adds the layer to `found` if the tensor's gradient turns out not to be finite."""

    def look(gradient: Tensor) -> None:
        if not _finite(gradient):
            found.add(index)

    if hidden.requires_grad:
        hidden.register_hook(look)


def _layer_finding(kind: Kind, index: int) -> Finding:
    return Finding(kind=kind, layer=index, place=f"layer {index}")


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())
