"""Is the memory estimate right? Estimated and measured memory of training steps, side by side.

Every setting runs in a process of its own: it builds a random base, trains two steps with the
project's own parts and reads the peak of the process's resident memory, from which it takes what
was resident before the base was built. Prints a table and writes docs/results/memory.json. Resident
memory is the CPU's; Linux with glibc only. It says nothing about a GPU's allocator.

glibc keeps freed blocks of up to 32 MB for later, and of blocks of this size a small base's
activations are made: by default the resident memory is up to 2.5 times what tensors take. Here
malloc is told to give them back, as it does by itself with the larger blocks of larger bases.

    python bench/memory.py [--out FILE]
"""

import argparse
import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from figures import RESULTS, machine

RESULT = RESULTS / "memory.json"
STEPS = 2
KEPT_BLOCK_BYTES = 64 * 1024
MB = 1e6

MEDIUM = {
    "vocab_size": 8192,
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 64,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
    "pad_token_id": 257,
}
# Real in structure: sliding windows, shared keys and values, wide last layers, a table of rows.
GEMMA4 = {
    **MEDIUM,
    "num_key_value_heads": 1,
    "global_head_dim": 128,
    "final_logit_softcapping": 30.0,
    "num_kv_shared_layers": 2,
    "use_double_wide_mlp": True,
    "hidden_size_per_layer_input": 64,
    "vocab_size_per_layer_input": 8192,
    "sliding_window": 128,
    "layer_types": ["sliding_attention", "full_attention"] * 3,
}
SHAPES = {"llama": MEDIUM, "gemma4_text": GEMMA4}
# Base, checkpointing, rows, length, tokens of the shared prompt, weights.
SETTINGS: dict[str, tuple[str, str, int, int, int, str]] = {
    "llama": ("llama", "none", 3, 512, 0, "float32"),
    "llama-second": ("llama", "second", 3, 512, 0, "float32"),
    "llama-every": ("llama", "every", 6, 512, 0, "float32"),
    "llama-prefix": ("llama", "none", 4, 512, 256, "float32"),
    "gemma4": ("gemma4_text", "none", 2, 512, 0, "float32"),
    "gemma4-every": ("gemma4_text", "every", 4, 512, 0, "float32"),
    "gemma4-prefix": ("gemma4_text", "every", 6, 512, 256, "float32"),
    "gemma4-long": ("gemma4_text", "every", 1, 1536, 0, "float32"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--one", choices=SETTINGS, help="one setting, as JSON, in this process")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(compare(arguments.one)))
        return
    rows = []
    for name in SETTINGS:
        command = [sys.executable, __file__, "--one", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    result = {"machine": machine(), "settings": rows}
    report(rows)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


def compare(name: str) -> dict[str, Any]:
    """A setting's memory, estimated and then measured, in MB."""
    from spokesmith.training.memory import estimate_memory, give_freed_memory_back

    give_freed_memory_back(KEPT_BLOCK_BYTES)
    setup = make_setup(name)
    estimate = estimate_memory(setup)
    train_steps(warm_up(setup))
    # A model is full of cycles, so the small run's base is still there.
    gc.collect()
    before_bytes = resident_bytes("VmRSS")
    train_steps(setup)
    measured_bytes = resident_bytes("VmHWM") - before_bytes
    return {
        "setting": name,
        "estimated_mb": round(estimate.total_bytes / MB, 1),
        "measured_mb": round(measured_bytes / MB, 1),
        "ratio": round(estimate.total_bytes / measured_bytes, 3),
    }


def make_setup(name: str) -> Any:
    """What the estimate is told about a setting, a `TrainingSetup`."""
    import torch
    from transformers import AutoConfig

    from spokesmith.bases.families import family_of
    from spokesmith.bases.loading import BaseSource
    from spokesmith.testing import byte_tokenizer
    from spokesmith.training.config import TrainConfig
    from spokesmith.training.dry_run import TrainingSetup

    model_type, checkpointing, batch_size, length, prefix_length, dtype = SETTINGS[name]
    config = AutoConfig.for_model(model_type, **SHAPES[model_type])
    source = BaseSource(
        name=model_type,
        location=model_type,
        config=config,
        whole_config=config,
        family=family_of(model_type),
        tokenizer=byte_tokenizer(),
    )
    return TrainingSetup(
        source=source,
        config=TrainConfig(batch_size=batch_size, max_length=length, rank=16),
        dtype=getattr(torch, dtype),
        device=torch.device("cpu"),
        prefix_length=prefix_length,
        checkpointing=checkpointing,
    )


def warm_up(setup: Any) -> Any:
    """The same, small: after it the libraries have loaded and set up what they need."""
    from dataclasses import replace

    config = replace(setup.config, batch_size=1, max_length=16)
    return replace(setup, config=config, prefix_length=min(setup.prefix_length, 8))


def train_steps(setup: Any) -> None:
    """Build a base and train spokes beside it for a few steps, on random tokens."""
    import numpy as np
    import torch
    from transformers import AutoModelForCausalLM

    from spokesmith.bases import make_base, set_checkpointing
    from spokesmith.data.prepare import Example
    from spokesmith.spokes import SpokeSet, attach
    from spokesmith.training.objective import Collator, Objective
    from spokesmith.training.optimizer import build_optimizer

    source, config = setup.source, setup.config
    model = AutoModelForCausalLM.from_config(source.config, dtype=setup.dtype)
    base = make_base(source.name, model, source.tokenizer, source.family)
    shape = base.spokes_config(num_spokes=config.num_spokes, rank=config.rank)
    spokes = SpokeSet.create(shape, seed=0)
    attach(model, base.sites(), spokes)
    set_checkpointing(base, setup.checkpointing)
    objective = Objective(base, spokes).train()
    input_rms = dict.fromkeys(shape.layer_indices, 1.0)
    optimizer = build_optimizer(spokes, kind="muon", rate=0.01, input_rms=input_rms)
    random = np.random.default_rng(0)
    tokens = random.integers(0, 250, config.max_length + 1).astype(np.int32)
    rest = Example(tokens=tokens[setup.prefix_length :], answer_start=1)
    collator = Collator(
        prefix=tokens[: setup.prefix_length], pad_id=257, share_prefix=setup.prefix_length > 0
    )
    for _ in range(STEPS):
        batch = collator([rest] * config.batch_size)
        batch.pop("num_tokens")
        objective(**batch)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(spokes.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()


def resident_bytes(key: str) -> int:
    """Resident memory of this process: VmRSS now, VmHWM at its peak.

    The peak that getrusage tells would do, were it not passed on from a parent to its children.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * 1024


def report(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Memory of training, without what the libraries take")
    for column in ("setting", "estimated", "measured", "ratio"):
        table.add_column(column, justify="left" if column == "setting" else "right")
    for row in rows:
        megabytes = [f"{row[key]:.0f} MB" for key in ("estimated_mb", "measured_mb")]
        table.add_row(row["setting"], *megabytes, f"{row['ratio']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
