"""What do spokes add to a decode step? One stream, and eight rows with five tokens each.

On SmolLM2 with the shipped set, and on the architecture of Gemma 4 E2B at its full size with random
weights, whose speed is that of the real ones (18 GB of memory). Steps of the bare base and of the
base with its set take turns, since a machine's speed drifts; the share is the median of those of
neighbours. Writes docs/results/spokes-share.json.

    python bench/spokes_share.py [--base smollm2-135m,gemma4-e2b-random]
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from decode_sides import loaded
from figures import RESULTS, machine
from train_base import E2B_RANK, GEMMA4, SEED, SMOLLM2, Settings, build_base

from spokesmith.bases import Base
from spokesmith.decoding import Engine
from spokesmith.decoding.forward import Work
from spokesmith.decoding.joined import JoinedBlocks
from spokesmith.decoding.runner import Runner
from spokesmith.spokes import SpokeSet, attach, attached_sets, detach
from spokesmith.tasks.files import write_text

RESULT = RESULTS / "spokes-share.json"
# Rows and new tokens of each, behind so many tokens that are there already.
STEPS = ((1, 1), (8, 5))
START = 400
REPEATS, WARM_UP = 60, 5
SET = "memory"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--base", default=f"{SMOLLM2},{GEMMA4}", help="these, with commas")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    rows = [row for name in arguments.base.split(",") for row in measure(name)]
    result = {"machine": machine(), "rows": rows}
    write_text(arguments.out, json.dumps(result, indent=1) + "\n")


def measure(name: str) -> list[dict[str, Any]]:
    """The rows of one base."""
    base = loaded()[0] if name == SMOLLM2 else random_e2b()
    rows = []
    taken = step_ms(base)
    for num_rows, length in STEPS:
        bare, spoked = taken[num_rows, None], taken[num_rows, SET]
        shares = [1 - before / after for before, after in zip(bare, spoked, strict=True)]
        low, share, high = statistics.quantiles(shares, n=4)
        rows.append(
            {
                "base": name,
                "rows": num_rows,
                "tokens_each": length,
                "base_ms": round(statistics.median(bare), 2),
                "with_spokes_ms": round(statistics.median(spoked), 2),
                "share": round(share, 4),
                "share_quartiles": [round(low, 4), round(high, 4)],
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
    attach(base.model, base.sites(), spokes.to(base.device), name=SET)
    return base


def step_ms(base: Base) -> dict[tuple[int, str | None], list[float]]:
    """How long steps take, by their rows and the set in use."""
    runners = bare_and_spoked(base)
    taken: dict[tuple[int, str | None], list[float]] = defaultdict(list)
    for num_rows, length in STEPS:
        for _ in range(WARM_UP + REPEATS):
            for name, runner in runners.items():
                works = [works_of(row, START, length, name) for row in range(num_rows)]
                taken[num_rows, name].append(milliseconds(runner, works))
    return {step: times[WARM_UP:] for step, times in taken.items()}


def bare_and_spoked(base: Base) -> dict[str | None, Runner]:
    """A runner of the base as it is without a set, and one of the base with it.

    On a GPU the one would record its passes and the other not: bench/decode_gpu.py is for those.
    """
    if base.device.type != "cpu":
        raise SystemExit("the processor is measured here: python bench/decode_gpu.py has a GPU's")
    spokes = attached_sets(base.model)[SET]
    detach(base.model, SET)
    bare = Engine(base, num_slots=8).runner
    joined = None
    if bare.joined is not None:
        # Its feed-forward blocks stay without a set when there is one.
        bare.joined.refresh = lambda: None
        joined = JoinedBlocks(base, copies=True)
    attach(base.model, base.sites(), spokes, name=SET)
    return {None: bare, SET: Runner(base, 8, joined=joined)}


def works_of(row: int, start: int, length: int, spokes: str | None) -> Work:
    tokens = [100 + (7 * row + 3 * place) % 1000 for place in range(start, start + length)]
    return Work(row=row, start=start, token_ids=tokens, wanted=length, spokes=spokes)


def milliseconds(runner: Runner, works: Sequence[Work]) -> float:
    start = time.perf_counter()
    # It reads numbers, and so waits for a GPU.
    runner.run(works)
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
