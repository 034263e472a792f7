"""Training speed and peak memory: what one would write with the library against spokesmith.

Every side trains about the same number of parameters beside the same frozen base in the same dtype
on the same examples, in a process of its own, so that peak memory is its own. `train_sides.py` says
what the sides are, `train_base.py` what the bases are. Prints a table and writes it to
docs/results.

    python bench/train.py                             SmolLM2-135M on the CPU, against a plain loop
    python bench/train.py --base gemma4-e2b-random    Gemma 4 E2B, on a GPU where there is one,
                                                      reduced on a CPU; also against LoRA
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from figures import RESULTS, machine
from train_base import GEMMA4, SMOLLM2, Settings, describe_base
from train_measure import MATRIX_RATE, OUT_OF_MEMORY, SPOKES_SHARE, measure
from train_report import add_ratios, judge, report_gemma4, report_smollm2

FILES = {SMOLLM2: "train-speed.json", GEMMA4: "train-speed-gemma4.json"}
SIDES = {
    SMOLLM2: ("plain", "spokesmith"),
    GEMMA4: ("plain", "lora", "spokesmith-every", "spokesmith"),
}
CPU_SHRINK = 4
ENVIRONMENT = {
    # With several devices the library's trainer would spread a batch over them.
    "CUDA_VISIBLE_DEVICES": "0",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "PYTHONWARNINGS": "ignore::FutureWarning",
}
SIGKILL = 9


def main() -> None:
    arguments = parse_arguments()
    settings = choose_settings(arguments)
    if arguments.side:
        print(json.dumps(measure(arguments.side, settings, arguments.share_of)))
        return
    result = compare(settings)
    path = arguments.out or RESULTS / FILES[settings.base]
    (report_gemma4 if settings.is_gemma4 else report_smollm2)(result)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", choices=tuple(FILES), default=SMOLLM2)
    parser.add_argument("--steps", type=int, help="timed steps of each side (4; on a GPU 10)")
    parser.add_argument("--batch-size", type=int, help="examples of a step (8; Gemma 4: 4)")
    parser.add_argument(
        "--length",
        type=int,
        help="join pairs to examples of nearly so many tokens (on a GPU 2048; "
        "on a CPU pairs stay as they are, and the plain loop pads to 1024)",
    )
    parser.add_argument(
        "--shrink",
        type=int,
        help=f"divide the widths of Gemma 4 by so much (on a GPU 1, on a CPU {CPU_SHRINK})",
    )
    parser.add_argument("--out", type=Path, help="where the result goes, instead of docs/results")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--share-of", default="spokesmith", help=argparse.SUPPRESS)
    return parser.parse_args()


def choose_settings(arguments: argparse.Namespace) -> Settings:
    """What was asked for, and for the rest what suits the machine."""
    import torch

    is_gemma4 = arguments.base == GEMMA4
    on_gpu = is_gemma4 and torch.cuda.is_available()
    return Settings(
        base=arguments.base,
        device="cuda" if on_gpu else "cpu",
        steps=arguments.steps or (10 if on_gpu else 4),
        warm_up=3 if on_gpu else 1,
        batch_size=arguments.batch_size or (4 if is_gemma4 else 8),
        length=arguments.length or (2048 if on_gpu else 1024),
        joins=on_gpu or arguments.length is not None,
        shrink=arguments.shrink or (1 if on_gpu else CPU_SHRINK),
    )


def compare(settings: Settings) -> dict[str, Any]:
    """Measure all sides, one process after the other."""
    result: dict[str, Any] = {
        "machine": describe_machine(settings),
        **asdict(settings),
        "max_length": settings.length,
        "model": describe_base(settings),
    }
    print(result["model"], file=sys.stderr)
    # At both ends, since other work may disturb one of them.
    rates = [run_side(MATRIX_RATE)] if settings.is_gemma4 else []
    sides = {side: run_side(side) for side in SIDES[settings.base]}
    result.update(sides)
    if settings.is_gemma4:
        fits = "failed" not in sides["spokesmith"]
        look_into = "spokesmith" if fits else "spokesmith-every"
        result["spokes_share"] = run_side(SPOKES_SHARE, "--share-of", look_into)
        rates.append(run_side(MATRIX_RATE))
        result["matrix_tflop_per_s"] = max(rate["tflop_per_s"] for rate in rates)
    add_ratios(result, SIDES[settings.base])
    if settings.is_gemma4:
        result["reach"] = judge(result)
    return result


def run_side(side: str, *options: str) -> dict[str, Any]:
    """Measure in a process of its own that is given what this one was given."""
    print(f"measuring {side} ...", file=sys.stderr)
    command = [sys.executable, *sys.argv, "--side", side, *options]
    environment = {**ENVIRONMENT, **os.environ}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode == -SIGKILL:
        return OUT_OF_MEMORY
    done.check_returncode()
    return json.loads(done.stdout.splitlines()[-1])


def describe_machine(settings: Settings) -> str:
    if settings.device == "cpu":
        return machine()
    import torch

    return torch.cuda.get_device_name()


if __name__ == "__main__":
    main()
