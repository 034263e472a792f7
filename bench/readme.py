"""Writes the figures of docs/results into the README and docs/deploy.md, between their marks.

python bench/readme.py [--check]
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from results import RESULTS, reports_in

ROOT = Path(__file__).parents[1]
COLUMNS = ("P", "SC", "HFR_inputs", "TFR_number")
SHARE = "share of the file's bytes"
START, END = "<!-- results: start -->", "<!-- results: end -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    arguments = parser.parse_args()
    for name, figures in (("README.md", render), ("docs/deploy.md", render_engines)):
        file = ROOT / name
        before = file.read_text(encoding="utf-8")
        after = with_results(before, figures())
        if not arguments.check:
            file.write_text(after, encoding="utf-8")
        elif before != after:
            sys.exit(f"{name} is out of date: run python bench/readme.py")


def with_results(text: str, figures: str) -> str:
    """A text with the figures between its marks."""
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    return f"{head}{START}\n{figures}\n{END}{tail}"


def render() -> str:
    """The figures as Markdown."""
    return "\n\n".join([_probes(), _decoding(), _soak(), _speed(), _gemma4()])


def render_engines() -> str:
    """Every engine's speed, and what the spokes cost on llama.cpp."""
    result = _read("serve-speed.json")
    lines = [
        f"| {result['machine']}, {result['probes']} gold probes | at once | encodings/min "
        "| tokens/s | first token, s | peak memory |",
        "| --- |" + " --- |" * 5,
    ]
    for row in result["rows"]:
        cells = (f"{row['encodings_per_min']:.1f}", f"{row['tokens_per_s']:.0f}")
        cells += (f"{row['first_token_s']:.2f}", f"{row['peak_gb']:.1f} GB")
        lines.append(f"| {row['side']} | {row['at_once']} | {' | '.join(cells)} |")
    cost = result["extras"]["cost of the spokes on llama.cpp"]
    return "\n\n".join(
        [
            "\n".join(lines),
            f"On llama.cpp the base alone decodes {cost['base, tokens/s']:.0f} tokens/s, the file "
            f"with spokes {cost['folded, tokens/s']:.0f}: they cost "
            f"{cost['cost of decode speed']:.1%} and are {cost[SHARE]:.1%} of the file.",
            "What spokes add to a step of our own engine:",
            _spokes_share(),
            "The settings of llama.cpp under our server, each changed alone (a run of its own):",
            _settings(),
            "What the shipped set does as another file, and in brackets what it does unfolded on "
            "the same probes; the last column is the 95 % interval of P's difference, paired. "
            "tokens/s: one free stream on llama.cpp.",
            _exports(),
        ]
    )


def _spokes_share() -> str:
    result = _read("spokes-share.json")
    lines = ["| base | rows x tokens | alone | with spokes | share |", "| --- |" + " --- |" * 4]
    for row in result["rows"]:
        step = f"{row['rows']} x {row['tokens_each']}"
        times = f"{row['base_ms']:.0f} ms | {row['with_spokes_ms']:.0f} ms"
        lines.append(f"| {row['base']} | {step} | {times} | {row['share']:.1%} |")
    return "\n".join(lines)


def _settings() -> str:
    result = _read("llamacpp-settings.json")
    lines = [
        f"| {result['machine']}, {result['probes']} gold probes | at once | encodings/min "
        "| tokens/s |",
        "| --- |" + " --- |" * 3,
    ]
    for row in result["rows"]:
        speeds = f"{row['encodings_per_min']:.1f} | {row['tokens_per_s']:.0f}"
        lines.append(f"| {row['side']} | {row['at_once']} | {speeds} |")
    return "\n".join(lines)


def _exports() -> str:
    lines = [
        "| export | file | tokens/s | probes | decoding | P | SC | HFR | TFR | P's difference |",
        "| --- |" + " --- |" * 9,
    ]
    for row in _read("exports.json")["rows"]:
        size = "–" if row["file_mb"] is None else f"{row['file_mb']:.0f} MB"
        speed = "–" if row["tokens_per_s"] is None else f"{row['tokens_per_s']:.0f}"
        cells = [_beside(row[name]) for name in ("P", "SC", "HFR", "TFR")]
        low, high = (100 * end for end in row["P"]["difference_95"])
        probes = f"{row['set']} ({row['P']['n']}) | {row['decoding']}"
        difference = f"{low:+.0f} to {high:+.0f} points"
        lines.append(
            f"| {row['export']} | {size} | {speed} | {probes} | {' | '.join(cells)} "
            f"| {difference} |"
        )
    return "\n".join(lines)


def _beside(measure: dict[str, Any]) -> str:
    return f"{measure['here']:.1%} ({measure['unfolded']:.1%})"


def _decoding() -> str:
    result = _read("serve-speed.json")
    rows = {(row["side"], row["at_once"]): row for row in result["rows"]}
    numbers = sorted({row["at_once"] for row in result["rows"]})
    heads = " | ".join(f"tokens/s, {number} at once" for number in numbers)
    lines = [
        f"| encodings, {result['machine']}, {result['probes']} gold probes | {heads} |",
        "| --- |" + " --- |" * len(numbers),
    ]
    sides = {
        "generate grammar": "transformers' `generate()` under a grammar",
        "vLLM schema": "vLLM's CPU build with a schema",
        "vLLM schema with n-grams": "the same with its n-gram speculation",
        "llama-server with a schema": "llama-server as it comes, with a schema",
        "spokesmith on llama.cpp": "spokesmith's server on llama.cpp",
        "spokesmith": "spokesmith",
    }
    for side, words in sides.items():
        cells = [
            f"{rows[side, number]['tokens_per_s']:.0f}" if (side, number) in rows else "–"
            for number in numbers
        ]
        if any((side, number) in rows for number in numbers):
            lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _soak() -> str:
    result = _read("soak.json")
    memory = result["memory"]
    failed = [name for name, holds in result["verdicts"].items() if not holds]
    outcome = f"failed: {', '.join(failed)}" if failed else "nothing lost, nothing wrong"
    return (
        f"The server under load for {result['minutes']:.0f} minutes (`make soak`): "
        f"{result['requests']:,} requests, {outcome}; memory "
        f"{memory['resident_mb_second_quarter']:,.0f} MB in the second quarter of the time and "
        f"{memory['resident_mb_last_quarter']:,.0f} in the last."
    )


def _probes() -> str:
    lines = [
        "| probes | decoding | passes (P) | valid (SC) | answers with a made-up fact "
        "| numbers kept |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for document in reports_in(RESULTS).values():
        measures = document["totals"]["measures"]
        cells = [_with_interval(measures[name]) for name in COLUMNS]
        decoding = "constrained" if document["constrained"] else "free"
        name = f"{document['set']} ({len(document['probes'])})"
        lines.append(f"| {name} | {decoding} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _with_interval(measure: dict[str, Any]) -> str:
    if measure["value"] is None:
        return "–"
    low, high = measure["interval_95"]
    return f"{measure['value']:.0%} ({low:.0%} to {high:.0%})"


def _speed() -> str:
    result = _read("train-speed.json")
    lines = [
        f"| training, {result['machine']} | tokens/s | peak memory |",
        "| --- | --- | --- |",
    ]
    for side, words in (("plain", "a plain loop"), ("spokesmith", "spokesmith")):
        row = result[side]
        lines.append(f"| {words} | {row['tokens_per_s']:.0f} | {row['peak_gb']:.1f} GB |")
    lines.append(
        f"| ratio | {result['speed_ratio']:.1f} times | {result['memory_ratio']:.2f} times |"
    )
    return "\n".join(lines)


def _gemma4() -> str:
    result = _read("train-speed-gemma4.json")
    size = "full size" if result["shrink"] == 1 else "reduced"
    lines = [
        f"| training Gemma 4 E2B, {size}, {result['machine']} | tokens/s | peak memory |",
        "| --- | --- | --- |",
    ]
    sides = {
        "plain": "a plain Trainer loop with the library's checkpointing",
        "lora": "LoRA by PEFT, as many parameters, checkpointing",
        "spokesmith-every": "spokesmith, every layer checkpointed",
        "spokesmith": "spokesmith, as `auto` chooses here",
    }
    for side, words in sides.items():
        row = result[side]
        lines.append(f"| {words} | {row['tokens_per_s']:.0f} | {row['peak_gb']:.1f} GB |")
    return "\n".join(lines)


def _read(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
