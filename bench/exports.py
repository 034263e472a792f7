"""Does a set still do its task as an ordinary file? Exports and four bits against the unfolded set.

Files of `spokesmith export gguf` are probed through `--engine llama.cpp`, the folder of `export hf`
and the set beside a base in NF4 through our own engine. What the unfolded set does is read from
docs/results/SET-free.json and SET-constrained.json, and compared probe by probe. Answers are kept
in --work, so that a run that was stopped goes on. What was asked replaces its rows in
docs/results/exports.json, which holds no text.

    python bench/exports.py [--texts FILE] [--variants own,q8_0] [--sets gold,twins] --work DIR
"""

import argparse
import json
import statistics
import subprocess
import sys
from itertools import cycle, product
from pathlib import Path
from typing import Any

from gguf import GGMLQuantizationType
from results import OWN_SETS, RESULTS, SCORED, TEXTS, TIME_LIMIT_S, probe
from serve_sides import (
    BASE,
    SPEED_PROMPT,
    SPEED_TOKENS,
    SPOKES,
    WARM_UP_TOKENS,
    base_file,
    decode_speed,
    stock_server,
)

from spokesmith.bases import Base, load_base
from spokesmith.decoding import Engine, Features, Sampling
from spokesmith.export.gguf_base import read_base
from spokesmith.export.gguf_graft import write_gguf
from spokesmith.export.gguf_plan import GgufPlan, NewTensor
from spokesmith.metrics.statistics import bootstrap_interval
from spokesmith.spokes import attach, find_spokes, hash_of_weights, load_spokes
from spokesmith.tasks.files import read_text, write_text

RESULT = RESULTS / "exports.json"
SPEED_TURNS = 7
PLAIN = Features(forced=False, copying=False, recalling=False)
# What a row is of, and all rows by it.
KEYS = ("export", "set", "decoding")
Rows = dict[tuple[str, ...], dict[str, Any]]
# By name: what it is in the table.
VARIANTS = {
    "folded": "folded, bfloat16",
    "nf4": "beside an NF4 base",
    "own": "GGUF, Q4_1 as the base",
    "q8_0": "GGUF, grown tensors in Q8_0",
    "f16": "GGUF, grown tensors in F16",
    "k_quants": "GGUF, Q6_K and Q4_K as the base",
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
    # What another set was exported to, or answered, is none of this one's.
    work = arguments.work / hash_of_weights(find_spokes(SPOKES))[:12]
    work.mkdir(parents=True, exist_ok=True)
    rows = kept_rows(arguments.out)
    files = {variant: export(variant, work) for variant in arguments.variants.split(",")}
    for variant, file in files.items():
        facts = size_and_speed(file)
        for asked in rows:
            if asked[0] == VARIANTS[variant]:
                rows[asked] |= facts
        for name, decoding in product(sets, arguments.decodings.split(",")):
            out = work / variant / f"{name}-{decoding}.json"
            if arguments.done and not out.is_file():
                continue
            report = probed(out, engine_options(variant, file), name, decoding, arguments)
            reference = json.loads(read_text(RESULTS / out.name))
            rows[VARIANTS[variant], name, decoding] = facts | against(report, reference)
            write_rows(rows, arguments.out)
    write_rows(rows, arguments.out)
    return 0


def kept_rows(path: Path) -> Rows:
    """The rows that stand in a file already, by export, set and decoding."""
    if not path.is_file():
        return {}
    rows = json.loads(read_text(path))["rows"]
    return {tuple(row.pop(key) for key in KEYS): row for row in rows}


def write_rows(rows: Rows, path: Path) -> None:
    """Replace a file of rows, in the order of VARIANTS and of the sets, free ones first."""
    orders = [list(VARIANTS.values()), [*OWN_SETS, TEXTS], ["free", "constrained"]]
    in_order = sorted(
        rows, key=lambda row: [order.index(part) for order, part in zip(orders, row, strict=True)]
    )
    listed = [dict(zip(KEYS, asked, strict=True)) | rows[asked] for asked in in_order]
    write_text(path, json.dumps({"rows": listed}, indent=1) + "\n")


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
        base, touched = base_file(), variant
        if variant == "k_quants":
            base, touched = base_in_k_quants(work / "base-k_quants.gguf"), "own"
        options = ["gguf", "--spokes", SPOKES, "--out", str(out), "--touched", touched]
        options += ["--base-gguf", str(base)]
    if not out.exists():
        subprocess.run([*command, *options], check=True)
    return out


def base_in_k_quants(out: Path) -> Path:
    """The base's file with its down projections in Q6_K and Q4_K by turns, much as Q4_K_M has them.

    They are the only matrices of SmolLM2-135M whose rows fill blocks of 256 values.
    """
    base = read_base(base_file())
    k_quants = cycle((GGMLQuantizationType.Q6_K, GGMLQuantizationType.Q4_K))
    tensors = []
    for tensor in base.header.tensors.values():
        kind = int(next(k_quants)) if "ffn_down" in tensor.name else tensor.type
        tensors.append(NewTensor(name=tensor.name, dims=tensor.dims, type=kind, source=tensor))
    plan = GgufPlan(base=base, tensors=tensors, changed={}, entries={})
    with out.open("wb") as file:
        write_gguf(plan, file, lambda _name: None)
    return out


def size_and_speed(file: Path | None) -> dict[str, float]:
    """Megabytes of a variant's weights, and tokens a second of one free stream: the median of a few
    turns, with nothing else open."""
    if file is not None and file.is_file():
        size = file.stat().st_size
        with stock_server(file, 1) as address:
            speeds = [decode_speed(address) for _ in range(SPEED_TURNS)]
    else:
        base, name = in_our_engine(file)
        size = sum(one.nbytes for one in base.model.parameters())
        engine = Engine(base, features=PLAIN)
        speeds = [own_speed(engine, name) for _ in range(SPEED_TURNS)]
    return {
        "file_mb": round(size / 1e6, 1),
        "tokens_per_s": round(statistics.median(speeds), 1),
    }


def in_our_engine(folder: Path | None) -> tuple[Base, str | None]:
    """A folded model, or without one the set beside a base in NF4, and the name of the set."""
    if folder is not None:
        return load_base(str(folder)), None
    base = load_base(BASE, quantize="nf4")
    spokes, _ = load_spokes(find_spokes(SPOKES), base_fingerprint=base.fingerprint)
    attach(base.model, base.sites(), spokes, name=SPOKES)
    return base, SPOKES


def own_speed(engine: Engine, spokes: str | None) -> float:
    """Tokens a second of one answer of our engine without guesses, after a short one."""
    prompt = engine.base.chat.text_ids(SPEED_PROMPT, control_tokens=False)
    # It goes on where a model would end.
    sampling = Sampling(logit_bias=dict.fromkeys(engine.base.chat.stop_ids, -100.0))
    for num_tokens in (WARM_UP_TOKENS, SPEED_TOKENS):
        ticket = engine.submit(prompt, spokes=spokes, max_tokens=num_tokens, sampling=sampling)
        found = ticket.future.result()
    return (len(found.tokens) - 1) / (found.total_s - found.first_token_s)


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
    if not arguments.done:
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
