"""What do folded spokes cost on stock llama.cpp? One free stream, base against folded, in turns.

The embedded base with the shipped set as `export gguf` writes it, and Gemma 4 E2B's architecture at
its full size with random weights in Q4_0, whose speed is that of the real ones, with a set of the
default shape. Writes docs/results/spokes-on-llamacpp.json. E2B takes 6 GB of disk and of memory.

    python bench/spokes_on_llamacpp.py [--bases smollm2-135m]
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from decode_sides import BASE
from figures import RESULTS, machine
from serve_sides import base_file, decode_speed, folded_file, stock_server
from train_base import E2B_RANK, GEMMA4, SEED, gemma4_config
from transformers import AutoModelForCausalLM

from spokesmith.bases import Base, find_base, make_base
from spokesmith.bases.families import family_of
from spokesmith.export.gguf_export import export_gguf
from spokesmith.spokes import SpokesCard, SpokeSet
from spokesmith.tasks.files import read_text, write_text
from spokesmith.testing import byte_tokenizer
from spokesmith.testing.gguf_files import write_gguf

RESULT = RESULTS / "spokes-on-llamacpp.json"
KIND = "Q4_0"
TURNS = 31


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--bases", default=",".join(FILES), help="with commas")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    found = json.loads(read_text(arguments.out)) if arguments.out.is_file() else {}
    for base in arguments.bases.split(","):
        with FILES[base]() as (plain, folded):
            found[base] = {"machine": machine(), **cost_between(plain, folded)}
        print(base, json.dumps(found[base]), flush=True)
        write_text(arguments.out, json.dumps(found, indent=1) + "\n")


@contextmanager
def files_of_shipped() -> Iterator[tuple[Path, Path]]:
    with folded_file() as folded:
        yield base_file(), folded


@contextmanager
def files_of_e2b() -> Iterator[tuple[Path, Path]]:
    base = shapes_of_e2b()
    with tempfile.TemporaryDirectory() as folder:
        plain = write_gguf(Path(folder) / "base.gguf", base, KIND)
        yield plain, grafted(plain, base)


# By base: a file of it alone, and one with spokes.
FILES = {BASE: files_of_shipped, GEMMA4: files_of_e2b}


def cost_between(base: Path, folded: Path) -> dict[str, Any]:
    """Decode speed of a base's file and of the folded one, and what the latter lacks.

    Both stand open and take turns of a second or so, so that whatever else the machine does meets
    both alike. A turn's cost is what its folded answer lacks in speed to the base's; now and then a
    machine that others share slows one of the two by a third, so the median counts.
    """
    with stock_server(base, 1) as bare, stock_server(folded, 1) as spoked:
        speeds = [(decode_speed(bare), decode_speed(spoked)) for _ in range(TURNS)]
    costs = [1 - with_spokes / alone for alone, with_spokes in speeds]
    lower, _, upper = statistics.quantiles(costs, n=4)
    return {
        "base, tokens/s": round(statistics.median(alone for alone, _ in speeds), 1),
        "folded, tokens/s": round(statistics.median(one for _, one in speeds), 1),
        "cost of decode speed": round(statistics.median(costs), 3),
        "half of the turns": [round(lower, 3), round(upper, 3)],
        "turns": TURNS,
        "share of the file's bytes": round(1 - base.stat().st_size / folded.stat().st_size, 3),
    }


def shapes_of_e2b() -> Base:
    """Gemma 4 E2B without weights, with a tokenizer of bytes."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(gemma4_config(shrink=1), dtype=torch.bfloat16)
    family = family_of(model.config.model_type)
    return make_base(GEMMA4, model, byte_tokenizer(), family, has_random_weights=True)


def grafted(plain: Path, base: Base) -> Path:
    """A base's file with a random set beside every layer."""
    spokes = SpokeSet.create(base.spokes_config(rank=E2B_RANK), seed=SEED)
    card = SpokesCard(spokes=spokes.config, base=base.name, base_fingerprint=base.fingerprint)
    for parameter in spokes.parameters():
        torch.nn.init.normal_(parameter, std=base.config.initializer_range)
    # The file's own keys say which base it is, so none is looked for.
    find = partial(find_base, base.name)
    return export_gguf(plain.with_name("folded.gguf"), plain, spokes, card, find=find).path


if __name__ == "__main__":
    main()
