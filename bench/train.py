"""Training speed and peak memory: a plain loop against spokesmith, on the same data.

The plain loop is what one writes first: every batch padded to the longest example allowed, the
logits of every position, each spoke as three small products of its own, AdamW. Both sides train
the same number of parameters beside the same frozen base in the same dtype on the same examples,
each in a process of its own, so that peak memory is its own. Prints both and writes
docs/results/train-speed.json.

    python bench/train.py [--steps 4] [--out FILE]
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BATCH_SIZE = 8
MAX_LENGTH = 1024
NUM_PAIRS = 400
SEED = 11
RESULT = Path(__file__).parents[1] / "docs" / "results" / "train-speed.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=4, help="timed steps of each side")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--side", choices=("plain", "spokesmith"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(measure(arguments.side, arguments.steps)))
        return
    sides = {}
    for side in ("plain", "spokesmith"):
        print(f"measuring {side} ...", file=sys.stderr)
        sides[side] = run_side(side, arguments.steps)
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "steps": arguments.steps,
        "batch_size": BATCH_SIZE,
        "max_length": MAX_LENGTH,
        **sides,
        "speed_ratio": sides["spokesmith"]["tokens_per_s"] / sides["plain"]["tokens_per_s"],
        "memory_ratio": sides["spokesmith"]["peak_gb"] / sides["plain"]["peak_gb"],
    }
    report(result)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


def run_side(side: str, steps: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--side", side, "--steps", str(steps)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(side: str, steps: int) -> dict[str, Any]:
    """Time steps of one side; one more step before them warms up."""
    import torch
    from transformers.utils import logging as transformers_logging

    from spokesmith.bases import load_base
    from spokesmith.data.generate import generate
    from spokesmith.data.prepare import prepare
    from spokesmith.tasks import load_task

    transformers_logging.disable_progress_bar()
    torch.manual_seed(SEED)
    base = load_base("smollm2-135m", device="cpu")
    prepared = prepare(
        generate(NUM_PAIRS, seed=SEED), load_task("memory"), base.chat, max_length=MAX_LENGTH
    )
    examples = prepared.splits["train"][: BATCH_SIZE * (steps + 1)]
    make_step = plain_step if side == "plain" else spokesmith_step
    step, num_parameters = make_step(base, prepared, examples)
    losses = [step(0)]
    start = time.monotonic()
    losses += [step(number) for number in range(1, steps + 1)]
    seconds = time.monotonic() - start
    tokens = sum(len(prepared.prefix) + len(example.tokens) for example in examples[BATCH_SIZE:])
    return {
        "parameters": num_parameters,
        "tokens": tokens,
        "seconds": round(seconds, 2),
        "tokens_per_s": round(tokens / seconds, 1),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "first_loss": round(losses[0], 4),
        "last_loss": round(losses[-1], 4),
    }


def plain_step(base: Any, prepared: Any, examples: list[Any]) -> Any:
    """The plain loop: padded to the maximum, all logits, one spoke after the other."""
    import numpy as np
    import torch
    from torch import nn

    from spokesmith.spokes import SpokesConfig, SpokeSet
    from spokesmith.training.loss import IGNORED

    class PlainSpoke(nn.Module):
        def __init__(self, width: int, rank: int) -> None:
            super().__init__()
            self.gate, self.down, self.up = (
                nn.Linear(*shape, bias=False)
                for shape in ((width, rank), (width, rank), (rank, width))
            )
            nn.init.zeros_(self.up.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            wide = x.float()
            return self.up(nn.functional.silu(self.gate(wide)) * self.down(wide)).to(x.dtype)

    shape: SpokesConfig = base.spokes_config()
    spokes = nn.ModuleList()
    biases = nn.ParameterList()
    for index, site in enumerate(base.sites()):
        layer = nn.ModuleList(
            PlainSpoke(shape.hidden_size, shape.rank) for _ in range(shape.num_spokes)
        )
        bias = nn.Parameter(torch.tensor(shape.initial_gate_bias(index)))
        spokes.append(layer)
        biases.append(bias)

        def add(
            _module: Any, inputs: Any, output: Any, layer: Any = layer, bias: Any = bias
        ) -> Any:
            for spoke in layer:
                output = output + torch.sigmoid(bias) / shape.num_spokes * spoke(inputs[0])
            return output

        site.ffn.register_forward_hook(add)
    parameters = [*spokes.parameters(), *biases.parameters()]
    assert sum(one.numel() for one in parameters) == SpokeSet(shape).num_parameters()
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    base.model.train()

    def step(number: int) -> float:
        rows = examples[number * BATCH_SIZE : (number + 1) * BATCH_SIZE]
        input_ids = np.full((len(rows), MAX_LENGTH), base.chat.end_id, dtype=np.int64)
        labels = np.full((len(rows), MAX_LENGTH), IGNORED, dtype=np.int64)
        mask = np.zeros((len(rows), MAX_LENGTH), dtype=np.int64)
        for index, example in enumerate(rows):
            row = np.concatenate([prepared.prefix, example.tokens])
            answer = len(prepared.prefix) + example.answer_start
            input_ids[index, : len(row)] = row
            labels[index, answer : len(row)] = row[answer:]
            mask[index, : len(row)] = 1
        loss = base.model(
            input_ids=torch.from_numpy(input_ids),
            attention_mask=torch.from_numpy(mask),
            labels=torch.from_numpy(labels),
        ).loss
        return optimise(loss, optimizer)

    return step, sum(one.numel() for one in parameters)


def spokesmith_step(base: Any, prepared: Any, examples: list[Any]) -> Any:
    """The project's own parts, as its trainer uses them."""
    from spokesmith.spokes import attach
    from spokesmith.training.config import TrainConfig
    from spokesmith.training.objective import Collator, Objective
    from spokesmith.training.optimizer import build_optimizer
    from spokesmith.training.run import create_spokes

    config = TrainConfig()
    spokes, input_rms = create_spokes(base, config, prepared)
    attach(base.model, base.sites(), spokes)
    objective = Objective(base, spokes).train()
    optimizer = build_optimizer(
        spokes, kind=config.optimizer, rate=config.learning_rate / 4, input_rms=input_rms
    )
    collator = Collator(prefix=prepared.prefix, pad_id=base.chat.end_id, share_prefix=True)
    # The trainer groups examples by length; so does this.
    ordered = sorted_in_batches(examples)

    def step(number: int) -> float:
        batch = collator(ordered[number * BATCH_SIZE : (number + 1) * BATCH_SIZE])
        batch.pop("num_tokens")
        return optimise(objective(**batch)["loss"], optimizer)

    return step, spokes.num_parameters()


def sorted_in_batches(examples: Iterable[Any]) -> list[Any]:
    """All but the first batch, which warms up and stays, in order of length."""
    given = list(examples)
    return given[:BATCH_SIZE] + sorted(given[BATCH_SIZE:], key=lambda one: len(one.tokens))


def optimise(loss: Any, optimizer: Any) -> float:
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def report(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Training on {result['machine']}, {result['steps']} steps of 8 examples")
    for column in ("", "tokens/s", "peak memory", "first loss", "last loss"):
        table.add_column(column, justify="left" if not column else "right")
    for side in ("plain", "spokesmith"):
        row = result[side]
        table.add_row(
            side,
            f"{row['tokens_per_s']:.0f}",
            f"{row['peak_gb']:.2f} GB",
            f"{row['first_loss']:.3f}",
            f"{row['last_loss']:.3f}",
        )
    console = Console()
    console.print(table)
    console.print(
        f"spokesmith is {result['speed_ratio']:.2f} times as fast "
        f"with {result['memory_ratio']:.2f} of the memory"
    )


if __name__ == "__main__":
    main()
