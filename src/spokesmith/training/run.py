"""One training run, from a data folder to a run folder.

A run folder holds `run.json` (every choice and hash), `log.jsonl`, `log.csv`, `checkpoints/`,
`best/` and `last/` (sets of spokes), and after a step that was not finite `nonfinite-step-N/`.
Under `accelerate launch` or `torchrun` every process calls `train`; one of them writes.
"""

import errno
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback, set_seed
from transformers.utils import logging as transformers_logging

from spokesmith.bases import Base, set_checkpointing
from spokesmith.bases.lost_gradient import refusing_lost_gradients
from spokesmith.data.pairs import PAIRS_NAME, read_pairs
from spokesmith.data.prepare import (
    Chat,
    Example,
    LengthReport,
    Prepared,
    chat_key,
    prepare,
    prepared_key,
    read_prepared,
    write_prepared,
)
from spokesmith.diagnose import Sample, preflight
from spokesmith.spokes import (
    SpokesCard,
    SpokeSet,
    attach,
    hash_of_weights,
    load_spokes,
    measure_input_rms,
)
from spokesmith.tasks import Task
from spokesmith.training.callbacks import (
    KeepBest,
    ProgressBar,
    RunLog,
    StopAtLoss,
)
from spokesmith.training.config import TrainConfig, shape_of
from spokesmith.training.memory import give_freed_memory_back
from spokesmith.training.objective import Collator, Objective
from spokesmith.training.processes import Processes, start_processes
from spokesmith.training.runfolder import open_run
from spokesmith.training.sharding import shard_base
from spokesmith.training.trainer import SpokeTrainer, rows_of_a_step

CALIBRATION_TOKENS = 2048
PREFLIGHT_SAMPLES = 2
KEPT_OF_IDENTITY = ("data", "examples", "rows_of_a_step", "config", "start_from")
# Of a disk that is full, of a quota that is used up, of a write that failed.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
# Where PyTorch writes its files: its errors have no class of their own.
TORCH_WRITER = "inline_container"


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run came to. `loss` is that of its last step, `lengths` says what the data had."""

    run_folder: Path
    steps: int
    loss: float
    eval_loss: float | None
    num_parameters: int
    lengths: LengthReport


def prepare_cached(
    data_folder: Path, task: Task, base_name: str, chat: Chat, *, max_length: int
) -> tuple[Prepared, Path]:
    """The token ids of a data folder, made once for each base, task and limit.

    Args:
        data_folder: holds `pairs.jsonl`.
        task: whose encodings the golds are.
        base_name: as it was asked for.
        chat: the turn format of that base.
        max_length: most tokens of an example.

    Returns:
        The token ids, and their folder: its name is a hash of the turn format, its parent's one of
        all else that they depend on.
    """
    pairs_path = data_folder / PAIRS_NAME
    if not pairs_path.is_file():
        raise ValueError(
            f"no {PAIRS_NAME} in {data_folder}: make it with `spokesmith data generate`"
        )
    key = prepared_key(pairs_path, task, base_name, max_length)
    folder = data_folder / "tokens" / key / chat_key(chat)
    prepared = read_prepared(folder)
    if prepared is None:
        prepared = prepare(read_pairs(pairs_path), task, chat, max_length=max_length)
        write_prepared(folder, prepared)
    return prepared, folder


def create_spokes(
    base: Base,
    config: TrainConfig,
    prepared: Prepared,
    processes: Processes | None = None,
    start_from: Path | None = None,
) -> tuple[SpokeSet, dict[int, float]]:
    """The set that a run begins with, and the sizes of a base's inputs on its data.

    Without `start_from` it is an untrained set, calibrated by those sizes. One of the processes
    measures, so that all start from the same numbers.

    Raises:
        ValueError: the base gives numbers that are not finite, or the set of `start_from` was
            trained beside another base or has another shape than the configuration says.
    """
    tokens = np.concatenate(
        [prepared.prefix, *(example.tokens for example in prepared.splits["train"][:32])]
    )[:CALIBRATION_TOKENS]
    input_ids = torch.from_numpy(tokens.astype(np.int64))[None].to(base.device)
    input_rms = (processes or Processes()).on_main(
        lambda: measure_input_rms(base.decoder, base.sites(), input_ids)
    )
    for layer, size in input_rms.items():
        if not math.isfinite(size):
            raise ValueError(
                f"layer {layer} of {base.name} gets inputs of size {size} before any training: "
                "the base is damaged, or its dtype is too narrow: try --dtype float32"
            )
    shape = shape_of(base, config)
    if start_from is None:
        return SpokeSet.create(shape, seed=config.seed, input_rms=input_rms), input_rms
    spokes, card = load_spokes(start_from, base_fingerprint=base.fingerprint)
    there, asked = asdict(card.spokes), asdict(shape)
    if differing := [name for name in asked if asked[name] != there[name]]:
        has = ", ".join(f"{name} {there[name]}, not {asked[name]}" for name in differing)
        raise ValueError(f"the set at {start_from} has {has}: set it so, or start without --from")
    return spokes.float(), input_rms


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
    checkpointing: str | None = None,
    runs_preflight: bool = True,
    start_from: Path | None = None,
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
        checkpointing: what `auto` of the configuration came to, see `training/memory.py`; None
            keeps all activations.
        runs_preflight: refuse to start where the pass would be wrong.
        start_from: folder of a trained set to go on from; None starts with an untrained one.

    Raises:
        ValueError: the run folder is in use or does not fit, the data does not fit the base, the
            preflight says no, or the disk is full.
    """
    transformers_logging.set_verbosity_error()
    if base.device.type == "cpu":
        give_freed_memory_back()
    # With a sharded base the host is only where the weights come from.
    on_cpu = base.device.type == "cpu" and not config.shard_base
    processes = start_processes(on_cpu=on_cpu)
    if processes.device not in (None, base.device) and not config.shard_base:
        base.model.to(processes.device)
    prepared, tokens_folder = processes.main_first(
        lambda: prepare_cached(
            data_folder, task, base.name, base.chat, max_length=config.max_length
        )
    )
    train_examples, eval_examples = _choose_examples(prepared, config, overfit)
    if not resume:
        _check_lengths(base, prepared, [*train_examples, *eval_examples])
    if config.checkpointing != "auto":
        checkpointing = config.checkpointing
    set_seed(config.seed)
    spokes, input_rms = create_spokes(base, config, prepared, processes, start_from)
    if runs_preflight:
        _check_before(base, spokes, prepared, checkpointing or "none")
    identity = _identity(
        base=base,
        task=task,
        config=config,
        tokens_folder=tokens_folder,
        num_examples=len(train_examples),
        num_processes=processes.count,
        start_from=start_from,
    )
    sharded = shard_base(base, processes) if config.shard_base else None
    inputs = [data_folder] if start_from is None else [data_folder, start_from]
    checkpoint = processes.on_main(
        lambda: open_run(run_folder, identity, resume=resume, force=force, inputs=inputs)
    )
    attach(base.model, base.sites(), spokes, name="training")
    set_checkpointing(base, checkpointing or "none")
    card = _card(base, task, spokes, identity)
    bar = ProgressBar()
    trainer = SpokeTrainer(
        objective=Objective(base, spokes),
        card=card,
        config=config,
        input_rms=input_rms,
        train_examples=train_examples,
        eval_examples=eval_examples,
        collator=_collator(base, prepared, config),
        run_folder=run_folder,
        callbacks=_callbacks(run_folder, spokes, card, task, config, processes, target_loss, bar),
        processes=processes,
        sharded=sharded,
    )
    try:
        with _telling_of_the_disk(run_folder), refusing_lost_gradients():
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        bar.stop()
    processes.wait()
    set_checkpointing(base, "none")
    base.model.eval()
    return _result(run_folder, trainer, spokes, prepared.report)


@contextmanager
def _telling_of_the_disk(run_folder: Path) -> Iterator[None]:
    """Inside the block the error of a disk that takes no more says how to go on.

    Raises:
        ValueError: it took no more.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if getattr(error, "errno", None) not in DISK_ERRORS and TORCH_WRITER not in str(error):
            raise
        raise ValueError(
            f"{run_folder} takes no more files ({str(error).splitlines()[0]}): free disk space, "
            "then the same command with --resume goes on"
        ) from error


def _identity(
    *,
    base: Base,
    task: Task,
    config: TrainConfig,
    tokens_folder: Path,
    num_examples: int,
    num_processes: int,
    start_from: Path | None,
) -> dict[str, Any]:
    """All that a run depends on, see `open_run`."""
    return {
        "base": base.name,
        "base_fingerprint": base.fingerprint,
        "task": task.name,
        "schema_hash": task.schema_hash,
        "prompt_hash": task.prompt_hash,
        "dtype": str(base.model.dtype).removeprefix("torch."),
        "quantize": _quantization(base),
        "chat": tokens_folder.name,
        "data": tokens_folder.parent.name,
        "examples": num_examples,
        "rows_of_a_step": rows_of_a_step(config, num_processes),
        "config": config.to_dict(),
        "start_from": None if start_from is None else hash_of_weights(start_from),
    }


def _quantization(base: Base) -> str | None:
    """By which library the base's weights are kept in few bits; None where they are not."""
    found = getattr(base.model.config, "quantization_config", None)
    return None if found is None else str(found.quant_method.value)


def _check_lengths(base: Base, prepared: Prepared, examples: Sequence[Example]) -> None:
    """Refuse examples that are longer than the base's context."""
    longest = len(prepared.prefix) + max(len(example.tokens) for example in examples)
    most = base.config.max_position_embeddings
    if longest > most:
        raise ValueError(
            f"the longest example has {longest} tokens, and the context of {base.name} is {most}: "
            f"--set max_length={most} leaves longer ones out"
        )


def _check_before(base: Base, spokes: SpokeSet, prepared: Prepared, checkpointing: str) -> None:
    """Refuse a training whose pass is wrong, before hours are spent on it."""
    prefix = prepared.prefix.tolist()
    samples = [
        Sample(
            tokens=prefix + example.tokens.tolist(),
            answer_start=len(prefix) + example.answer_start,
        )
        for example in prepared.splits["train"][:PREFLIGHT_SAMPLES]
    ]
    found = preflight(base, spokes, samples, checkpointing=checkpointing)
    if not found.ok:
        raise ValueError(
            f"the preflight says no ({'; '.join(found.failures())}): `spokesmith diagnose` shows "
            "more, --no-preflight trains all the same"
        )


def _card(base: Base, task: Task, spokes: SpokeSet, identity: dict[str, Any]) -> SpokesCard:
    return SpokesCard(
        spokes=spokes.config,
        base=base.name,
        base_fingerprint=base.fingerprint,
        task=task.name,
        schema_hash=task.schema_hash,
        prompt_hash=task.prompt_hash,
        training={key: identity[key] for key in KEPT_OF_IDENTITY},
    )


def _collator(base: Base, prepared: Prepared, config: TrainConfig) -> Collator:
    pad_id = base.tokenizer.pad_token_id
    return Collator(
        prefix=prepared.prefix,
        pad_id=base.chat.end_id if pad_id is None else pad_id,
        # The last layer's keys and values of a shared prompt reach the loss beside the layer's
        # output, so FSDP2 would not gather that layer's weights for their gradient.
        share_prefix=config.share_prefix and base.family.shares_prefix and not config.shard_base,
    )


def _callbacks(
    run_folder: Path,
    spokes: SpokeSet,
    card: SpokesCard,
    task: Task,
    config: TrainConfig,
    processes: Processes,
    target_loss: float | None,
    bar: ProgressBar,
) -> list[TrainerCallback]:
    """Those that stop a run for every process, those that write for one."""
    main = processes.is_main
    callbacks: list[TrainerCallback] = [RunLog(run_folder), bar] if main else []
    callbacks.append(
        KeepBest(run_folder, spokes, card, task, patience=config.patience, writes=main)
    )
    if target_loss is not None:
        callbacks.append(StopAtLoss(target_loss))
    return callbacks


def _result(
    run_folder: Path, trainer: SpokeTrainer, spokes: SpokeSet, lengths: LengthReport
) -> RunResult:
    history: Sequence[dict[str, Any]] = trainer.state.log_history
    evals = [row["eval_loss"] for row in history if "eval_loss" in row]
    return RunResult(
        run_folder=run_folder,
        steps=trainer.state.global_step,
        loss=[row["loss"] for row in history if "loss" in row][-1],
        eval_loss=min(evals) if evals else None,
        num_parameters=spokes.num_parameters(),
        lengths=lengths,
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
    every = max(1, len(eval_examples) // config.eval_examples)
    return train_examples, eval_examples[::every][: config.eval_examples]
