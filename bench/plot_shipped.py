"""Draws docs/shipped-set.png from the committed logs of the shipped set's runs, one after another.

python bench/plot_shipped.py
"""

import csv
from pathlib import Path

from spokesmith.report import loss_curve

DOCS = Path(__file__).parents[1] / "docs"
LOGS = ("shipped-log.csv", "shipped-log-2.csv", "shipped-log-3.csv")


def main() -> None:
    rows: list[dict[str, float]] = []
    for name in LOGS:
        before = int(rows[-1]["step"]) if rows else 0
        with (DOCS / "results" / name).open(encoding="utf-8") as file:
            rows += [
                {
                    "step": before + int(row["step"]),
                    **{key: float(row[key]) for key in ("loss", "eval_loss") if row[key]},
                }
                for row in csv.DictReader(file)
            ]
    loss_curve(rows, DOCS / "shipped-set.png", title="memory-smollm2-135m: three runs on one H200")


if __name__ == "__main__":
    main()
