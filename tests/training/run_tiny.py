"""One training run on a tiny base, as a process of its own that a test may kill or multiply."""

import argparse
import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sabotage
from safetensors.torch import save_file

from spokesmith.bases import Base
from spokesmith.spokes import detach
from spokesmith.tasks import load_task
from spokesmith.testing import tiny_base
from spokesmith.training import trainer as trainer_module
from spokesmith.training.config import make_config
from spokesmith.training.processes import Processes
from spokesmith.training.run import RunResult, train

CHOICES = {
    "max_steps": 12,
    "batch_size": 2,
    "gradient_accumulation": 2,
    "num_spokes": 2,
    "rank": 4,
    "eval_every": 4,
    "eval_examples": 4,
    "save_every": 3,
    "warmup_steps": 2,
    "max_length": 4096,
}


def run(
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    force: bool = False,
    model_type: str = "llama",
    num_layers: int = 2,
    spoil: Callable[[Base], object] | None = None,
    start_from: Path | None = None,
    target_loss: float | None = None,
    **choices: object,
) -> RunResult:
    """Train on the pairs in `data`; `spoil` may put a fault into the base first."""
    base = tiny_base(model_type, num_layers=num_layers)
    if spoil is not None:
        spoil(base)
    result = train(
        base=base,
        task=load_task("memory"),
        data_folder=data,
        run_folder=out,
        config=make_config({**CHOICES, **choices}),
        resume=resume,
        force=force,
        # The faults are for the run itself to find; the preflight would be the first.
        runs_preflight=spoil is None,
        start_from=start_from,
        target_loss=target_loss,
    )
    detach(base.model)
    return result


@contextmanager
def recorded(out: Path) -> Iterator[None]:
    """Inside the block a run keeps its last gradients, and its clock ticks once a reading."""
    add_gradients, clock = Processes.add_gradients, trainer_module.time

    def add_and_keep(self: Processes, parameters: Any) -> None:
        parameters = list(parameters)
        add_gradients(self, parameters)
        gradients = {str(index): one.grad.clone() for index, one in enumerate(parameters)}
        save_file(gradients, out / f"gradients-{self.rank}.safetensors")

    Processes.add_gradients = add_and_keep
    trainer_module.time = SimpleNamespace(monotonic=itertools.count().__next__)
    try:
        yield
    finally:
        Processes.add_gradients, trainer_module.time = add_gradients, clock


def _fault(given: argparse.Namespace) -> Callable[[Base], object] | None:
    """The fault of this process, from `--fault NAME --fault-choices JSON --fault-rank RANK`."""
    if given.fault is None or int(os.environ.get("RANK", "0")) != given.fault_rank:
        return None
    return lambda base: getattr(sabotage, given.fault)(base, **given.fault_choices)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--model-type", default="llama")
    parser.add_argument("--choices", type=json.loads, default={})
    parser.add_argument("--fault")
    parser.add_argument("--fault-choices", type=json.loads, default={})
    parser.add_argument("--fault-rank", type=int, default=0)
    given = parser.parse_args()
    with recorded(given.out):
        run(
            given.data,
            given.out,
            resume=given.resume,
            model_type=given.model_type,
            spoil=_fault(given),
            **given.choices,
        )
