"""Does the judge see what is wrong? Golds with one number, name or unit changed, and as they are.

Golds of generated pairs, and of the `eval` texts of a file if one is given. What is changed is
found by plain patterns of this file, never by the judge. Prints one table and writes
docs/results/metrics-detection.json; ends with status 1 where a gate is missed.

    python bench/metrics.py [--texts FILE] [--out FILE]
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import RESULTS, machine

from spokesmith.data.extract import extract
from spokesmith.data.generate import generate
from spokesmith.data.pairs import Pair
from spokesmith.metrics.grounding import Source, stated_facts
from spokesmith.metrics.judgement import judge
from spokesmith.metrics.memory_rules import memory_problems
from spokesmith.tasks import load_task

NUM_GENERATED = 2000
SEED = 1
GATES = {"digits": 0.85, "names": 0.88, "units": 0.95}
MOST_FALSE = 0.015
TIMED = 1000
MOST_SECONDS = 20.0
RESULT = RESULTS / "metrics-detection.json"

DIGITS = re.compile(r"\d+")
NAME = re.compile(r"(?<![\w.-])[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*(?![\w-])")
UNIT_GROUPS = [
    ["ns", "µs", "ms", "s"],
    ["seconds", "minutes", "hours", "days", "weeks", "months", "years"],
    ["second", "minute", "hour", "day", "week", "month", "year"],
    ["KB", "kB", "MB", "GB", "TB"],
    ["KiB", "MiB", "GiB"],
    ["mg", "g", "kg"],
    ["µg", "mcg"],
    ["ml", "cl", "dl", "l"],
    ["mm", "cm", "m", "km"],
    ["euros", "dollars", "pounds", "francs", "yen"],
    ["EUR", "USD", "CHF", "GBP"],
    ["$", "€", "£"],
    ["°C", "°F"],
    ["tsp", "tbsp"],
    ["teaspoon", "tablespoon", "cup"],
    ["teaspoons", "tablespoons", "cups"],
    ["oz", "lb"],
    ["inches", "feet", "miles"],
    ["minutes", "hours"],
    ["min", "h"],
    ["V", "kV"],
    ["W", "kW"],
    ["Hz", "kHz", "MHz", "GHz"],
    ["mmHg", "kPa"],
    ["克", "千克"],
    ["毫升", "升"],
    ["分钟", "小时"],
    ["%", "ms"],
]
_UNITS = sorted({unit for group in UNIT_GROUPS for unit in group}, key=lambda unit: -len(unit))
_NUMBER_WORDS = "two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty"
AFTER = re.compile(
    rf"(?<![\w.])(?:\d+(?:[.,]\d+)*|(?:{_NUMBER_WORDS})(?=[ -]))[ -]?"
    rf"(?P<unit>{'|'.join(re.escape(unit) for unit in _UNITS if unit not in '$€£')})"
    r"(?![^\W\u3000-\u9fff_]|[/^²³])"
)
BEFORE = re.compile(r"(?P<unit>[$€£]|(?<![A-Z])(?:EUR|USD|CHF|GBP)) ?\d")
POOL = """
Anselm Birgitta Caspian Delphine Eberhard Fiorella Gunther Henrike Ioana Jocasta Kwabena Liselotte
Montserrat Njeri Oluwaseun Piotr Quentin Rosalind Siobhan Tancredi Ursula Vashti Winifred Xiomara
Yevgeny Zuleika Sarah James Emily Grace Mark Tom Anna Peter Julia Victor Lucas Rose Frank Claire
Hannah Omar Priya Kenji Fatima Diego Baker Young King Smith Miller Cook Abernathy Brandt Castellano
Dragomir Eriksen Fairweather Gallagher Hashimoto Ivanova Jankowski Kowalczyk Lindholm Mbeki
Nakamura O'Rourke Papadakis Quisling Rasmussen Szymanski Thorvaldsen Underhill Vasquez Whitcombe
Yamamoto Zimmermann Anchorage Brisbane Cork Dortmund Esbjerg Fukuoka Gothenburg Halifax Izmir
Jaipur Krakow Lausanne Marseille Nantes Osaka Pretoria Quito Reykjavik Sofia Tampere Utrecht
Valparaiso Wellington Yerevan Zagreb Docker Kubernetes Acme Globex Initech Siemens Novartis
"""
PAIRED = [
    "Anselm Whitcombe", "Sarah Baker", "Kwabena Mbeki", "Grace Young", "Birgitta Eriksen",
    "Mark King", "Rosalind Abernathy", "James Cook", "Fiorella Castellano", "New Halifax",
    "Port Valparaiso", "Globex Holdings", "Frank Miller", "San Tancredi", "Northgate Labs",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, help="JSONL of real texts; their eval split is used")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--show", type=int, default=0, help="print this many misses of each kind")
    arguments = parser.parse_args()

    golds = [("generated", pair) for pair in generate(NUM_GENERATED, seed=SEED)]
    if arguments.texts:
        golds += [(f"real: {pair.kind}", pair) for pair in read_eval(arguments.texts)]
    rows = measure(golds, arguments.show)
    seconds = time_judging([pair for _, pair in golds[:TIMED]])
    result = {
        "machine": machine(),
        "gates": {**GATES, "false_flags": MOST_FALSE, "seconds_for_1000": MOST_SECONDS},
        "sources": rows,
        "seconds_for_1000": round(seconds, 2),
    }
    report(result)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if missed(result) else 0


def read_eval(path: Path) -> Iterator[Pair]:
    """The pairs that the evaluation split of a file of texts gives."""
    lines = path.read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if json.loads(line).get("split") == "eval"]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "eval.jsonl"
        copy.write_text("\n".join(chosen) + "\n", encoding="utf-8")
        yield from extract(copy)


def measure(golds: list[tuple[str, Pair]], show: int) -> dict[str, dict[str, Any]]:
    """Counts by source and over all."""
    schema = load_task("memory").schema
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    chance = random.Random(SEED)
    shown: dict[str, int] = defaultdict(int)
    for group, pair in golds:
        source = Source(pair.text)
        facts = stated_facts(pair.gold, source, schema)
        before = [fact for fact in facts if fact.grounding.span is None]
        count(counts, group, "false_flags", bool(before))
        for fact in facts:
            count(counts, group, "false_facts", fact.grounding.span is None)
        shown["false"] += bool(before)
        if before and shown["false"] <= show:
            print("FALSE", pair.id, [(f.field, f.fact.text, f.grounding.reason) for f in before])
        for kind, corrupt in CORRUPTIONS.items():
            changed = corrupt(pair.gold, pair.text, chance)
            if changed is None:
                continue
            gold, what = changed
            after = sum(f.grounding.span is None for f in stated_facts(gold, source, schema))
            count(counts, group, kind, after > len(before))
            shown[kind] += after <= len(before)
            if after <= len(before) and shown[kind] <= show:
                print("MISS", kind, pair.id, what)
    return {
        group: {name: summed(pairs) for name, pairs in kinds.items()}
        for group, kinds in counts.items()
    }


def count(counts: dict[str, dict[str, list[int]]], group: str, name: str, holds: bool) -> None:
    for place in (group, "all"):
        counts[place][name][0] += holds
        counts[place][name][1] += 1


def summed(pair: list[int]) -> dict[str, Any]:
    return {"share": round(pair[0] / pair[1], 5), "count": pair[0], "of": pair[1]}


def edit_digit(gold: Any, text: str, chance: random.Random) -> tuple[Any, str] | None:
    """One digit of one number, such that the text lacks the new number."""
    places = [place for place in string_places(gold) if place[0] != ("salience",)]
    spots = [(path, match.span()) for path, string in places for match in DIGITS.finditer(string)]
    chance.shuffle(spots)
    strings = dict(places)
    for path, (start, end) in spots:
        string = strings[path]
        at = chance.randrange(start, end)
        digits = [digit for digit in "123456789" if digit != string[at]]
        new = string[:at] + chance.choice(digits) + string[at + 1 :]
        if new[start:end] not in DIGITS.findall(text):
            return replaced(gold, path, new), f"{string[start:end]} -> {new[start:end]} in {new}"
    return None


def swap_name(gold: Any, text: str, chance: random.Random) -> tuple[Any, str] | None:
    """One capitalised name that the text has, for one that it lacks."""
    spots = [
        (path, string, match)
        for path, string in string_places(gold)
        for match in NAME.finditer(string)
        if is_name(match, text)
    ]
    pool = [name for name in POOL.split() + PAIRED if name.split()[-1].lower() not in text.lower()]
    if not spots or not pool:
        return None
    path, string, match = chance.choice(spots)
    words = match.group().split()
    at = chance.randrange(len(words))
    name = chance.choice(pool)
    # One word of several in some cases: the rest of the name still stands in the text.
    if len(words) > 1 and " " not in name and chance.random() < 0.5:
        name = " ".join([*words[:at], name, *words[at + 1 :]])
    new = string[: match.start()] + name + string[match.end() :]
    return replaced(gold, path, new), f"{match.group()} -> {name} in {new}"


def is_name(match: re.Match[str], text: str) -> bool:
    """Whether a capitalised run is a name by the text: capital also inside a sentence."""
    name = re.escape(match.group())
    if re.search(rf"(?<![\w]){name.lower()}(?!\w)", text):
        return False
    return re.search(rf"[a-z,] {name}(?!\w)", text) is not None


def swap_unit(gold: Any, text: str, chance: random.Random) -> tuple[Any, str] | None:
    """One unit for another of its group, such that the text lacks the number with it."""
    spots = [
        (path, string, match)
        for path, string in string_places(gold)
        for pattern in (AFTER, BEFORE)
        for match in pattern.finditer(string)
    ]
    chance.shuffle(spots)
    for path, string, match in spots:
        unit = match["unit"]
        others = [
            other for group in UNIT_GROUPS if unit in group for other in group if other != unit
        ]
        chance.shuffle(others)
        start, end = match.span("unit")
        for other in others:
            new = string[:start] + other + string[end:]
            written = match.group()[: start - match.start()] + other
            written += match.group()[end - match.start() :]
            if re.search(rf"{re.escape(written)}(?!\w)", text, re.IGNORECASE) is None:
                return replaced(gold, path, new), f"{match.group()} -> {written} in {new}"
    return None


CORRUPTIONS = {"digits": edit_digit, "names": swap_name, "units": swap_unit}
Path_ = tuple[str | int, ...]


def string_places(value: Any, path: Path_ = ()) -> list[tuple[Path_, str]]:
    """Every string of a gold with its path; those of closed sets are no statements."""
    if isinstance(value, str):
        closed = path[0] in ("significance", "emotional_tone", "outcome")
        return [] if closed else [(path, value)]
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [place for key, held in items for place in string_places(held, (*path, key))]


def replaced(gold: Any, path: Path_, string: str) -> Any:
    copy = json.loads(json.dumps(gold))
    place = copy
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = string
    return copy


def time_judging(pairs: list[Pair]) -> float:
    """Seconds of one core for the judgement of a thousand encodings."""
    schema = load_task("memory").schema
    answers = [json.dumps(pair.gold, ensure_ascii=False) for pair in pairs]
    start = time.process_time()
    for pair, answer in zip(pairs, answers, strict=True):
        judge(answer, pair.text, schema, rules=memory_problems)
    return (time.process_time() - start) * TIMED / len(pairs)


def missed(result: dict[str, Any]) -> list[str]:
    """The gates that the counts over all miss."""
    counts = result["sources"]["all"]
    failed = [name for name, gate in GATES.items() if counts[name]["share"] < gate]
    if counts["false_flags"]["share"] > MOST_FALSE:
        failed.append("false_flags")
    if result["seconds_for_1000"] > MOST_SECONDS:
        failed.append("seconds_for_1000")
    return failed


def report(result: dict[str, Any]) -> None:
    names = [*GATES, "false_flags", "false_facts"]
    print(f"{'golds':<28}" + "".join(f"{name:>21}" for name in names))
    for group, counts in result["sources"].items():
        cells = []
        for name in names:
            one = counts.get(name)
            cells.append(f"{one['share']:.2%} of {one['of']}" if one else "-")
        print(f"{group:<28}" + "".join(f"{cell:>21}" for cell in cells))
    print(f"1,000 encodings judged in {result['seconds_for_1000']} s (at most {MOST_SECONDS})")
    for name in missed(result):
        print(f"MISSED: {name}")


if __name__ == "__main__":
    sys.exit(main())
