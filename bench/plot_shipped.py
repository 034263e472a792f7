"""Draws docs/shipped-set.png from the committed log of the shipped set's run.

python bench/plot_shipped.py
"""

import csv
from pathlib import Path

from spokesmith.report import loss_curve

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    with (DOCS / "results" / "shipped-log.csv").open(encoding="utf-8") as file:
        rows = [
            {
                "step": int(row["step"]),
                **{k: float(row[k]) for k in ("loss", "eval_loss") if row[k]},
            }
            for row in csv.DictReader(file)
        ]
    loss_curve(
        rows, DOCS / "shipped-set.png", title="memory-smollm2-135m: training on two CPU cores"
    )


if __name__ == "__main__":
    main()
