"""Forward and backward passes of one base under named settings, on the same few examples.

Everything a diagnosis compares comes from here. It knows neither what is right nor what is wrong.
"""

import math
import statistics
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spokesmith.bases import Base, set_checkpointing, unguarded
from spokesmith.bases.lost_gradient import refusing_lost_gradients
from spokesmith.spokes import SpokeSet, active_set, using

LEAST_SHARE = 0.1

Layout = Literal["rows", "right", "left", "batch", "packed"]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An example: the tokens of a prompt and its answer, which starts at `answer_start`."""

    tokens: Sequence[int]
    answer_start: int


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a pass is run.

    Attributes:
        train: in training mode.
        cache: with a live cache.
        checkpointing: a mode of ours, or the library's own: `library` or `reentrant`.
        layout: one row at a time; padded on the right or on the left by half of its length; all
            rows in one batch; or all in one row, told apart by positions.
        guarded: whether the base's guard watches.
    """

    train: bool = False
    cache: bool = False
    checkpointing: str = "none"
    layout: Layout = "rows"
    guarded: bool = True


@dataclass(frozen=True, kw_only=True)
class PassResult:
    """Logits [N, V] in fp32 of all answer positions, in the samples' order, and the mean loss."""

    logits: Tensor
    loss: float


def forward(base: Base, samples: Sequence[Sample], setting: Setting) -> PassResult:
    """The logits and the loss of the samples' answers, without gradients unless checkpointing."""
    with _set(base, setting), torch.set_grad_enabled(setting.checkpointing != "none"):
        logits = torch.cat([one.detach() for one, _ in _rows(base, samples, setting)])
    loss = F.cross_entropy(logits, targets(base, samples))
    return PassResult(logits=logits, loss=loss.item())


def rounded_anew(base: Base, samples: Sequence[Sample]) -> PassResult:
    """A plain pass whose layers' outputs are off by one unit of rounding, up or down at random.

    How far its logits are from those of a plain pass is how far mere rounding takes this base.
    """
    generator = torch.Generator(device=base.device).manual_seed(0)

    def nudge(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        signs = torch.empty_like(output).bernoulli_(0.5, generator=generator).mul_(2).sub_(1)
        return output * (1 + signs * torch.finfo(output.dtype).eps)

    handles = [site.layer.register_forward_hook(nudge) for site in base.sites()]
    try:
        return forward(base, samples, Setting(cache=True))
    finally:
        for handle in handles:
            handle.remove()


def gradients(
    base: Base, spokes: SpokeSet, samples: Sequence[Sample], setting: Setting
) -> dict[str, Tensor]:
    """The gradient of the mean loss for every parameter of a set, by name.

    Raises:
        ValueError: an operator of the base passes no gradient on.
    """
    spokes.zero_grad(set_to_none=True)
    count = len(targets(base, samples))
    with _set(base, setting), refusing_lost_gradients():
        for logits, wanted in _rows(base, samples, setting):
            (F.cross_entropy(logits, wanted, reduction="sum") / count).backward()
    found = {
        name: torch.zeros_like(one) if one.grad is None else one.grad.float()
        for name, one in spokes.named_parameters()
    }
    spokes.zero_grad(set_to_none=True)
    return found


def is_refused(base: Base, samples: Sequence[Sample], setting: Setting) -> bool:
    """Whether the base's guard stops a pass under this setting."""
    try:
        forward(base, samples[:1], replace(setting, guarded=True))
    except ValueError:
        return True
    return False


@contextmanager
def bare(base: Base) -> Iterator[None]:
    """Inside the block the base runs without spokes."""
    if active_set(base.model) is None:
        yield
        return
    with using(base.model, None):
        yield


def relative_error(got: Tensor, wanted: Tensor) -> float:
    """The norm of the difference, in units of the wanted tensor's norm."""
    return ((got - wanted).norm() / wanted.norm().clamp_min(1e-30)).item()


def worst_error(got: dict[str, Tensor], wanted: dict[str, Tensor]) -> tuple[str, float]:
    """The parameter whose gradient differs most, and by how much.

    The unit is the norm of its gradient, but at least a tenth of what is usual for its kind: the
    gradient of one gate may nearly cancel, and then its rounding says nothing.
    """
    usual: dict[str, list[float]] = {}
    for name, gradient in wanted.items():
        usual.setdefault(name.rpartition(".")[2], []).append(gradient.norm().item())
    errors: dict[str, float] = {}
    for name, gradient in wanted.items():
        least = LEAST_SHARE * statistics.median(usual[name.rpartition(".")[2]])
        unit = max(gradient.norm().item(), least, 1e-30)
        error = (got[name] - gradient).norm().item() / unit
        errors[name] = error if math.isfinite(error) else math.inf
    name = max(errors, key=errors.__getitem__)
    return name, errors[name]


def shorten(sample: Sample, most_tokens: int) -> Sample:
    """The end of a long prompt and the start of its answer, at most so many tokens together.

    The first token stays before them: some bases predict nothing without the one that starts texts.
    """
    answer = min(len(sample.tokens) - sample.answer_start, most_tokens // 2)
    start = max(1, sample.answer_start - (most_tokens - 1 - answer))
    tokens = [*sample.tokens[:1], *sample.tokens[start : sample.answer_start + answer]]
    return Sample(tokens=tokens, answer_start=sample.answer_start - start + 1)


def targets(base: Base, samples: Sequence[Sample]) -> Tensor:
    """The tokens of all answers, [N], in the samples' order."""
    tokens = [token for sample in samples for token in sample.tokens[sample.answer_start :]]
    return torch.tensor(tokens, device=base.device)


def _rows(
    base: Base, samples: Sequence[Sample], setting: Setting
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits and targets of the answers, call by call."""
    if setting.layout in ("batch", "packed"):
        groups = [list(samples)]
    else:
        groups = [[sample] for sample in samples]
    for group in groups:
        inputs, places = _arrange(base, group, setting)
        hidden = base.decoder(use_cache=setting.cache, **inputs).last_hidden_state
        picked = torch.cat([hidden[row, start:end] for row, start, end in places])
        yield base.logits(picked).float(), targets(base, group)


def _arrange(
    base: Base, samples: Sequence[Sample], setting: Setting
) -> tuple[dict[str, Tensor], list[tuple[int, int, int]]]:
    """The inputs of one call, and for each sample its row and where its answer is predicted."""
    lengths = [len(sample.tokens) for sample in samples]
    spans = [(sample.answer_start - 1, len(sample.tokens) - 1) for sample in samples]
    device = base.device
    if setting.layout == "packed":
        ids = torch.tensor([[token for one in samples for token in one.tokens]], device=device)
        positions = torch.cat([torch.arange(length) for length in lengths])[None].to(device)
        starts = [sum(lengths[:index]) for index in range(len(samples))]
        places = [(0, at + span[0], at + span[1]) for at, span in zip(starts, spans, strict=True)]
        return {"input_ids": ids, "position_ids": positions}, places
    width = max(lengths)
    if setting.layout in ("right", "left"):
        width += width // 2
    ids = torch.full((len(samples), width), base.chat.end_id, device=device)
    mask = torch.zeros_like(ids)
    places: list[tuple[int, int, int]] = []
    for row, (sample, span) in enumerate(zip(samples, spans, strict=True)):
        at = width - len(sample.tokens) if setting.layout == "left" else 0
        ids[row, at : at + len(sample.tokens)] = torch.tensor(sample.tokens, device=device)
        mask[row, at : at + len(sample.tokens)] = 1
        places.append((row, at + span[0], at + span[1]))
    if setting.layout == "left":
        positions = (mask.cumsum(1) - 1).clamp_min(0)
        return {"input_ids": ids, "attention_mask": mask, "position_ids": positions}, places
    # On the right, causal attention alone keeps the padding out, as in training.
    return {"input_ids": ids}, places


@contextmanager
def _set(base: Base, setting: Setting) -> Iterator[None]:
    """The base under a setting; afterwards in evaluation mode, without checkpointing."""
    with ExitStack() as stack:
        if not setting.guarded:
            stack.enter_context(unguarded(base.decoder))
        stack.callback(base.model.eval)
        base.model.train(setting.train)
        if setting.checkpointing in ("library", "reentrant"):
            stack.enter_context(_library_checkpointing(base, setting.checkpointing == "reentrant"))
        else:
            set_checkpointing(base, setting.checkpointing)
            stack.callback(set_checkpointing, base, "none")
        yield


@contextmanager
def _library_checkpointing(base: Base, reentrant: bool) -> Iterator[None]:
    """The library's own switch, as a user would turn it on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base.model.gradient_checkpointing_enable({"use_reentrant": reentrant})
        if reentrant:
            # Without it a reentrant checkpoint around frozen layers has no gradient at all.
            base.model.enable_input_require_grads()
        try:
            yield
        finally:
            if reentrant:
                base.model.disable_input_require_grads()
            base.model.gradient_checkpointing_disable()
