"""How long a diagnosis of Gemma 4 E2B takes, at full size with random weights, and what it says.

Needs 12 GB of memory. Prints the verdicts and writes docs/results/diagnose-gemma4-e2b.json.

    python bench/diagnose_e2b.py [--length 256] [--device cpu]
"""

import argparse
import json
import platform
import time

import torch
from figures import RESULTS
from train_base import GEMMA4, Settings, build_base

from spokesmith.bases.loading import choose_device
from spokesmith.diagnose import Sample, diagnose

RESULT = RESULTS / "diagnose-gemma4-e2b.json"
NUM_SAMPLES = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=256, help="tokens of the longest example")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    device = choose_device(arguments.device).type
    base = build_base(full_size(device))
    generator = torch.Generator().manual_seed(0)
    samples = []
    for index in range(NUM_SAMPLES):
        length = arguments.length - 16 * index
        tokens = torch.randint(0, base.config.vocab_size, (length,), generator=generator).tolist()
        samples.append(Sample(tokens=tokens, answer_start=length // 2))
    start = time.monotonic()
    diagnosis = diagnose(base, samples)
    seconds = time.monotonic() - start
    for question in diagnosis.questions:
        print(question.title)
        for check in question.checks:
            print(f"  {check.verdict:8} {check.name}: {check.figure}")
    print(f"{'all right' if diagnosis.ok else 'WRONG'} after {seconds:.0f} s on {device}")
    document = {"seconds": round(seconds), "machine": platform.machine(), **diagnosis.to_dict()}
    RESULT.write_text(json.dumps(document, indent=2) + "\n")


def full_size(device: str) -> Settings:
    """The settings of a base of full size; those of its training do not matter here."""
    return Settings(
        base=GEMMA4,
        device=device,
        steps=1,
        warm_up=0,
        batch_size=1,
        length=2048,
        joins=False,
        shrink=1,
    )


if __name__ == "__main__":
    main()
