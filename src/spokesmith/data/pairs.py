"""A training pair and the JSONL files that hold pairs.

Knows no model and no tokenizer: `text` and `gold` are what people read.
"""

import itertools
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spokesmith.tasks.files import SURROGATE
from spokesmith.tasks.probe_records import strings_in

# The file of a data folder that holds its pairs.
PAIRS_NAME = "pairs.jsonl"
SPLITS: tuple[str, ...] = ("train", "eval")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A text and the encoding that a faithful encoder gives it.

    `kind` names the sort of text; `template` and its slots fix `split`, so that no two splits
    hold the same template with the same slots; `twin` is the id of the pair with the same words
    and opposite facts, if there is one.
    """

    id: str
    kind: str
    template: str
    split: str
    text: str
    gold: dict[str, Any]
    twin: str | None = None


def write_pairs(path: Path, pairs: Iterable[Pair]) -> int:
    """Write pairs as JSONL, all of them or none; return how many."""
    partial = path.with_suffix(path.suffix + ".partial")
    count = 0
    # The first pair is drawn before anything is written: most mistakes show there.
    waiting = iter(pairs)
    first = list(itertools.islice(waiting, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("w", encoding="utf-8") as file:
            for pair in itertools.chain(first, waiting):
                file.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
                count += 1
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def read_pairs(path: Path) -> Iterator[Pair]:
    """Read pairs from JSONL.

    Raises:
        ValueError: the file is missing, or a line is not a pair; names file, line and reason.
    """
    if not path.is_file():
        raise ValueError(f"no pairs at {path}: make them with `spokesmith data generate`")
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                pair = Pair(**json.loads(line))
            except (json.JSONDecodeError, TypeError) as error:
                raise ValueError(f"{path}, line {number} is not a pair: {error}") from error
            if wrong := _wrong_value(pair):
                raise ValueError(f"{path}, line {number}: {wrong}")
            if pair.split not in SPLITS:
                raise ValueError(f"{path}, line {number}: split '{pair.split}' is none of {SPLITS}")
            yield pair


def _wrong_value(pair: Pair) -> str | None:
    """What is wrong with the first value that no pair may have, if one is."""
    for name, value in vars(pair).items():
        wanted, words = (dict, "an object") if name == "gold" else (str, "a string")
        if not isinstance(value, wanted) and not (name == "twin" and value is None):
            return f"{name} is {json.dumps(value)[:60]}, want {words}"
        if any(map(SURROGATE.search, strings_in(value))):
            return f"{name} holds half of a surrogate pair: replace it"
    return None
