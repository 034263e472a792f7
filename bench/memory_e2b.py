"""What training Gemma 4 E2B takes by the memory estimate, without its weights and without a GPU.

Prints a table, writes docs/results/memory-gemma4-e2b.json and the table in docs/large-bases.md. The
architecture is of full size; kernels of the CPU stand in for those of a card. Minutes.

    python bench/memory_e2b.py
"""

import json
from typing import Any

import torch
from figures import RESULTS, ROOT, between_marks, markdown_table
from train_base import gemma4_config

from spokesmith.bases.families import family_of
from spokesmith.bases.loading import BaseSource
from spokesmith.testing import byte_tokenizer
from spokesmith.training.config import make_config
from spokesmith.training.dry_run import TrainingSetup
from spokesmith.training.memory import estimate_memory, largest_length

RESULT = RESULTS / "memory-gemma4-e2b.json"
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
    before = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(between_marks(before, START, END, table), encoding="utf-8")


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
    sizes = {
        "on the card": "total_gb",
        "weights": "weight_gb",
        "activations": "activation_gb",
        "passing": "transient_gb",
        "on the host": "host_gb",
    }
    lines = []
    for row in rows:
        base = "bf16" if row["quantize"] == "none" else row["quantize"]
        cells = (f"{row[size]:.2f} GB" for size in sizes.values())
        lines.append([str(row["batch_size"]), f"{row['length']:,}", base, *cells])
    table = markdown_table(["rows", "tokens", "base", *sizes], lines)
    words = ", ".join(f"{length:,} tokens on {card}" for card, length in longest.items())
    return f"{table}\n\nThe longest single example that fits: {words}."


if __name__ == "__main__":
    main()
