"""One training run on a tiny base, as a process of its own that a test may kill."""

import sys
from pathlib import Path

from spokesmith.tasks import load_task
from spokesmith.testing import tiny_base
from spokesmith.training.config import make_config
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


def run(data: Path, out: Path, *, resume: bool = False, **choices: object) -> RunResult:
    """Train on the pairs in `data`."""
    return train(
        base=tiny_base("llama", num_layers=2),
        task=load_task("memory"),
        data_folder=data,
        run_folder=out,
        config=make_config({**CHOICES, **choices}),
        resume=resume,
    )


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), resume="--resume" in sys.argv)
