"""How fast are encodings decoded? The gold probes and the shipped set, side against side.

Each side runs in a process of its own, one after the other on the same machine: transformers'
`generate()` free and under a grammar, this engine as it is and with each part switched off, and, if
an environment with vLLM is given, vLLM with structured output with and without its n-gram
speculation, on the same weights folded. Prints one table, writes docs/results/decode-speed.json.

    python bench/decode.py [--first N] [--vllm PYTHON] [--sides NAME,...] [--at-once 1,4,8]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from decode_sides import SIDES, VLLM_SIDES, spokes_share

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "docs" / "results" / "decode-speed.json"
AGAINST = "generate grammar"
SHARE = "share of the spokes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=25, help="so many of the gold probes")
    parser.add_argument("--at-once", default="1,4,8", help="how many encodings at once")
    parser.add_argument("--sides", default=",".join([*SIDES, *VLLM_SIDES]))
    parser.add_argument("--vllm", help="a Python that has vLLM")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    at_once = [int(number) for number in arguments.at_once.split(",")]
    if arguments.side:
        side, _, number = arguments.side.rpartition(":")
        is_share = side == SHARE
        measured = spokes_share() if is_share else SIDES[side](arguments.first, int(number))
        print(json.dumps(measured))
        return
    rows = [
        {"side": side, "at_once": number, **measured}
        for side in arguments.sides.split(",")
        for number, measured in measure(side, at_once, arguments).items()
    ]
    add_ratios(rows)
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "processor": processor(),
        "probes": arguments.first,
        "spokes": in_a_process(SHARE, 1, 0),
        "rows": rows,
    }
    partial = arguments.out.with_name(arguments.out.name + ".partial")
    partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    partial.replace(arguments.out)
    show(rows)
    print("spokes:", result["spokes"])


def measure(side: str, at_once: list[int], arguments: argparse.Namespace) -> dict[int, Any]:
    """What one side does with each number at once."""
    if side in VLLM_SIDES:
        if arguments.vllm is None:
            return {}
        with tempfile.TemporaryDirectory() as folder:
            print(f"{side}: starting", file=sys.stderr)
            return VLLM_SIDES[side](arguments.vllm, Path(folder), arguments.first, at_once)
    found = {}
    for number in at_once:
        found[number] = in_a_process(side, number, arguments.first)
    return found


def in_a_process(side: str, number: int, first: int) -> dict[str, Any]:
    """One measurement, with a memory of its own."""
    print(f"{side}, {number} at once", file=sys.stderr)
    command = [sys.executable, __file__, "--side", f"{side}:{number}", "--first", str(first)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    print("  ", measured, file=sys.stderr)
    return measured


def add_ratios(rows: list[dict[str, Any]]) -> None:
    """Encodings a minute, against `generate()` under a grammar: one by one, and as many at once."""
    against = {row["at_once"]: row for row in rows if row["side"] == AGAINST}
    for row in rows:
        mine = row["encodings_per_min"]
        for name, other in (
            ("times_one_by_one", against.get(1)),
            ("times_same_batch", against.get(row["at_once"])),
        ):
            row[name] = None if other is None else round(mine / other["encodings_per_min"], 2)


def processor() -> str:
    """The processor's name and what it has for bfloat16."""
    flags = Path("/proc/cpuinfo")
    if not flags.exists():
        return platform.processor()
    words = flags.read_text(encoding="utf-8")
    name = next((line.split(":")[1].strip() for line in words.splitlines() if "name" in line), "")
    return name + "".join(f", {flag}" for flag in ("avx512_bf16", "amx_bf16") if flag in words)


def show(rows: list[dict[str, Any]]) -> None:
    """The table."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for heading in (
        "side",
        "at once",
        "enc./min",
        "tokens/s",
        "forwards/token",
        "first token s",
        "peak GB",
        "x grammar 1",
        "x grammar n",
    ):
        table.add_column(heading, justify="left" if heading == "side" else "right")
    names = ("encodings_per_min", "tokens_per_s", "forwards_per_token", "first_token_s", "peak_gb")
    for row in rows:
        ratios = (row["times_one_by_one"], row["times_same_batch"])
        cells = [row[name] for name in names]
        shown = ["–" if cell is None else f"{cell:.3g}" for cell in (*cells, *ratios)]
        table.add_row(row["side"], str(row["at_once"]), *shown)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
