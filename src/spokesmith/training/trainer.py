"""The training loop: transformers' Trainer, holding an `Objective` and saving spokes only.

The Trainer sees one batch a step, this process's rows of it; `MicroBatches` cuts them, and
`Processes` adds the gradients up, so neither DDP nor FSDP wraps the objective.

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
from accelerate.data_loader import prepare_data_loader
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME
from transformers.trainer_utils import EvalLoopOutput

from spokesmith.data.prepare import Example
from spokesmith.spokes import SpokesCard, load_spokes, save_spokes
from spokesmith.training.config import TrainConfig
from spokesmith.training.loss import IGNORED
from spokesmith.training.microbatches import MicroBatches
from spokesmith.training.nonfinite import BadStep, stop_at_non_finite
from spokesmith.training.objective import Collator, Objective
from spokesmith.training.optimizer import GATE_RATE, build_optimizer
from spokesmith.training.processes import Processes
from spokesmith.training.runfolder import CHECKPOINTS, COMPLETE_MARK, last_checkpoint
from spokesmith.training.sampler import LengthGroupedBatches, ProcessShare, share
from spokesmith.training.sharding import ShardedBase


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
        processes: Processes,
        sharded: ShardedBase | None = None,
    ) -> None:
        self.card = card
        self.train_config = config
        self.input_rms = input_rms
        self.train_examples = train_examples
        self.eval_examples = eval_examples
        self.run_folder = run_folder
        self.processes = processes
        self.micro_batches = MicroBatches(
            objective, rows=config.batch_size, processes=processes, sharded=sharded
        )
        self.tokens_since_log = 0
        self.last_log_time = time.monotonic()
        super().__init__(
            model=objective,
            args=_arguments(
                config, run_folder, len(train_examples), bool(eval_examples), processes
            ),
            train_dataset=train_examples,  # pyright: ignore[reportArgumentType]
            eval_dataset=list(eval_examples) or None,  # pyright: ignore[reportArgumentType]
            data_collator=collator,  # pyright: ignore[reportArgumentType]
            callbacks=[*callbacks, _MarkComplete(processes)],
        )
        self.remove_callback(PrinterCallback)

    @property
    def objective(self) -> Objective:
        assert isinstance(self.model, Objective)
        return self.model

    def get_train_dataloader(self) -> DataLoader:
        lengths = [len(example.tokens) for example in self.train_examples]
        rows = rows_of_a_step(self.train_config, self.processes.count)
        return self._loader(
            self.train_examples,
            ProcessShare(
                LengthGroupedBatches(lengths, batch_size=rows, seed=self.args.seed),
                micro_batch=self.train_config.batch_size,
                rank=self.processes.rank,
                count=self.processes.count,
            ),
        )

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        order = range(len(self.eval_examples))
        order = sorted(order, key=lambda index: len(self.eval_examples[index].tokens))
        together = self.train_config.batch_size * self.processes.count
        batches = [
            share(
                order[start : start + together],
                micro_batch=self.train_config.batch_size,
                rank=self.processes.rank,
                count=self.processes.count,
            )
            for start in range(0, len(order), together)
        ]
        return self._loader(self.eval_examples, batches)

    def _loader(self, examples: Sequence[Example], batches: Any) -> DataLoader:
        loader = DataLoader(
            examples,  # pyright: ignore[reportArgumentType]
            batch_sampler=batches,
            collate_fn=self.data_collator,
        )
        # The batches are this process's share already, so there is nothing left to share out.
        return prepare_data_loader(loader, num_processes=1, process_index=0)

    def _move_model_to_device(self, model: nn.Module, device: torch.device) -> None:
        """Leaves the base where it was placed; its spokes are beside it."""

    def _wrap_model(
        self, model: nn.Module, training: bool = True, dataloader: Any = None
    ) -> nn.Module:
        """Keeps the library from wrapping the objective in DDP: a box that is never called."""
        return nn.Sequential(model) if training else model

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        """Takes no step where the run was at its end: the library looks after a step only."""
        if self.state.global_step >= self.args.max_steps:
            self.control.should_training_stop = True
        if not self.control.should_training_stop:
            super()._run_epoch(*args, **kwargs)

    def training_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """The loss of the step over all processes, whose gradient the spokes then hold.

        Raises:
            ValueError: it is not finite, or memory holds not even one row.
        """
        assert num_items_in_batch is not None
        num_items, num_tokens = int(num_items_in_batch), int(inputs.pop("num_tokens"))
        self.objective.train()
        loss = self.micro_batches.backward(inputs, num_items)
        parameters = list(self.objective.spokes.parameters())
        self.processes.add_gradients(parameters)
        loss, tokens = self.processes.sums(loss, num_tokens)
        self.tokens_since_log += round(tokens)
        norm = nn.utils.get_total_norm(
            [parameter.grad for parameter in parameters if parameter.grad is not None]
        )
        if not math.isfinite(loss) or not math.isfinite(norm):
            stop_at_non_finite(
                BadStep(
                    step=self.state.global_step + 1,
                    loss=loss,
                    grad_norm=float(norm),
                    batch=inputs,
                    num_items=num_items,
                ),
                self.micro_batches,
                run_folder=self.run_folder,
                checkpoint=last_checkpoint(self.run_folder),
            )
        return torch.tensor(loss, device=self.args.device)

    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """The mean loss of all labels, however they are batched and shared out.

        Raises:
            ValueError: it is not finite, or memory holds not even one row.
        """
        self.objective.eval()
        total, labels = 0.0, 0
        for batch in dataloader:
            total += self.micro_batches.loss(batch)
            labels += int((batch["labels"] != IGNORED).sum())
        total, num_labels = self.processes.sums(total, labels)
        if not math.isfinite(total):
            raise ValueError(
                f"the evaluation loss after step {self.state.global_step} is {total}, while that "
                "of training is finite: look at the evaluation examples; the last good checkpoint "
                f"is {last_checkpoint(self.run_folder)}"
            )
        return EvalLoopOutput(
            predictions=None,  # pyright: ignore[reportArgumentType]
            label_ids=None,
            metrics={f"{metric_key_prefix}_loss": total / num_labels},
            num_samples=len(self.eval_examples),
        )

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

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds the speed since the last step, in tokens of examples (prefix included) a second.

        The history, which every checkpoint holds, keeps of the losses of steps the newest alone.
        """
        now = time.monotonic()
        if "loss" in logs:
            history = self.state.log_history
            self.state.log_history = [row for row in history if "loss" not in row]
            logs["tokens_per_s"] = round(self.tokens_since_log / (now - self.last_log_time), 1)
            self.tokens_since_log = 0
        self.last_log_time = now
        super().log(logs, start_time)

    def _get_learning_rate(self) -> float:
        """The relative rate, of which every matrix's own is a multiple."""
        assert self.optimizer is not None
        return self.optimizer.param_groups[-1]["lr"] / GATE_RATE

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save the set; every process calls this."""
        if self.processes.is_main:
            folder = Path(output_dir or str(self.args.output_dir))
            save_spokes(folder, self.objective.spokes, self.card)
        # The others put their own states into this folder, which must be a set's by then.
        self.processes.wait()

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        folder = Path(resume_from_checkpoint)
        saved, _ = load_spokes(folder, base_fingerprint=self.card.base_fingerprint)
        self.objective.spokes.load_state_dict(saved.state_dict())

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """By way of main memory: some versions of the library ask for a device that is none."""
        if checkpoint is None:
            return
        states: dict[str, Any] = {OPTIMIZER_NAME: self.optimizer, SCHEDULER_NAME: self.lr_scheduler}
        for name, target in states.items():
            state = torch.load(Path(checkpoint) / name, map_location="cpu", weights_only=True)
            target.load_state_dict(state)


class _MarkComplete(TrainerCallback):
    """Marks a checkpoint as whole. `on_save` comes after the last of its files is written."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    def on_save(self, args: TrainingArguments, state: Any, control: Any, **kwargs: Any) -> None:
        self.processes.wait()
        if not self.processes.is_main:
            return
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        # Windows opens no folder.
        if os.name != "nt":
            descriptor = os.open(folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        (folder / COMPLETE_MARK).touch()


def _arguments(
    config: TrainConfig,
    run_folder: Path,
    num_examples: int,
    has_eval: bool,
    processes: Processes,
) -> TrainingArguments:
    steps = total_steps(config, num_examples, processes.count)
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
        # Micro-batches and shares are no business of the library: it is told the rows of a step.
        per_device_train_batch_size=rows_of_a_step(config, processes.count),
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=1,
        average_tokens_across_devices=True,
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
        # Without a launcher the library would take every card that it sees. It holds a few numbers
        # only: the base is placed, and rows go to the base.
        use_cpu=processes.device is None or processes.device.type == "cpu",
    )


def rows_of_a_step(config: TrainConfig, num_processes: int) -> int:
    """Examples that all processes together take in a step."""
    return config.batch_size * config.gradient_accumulation * num_processes


def total_steps(config: TrainConfig, num_examples: int, num_processes: int) -> int:
    """Optimiser steps of a run."""
    if config.max_steps:
        return config.max_steps
    rows = rows_of_a_step(config, num_processes)
    return max(1, math.ceil(config.epochs * math.ceil(num_examples / rows)))
