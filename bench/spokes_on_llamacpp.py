"""What do folded spokes cost Gemma 4 E2B on stock llama.cpp? One free stream, side against side.

The architecture at its full size with random weights in Q4_0, whose speed is that of the real ones,
as a file of its own and with a set of the default shape grafted onto it. The two take turns; the
figures are medians. Writes docs/results/spokes-on-llamacpp.json. Takes 6 GB of disk and of memory.

    python bench/spokes_on_llamacpp.py
"""

import argparse
import json
import tempfile
from functools import partial
from pathlib import Path

import torch
from figures import RESULTS, machine
from serve_sides import cost_between
from train_base import E2B_RANK, GEMMA4, SEED, gemma4_config
from transformers import AutoModelForCausalLM

from spokesmith.bases import Base, find_base, make_base
from spokesmith.bases.families import family_of
from spokesmith.export.gguf_export import export_gguf
from spokesmith.spokes import SpokesCard, SpokeSet
from spokesmith.tasks.files import write_text
from spokesmith.testing import byte_tokenizer
from spokesmith.testing.gguf_files import write_gguf

RESULT = RESULTS / "spokes-on-llamacpp.json"
KIND = "Q4_0"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    base = shapes_of_e2b()
    with tempfile.TemporaryDirectory() as folder:
        plain = write_gguf(Path(folder) / "base.gguf", base, KIND)
        cost = cost_between(plain, grafted(plain, base))
    print(json.dumps(cost))
    result = {"machine": machine(), "base": GEMMA4, "kind": KIND, **cost}
    write_text(arguments.out, json.dumps(result, indent=1) + "\n")


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
