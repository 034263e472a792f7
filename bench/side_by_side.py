"""Sides against each other, each in a process of its own, one after the other on one machine.

What bench/decode.py and bench/serve.py share: their arguments, the measuring, the ratios, the table
and the file. A side is a function of the number of probes and of the encodings at once. A machine
that others share is not equally fast all the time: with --rounds every side has several turns, and
its middle one counts.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from decode_sides import Side
from figures import RESULTS, machine

from spokesmith.tasks.files import write_text

VllmSide = Callable[[str, Path, int, list[int]], dict[int, Any]]
HEADINGS = ("side", "at once", "enc./min", "tokens/s", "forwards/token", "first token s", "peak GB")
FIGURES = ("encodings_per_min", "tokens_per_s", "forwards_per_token", "first_token_s", "peak_gb")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A benchmark.

    Attributes:
        script: the file that is run for each side.
        about: that file's docstring, whose first line says what it measures.
        sides: measured by this Python.
        against: by side, the short name of a ratio to it.
        result: the file in docs/results for the figures.
        vllm_sides: measured on a server of a Python that has vLLM.
    """

    script: str
    about: str
    sides: Mapping[str, Side]
    against: Mapping[str, str]
    result: str
    vllm_sides: Mapping[str, VllmSide] = field(default_factory=dict)


def run(comparison: Comparison) -> None:
    """Measure what the command line asks for; print a table and write the figures."""
    arguments = _arguments(comparison)
    at_once = [int(number) for number in arguments.at_once.split(",")]
    if arguments.side:
        side, _, number = arguments.side.rpartition(":")
        print(json.dumps(comparison.sides[side](arguments.first, int(number))))
        return
    result: dict[str, Any] = {
        "machine": machine(),
        "processor": _processor(),
        "probes": arguments.first,
        "rows": [],
    }
    turns: defaultdict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for turn in range(arguments.rounds):
        for side in arguments.sides.split(","):
            if turn and side in arguments.once.split(","):
                continue
            for number, measured in _measure(comparison, side, at_once, arguments).items():
                turns[side, number].append(measured)
            # What is measured is kept where a later side fails or takes too long.
            result["rows"] = [_row(*key, measured) for key, measured in turns.items()]
            _add_ratios(result["rows"], comparison.against)
            write_text(arguments.out, json.dumps(result, indent=1) + "\n")
    _show(result["rows"], comparison.against)


def _arguments(comparison: Comparison) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=comparison.about.splitlines()[0])
    parser.add_argument("--first", type=int, default=25, help="so many of the gold probes")
    parser.add_argument("--at-once", default="1,4,8", help="how many encodings at once")
    parser.add_argument("--sides", default=",".join([*comparison.sides, *comparison.vllm_sides]))
    parser.add_argument("--rounds", type=int, default=1, help="turns of each side")
    parser.add_argument("--once", default="", help="sides that have one turn")
    parser.add_argument("--vllm", help="a Python that has vLLM")
    parser.add_argument("--out", type=Path, default=RESULTS / comparison.result)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    known = [*comparison.sides, *comparison.vllm_sides]
    for option in ("sides", "once"):
        for side in filter(None, getattr(arguments, option).split(",")):
            if side not in known:
                parser.error(f"--{option} {side}: no such side, use of {', '.join(known)}")
    return arguments


def _measure(
    comparison: Comparison, side: str, at_once: list[int], arguments: argparse.Namespace
) -> dict[int, Any]:
    """What one side does with each number at once."""
    if side in comparison.vllm_sides:
        if arguments.vllm is None:
            return {}
        with tempfile.TemporaryDirectory() as folder:
            print(f"{side}: starting", file=sys.stderr)
            return comparison.vllm_sides[side](
                arguments.vllm, Path(folder), arguments.first, at_once
            )
    return {n: _in_a_process(comparison, side, n, arguments.first) for n in at_once}


def _in_a_process(comparison: Comparison, side: str, number: int, first: int) -> dict[str, Any]:
    """One measurement, with a memory of its own."""
    print(f"{side}, {number} at once", file=sys.stderr)
    command = [sys.executable, comparison.script, "--side", f"{side}:{number}"]
    done = subprocess.run(
        [*command, "--first", str(first)], check=True, stdout=subprocess.PIPE, text=True
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    print("  ", measured, file=sys.stderr)
    return measured


def _row(side: str, at_once: int, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """A side's middle turn, and how fast each was; of two turns the slower one counts."""
    speeds = [turn["encodings_per_min"] for turn in turns]
    middle = turns[speeds.index(statistics.median_low(speeds))]
    return {"side": side, "at_once": at_once, **middle, "turns_per_min": speeds}


def _add_ratios(rows: list[dict[str, Any]], against: Mapping[str, str]) -> None:
    """Encodings a minute against other sides: one by one there, and as many at once."""
    speeds = {(row["side"], row["at_once"]): row["encodings_per_min"] for row in rows}
    for row in rows:
        for side, name in against.items():
            for number, heading in ((1, f"x {name} 1"), (row["at_once"], f"x {name} n")):
                other = speeds.get((side, number))
                ratio = None if other is None else round(row["encodings_per_min"] / other, 2)
                row[heading] = ratio


def _processor() -> str:
    """The processor's name and what it has for bfloat16."""
    flags = Path("/proc/cpuinfo")
    if not flags.exists():
        return platform.processor()
    words = flags.read_text(encoding="utf-8")
    name = next((line.split(":")[1].strip() for line in words.splitlines() if "name" in line), "")
    return name + "".join(f", {flag}" for flag in ("avx512_bf16", "amx_bf16") if flag in words)


def _show(rows: list[dict[str, Any]], against: Mapping[str, str]) -> None:
    """The table."""
    from rich.console import Console
    from rich.table import Table

    ratios = [f"x {name} {number}" for name in against.values() for number in "1n"]
    table = Table()
    for heading in (*HEADINGS, *ratios):
        table.add_column(heading, justify="left" if heading == "side" else "right")
    for row in rows:
        cells = [row[name] for name in (*FIGURES, *ratios)]
        shown = ["–" if cell is None else f"{cell:.3g}" for cell in cells]
        table.add_row(row["side"], str(row["at_once"]), *shown)
    Console(width=150).print(table)
