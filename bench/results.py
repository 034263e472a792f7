"""Probes the shipped set on every set, free and constrained, and writes the page over the reports.

Reports go to docs/results/SET-free.json and SET-constrained.json, the page over them beside; the
gold set's keep their texts, so that each answer can be explained, the others verdicts and values.
Answers are kept beside the reports, outside the repository: a run that was stopped goes on, and a
report whose answers are all there is only scored again.

    python bench/results.py [--texts FILE] [--sets gold,twins] [--concurrency 8] [--anew]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from figures import RESULTS

from spokesmith.probes.records import GOLD, TEXTS
from spokesmith.report import results_page
from spokesmith.tasks.files import read_text, write_text

OWN_SETS = (GOLD, "stress", "twins", "minimal", "edits")
DECODINGS = ("free", "constrained")
PAGE_NAME = "index.html"
SPLIT = "eval"
# An answer that waits for others is not late: the limit is for one that never ends.
TIME_LIMIT_S = 3600.0
# Of `probe`: every answer is valid, or some are not.
SCORED = (0, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, help="JSONL of real texts; their eval split is asked")
    parser.add_argument("--sets", help="only these, with commas")
    parser.add_argument("--concurrency", type=int, default=8, help="how many answers at once")
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S, help="seconds an answer")
    parser.add_argument("--anew", action="store_true", help="ask again for answers that are there")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    wanted = [*OWN_SETS, *([TEXTS] if arguments.texts else [])]
    if arguments.sets:
        wanted = arguments.sets.split(",")
    if TEXTS in wanted and arguments.texts is None:
        parser.error("the set texts needs --texts FILE")
    how = [f"--concurrency={arguments.concurrency}", f"--time-limit={arguments.time_limit}"]
    # Answers are kept, so an older report may be replaced.
    how += ["--force"] if arguments.anew else ["--force", "--resume"]
    for name in wanted:
        for decoding in DECODINGS:
            print(f"{name}, {decoding}", flush=True)
            status = probe(name, decoding, arguments.out, how, arguments.texts)
            if status not in SCORED:
                return status
    write_page(arguments.out)
    return 0


def probe(name: str, decoding: str, out: Path, how: list[str], texts: Path | None) -> int:
    """Run `spokesmith probe` on a set; its exit status."""
    options = [f"--set={name}", f"--{decoding}", f"--out={out / f'{name}-{decoding}.json'}"]
    options += how
    if name == TEXTS:
        options += [f"--texts={texts}", f"--split={SPLIT}"]
    if name != GOLD:
        options.append("--summary")
    command = [sys.executable, "-m", "spokesmith", "probe", *options]
    return subprocess.run(command, check=False).returncode


def write_page(folder: Path) -> None:
    """The page over all reports that a folder holds."""
    write_text(folder / PAGE_NAME, results_page(reports_in(folder)))


def reports_in(folder: Path) -> dict[str, Any]:
    """The reports of a folder by the names of their files, in the order of the sets."""
    names = [f"{name}-{decoding}.json" for name in (*OWN_SETS, TEXTS) for decoding in DECODINGS]
    return {
        name: json.loads(read_text(folder / name)) for name in names if (folder / name).is_file()
    }


if __name__ == "__main__":
    sys.exit(main())
