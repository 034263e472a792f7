"""What do spokes add to a decode step? One stream, and eight rows with five tokens each.

On SmolLM2 with the shipped set, and on the architecture of Gemma 4 E2B at its full size with random
weights, whose speed is that of the real ones (16 GB of memory). The bare base and the base with its
set take turns; the figures are medians. Writes docs/results/spokes-share.json.

    python bench/spokes_share.py [--base smollm2-135m,gemma4-e2b-random]
"""

import argparse
import json
import statistics
import time
from pathlib import Path

from decode_sides import loaded
from figures import RESULTS, machine
from train_base import E2B_RANK, GEMMA4, SEED, SMOLLM2, Settings, build_base

from spokesmith.bases import Base
from spokesmith.decoding import Engine
from spokesmith.decoding.forward import Work
from spokesmith.decoding.runner import Runner
from spokesmith.spokes import SpokeSet, attach
from spokesmith.tasks.files import write_text

RESULT = RESULTS / "spokes-share.json"
# Rows and new tokens of each, behind so many tokens that are there already.
STEPS = ((1, 1), (8, 5))
START = 400
REPEATS, WARM_UP = 30, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--base", default=f"{SMOLLM2},{GEMMA4}", help="these, with commas")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    rows = [row for name in arguments.base.split(",") for row in measure(name)]
    result = {"machine": machine(), "rows": rows}
    write_text(arguments.out, json.dumps(result, indent=1) + "\n")


def measure(name: str) -> list[dict[str, float | int | str]]:
    """The rows of one base."""
    base = loaded()[0] if name == SMOLLM2 else random_e2b()
    runner = Engine(base, num_slots=8).runner
    rows = []
    for num_rows, length in STEPS:
        bare, spoked = (1e3 * seconds for seconds in step_seconds(runner, num_rows, length))
        rows.append(
            {
                "base": name,
                "rows": num_rows,
                "tokens_each": length,
                "base_ms": round(bare, 2),
                "with_spokes_ms": round(spoked, 2),
                "share": round(1 - bare / spoked, 4),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    return rows


def random_e2b() -> Base:
    """Gemma 4 E2B at its full size, with the default spokes beside every layer."""
    settings = Settings(
        base=GEMMA4,
        device="auto",
        steps=1,
        warm_up=0,
        batch_size=1,
        length=START,
        joins=False,
        shrink=1,
    )
    base = build_base(settings)
    spokes = SpokeSet.create(base.spokes_config(rank=E2B_RANK), seed=SEED)
    attach(base.model, base.sites(), spokes.to(base.device), name="memory")
    return base


def step_seconds(runner: Runner, num_rows: int, length: int) -> tuple[float, float]:
    """How long a step takes without and with spokes: medians."""
    taken: dict[str | None, list[float]] = {None: [], "memory": []}
    for _ in range(WARM_UP + REPEATS):
        for spokes, seconds in taken.items():
            works = [
                Work(row=row, start=START, token_ids=[100] * length, wanted=length, spokes=spokes)
                for row in range(num_rows)
            ]
            start = time.perf_counter()
            # It reads numbers, and so waits for a GPU.
            runner.run(works)
            seconds.append(time.perf_counter() - start)
    bare, spoked = (statistics.median(seconds[WARM_UP:]) for seconds in taken.values())
    return bare, spoked


if __name__ == "__main__":
    main()
