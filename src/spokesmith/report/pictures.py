"""Pictures of a run. Knows log lines and verdicts, not how they came about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

SMOOTHING = 0.85


def loss_curve(rows: Sequence[dict[str, Any]], path: Path, *, title: str = "Training") -> None:
    """Draw the losses of a run's log; the picture is a PNG unless its name ends otherwise.

    Args:
        rows: log lines with `step` and `loss` or `eval_loss` (nats a token).
        path: of the picture.
        title: above it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [row["step"] for row in rows if "loss" in row]
    losses = [row["loss"] for row in rows if "loss" in row]
    if not losses:
        raise ValueError("the log has no loss yet: train for a step first")
    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(steps, losses, color="#9ab7d3", linewidth=1, label="each step")
    axes.plot(steps, _smooth(losses), color="#1f4e79", linewidth=2, label="smoothed")
    evals = [(row["step"], row["eval_loss"]) for row in rows if "eval_loss" in row]
    if evals:
        axes.plot(*zip(*evals, strict=True), "o-", color="#c8553d", label="unseen texts")
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats a token)")
    axes.set_title(title)
    axes.grid(which="both", alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(path, format=_format_of(path))


def layer_heat_maps(rows: Sequence[dict[str, Any]], path: Path, *, title: str) -> None:
    """Draw one line of a heat map for each column of a table by layer; the picture is a PNG unless
    its name ends otherwise.

    Args:
        rows: one for each layer, with `layer` and columns of numbers; each column has a colour
            scale of its own, logarithmic where its numbers span more than a factor of 30.
        path: of the picture; its folder is made.
        title: above it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = [name for name in rows[0] if name != "layer"]
    figure = Figure(figsize=(max(6, 0.3 * len(rows) + 4), 0.55 * len(columns) + 1.4), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(columns), 1, sharex=True, squeeze=False)[:, 0]
    axes[0].set_title(title)
    for one, name in zip(axes, columns, strict=True):
        values = [abs(row[name]) for row in rows]
        least, most = min(values), max(values)
        is_wide = least > 0 and most > 30 * least
        one.imshow([values], aspect="auto", cmap="viridis", norm="log" if is_wide else "linear")
        one.set_yticks([0], [name.replace("_", " ")])
        one.text(1.01, 0.5, f"{least:.1e} to {most:.1e}", transform=one.transAxes, va="center")
    every = max(1, len(rows) // 12)
    places = range(0, len(rows), every)
    axes[-1].set_xticks(places, [str(rows[place]["layer"]) for place in places])
    axes[-1].set_xlabel("layer")
    figure.subplots_adjust(hspace=0.35)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format=_format_of(path), bbox_inches="tight")


def _format_of(path: Path) -> str:
    """To a name without an ending matplotlib would add one, and so write another file."""
    return path.suffix.removeprefix(".") or "png"


def _smooth(values: Sequence[float]) -> list[float]:
    """Exponential average without the bias of its start."""
    average, weight, smoothed = 0.0, 0.0, []
    for value in values:
        average = SMOOTHING * average + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        smoothed.append(average / weight)
    return smoothed
