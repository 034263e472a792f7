"""What do folded spokes cost on stock llama.cpp? One free stream, base against folded, in turns.

The embedded base with the shipped set as `export gguf` writes it, and Gemma 4 E2B's architecture at
its full size with random weights, whose speed is that of the real ones, with a set of the default
shape: in Q4_0, in Q4_K, and in Q4_K with the matrices that grow in Q8_0, as they have to be where
nothing writes K-quants. Writes docs/results/spokes-on-llamacpp.json. E2B takes 8 GB of disk and of
memory.

    python bench/spokes_on_llamacpp.py [--files "smollm2-135m Q4_1"]
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
from spokesmith.export.gguf_plan import Touched
from spokesmith.spokes import SpokesCard, SpokeSet
from spokesmith.tasks.files import read_text, write_text
from spokesmith.testing import byte_tokenizer
from spokesmith.testing.gguf_files import write_gguf

RESULT = RESULTS / "spokes-on-llamacpp.json"
TURNS = 31


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--files", default=",".join(FILES), help="with commas")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    found = json.loads(read_text(arguments.out)) if arguments.out.is_file() else {}
    for name in arguments.files.split(","):
        with FILES[name]() as (plain, folded):
            found[name] = {"machine": machine(), **cost_between(plain, folded)}
        print(name, json.dumps(found[name]), flush=True)
        write_text(arguments.out, json.dumps(found, indent=1) + "\n")


@contextmanager
def files_of_shipped() -> Iterator[tuple[Path, Path]]:
    with folded_file() as folded:
        yield base_file(), folded


@contextmanager
def files_of_e2b(kind: str, touched: Touched) -> Iterator[tuple[Path, Path]]:
    base = shapes_of_e2b()
    with tempfile.TemporaryDirectory() as folder:
        plain = write_gguf(Path(folder) / "base.gguf", base, kind)
        yield plain, grafted(plain, base, touched)


# A file of a base alone, and one with spokes.
FILES = {
    f"{BASE} Q4_1": files_of_shipped,
    f"{GEMMA4} Q4_0": partial(files_of_e2b, "Q4_0", "own"),
    f"{GEMMA4} Q4_K": partial(files_of_e2b, "Q4_K", "own"),
    f"{GEMMA4} Q4_K to Q8_0": partial(files_of_e2b, "Q4_K", "q8_0"),
}


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
        "base, MB": round(base.stat().st_size / 1e6),
        "folded, MB": round(folded.stat().st_size / 1e6),
    }


def shapes_of_e2b() -> Base:
    """Gemma 4 E2B without weights, with a tokenizer of bytes."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(gemma4_config(shrink=1), dtype=torch.bfloat16)
    family = family_of(model.config.model_type)
    return make_base(GEMMA4, model, byte_tokenizer(), family, has_random_weights=True)


def grafted(plain: Path, base: Base, touched: Touched) -> Path:
    """A base's file with a random set beside every layer."""
    spokes = SpokeSet.create(base.spokes_config(rank=E2B_RANK), seed=SEED)
    card = SpokesCard(spokes=spokes.config, base=base.name, base_fingerprint=base.fingerprint)
    for parameter in spokes.parameters():
        torch.nn.init.normal_(parameter, std=base.config.initializer_range)
    # The file's own keys say which base it is, so none is looked for.
    find = partial(find_base, base.name)
    out = plain.with_name("folded.gguf")
    return export_gguf(out, plain, spokes, card, touched=touched, find=find).path


if __name__ == "__main__":
    main()
