"""The stop at a step whose loss or gradient is not finite, and the dump that lets it be replayed.

The stop comes before the optimiser has changed anything. A dump is a folder with the rows that
each process had (`batch-RANK.safetensors`), the spokes as they were (`spokes.safetensors`, which
may hold the very numbers that are not finite, so it is no set that `load_spokes` takes) and
`facts.json`.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from spokesmith.bases import Base
from spokesmith.spokes import SpokesConfig, SpokeSet, attached
from spokesmith.tasks.files import write_text
from spokesmith.training.first_nonfinite import Finding, find_non_finite
from spokesmith.training.microbatches import Batch, MicroBatches
from spokesmith.training.objective import Objective

FACTS_NAME = "facts.json"
WEIGHTS_NAME = "spokes.safetensors"
REPLAY_NAME = "replay"


@dataclass(frozen=True, kw_only=True)
class BadStep:
    """A step that cannot be taken.

    Attributes:
        step: its number, from 1.
        loss: over all processes.
        grad_norm: of the whole gradient.
        batch: this process's rows.
        num_items: labels of the step over all processes.
    """

    step: int
    loss: float
    grad_norm: float
    batch: Batch
    num_items: int


def stop_at_non_finite(
    bad: BadStep, micro_batches: MicroBatches, *, run_folder: Path, checkpoint: Path | None
) -> NoReturn:
    """Write a dump, find the layer, and end the run; every process calls it.

    Args:
        bad: the step.
        micro_batches: the objective, with the spokes as they were before the step.
        run_folder: gets the dump, `nonfinite-step-N/`.
        checkpoint: the last good one, to be named.

    Raises:
        ValueError: always: what was not finite first, where the dump is, and what is left.
    """
    processes = micro_batches.processes
    folder = run_folder / f"nonfinite-step-{bad.step}"
    processes.on_main(lambda: shutil.rmtree(folder, ignore_errors=True))
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: bad.batch[name].contiguous() for name in _tensor_names(bad.batch)}
    save_file(rows, folder / f"batch-{processes.rank}.safetensors")
    facts = _facts(bad, micro_batches, checkpoint)
    if processes.is_main:
        state = micro_batches.objective.spokes.state_dict()
        weights = {name: value.detach().cpu().contiguous() for name, value in state.items()}
        save_file(weights, folder / WEIGHTS_NAME)
        # Written before the second pass too, so that a pass that fails leaves a whole dump.
        _write_facts(folder, facts)
    found = processes.gather(find_non_finite(micro_batches, bad.batch, bad.num_items))
    finding = next((one for one in found if one is not None), None)
    if processes.is_main and finding is not None:
        _write_facts(folder, {**facts, **asdict(finding), "process": found.index(finding)})
    processes.wait()
    raise ValueError(_message(bad, finding, folder, checkpoint))


def replay(folder: Path, base: Base) -> Finding | None:
    """Run a dumped step again, in one process, and say what is not finite first.

    Args:
        folder: a `nonfinite-step-N/` of a run.
        base: the one of that run; sets that are beside it stay there.

    Returns:
        None where all is finite this time.

    Raises:
        ValueError: the folder holds no dump, or one of another base.
    """
    try:
        facts = json.loads((folder / FACTS_NAME).read_text(encoding="utf-8"))
        weights = load_file(folder / WEIGHTS_NAME)
        batches = [
            load_file(folder / f"batch-{rank}.safetensors") for rank in range(facts["processes"])
        ]
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"no whole dump at {folder}: {error}") from error
    if facts["base_fingerprint"] != base.fingerprint:
        raise ValueError(
            f"{folder} is of base {facts['base']} (fingerprint {facts['base_fingerprint']}), this "
            f"base has fingerprint {base.fingerprint}: load that base"
        )
    spokes = SpokeSet(SpokesConfig.from_json(facts["spokes"]))
    spokes.load_state_dict(weights)
    with _beside(base, spokes):
        micro_batches = MicroBatches(Objective(base, spokes), rows=facts["micro_batch_rows"])
        for batch in batches:
            finding = find_non_finite(micro_batches, batch, facts["num_items"])
            if finding is not None:
                return finding
    return None


@contextmanager
def _beside(base: Base, spokes: SpokeSet) -> Iterator[None]:
    """Inside the block a set sits beside a base in training mode; all is as before afterwards."""
    was_training = base.model.training
    with attached(base.model, base.sites(), spokes, name=REPLAY_NAME):
        base.model.train()
        try:
            yield
        finally:
            base.model.train(was_training)


def _tensor_names(batch: Batch) -> list[str]:
    return [name for name in ("input_ids", "labels", "prefix_ids") if name in batch]


def _facts(bad: BadStep, micro_batches: MicroBatches, checkpoint: Path | None) -> dict[str, Any]:
    objective = micro_batches.objective
    return {
        "step": bad.step,
        "kind": None,
        "layer": None,
        "place": None,
        # As words, since JSON has none for these numbers.
        "loss": str(bad.loss),
        "grad_norm": str(bad.grad_norm),
        "num_items": bad.num_items,
        "micro_batch_rows": micro_batches.rows,
        "processes": micro_batches.processes.count,
        "checkpoint": None if checkpoint is None else str(checkpoint),
        "base": objective.base.name,
        "base_fingerprint": objective.base.fingerprint,
        "spokes": asdict(objective.spokes.config),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _write_facts(folder: Path, facts: dict[str, Any]) -> None:
    write_text(folder / FACTS_NAME, json.dumps(facts, indent=2) + "\n")


def _message(bad: BadStep, finding: Finding | None, folder: Path, checkpoint: Path | None) -> str:
    what = (
        f"the first that was not finite is {finding}"
        if finding is not None
        else "in a second pass over the same rows all was finite"
    )
    kept = (
        f"the last good checkpoint is {checkpoint}"
        if checkpoint is not None
        else "no checkpoint had been written yet"
    )
    return (
        f"stopped at step {bad.step}, before it changed anything: loss {bad.loss:.4g}, gradient "
        f"norm {bad.grad_norm:.4g}; {what}. {kept[0].upper()}{kept[1:]}; rows and spokes of the "
        f"step are in {folder}, for spokesmith.training.nonfinite.replay. Start a new run with a "
        "lower learning_rate, or look at those rows"
    )
