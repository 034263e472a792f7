"""What training Gemma 4 E2B takes by the memory estimate, without its weights and without a GPU.

Prints a table, writes docs/results/memory-gemma4-e2b.json and the table in docs/large-bases.md. The
architecture is of full size; kernels of the CPU stand in for those of a card. Minutes.

    python bench/memory_e2b.py
"""

import json
from pathlib import Path
from typing import Any

import torch
from train_base import gemma4_config

from spokesmith.bases.families import family_of
from spokesmith.bases.loading import BaseSource
from spokesmith.testing import byte_tokenizer
from spokesmith.training.config import make_config
from spokesmith.training.dry_run import TrainingSetup
from spokesmith.training.memory import estimate_memory, largest_length

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "docs" / "results" / "memory-gemma4-e2b.json"
DOCUMENT = ROOT / "docs" / "large-bases.md"
START, END = "<!-- estimate: start -->", "<!-- estimate: end -->"
GB = 1e9
CARDS_GB = (16, 80)
# Examples of a micro-batch, their length, and how the base is loaded.
SETTINGS = ((1, 2048, "none"), (4, 2048, "none"), (4, 2048, "nf4"), (1, 8192, "none"))


def main() -> None:
    config = gemma4_config(shrink=1)
    source = BaseSource(
        name="gemma-4-E2B",
        location="",
        config=config,
        whole_config=config,
        family=family_of(config.model_type),
        tokenizer=byte_tokenizer(),
    )
    rows = [estimate(source, *setting) for setting in SETTINGS]
    longest = {
        f"{card} GB": largest_length(make_setup(source, 1, 2048, "none"), int(card * GB))
        for card in CARDS_GB
    }
    RESULT.write_text(json.dumps({"rows": rows, "longest": longest}, indent=2) + "\n")
    table = render(rows, longest)
    print(table)
    head, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(START)
    _, _, tail = rest.partition(END)
    DOCUMENT.write_text(f"{head}{START}\n{table}\n{END}{tail}", encoding="utf-8")


def make_setup(source: BaseSource, batch_size: int, length: int, quantize: str) -> TrainingSetup:
    """A run of the default choices with every layer checkpointed and the table on the host."""
    return TrainingSetup(
        source=source,
        config=make_config({"batch_size": batch_size, "max_length": length}),
        dtype=torch.bfloat16,
        device=torch.device("cuda"),
        quantize=quantize,
        ple="cpu",
        checkpointing="every",
    )


def estimate(source: BaseSource, batch_size: int, length: int, quantize: str) -> dict[str, Any]:
    found = estimate_memory(make_setup(source, batch_size, length, quantize))
    return {
        "batch_size": batch_size,
        "length": length,
        "quantize": quantize,
        "total_gb": round(found.total_bytes / GB, 2),
        "weight_gb": round(found.weight_bytes / GB, 2),
        "activation_gb": round(found.activation_bytes / GB, 2),
        "transient_gb": round(found.transient_bytes / GB, 2),
        "host_gb": round(found.host_bytes / GB, 2),
    }


def render(rows: list[dict[str, Any]], longest: dict[str, int]) -> str:
    """The figures as Markdown."""
    lines = [
        "| rows | tokens | base | on the card | weights | activations | passing | on the host |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        base = "bf16" if row["quantize"] == "none" else row["quantize"]
        sizes = ("total_gb", "weight_gb", "activation_gb", "transient_gb", "host_gb")
        cells = " | ".join(f"{row[size]:.2f} GB" for size in sizes)
        lines.append(f"| {row['batch_size']} | {row['length']:,} | {base} | {cells} |")
    words = ", ".join(f"{length:,} tokens on {card}" for card, length in longest.items())
    return "\n".join(lines) + f"\n\nThe longest single example that fits: {words}."


if __name__ == "__main__":
    main()
