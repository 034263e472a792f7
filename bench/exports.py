"""Does a set still do its task as an ordinary file? Exports and four bits against the unfolded set.

Files of `spokesmith export gguf` are probed through `--engine llama.cpp`, the folder of `export hf`
and the set beside a base in NF4 through our own engine. What the unfolded set does is read from
docs/results/SET-free.json and SET-constrained.json, and compared probe by probe. Answers and speeds
are kept in --work, so that a run that was stopped goes on. Writes docs/results/exports.json, which
holds no text.

    python bench/exports.py [--texts FILE] [--variants own,q8_0] [--sets gold,twins] --work DIR
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from results import OWN_SETS, RESULTS, SCORED, TEXTS, TIME_LIMIT_S, probe
from serve_sides import SPOKES, base_file, decode_speed, stock_server

from spokesmith.metrics.statistics import bootstrap_interval
from spokesmith.tasks.files import read_text, write_text

RESULT = RESULTS / "exports.json"
SPEED_REPEATS = 5
# By name: what it is in the table.
VARIANTS = {
    "folded": "folded, bfloat16",
    "nf4": "beside an NF4 base",
    "own": "GGUF, Q4_1 as the base",
    "q8_0": "GGUF, grown tensors in Q8_0",
    "f16": "GGUF, grown tensors in F16",
}
# By the measure's name: how a probe's entry in a report gives it; None where it says nothing.
MEASURES = {
    "SC": lambda entry: float(entry["valid"]),
    "P": lambda entry: float(entry["passes"]),
    "HFR": lambda entry: entry["judgement"]["fabrication"],
    "TFR": lambda entry: entry["judgement"]["recall"],
}


def main() -> int:
    arguments = _arguments()
    sets = [*OWN_SETS, *([TEXTS] if arguments.texts else [])]
    if arguments.sets:
        sets = arguments.sets.split(",")
    arguments.work.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for variant in arguments.variants.split(","):
        reports = {
            (name, decoding): arguments.work / variant / f"{name}-{decoding}.json"
            for name in sets
            for decoding in arguments.decodings.split(",")
        }
        if arguments.done:
            reports = {asked: report for asked, report in reports.items() if report.is_file()}
        if not reports:
            continue
        file = export(variant, arguments.work)
        size_mb = None if file is None else round(size_of(file) / 1e6, 1)
        speed = kept_speed(file, arguments.work / variant / "speed.json")
        for (name, decoding), out in reports.items():
            report = probed(out, engine_options(variant, file), name, decoding, arguments)
            reference = json.loads(read_text(RESULTS / out.name))
            row = {"export": VARIANTS[variant], "file_mb": size_mb, "set": name}
            row |= {"decoding": decoding, "tokens_per_s": speed, **against(report, reference)}
            rows.append(row)
            print(json.dumps(row), flush=True)
            write_text(arguments.out, json.dumps({"rows": rows}, indent=1) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--texts", type=Path, help="JSONL of real texts; their eval split is asked")
    parser.add_argument("--first-texts", type=int, default=300, help="so many of them")
    parser.add_argument("--variants", default=",".join(VARIANTS), help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--sets", help="only these, with commas")
    parser.add_argument("--decodings", default="free,constrained")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--work", type=Path, required=True, help="for files and answers")
    parser.add_argument("--done", action="store_true", help="write what is probed already, no more")
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args()


def export(variant: str, work: Path) -> Path | None:
    """The file or folder of a variant, written unless it is there; None where there is none."""
    if variant == "nf4":
        return None
    command = [sys.executable, "-m", "spokesmith", "export"]
    if variant == "folded":
        out = work / "folded-hf"
        options = ["hf", "--spokes", SPOKES, "--out", str(out)]
    else:
        out = work / f"{variant}.gguf"
        options = ["gguf", "--spokes", SPOKES, "--out", str(out), "--touched", variant]
        options += ["--base-gguf", str(base_file())]
    if not out.exists():
        subprocess.run([*command, *options], check=True)
    return out


def size_of(path: Path) -> int:
    """Bytes of a file, or of the weights in a folder."""
    files = [path] if path.is_file() else path.glob("*.safetensors")
    return sum(file.stat().st_size for file in files)


def kept_speed(path: Path | None, kept: Path) -> float | None:
    """Tokens a second of one free stream on llama.cpp, measured once; None where it runs none."""
    if path is None or path.is_dir():
        return None
    if not kept.is_file():
        with stock_server(path, 1) as address:
            median = statistics.median(decode_speed(address) for _ in range(SPEED_REPEATS))
        write_text(kept, json.dumps(round(median, 1)))
    return json.loads(read_text(kept))


def engine_options(variant: str, file: Path | None) -> list[str]:
    """How `probe` runs a variant."""
    if variant == "nf4":
        return ["--quantize=nf4"]
    if variant == "folded":
        return [f"--base={file}", "--spokes=none"]
    return ["--engine=llama.cpp", f"--model={file}"]


def probed(
    report: Path, engine: list[str], name: str, decoding: str, arguments: argparse.Namespace
) -> dict[str, Any]:
    """The report of one variant on one set."""
    if not report.is_file():
        report.parent.mkdir(exist_ok=True)
        how = [*engine, f"--concurrency={arguments.concurrency}"]
        how += [f"--time-limit={TIME_LIMIT_S}", "--resume", "--force"]
        if name == TEXTS:
            how.append(f"--first={arguments.first_texts}")
        status = probe(name, decoding, report.parent, how, arguments.texts)
        if status not in SCORED:
            raise SystemExit(status)
    return json.loads(read_text(report))


def against(report: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    """Each measure over the probes of both: here, unfolded, and the interval of the difference."""
    unfolded = {entry["id"]: entry for entry in reference["probes"]}
    found: dict[str, Any] = {}
    for name, value_of in MEASURES.items():
        pairs = [
            (value_of(entry), value_of(unfolded[entry["id"]]))
            for entry in report["probes"]
            if entry["id"] in unfolded
        ]
        both = [(own, other) for own, other in pairs if own is not None and other is not None]
        differences = [own - other for own, other in both]
        interval = bootstrap_interval(differences)
        found[name] = {
            "here": round(sum(own for own, _ in both) / len(both), 4),
            "unfolded": round(sum(other for _, other in both) / len(both), 4),
            "difference_95": None if interval is None else [round(end, 4) for end in interval],
            "n": len(both),
        }
    return found


if __name__ == "__main__":
    sys.exit(main())
