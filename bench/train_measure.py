"""Measuring one side, in a process of its own: seconds, tokens, peak memory, its optimiser's share.

All sides run in the same bare trainer of the library, so that its overhead is theirs alike.
"""

import resource
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Sampler, SequentialSampler
from train_base import SEED, Settings, build_base, prepare_examples
from train_sides import Side, make_side
from train_work import BaseWork, matrix_rate, now
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.utils import logging as transformers_logging

from spokesmith.bases import Base
from spokesmith.spokes import using

OUT_OF_MEMORY = {"failed": "out of memory"}
SHARE_GOES = 3
SPOKES_SHARE, MATRIX_RATE = "spokes-share", "matrix-rate"


def measure(name: str, settings: Settings, checkpointing_side: str) -> dict[str, Any]:
    """Measure a side, or one of the two other things: the spokes' share, or the machine's rate.

    Args:
        name: of the side, or SPOKES_SHARE or MATRIX_RATE.
        settings: of the measurement.
        checkpointing_side: the side whose step SPOKES_SHARE looks into.
    """
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    torch.manual_seed(SEED)
    if name == MATRIX_RATE:
        return {"tflop_per_s": round(matrix_rate(settings) / 1e12, 3)}
    try:
        if name == SPOKES_SHARE:
            return measure_spokes_share(checkpointing_side, settings)
        return measure_side(name, settings)
    except torch.OutOfMemoryError:
        return OUT_OF_MEMORY


def measure_side(name: str, settings: Settings) -> dict[str, Any]:
    """Train a side for its steps; those of the warm-up do not count."""
    base = build_base(settings)
    prepared, given = prepare_examples(settings, base)
    work = BaseWork.of(base)
    memory = Memory(base.device)
    side = make_side(name, settings, base, prepared, given)
    clock = Clock(base.device, settings.warm_up)
    losses = train(side, settings, base, clock)
    timed = side.examples[settings.batch_size * settings.warm_up :]
    tokens = sum(len(prepared.prefix) + len(example.tokens) for example in timed)
    batches = [
        timed[start : start + settings.batch_size]
        for start in range(0, len(timed), settings.batch_size)
    ]
    flops = sum(
        work.step_flops(
            batch,
            len(prepared.prefix),
            shares_prefix=side.shares_prefix,
            adapter=side.num_parameters,
        )
        for batch in batches
    )
    return {
        "parameters": side.num_parameters,
        "tokens": tokens,
        "prefix": len(prepared.prefix),
        "seconds": round(clock.seconds, 3),
        "tokens_per_s": round(tokens / clock.seconds, 1),
        "optimizer_share": round(clock.optimizer_seconds / clock.seconds, 4),
        "model_tflop": round(flops / 1e12, 3),
        **memory.report(),
        "first_loss": round(losses[0], 4),
        "last_loss": round(losses[-1], 4),
    }


class OrderedTrainer(Trainer):
    """Takes the examples in the order in which they come."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        examples: Any = self.train_dataset
        return SequentialSampler(examples)


class Clock(TrainerCallback):
    """Seconds of the steps after the warm-up, and those that their optimiser took."""

    def __init__(self, device: torch.device, warm_up: int) -> None:
        self.device = device
        self.warm_up = warm_up
        self.start = self.end = self.optimizer_start = self.optimizer_seconds = 0.0

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.optimizer_start = now(self.device)

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step >= self.warm_up:
            self.optimizer_seconds += now(self.device) - self.optimizer_start

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.end = now(self.device)
        if state.global_step == self.warm_up:
            self.start = self.end


def train(side: Side, settings: Settings, base: Base, clock: Clock) -> list[float]:
    """Run all steps of a side; returns their losses."""
    mixed = side.library and base.model.dtype == torch.bfloat16
    with tempfile.TemporaryDirectory() as folder:
        trainer = OrderedTrainer(
            model=side.model,
            args=TrainingArguments(
                output_dir=folder,
                max_steps=settings.warm_up + settings.steps,
                per_device_train_batch_size=settings.batch_size,
                lr_scheduler_type="constant",
                gradient_checkpointing=side.library,
                gradient_checkpointing_kwargs={"use_reentrant": False},
                bf16=mixed,
                save_strategy="no",
                logging_steps=1,
                disable_tqdm=True,
                report_to="none",
                remove_unused_columns=False,
                dataloader_pin_memory=False,
                use_cpu=settings.device == "cpu",
            ),
            train_dataset=side.examples,  # pyright: ignore[reportArgumentType]
            data_collator=side.collator,  # pyright: ignore[reportArgumentType]
            optimizers=(side.optimizer, None),  # pyright: ignore[reportArgumentType]
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return [row["loss"] for row in trainer.state.log_history if "loss" in row]


class Memory:
    """The peak of this process from now on, as a whole and beyond what it holds now."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self.held = self.current()

    def current(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.memory_allocated(self.device)
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()

    def peak(self) -> int:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def report(self) -> dict[str, float]:
        peak = self.peak()
        return {
            "peak_gb": round(peak / 2**30, 3),
            "peak_beyond_base_gb": round((peak - self.held) / 2**30, 3),
        }


def measure_spokes_share(name: str, settings: Settings) -> dict[str, Any]:
    """Forward and backward of the same batches with and without the spokes, by turns.

    Of each the quickest of some goes counts, since other work can only make one slower. Without
    the spokes, the first layer's feed-forward output asks for its gradient, so the backward goes
    through the base as far as it does with them.
    """
    base = build_base(settings)
    prepared, given = prepare_examples(settings, base)
    side = make_side(name, settings, base, prepared, given)
    side.model.train()
    seconds = {"with": 0.0, "without": 0.0}
    for number in range(settings.warm_up + settings.steps):
        start = number * settings.batch_size
        batch = side.collator(side.examples[start : start + settings.batch_size])
        batch = {key: tensor.to(base.device) for key, tensor in batch.items()}
        goes: dict[str, list[float]] = {"with": [], "without": []}
        for _ in range(SHARE_GOES):
            goes["with"].append(pass_seconds(side.model, batch, base.device))
            with using(base.model, None):
                handle = base.sites()[0].ffn.register_forward_hook(_ask_for_gradient)
                goes["without"].append(pass_seconds(side.model, batch, base.device))
                handle.remove()
        if number >= settings.warm_up:
            seconds = {key: seconds[key] + min(goes[key]) for key in seconds}
    return {
        "side": name,
        "seconds_with": round(seconds["with"], 3),
        "seconds_without": round(seconds["without"], 3),
        "share": round(1 - seconds["without"] / seconds["with"], 4),
    }


def pass_seconds(model: nn.Module, batch: dict[str, torch.Tensor], device: torch.device) -> float:
    """Seconds of one forward and backward pass; gradients are dropped."""
    start = now(device)
    model(**batch)["loss"].backward()
    seconds = now(device) - start
    model.zero_grad()
    return seconds


def _ask_for_gradient(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
    output.requires_grad_()
