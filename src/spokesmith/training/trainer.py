"""The training loop: transformers' Trainer, holding an `Objective` and saving spokes only.

A checkpoint counts once its mark is written, which is the last thing that happens to it, so a run
that is killed at any moment resumes from a whole one and ends with the same weights.
"""

import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Sampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from spokesmith.data.prepare import Example
from spokesmith.spokes import SpokesCard, load_spokes, save_spokes
from spokesmith.training.config import TrainConfig
from spokesmith.training.objective import Collator, Objective
from spokesmith.training.optimizer import GATE_RATE, build_optimizer
from spokesmith.training.sampler import LengthGroupedBatches

COMPLETE_MARK = "complete"
CHECKPOINTS = "checkpoints"


class SpokeTrainer(Trainer):
    """A Trainer whose model is an `Objective` and whose checkpoints hold the spokes."""

    def __init__(
        self,
        *,
        objective: Objective,
        card: SpokesCard,
        config: TrainConfig,
        input_rms: Mapping[int, float],
        train_examples: Sequence[Example],
        eval_examples: Sequence[Example],
        collator: Collator,
        run_folder: Path,
        callbacks: list[TrainerCallback],
    ) -> None:
        self.card = card
        self.train_config = config
        self.input_rms = input_rms
        self.train_examples = train_examples
        self.tokens_since_log = 0
        self.last_log_time = time.monotonic()
        super().__init__(
            model=objective,
            args=_arguments(config, run_folder, len(train_examples), bool(eval_examples)),
            train_dataset=train_examples,  # pyright: ignore[reportArgumentType]
            eval_dataset=list(eval_examples) or None,  # pyright: ignore[reportArgumentType]
            data_collator=collator,  # pyright: ignore[reportArgumentType]
            callbacks=[*callbacks, _MarkComplete()],
        )
        self.remove_callback(PrinterCallback)

    @property
    def objective(self) -> Objective:
        assert isinstance(self.model, Objective)
        return self.model

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        lengths = [len(example.tokens) for example in self.train_examples]
        rows = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LengthGroupedBatches(lengths, batch_size=rows, seed=self.args.seed)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            self.optimizer = build_optimizer(
                self.objective.spokes,
                kind=self.train_config.optimizer,
                rate=self.train_config.learning_rate,
                input_rms=self.input_rms,
                weight_decay=self.train_config.weight_decay,
            )
        return self.optimizer

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        num_tokens = int(inputs.pop("num_tokens"))
        if self.objective.training:
            self.tokens_since_log += num_tokens
        return super()._prepare_inputs(inputs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds the speed since the last step, in tokens of examples (prefix included) a second."""
        now = time.monotonic()
        if "loss" in logs:
            logs["tokens_per_s"] = round(self.tokens_since_log / (now - self.last_log_time), 1)
            self.tokens_since_log = 0
        self.last_log_time = now
        super().log(logs, start_time)

    def _get_learning_rate(self) -> float:
        """The relative rate, of which every matrix's own is a multiple."""
        assert self.optimizer is not None
        return self.optimizer.param_groups[-1]["lr"] / GATE_RATE

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None
    ) -> None:
        save_spokes(Path(output_dir or str(self.args.output_dir)), self.objective.spokes, self.card)

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        self._take_weights(resume_from_checkpoint)

    def _load_best_model(self) -> None:
        assert self.state.best_model_checkpoint is not None
        self._take_weights(self.state.best_model_checkpoint)

    def _take_weights(self, checkpoint: str) -> None:
        saved, _ = load_spokes(Path(checkpoint), base_fingerprint=self.card.base_fingerprint)
        self.objective.spokes.load_state_dict(saved.state_dict())


class _MarkComplete(TrainerCallback):
    """Marks a checkpoint as whole. `on_save` comes after the last of its files is written."""

    def on_save(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        (folder / COMPLETE_MARK).touch()


def last_checkpoint(run_folder: Path) -> Path | None:
    """The newest whole checkpoint of a run."""
    found = [
        mark.parent for mark in (run_folder / CHECKPOINTS).glob(f"checkpoint-*/{COMPLETE_MARK}")
    ]
    return max(found, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def _arguments(
    config: TrainConfig, run_folder: Path, num_examples: int, has_eval: bool
) -> TrainingArguments:
    steps = total_steps(config, num_examples)
    evaluates = has_eval and config.eval_every > 0
    if config.schedule == "cosine":
        schedule, choices = "cosine_with_min_lr", {"min_lr_rate": config.min_rate_share}
    else:
        schedule = "warmup_stable_decay"
        choices = {
            "num_decay_steps": max(1, round(steps * config.decay_share)),
            "min_lr_ratio": config.min_rate_share,
        }
    return TrainingArguments(
        output_dir=str(run_folder / CHECKPOINTS),
        max_steps=steps,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=schedule,
        lr_scheduler_kwargs=choices,
        warmup_steps=min(config.warmup_steps, steps),
        max_grad_norm=config.max_grad_norm,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=config.eval_every if evaluates else None,
        save_strategy="steps",
        save_steps=config.save_every,
        save_total_limit=3,
        # Best and last are kept by a callback, which needs no agreement of their intervals.
        load_best_model_at_end=False,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        seed=config.seed,
        data_seed=config.seed,
        disable_tqdm=True,
        report_to=list(config.trackers) or "none",
        remove_unused_columns=False,
        prediction_loss_only=True,
        label_names=["labels"],
        dataloader_pin_memory=False,
        use_cpu=not torch.cuda.is_available(),
    )


def total_steps(config: TrainConfig, num_examples: int) -> int:
    """Optimiser steps of a run."""
    if config.max_steps:
        return config.max_steps
    rows = config.batch_size * config.gradient_accumulation
    return max(1, math.ceil(config.epochs * math.ceil(num_examples / rows)))
