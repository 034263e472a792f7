"""Is one default rate right for both placements? Short runs at several rates on the embedded base.

Trains fresh sets on generated pairs at multiples of the default rate and measures the loss on
unseen pairs. Prints a table and writes docs/results/rates.json.

    python bench/rates.py [--steps 20] [--out FILE]
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from figures import RESULTS, machine

FACTORS = (0.25, 1.0, 4.0)
RUNS = (("ffn", "muon"), ("residual", "muon"))
BATCH_SIZE = 4
MAX_LENGTH = 640
NUM_PAIRS = 400
NUM_EVAL = 32
WARMUP_STEPS = 4
MIN_RATE_SHARE = 0.05
SEED = 5
RESULT = RESULTS / "rates.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()

    from transformers.utils import logging as transformers_logging

    from spokesmith.bases import load_base
    from spokesmith.data.generate import generate
    from spokesmith.data.prepare import prepare
    from spokesmith.tasks import load_task
    from spokesmith.training.config import TrainConfig

    transformers_logging.disable_progress_bar()
    base = load_base("smollm2-135m", device="cpu")
    prepared = prepare(
        generate(NUM_PAIRS, seed=SEED), load_task("memory"), base.chat, max_length=MAX_LENGTH
    )
    default = TrainConfig().learning_rate
    rows = []
    for placement, optimizer in RUNS:
        for factor in FACTORS:
            rate = default * factor
            loss = eval_loss(base, prepared, placement, optimizer, rate, arguments.steps)
            row = {"placement": placement, "optimizer": optimizer, "rate": rate}
            rows.append({**row, "eval_loss": round(loss, 4)})
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    result = {
        "machine": machine(),
        "steps": arguments.steps,
        "default_rate": default,
        "runs": rows,
    }
    report(result)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


def eval_loss(
    base: Any, prepared: Any, placement: str, optimizer: str, rate: float, steps: int
) -> float:
    """The loss on unseen pairs after a short run, with the schedule of real runs."""
    import torch
    from transformers import get_scheduler

    from spokesmith.spokes import attach, detach
    from spokesmith.training.config import TrainConfig
    from spokesmith.training.objective import Collator, Objective
    from spokesmith.training.optimizer import build_optimizer
    from spokesmith.training.run import create_spokes
    from spokesmith.training.sampler import LengthGroupedBatches

    examples, unseen = prepared.splits["train"][:-NUM_EVAL], prepared.splits["train"][-NUM_EVAL:]
    spokes, input_rms = create_spokes(base, TrainConfig(placement=placement, seed=SEED), prepared)
    attach(base.model, base.sites(), spokes)
    objective = Objective(base, spokes).train()
    optimiser = build_optimizer(spokes, kind=optimizer, rate=rate, input_rms=input_rms)
    schedule = get_scheduler(
        "cosine_with_min_lr",
        optimiser,
        num_warmup_steps=WARMUP_STEPS,
        num_training_steps=steps,
        scheduler_specific_kwargs={"min_lr_rate": MIN_RATE_SHARE},
    )
    collator = Collator(prefix=prepared.prefix, pad_id=base.chat.end_id, share_prefix=True)
    lengths = [len(example.tokens) for example in examples]
    order = list(LengthGroupedBatches(lengths, batch_size=BATCH_SIZE, seed=SEED))
    for step in range(steps):
        chosen = order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]
        batch = collator([examples[index] for index in chosen])
        batch.pop("num_tokens")
        objective(**batch)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(spokes.parameters(), TrainConfig().max_grad_norm)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
    total = 0.0
    with torch.no_grad():
        for start in range(0, NUM_EVAL, BATCH_SIZE):
            batch = collator(unseen[start : start + BATCH_SIZE])
            batch.pop("num_tokens")
            total += objective(**batch)["loss"].item() * BATCH_SIZE / NUM_EVAL
    detach(base.model)
    return total


def report(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Loss on unseen pairs after {result['steps']} steps")
    table.add_column("rate", justify="right")
    names = list(dict.fromkeys((row["placement"], row["optimizer"]) for row in result["runs"]))
    for placement, optimizer in names:
        table.add_column(f"{placement}, {optimizer}", justify="right")
    for rate in dict.fromkeys(row["rate"] for row in result["runs"]):
        losses = [f"{row['eval_loss']:.4f}" for row in result["runs"] if row["rate"] == rate]
        mark = " (default)" if rate == result["default_rate"] else ""
        table.add_row(f"{rate:g}{mark}", *losses)
    Console().print(table)


if __name__ == "__main__":
    main()
