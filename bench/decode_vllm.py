"""The vLLM sides of a comparison: a server in an environment of its own, on folded weights."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from chat_client import ask_chat, measure
from decode_sides import BASE, SPOKES, WARM_UP, texts_of
from vllm_server import MODEL, forget_prompts, memory_of, server

from spokesmith.bases import find_base
from spokesmith.export.hf import export_hf
from spokesmith.spokes import find_spokes, load_spokes
from spokesmith.tasks import load_task

SAMPLE_S = 0.5


def measure_vllm(
    python: str, folder: Path, first: int, at_once: list[int], *, speculates: bool
) -> dict[int, Any]:
    """The gold probes through vLLM's server, by the number at once.

    As on the other sides only what all prompts begin with is known before each number.
    """
    task = load_task("memory")
    texts = texts_of(task, first)
    folded = fold(folder)
    with server(python, folded, speculates=speculates, compiles=True) as (url, process):

        def encode(text: str) -> tuple[int, float]:
            return ask_chat(url, MODEL, task, text)

        # What is compiled is compiled for more than one size of batch.
        measure(encode, [WARM_UP] * max(at_once), max(at_once))
        found: dict[int, Any] = {}
        for number in at_once:
            forget_prompts(url)
            encode(WARM_UP)
            with memory_sampled(process.pid) as samples:
                measured = measure(encode, texts, number)
            # The memory is the server's, not this process's.
            measured["peak_gb"] = round(max(samples) / 2**30, 2)
            found[number] = measured
    return found


@contextmanager
def memory_sampled(pid: int) -> Iterator[list[int]]:
    """Resident bytes of a process and its children, again and again while the block runs."""
    samples, is_over = [memory_of(pid)], threading.Event()

    def sample() -> None:
        while not is_over.wait(SAMPLE_S):
            # A child may end while it is asked.
            with suppress(psutil.NoSuchProcess):
                samples.append(memory_of(pid))

    sampling = threading.Thread(target=sample)
    sampling.start()
    try:
        yield samples
    finally:
        is_over.set()
        sampling.join()


def fold(folder: Path) -> Path:
    """The shipped set folded into its base, in bfloat16, as a folder for vLLM."""
    spokes, card = load_spokes(find_spokes(SPOKES))
    return export_hf(folder / "folded", find_base(BASE), spokes, card).folder


VLLM_SIDES = {
    "vLLM schema": partial(measure_vllm, speculates=False),
    "vLLM schema with n-grams": partial(measure_vllm, speculates=True),
}
