"""Draws docs/shipped-set.png from the committed log of the shipped set's run.

python bench/plot_shipped.py
"""

import csv
from pathlib import Path

from spokesmith.report import loss_curve

DOCS = Path(__file__).parents[1] / "docs"
LOG = DOCS / "results" / "shipped-log.csv"


def main() -> None:
    with LOG.open(encoding="utf-8") as file:
        rows = [
            {key: float(row[key]) for key in ("step", "loss", "eval_loss") if row[key]}
            for row in csv.DictReader(file)
        ]
    loss_curve(rows, DOCS / "shipped-set.png", title="memory-smollm2-135m: one run on one H200")


if __name__ == "__main__":
    main()
