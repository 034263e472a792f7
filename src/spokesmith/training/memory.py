"""Whether a training run fits into memory, asked before any weight is loaded.

An estimate is a dry run, see `training/dry_run.py`. Here are the questions to it: does a run fit,
how long may examples be, how much of the activations must be computed again. `SPARE_SHARE` of the
memory stays free for what the count does not know.
"""

import ctypes
from dataclasses import replace

import numpy as np
import torch

from spokesmith.bases.checkpointing import CHECKPOINT_MODES
from spokesmith.training.dry_run import TrainingSetup, dry_run
from spokesmith.training.live_bytes import GB, MemoryEstimate

# Of the available memory: for what allocators and libraries take beside the tensors.
SPARE_SHARE = 0.05
# Where a configuration does not say how many positions its base knows.
MOST_POSITIONS = 2**20
LENGTH_TOLERANCE = 0.01
# Its number in glibc's malloc.h.
M_MMAP_THRESHOLD = -3
KEPT_BLOCK_BYTES = 4 * 2**20
SEARCH_STEPS = 10


def estimate_memory(setup: TrainingSetup, *, length: int | None = None) -> MemoryEstimate:
    """The memory of a training step; `length` None takes the run's `max_length`.

    Raises:
        ValueError: the shared prompt fills the whole length, or a choice is wrong.
        NoEstimateError: the base's step cannot run without its weights.
    """
    return dry_run(setup, length=setup.config.max_length if length is None else length)


def largest_length(setup: TrainingSetup, available_bytes: int) -> int:
    """The most tokens of an example that fit, to 1 %; at most the positions that the base knows.

    Args:
        setup: of the run; its `config.max_length` is only where the search starts.
        available_bytes: on the device, before anything is loaded.

    Returns:
        A length that fits, prompt included, or 0 where none does.
    """
    usable_bytes = _usable(available_bytes)
    most = getattr(setup.source.config, "max_position_embeddings", None) or MOST_POSITIONS
    fitting, too_long = setup.prefix_length, most + 1
    guess = setup.config.max_length
    excess_bytes: dict[int, int] = {}
    while too_long - fitting > 1 and len(excess_bytes) < SEARCH_STEPS:
        if not fitting < guess < too_long:
            guess = (fitting + too_long) // 2
        excess_bytes[guess] = estimate_memory(setup, length=guess).total_bytes - usable_bytes
        if excess_bytes[guess] <= 0:
            fitting = guess
        else:
            too_long = guess
        limit = min(_zero(excess_bytes, setup.prefix_length + 1, most), most)
        if len(excess_bytes) > 2 and fitting >= int(limit * (1 - LENGTH_TOLERANCE)):
            break
        if len(excess_bytes) == 1:
            guess //= 2
        else:
            # A little short of the limit, so that it fits.
            guess = most if limit == most else int(limit * (1 - LENGTH_TOLERANCE / 2))
    return fitting if fitting > setup.prefix_length else 0


def choose_checkpointing(setup: TrainingSetup, available_bytes: int) -> str:
    """The mode of checkpointing that computes least again among those that fit.

    Raises:
        ValueError: none fits, see `check_fits`.
    """
    for mode in CHECKPOINT_MODES:
        chosen = replace(setup, checkpointing=mode)
        if estimate_memory(chosen).total_bytes <= _usable(available_bytes):
            return mode
    check_fits(replace(setup, checkpointing=CHECKPOINT_MODES[-1]), available_bytes)
    raise AssertionError("the last mode did not fit a moment ago")


def check_fits(setup: TrainingSetup, available_bytes: int) -> MemoryEstimate:
    """The estimate of a run that fits into the available memory.

    Raises:
        ValueError: it does not; the message has the figures and what would help.
    """
    estimate = estimate_memory(setup)
    if estimate.total_bytes <= _usable(available_bytes):
        return estimate
    *others, last = _remedies(setup, largest_length(setup, available_bytes))
    raise ValueError(
        f"out of memory before the start: training needs about {estimate.total_bytes / GB:.2f} GB "
        f"({estimate.describe()}) for {setup.config.batch_size} examples of {estimate.length} "
        f'tokens with checkpointing = "{setup.checkpointing}", and {available_bytes / GB:.2f} GB '
        f"are available, of which {SPARE_SHARE:.0%} stay spare: use {', '.join([*others, ''])}"
        f"{'or ' if others else ''}{last}"
    )


def available_memory(device: torch.device) -> int:
    """Bytes that are free on a device now; it knows no limit that a container sets on the host."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return psutil.virtual_memory().available


def give_freed_memory_back(from_bytes: int = KEPT_BLOCK_BYTES) -> None:
    """Tell glibc to return large freed blocks, so that a CPU run takes what its tensors take.

    By default it keeps freed blocks of up to 32 MB, which cost a run on SmolLM2 a fifth more memory
    than was estimated; from 4 MB up costs a twentieth, and 3 % of the speed. Less costs far more.

    Args:
        from_bytes: blocks of this size and larger are returned.
    """
    try:
        ctypes.CDLL("libc.so.6").mallopt(M_MMAP_THRESHOLD, from_bytes)
    except (OSError, AttributeError):
        # Another C library, whose allocator has no such choice.
        return


def _usable(available_bytes: int) -> int:
    return int(available_bytes * (1 - SPARE_SHARE))


def _zero(excess_bytes: dict[int, int], shortest: int, most: int) -> float:
    """The length without excess or lack, by a polynomial through the three nearest known ones.

    Memory is all but a polynomial of second degree in the length: masks are squares.
    """
    nearest = sorted(excess_bytes, key=lambda length: abs(excess_bytes[length]))[:3]
    fitted = np.polynomial.Polynomial.fit(
        nearest, [excess_bytes[length] for length in nearest], len(nearest) - 1
    )
    zeros = [zero.real for zero in fitted.roots() if zero.imag == 0 and zero.real >= shortest]
    if zeros:
        return min(zeros, key=lambda zero: abs(zero - nearest[0]))
    return most if excess_bytes[nearest[0]] <= 0 else shortest


def _remedies(setup: TrainingSetup, longest: int) -> list[str]:
    """What would take less memory and is not in use yet."""
    config = setup.config
    on_card = setup.device.type != "cpu"
    remedies: list[str] = []
    if longest:
        remedies.append(f"max_length = {longest} or less")
    if setup.checkpointing != CHECKPOINT_MODES[-1]:
        remedies.append(f'checkpointing = "{CHECKPOINT_MODES[-1]}"')
    if config.batch_size > 1:
        remedies.append("a smaller batch_size with more gradient_accumulation")
    if setup.quantize == "none":
        if setup.dtype == torch.float32:
            remedies.append("--dtype bfloat16")
        if on_card:
            remedies.append("--quantize nf4")
    if setup.source.family.per_layer_table and setup.ple != "cpu" and on_card:
        remedies.append("--ple cpu")
    return [*remedies, "a smaller base"]
