"""The folder of a run: made once, reopened only by the same run, never written over.

What makes a run the same is written into `run.json`. How its rows are shared out over processes and
micro-batches is left open, so a run that was begun by two processes may be finished by one.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spokesmith.tasks.files import write_text

COMPLETE_MARK = "complete"
CHECKPOINTS = "checkpoints"
RUN_NAME = "run.json"
# Choices that say how a step is computed, not what it computes.
FREE_CHOICES = ("batch_size", "gradient_accumulation", "shard_base", "checkpointing")
# What `run.json` need not say: a run whose folder leaves it out may have had any.
NOT_ALWAYS_SAID = ("dtype", "quantize", "chat")


def open_run(
    run_folder: Path,
    identity: dict[str, Any],
    *,
    resume: bool,
    force: bool,
    inputs: Iterable[Path] = (),
) -> Path | None:
    """Make or reopen a run folder; one process of a run calls this.

    Args:
        run_folder: of the run.
        identity: all that the run depends on; its `config` holds the choices, its `rows_of_a_step`
            how many examples a step takes.
        resume: go on with the run that is there.
        force: replace the run that is there.
        inputs: files and folders that the run reads; a folder that holds one is not replaced.

    Returns:
        The checkpoint to go on from, if any.

    Raises:
        ValueError: the folder is in use, holds another run, or holds none that could be resumed.
    """
    check_run_folder(run_folder, resume=resume, force=force, inputs=inputs)
    if resume:
        _check_same(run_folder, identity)
        return last_checkpoint(run_folder)
    record = run_folder / RUN_NAME
    if run_folder.exists() and any(run_folder.iterdir()):
        shutil.rmtree(run_folder)
    run_folder.mkdir(parents=True, exist_ok=True)
    write_text(record, json.dumps(identity, indent=2) + "\n")
    return None


def last_checkpoint(run_folder: Path) -> Path | None:
    """The newest whole checkpoint of a run."""
    found = [
        mark.parent for mark in (run_folder / CHECKPOINTS).glob(f"checkpoint-*/{COMPLETE_MARK}")
    ]
    return max(found, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def check_run_folder(
    run_folder: Path, *, resume: bool, force: bool, inputs: Iterable[Path] = ()
) -> None:
    """Whether a folder can take the run, see `open_run`: quickly said, before anything is loaded.

    Raises:
        ValueError: it is in use, or there is no run to go on with.
    """
    has_run = (run_folder / RUN_NAME).is_file()
    if resume:
        if not has_run:
            raise ValueError(f"no run at {run_folder}: leave out --resume to start one")
    elif run_folder.exists() and any(run_folder.iterdir()):
        if not force:
            raise ValueError(
                f"{run_folder} is not empty: --resume goes on with its run, --force replaces it"
            )
        if not has_run:
            raise ValueError(f"{run_folder} holds no run, so --force will not remove it")
        for path in inputs:
            if path.resolve().is_relative_to(run_folder.resolve()):
                raise ValueError(
                    f"--force would remove {path}, which this run reads: move it out of "
                    f"{run_folder}, or give another --out"
                )


def _check_same(run_folder: Path, identity: dict[str, Any]) -> None:
    record = run_folder / RUN_NAME
    before = _comparable(json.loads(record.read_text(encoding="utf-8")))
    now = _comparable(json.loads(json.dumps(identity)))
    before = {key: now[key] for key in NOT_ALWAYS_SAID} | before
    changed = [key for key in now if key != "config" and now[key] != before.get(key)]
    config, config_before = now["config"], before["config"]
    changed += [
        f"{key} ({config_before.get(key)}, not {value})"
        for key, value in config.items()
        if value != config_before.get(key)
    ]
    if changed:
        raise ValueError(
            f"the run at {run_folder} had another {', '.join(changed)}: resume it with the "
            "same choices and data, or start a new run"
        )


def _comparable(identity: dict[str, Any]) -> dict[str, Any]:
    """An identity without the free choices; the rows of a step stand among the others."""
    config = dict(identity["config"])
    rows = config["batch_size"] * config["gradient_accumulation"]
    kept = {name: value for name, value in config.items() if name not in FREE_CHOICES}
    kept["rows_of_a_step"] = identity.get("rows_of_a_step", rows)
    rest = {name: value for name, value in identity.items() if name != "rows_of_a_step"}
    return {**rest, "config": kept}
