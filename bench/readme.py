"""Writes the figures of docs/results into the README and docs/deploy.md, between their marks.

python bench/readme.py [--check]
"""

import argparse
import json
import sys
from typing import Any

from figures import RESULTS, ROOT, between_marks, markdown_table
from results import reports_in

from spokesmith.metrics.report_document import decoding_of

COLUMNS = ("P", "SC", "HFR_inputs", "TFR_number")
START, END = "<!-- results: start -->", "<!-- results: end -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    arguments = parser.parse_args()
    for name, figures in (("README.md", render), ("docs/deploy.md", render_engines)):
        file = ROOT / name
        before = file.read_text(encoding="utf-8")
        after = between_marks(before, START, END, figures())
        if not arguments.check:
            file.write_text(after, encoding="utf-8")
        elif before != after:
            sys.exit(f"{name} is out of date: run python bench/readme.py")


def render() -> str:
    """The figures as Markdown."""
    return "\n\n".join([_probes(), _decoding(), _soak(), _speed(), _gemma4()])


def render_engines() -> str:
    """Every engine's speed, and what the spokes cost on llama.cpp."""
    result = _read("serve-speed.json")
    return "\n\n".join(
        [
            "### Engines side by side",
            _sides(result, "encodings/min", "tokens/s", "first token, s", "peak memory"),
            "How many times the encodings of another our engine makes, in brackets turn by turn; "
            "the last two columns are from the run that also switched its parts off, below:",
            _multiples(result, _read("decode-speed.json")),
            "### What spokes cost",
            "Folded, on llama.cpp (the median of turns side by side, Gemma 4 E2B's architecture at "
            "its full size with random weights):",
            _costs(_read("spokes-on-llamacpp.json")),
            "What spokes add to a step of our own engine:",
            _spokes_share(),
            "### What each part of our engine is worth",
            "Switched off alone, in a run of its own:",
            _sides(
                _read("decode-speed.json"),
                "encodings/min",
                "tokens/s",
                "forwards/token",
                "first token, s",
                "peak memory",
            ),
            "### On a GPU",
            "Gemma 4 E2B at its full size with random weights, told what to answer "
            "(`python bench/decode_gpu.py`):",
            *_gpu(),
            "### The settings of llama.cpp under our server",
            "Each changed alone, in a run of its own:",
            _sides(_read("llamacpp-settings.json"), "encodings/min", "tokens/s"),
            "### The shipped set as another file",
            "What it does as each export, and in brackets what it does unfolded on "
            "the same probes; the last column is the 95 % interval of P's difference, paired. "
            "tokens/s: one free stream on llama.cpp. P: answers that pass; SC: those that are "
            "valid under the schema; HFR: share of an answer's facts that its text does not state; "
            "TFR: share of a text's facts that its answer keeps.",
            _exports(),
        ]
    )


def _sides(result: dict[str, Any], *columns: str) -> str:
    """Every side of a comparison at every number at once, with some of its figures."""
    headings = [f"{result['machine']}, {result['probes']} gold probes", "at once", *columns]
    rows = []
    for row in result["rows"]:
        cells = {
            "encodings/min": _with_range(row["encodings_per_min"], row.get("turns_per_min", [])),
            "tokens/s": f"{row['tokens_per_s']:.0f}",
            "forwards/token": _or_dash(row["forwards_per_token"], "{:.3f}"),
            "first token, s": f"{row['first_token_s']:.2f}",
            "peak memory": f"{row['peak_gb']:.1f} GB",
        }
        rows.append([row["side"], str(row["at_once"]), *(cells[name] for name in columns)])
    return markdown_table(headings, rows)


def _multiples(*results: dict[str, Any]) -> str:
    """Our engine's encodings as a multiple of each other one's, alone and at most at once."""
    of_sides = [
        {(row["side"], row["at_once"]): row for row in result["rows"]} for result in results
    ]
    numbers = [1, max(number for _, number in of_sides[0])]
    others = [side for side, number in of_sides[0] if number == 1 and side != "spokesmith"]
    rows = [
        [
            other,
            *(
                _multiple(sides["spokesmith", number], sides.get((other, number)))
                for sides in of_sides
                for number in numbers
            ),
        ]
        for other in others
    ]
    heads = [f"{number} at once" for number in numbers] * len(results)
    return markdown_table(["compared with", *heads], rows)


def _multiple(ours: dict[str, Any], other: dict[str, Any] | None) -> str:
    if other is None:
        return "–"
    turns = [row.get("turns_per_min", []) for row in (ours, other)]
    several = min(map(len, turns)) > 1
    by_turn = [mine / theirs for mine, theirs in zip(*turns, strict=True)] if several else []
    return _with_range(ours["encodings_per_min"] / other["encodings_per_min"], by_turn, ".2f")


def _with_range(middle: float, turns: list[float], form: str = ".1f") -> str:
    """The middle turn, and the slowest and fastest where there were several."""
    several = f" ({min(turns):{form}} to {max(turns):{form}})" if len(turns) > 1 else ""
    return f"{middle:{form}}{several}"


def _costs(costs: dict[str, Any]) -> str:
    """What folded spokes cost of the decode speed of each file."""
    rows = [
        [
            file,
            f"{cost['base, tokens/s']:.1f}",
            f"{cost['cost of decode speed']:.1%}",
            "{:.1%} to {:.1%}".format(*(share + 0.0 for share in cost["half of the turns"])),
            f"{cost['base, MB']:,} MB",
            f"{cost['folded, MB'] / cost['base, MB'] - 1:+.1%}",
        ]
        for file, cost in costs.items()
    ]
    heads = ["file", "tokens/s alone", "spokes cost", "half of the turns", "size", "with spokes"]
    return markdown_table(heads, rows)


def _spokes_share() -> str:
    rows = [
        [
            row["base"],
            f"{row['rows']} x {row['tokens_each']}",
            f"{row['base_ms']:.0f} ms",
            f"{row['with_spokes_ms']:.0f} ms",
            f"{row['share']:.1%}",
            " to ".join(f"{end:.1%}" for end in row["share_quartiles"]),
        ]
        for row in _read("spokes-share.json")["rows"]
    ]
    head = ["base", "rows x tokens", "alone", "with spokes", "share", "half of the steps"]
    return markdown_table(head, rows)


def _gpu() -> tuple[str, str]:
    """What bounds a GPU and what the engine reaches, and how long its steps take."""
    result = _read("decode-gpu.json")
    bound, alone = result["bound"]["tokens_per_s"], result["generate"]["tokens_per_s"]
    sides = [
        ["transformers' `generate()`, free", "1", f"{alone:.0f}", "1.000", f"{alone / bound:.0%}"]
    ]
    for row in result["engine"]:
        share = f"{row['tokens_per_s'] / bound:.0%}" if row["at_once"] == 1 else "–"
        sides.append(
            [
                row["side"],
                str(row["at_once"]),
                f"{row['tokens_per_s']:.0f}",
                f"{row['forwards_per_token']:.3f}",
                share,
            ]
        )
    steps = [
        [
            row["way"],
            f"{row['rows']} x {row['tokens_each']}",
            f"{row['base_ms']:.2f} ms",
            f"{row['with_spokes_ms']:.2f} ms",
            f"{row['share']:.1%}",
        ]
        for row in result["steps"]
    ]
    headings = [result["card"], "at once", "tokens/s", "forwards/token", f"of {bound:.0f}"]
    return (
        markdown_table(headings, sides),
        markdown_table(["a step", "rows x tokens", "alone", "with spokes", "share"], steps),
    )


def _exports() -> str:
    measures = ("P", "SC", "HFR", "TFR")
    headings = ["export", "weights", "tokens/s", "probes", "decoding", *measures, "P's difference"]
    rows = []
    for row in _read("exports.json")["rows"]:
        low, high = (100 * end for end in row["P"]["difference_95"])
        rows.append(
            [
                row["export"],
                _or_dash(row["file_mb"], "{:.0f} MB"),
                _or_dash(row["tokens_per_s"], "{:.0f}"),
                f"{row['set']} ({row['P']['n']})",
                row["decoding"],
                *(_beside(row[name]) for name in measures),
                f"{low:+.0f} to {high:+.0f} points",
            ]
        )
    return markdown_table(headings, rows) if rows else "Not measured with the present weights."


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _beside(measure: dict[str, Any]) -> str:
    return f"{measure['here']:.1%} ({measure['unfolded']:.1%})"


def _decoding() -> str:
    result = _read("serve-speed.json")
    speeds = {(row["side"], row["at_once"]): row["tokens_per_s"] for row in result["rows"]}
    numbers = sorted({row["at_once"] for row in result["rows"]})
    sides = {
        "generate grammar": "transformers' `generate()` under a grammar",
        "vLLM schema": "vLLM's CPU build with a schema",
        "vLLM schema with n-grams": "the same with its n-gram speculation",
        "llama-server with a schema": "llama-server as it comes, with a schema",
        "spokesmith on llama.cpp": "spokesmith's backend on llama.cpp, in process",
        "spokesmith": "spokesmith's engine, in process",
    }
    rows = [
        [words, *(f"{speeds[side, number]:.0f}" for number in numbers)]
        for side, words in sides.items()
        if (side, numbers[0]) in speeds
    ]
    first = f"encodings, {result['machine']}, {result['probes']} gold probes"
    heads = [f"tokens/s, {number} at once" for number in numbers]
    return markdown_table([first, *heads], rows)


def _soak() -> str:
    result = _read("soak.json")
    memory = result["memory"]
    failed = [name for name, holds in result["verdicts"].items() if not holds]
    outcome = f"failed: {', '.join(failed)}" if failed else "nothing lost, nothing wrong"
    return (
        f"The server under load for {result['minutes']:.0f} minutes (`make soak`), with several "
        "sets beside a tiny random base, so that the memory is the server's own: "
        f"{result['requests']:,} requests, {outcome}; memory "
        f"{memory['resident_mb_second_quarter']:,.0f} MB in the second quarter of the time and "
        f"{memory['resident_mb_last_quarter']:,.0f} in the last."
    )


def _probes() -> str:
    names = ["passes (P)", "valid (SC)", "answers with a made-up fact", "numbers kept"]
    rows = []
    for document in reports_in(RESULTS).values():
        measures = document["totals"]["measures"]
        decoding = decoding_of(document)
        cells = [_with_interval(measures[name]) for name in COLUMNS]
        rows.append([f"{document['set']} ({len(document['probes'])})", decoding, *cells])
    return markdown_table(["probes", "decoding", *names], rows)


def _with_interval(measure: dict[str, Any]) -> str:
    if measure["value"] is None:
        return "–"
    low, high = measure["interval_95"]
    return f"{measure['value']:.0%} ({low:.0%} to {high:.0%})"


def _speed() -> str:
    result = _read("train-speed.json")
    rows = _trained(result, {"plain": "a plain loop", "spokesmith": "spokesmith"})
    ratios = [f"{result['speed_ratio']:.1f} times", f"{result['memory_ratio']:.2f} times"]
    headings = [f"training, {result['machine']}", "tokens/s", "peak memory"]
    return markdown_table(headings, [*rows, ["ratio", *ratios]])


def _gemma4() -> str:
    result = _read("train-speed-gemma4.json")
    size = "full size" if result["shrink"] == 1 else "reduced"
    sides = {
        "plain": "a plain Trainer loop with the library's checkpointing",
        "lora": "LoRA by PEFT, as many parameters, checkpointing",
        "spokesmith-every": "spokesmith, every layer checkpointed",
        "spokesmith": "spokesmith, as `auto` chooses here",
    }
    headings = [f"training Gemma 4 E2B, {size}, {result['machine']}", "tokens/s", "peak memory"]
    return markdown_table(headings, _trained(result, sides))


def _trained(result: dict[str, Any], sides: dict[str, str]) -> list[list[str]]:
    """A row for each side of a measurement of training."""
    found = [(words, result[side]) for side, words in sides.items()]
    return [
        [words, f"{row['tokens_per_s']:.0f}", f"{row['peak_gb']:.1f} GB"] for words, row in found
    ]


def _read(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
