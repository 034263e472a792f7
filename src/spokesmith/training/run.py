"""One training run, from a data folder to a run folder.

A run folder holds `run.json` (every choice and hash), `log.jsonl`, `log.csv`, `checkpoints/`,
`best/` and `last/` (sets of spokes).
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import set_seed
from transformers.utils import logging as transformers_logging

from spokesmith.bases import Base
from spokesmith.data.pairs import PAIRS_NAME, read_pairs
from spokesmith.data.prepare import (
    Example,
    Prepared,
    prepare,
    prepared_key,
    read_prepared,
    write_prepared,
)
from spokesmith.spokes import SpokesCard, SpokeSet, attach, measure_input_rms
from spokesmith.tasks import Task
from spokesmith.training.callbacks import (
    KeepBest,
    ProgressBar,
    RunLog,
    StopAtLoss,
    StopAtNonFinite,
)
from spokesmith.training.config import TrainConfig
from spokesmith.training.objective import Collator, Objective
from spokesmith.training.trainer import SpokeTrainer, last_checkpoint

RUN_NAME = "run.json"
CALIBRATION_TOKENS = 2048


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run came to. `loss` is that of its last step."""

    run_folder: Path
    steps: int
    loss: float
    eval_loss: float | None
    num_parameters: int


def prepare_cached(
    data_folder: Path, task: Task, base: Base, *, max_length: int
) -> tuple[Prepared, Path]:
    """The token ids of a data folder, made once for each base, task and limit.

    Returns:
        The token ids, and their folder, whose name is a hash of all that they depend on.
    """
    pairs_path = data_folder / PAIRS_NAME
    if not pairs_path.is_file():
        raise ValueError(
            f"no {PAIRS_NAME} in {data_folder}: make it with `spokesmith data generate`"
        )
    folder = data_folder / "tokens" / prepared_key(pairs_path, task, base.name, max_length)
    prepared = read_prepared(folder)
    if prepared is None:
        prepared = prepare(read_pairs(pairs_path), task, base.chat, max_length=max_length)
        write_prepared(folder, prepared)
    return prepared, folder


def create_spokes(
    base: Base, config: TrainConfig, prepared: Prepared
) -> tuple[SpokeSet, dict[int, float]]:
    """An untrained set for a base, calibrated on its data, and the input sizes that were found."""
    tokens = np.concatenate(
        [prepared.prefix, *(example.tokens for example in prepared.splits["train"][:32])]
    )[:CALIBRATION_TOKENS]
    input_ids = torch.from_numpy(tokens.astype(np.int64))[None].to(base.device)
    input_rms = measure_input_rms(base.decoder, base.sites(), input_ids)
    shape = base.spokes_config(
        placement=config.placement,
        num_spokes=config.num_spokes,
        rank=config.rank,
        every_n_layers=config.every_n_layers,
    )
    return SpokeSet.create(shape, seed=config.seed, input_rms=input_rms), input_rms


def train(
    *,
    base: Base,
    task: Task,
    data_folder: Path,
    run_folder: Path,
    config: TrainConfig,
    resume: bool = False,
    force: bool = False,
    overfit: int = 0,
    target_loss: float | None = None,
) -> RunResult:
    """Train a set of spokes.

    Args:
        base: stays as it is; the trained set is left attached and active.
        task: whose encodings are learned.
        data_folder: holds `pairs.jsonl`.
        run_folder: made by the run.
        config: every choice.
        resume: go on from the last whole checkpoint in `run_folder`.
        force: replace a run that is there.
        overfit: train on the first so many examples only, without evaluation.
        target_loss: end once a step's loss is below it.

    Raises:
        ValueError: the run folder is in use or does not fit, or the data does not fit the base.
    """
    transformers_logging.set_verbosity_error()
    prepared, tokens_folder = prepare_cached(data_folder, task, base, max_length=config.max_length)
    train_examples, eval_examples = _choose_examples(prepared, config, overfit)
    set_seed(config.seed)
    spokes, input_rms = create_spokes(base, config, prepared)
    identity = {
        "base": base.name,
        "base_fingerprint": base.fingerprint,
        "task": task.name,
        "schema_hash": task.schema_hash,
        "prompt_hash": task.prompt_hash,
        "data": tokens_folder.name,
        "examples": len(train_examples),
        "config": config.to_dict(),
    }
    checkpoint = _open_run(run_folder, identity, resume=resume, force=force)
    attach(base.model, base.sites(), spokes, name="training")
    card = SpokesCard(
        spokes=spokes.config,
        base=base.name,
        base_fingerprint=base.fingerprint,
        task=task.name,
        schema_hash=task.schema_hash,
        prompt_hash=task.prompt_hash,
        training={key: identity[key] for key in ("data", "examples", "config")},
    )
    callbacks = [
        RunLog(run_folder),
        ProgressBar(),
        KeepBest(run_folder, spokes, card, patience=config.patience),
        StopAtNonFinite(),
        *([StopAtLoss(target_loss)] if target_loss is not None else []),
    ]
    pad_id = base.tokenizer.pad_token_id
    trainer = SpokeTrainer(
        objective=Objective(base, spokes),
        card=card,
        config=config,
        input_rms=input_rms,
        train_examples=train_examples,
        eval_examples=eval_examples,
        collator=Collator(
            prefix=prepared.prefix,
            pad_id=base.chat.end_id if pad_id is None else pad_id,
            share_prefix=config.share_prefix and base.family.shares_prefix,
        ),
        run_folder=run_folder,
        callbacks=callbacks,
    )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    base.model.eval()
    history = trainer.state.log_history
    evals = [row["eval_loss"] for row in history if "eval_loss" in row]
    return RunResult(
        run_folder=run_folder,
        steps=trainer.state.global_step,
        loss=[row["loss"] for row in history if "loss" in row][-1],
        eval_loss=min(evals) if evals else None,
        num_parameters=spokes.num_parameters(),
    )


def _choose_examples(
    prepared: Prepared, config: TrainConfig, overfit: int
) -> tuple[list[Example], list[Example]]:
    train_examples = prepared.splits["train"]
    if overfit:
        if overfit > len(train_examples):
            raise ValueError(f"--overfit {overfit}: the data has {len(train_examples)} examples")
        return train_examples[:overfit], []
    eval_examples = prepared.splits["eval"]
    every = max(1, len(eval_examples) // max(1, config.eval_examples))
    return train_examples, eval_examples[::every][: config.eval_examples]


def _open_run(
    run_folder: Path, identity: dict[str, Any], *, resume: bool, force: bool
) -> Path | None:
    """Make or reopen a run folder; return the checkpoint to go on from."""
    record = run_folder / RUN_NAME
    if resume:
        if not record.is_file():
            raise ValueError(f"no run at {run_folder}: leave out --resume to start one")
        before = json.loads(record.read_text(encoding="utf-8"))
        changed = [
            key for key in identity if json.loads(json.dumps(identity[key])) != before.get(key)
        ]
        if changed:
            raise ValueError(
                f"the run at {run_folder} had another {', '.join(changed)}: resume it with the "
                "same choices and data, or start a new run"
            )
        return last_checkpoint(run_folder)
    if run_folder.exists() and any(run_folder.iterdir()):
        if not force:
            raise ValueError(
                f"{run_folder} is not empty: --resume goes on with its run, --force replaces it"
            )
        if not record.is_file():
            raise ValueError(f"{run_folder} holds no run, so --force will not remove it")
        shutil.rmtree(run_folder)
    run_folder.mkdir(parents=True, exist_ok=True)
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, record)
    return None
