"""Does a set still do its task as an ordinary file? Exports on llama.cpp against the unfolded set.

Every variant is written by `spokesmith export gguf` and probed through `--engine llama.cpp`; what
the unfolded set does is read from docs/results/SET-free.json and SET-constrained.json, and compared
probe by probe. Answers are kept in --work, so that a run that was stopped goes on. Writes
docs/results/exports.json, which holds no text.

    python bench/exports.py [--texts FILE] [--variants own,q8_0] [--sets gold,twins] [--work DIR]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from results import OWN_SETS, RESULTS, SCORED, TEXTS, TIME_LIMIT_S, probe
from serve_sides import SPOKES, base_file

from spokesmith.metrics.statistics import bootstrap_interval
from spokesmith.tasks.files import read_text, write_text

RESULT = RESULTS / "exports.json"
VARIANTS = {"own": "as the base's tensors", "q8_0": "Q8_0", "f16": "F16"}
# By its name in metrics.md: how a probe's entry in a report gives it; None where it says nothing.
MEASURES = {
    "SC": lambda entry: float(entry["valid"]),
    "P": lambda entry: float(entry["passes"]),
    "HFR": lambda entry: entry["judgement"]["fabrication"],
    "TFR": lambda entry: entry["judgement"]["recall"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--texts", type=Path, help="JSONL of real texts; their eval split is asked")
    parser.add_argument("--first-texts", type=int, default=300, help="so many of them")
    parser.add_argument("--variants", default="own,q8_0", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--sets", help="only these, with commas")
    parser.add_argument("--decodings", default="free,constrained")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--work", type=Path, required=True, help="for files and answers")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    wanted = [*OWN_SETS, *([TEXTS] if arguments.texts else [])]
    if arguments.sets:
        wanted = arguments.sets.split(",")
    arguments.work.mkdir(parents=True, exist_ok=True)
    rows = []
    for variant in arguments.variants.split(","):
        file = export(variant, arguments.work)
        for name in wanted:
            for decoding in arguments.decodings.split(","):
                report = probed(file, name, decoding, arguments)
                reference = json.loads(read_text(RESULTS / f"{name}-{decoding}.json"))
                measured = against(report, reference)
                size_mb = round(file.stat().st_size / 1e6, 1)
                rows.append(
                    {
                        "touched tensors": VARIANTS[variant],
                        "file_mb": size_mb,
                        "set": name,
                        "decoding": decoding,
                        "tokens_per_s": round(report["totals"]["tokens_per_s"] or 0.0, 1),
                        **measured,
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
                write_text(arguments.out, json.dumps({"rows": rows}, indent=1) + "\n")
    return 0


def export(variant: str, work: Path) -> Path:
    """The file of a variant, written unless it is there."""
    out = work / f"{variant}.gguf"
    if not out.is_file():
        command = [sys.executable, "-m", "spokesmith", "export", "gguf", "--spokes", SPOKES]
        options = ["--base-gguf", str(base_file()), "--out", str(out), "--touched", variant]
        subprocess.run([*command, *options], check=True)
    return out


def probed(file: Path, name: str, decoding: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The report of one file on one set."""
    folder = arguments.work / file.stem
    report = folder / f"{name}-{decoding}.json"
    if not report.is_file():
        folder.mkdir(exist_ok=True)
        how = ["--engine=llama.cpp", f"--model={file}", f"--concurrency={arguments.concurrency}"]
        how += [f"--time-limit={TIME_LIMIT_S}", "--resume", "--force"]
        if name == TEXTS:
            how.append(f"--first={arguments.first_texts}")
        status = probe(name, decoding, folder, how, arguments.texts)
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
