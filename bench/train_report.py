"""What measurements of training come to: ratios, the lines to reach, and the printed tables."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

OURS = ("spokesmith", "spokesmith-every")
WORDS = {
    "plain": "plain Trainer",
    "lora": "LoRA (PEFT)",
    "spokesmith-every": "spokesmith, recomputing",
    "spokesmith": "spokesmith",
}
MIN_SPEED, MAX_MEMORY, MAX_SPOKES_SHARE, MIN_UTILISATION = 1.5, 0.60, 0.05, 0.45
UTILISATION_LENGTH = 2048
# What the table shows of each side: words, entry, form.
ROWS = (
    ("parameters", "parameters", "{:,}"),
    ("tokens/s", "tokens_per_s", "{:,.0f}"),
    ("FLOP utilisation", "utilisation", "{:.1%}"),
    ("peak memory", "peak_gb", "{:.2f} GB"),
    ("  beyond the base", "peak_beyond_base_gb", "{:.2f} GB"),
    ("speed to plain", "speed_to_plain", "{:.2f}"),
    ("speed to LoRA", "speed_to_lora", "{:.2f}"),
    ("memory to plain", "memory_to_plain", "{:.2f}"),
    ("memory to LoRA", "memory_to_lora", "{:.2f}"),
    ("  beyond the base, to plain", "beyond_base_to_plain", "{:.2f}"),
    ("optimiser's share of a step", "optimizer_share", "{:.1%}"),
)
NOT_MEASURED = "not measured"

FILE_WIDTH = 110


def add_ratios(result: dict[str, Any], sides: Sequence[str]) -> None:
    """Adds to each of our sides its ratios to the others, and utilisation where a rate is known."""
    measured = {side: result[side] for side in sides if "failed" not in result[side]}
    rate = result.get("matrix_tflop_per_s")
    for row in measured.values():
        if rate:
            row["utilisation"] = round(row["model_tflop"] / row["seconds"] / rate, 4)
        for other in ("plain", "lora"):
            if other in measured:
                than = measured[other]
                row[f"speed_to_{other}"] = round(row["tokens_per_s"] / than["tokens_per_s"], 3)
                row[f"memory_to_{other}"] = round(row["peak_gb"] / than["peak_gb"], 3)
                beyond = row["peak_beyond_base_gb"] / than["peak_beyond_base_gb"]
                row[f"beyond_base_to_{other}"] = round(beyond, 3)
    if "spokesmith" in measured and "plain" in measured:
        result["speed_ratio"] = measured["spokesmith"]["speed_to_plain"]
        result["memory_ratio"] = measured["spokesmith"]["memory_to_plain"]


def judge(result: dict[str, Any]) -> list[dict[str, str]]:
    """Each line that is to be reached: what was found for each of our sides, and the verdict.

    A line counts as reached for a side by itself; lines that two sides reach between them are not
    one side that reaches both.
    """
    reach = [_judge_spokes_share(result)]
    lines = (
        (f"at least {MIN_SPEED} times as fast as plain", "speed_to_plain", MIN_SPEED, 1),
        ("faster than LoRA", "speed_to_lora", 1.0, 1),
        (f"at most {MAX_MEMORY:.0%} of plain's peak memory", "memory_to_plain", MAX_MEMORY, -1),
    )
    for side in OURS:
        row = result[side]
        for words, key, limit, sign in lines:
            found = row.get(key)
            verdict = NOT_MEASURED if found is None else _verdict(sign * (found - limit) >= 0)
            value = "failed" if found is None else f"{found:.2f}"
            reach.append({"side": side, "line": words, "found": value, "verdict": verdict})
        reach.append(_judge_utilisation(result, side))
    return reach


def _judge_spokes_share(result: dict[str, Any]) -> dict[str, str]:
    share = result["spokes_share"]
    line = f"spokes at most {MAX_SPOKES_SHARE:.0%} of forward and backward"
    if "failed" in share:
        return {"side": "spokesmith", "line": line, "found": "failed", "verdict": NOT_MEASURED}
    found = share["share"]
    return {
        "side": share["side"],
        "line": line,
        "found": f"{found:.1%}",
        "verdict": _verdict(found <= MAX_SPOKES_SHARE),
    }


def _judge_utilisation(result: dict[str, Any], side: str) -> dict[str, str]:
    """The line is for the full size on a GPU at one length; elsewhere it says nothing."""
    found = result[side].get("utilisation")
    line = f"utilisation at least {MIN_UTILISATION:.0%} on a GPU at length {UTILISATION_LENGTH:,}"
    value = "failed" if found is None else f"{found:.1%}"
    meant = (
        result["device"] == "cuda"
        and result["length"] == UTILISATION_LENGTH
        and result["joins"]
        and result["shrink"] == 1
    )
    if found is None or not meant:
        verdict = NOT_MEASURED
        if result["device"] != "cuda":
            value += " on a CPU"
            verdict += ": no GPU"
    else:
        verdict = _verdict(found >= MIN_UTILISATION)
    return {"side": side, "line": line, "found": value, "verdict": verdict}


def _verdict(reached: bool) -> str:
    return "reached" if reached else "missed"


def report_gemma4(result: dict[str, Any]) -> None:
    """Print the sides, what a step is made of, and the lines to reach."""
    table = Table(title=_title(result))
    table.add_column()
    sides = [side for side in WORDS if side in result]
    for side in sides:
        table.add_column(WORDS[side], justify="right")
    for words, key, form in ROWS:
        table.add_row(words, *(_cell(result[side], key, form) for side in sides))
    share = result["spokes_share"]
    console = Console(highlight=False)
    console.print(result["model"])
    console.print(table)
    console.print(f"matrix product: {result['matrix_tflop_per_s']:.3g} TFLOP/s")
    if "failed" not in share:
        console.print(
            f"forward and backward of all steps: {share['seconds_with']:.1f} s, without the "
            f"spokes {share['seconds_without']:.1f} s"
        )
    for row in result["reach"]:
        words = f"{WORDS[row['side']]}: {row['line']}: {row['found']}"
        console.print(f"{row['verdict'].upper():<20} {words}", soft_wrap=True)


def _cell(row: dict[str, Any], key: str, form: str) -> str:
    if "failed" in row:
        return row["failed"]
    return form.format(row[key]) if key in row else "-"


def report_smollm2(result: dict[str, Any]) -> None:
    """Print the plain loop against ours."""
    table = Table(title=_title(result))
    for column in ("", "tokens/s", "peak memory", "first loss", "last loss"):
        table.add_column(column, justify="right" if column else "left")
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
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)
    console.print(
        f"spokesmith is {result['speed_ratio']:.2f} times as fast "
        f"with {result['memory_ratio']:.2f} of the memory"
    )


def _title(result: dict[str, Any]) -> str:
    steps = f"{result['steps']} steps of {result['batch_size']} examples"
    return f"Training on {result['machine']}, {steps}"
