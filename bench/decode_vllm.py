"""The vLLM sides of a comparison: a server in an environment of its own, on folded weights."""

from functools import partial
from pathlib import Path
from typing import Any

from chat_client import ask_chat, measure
from decode_sides import BASE, SPOKES, WARM_UP, texts_of
from vllm_server import MODEL, memory_of, server

from spokesmith.bases import find_base
from spokesmith.export.hf import export_hf
from spokesmith.spokes import find_spokes, load_spokes
from spokesmith.tasks import load_task


def measure_vllm(
    python: str, folder: Path, first: int, at_once: list[int], *, speculates: bool
) -> dict[int, Any]:
    """The gold probes through vLLM's server, by the number at once."""
    task = load_task("memory")
    texts = texts_of(task, first)
    with server(python, fold(folder), speculates=speculates) as (url, process):

        def encode(text: str) -> tuple[int, float]:
            return ask_chat(url, MODEL, task, text)

        encode(WARM_UP)
        found: dict[int, Any] = {}
        for number in at_once:
            measured = measure(encode, texts, number)
            # The memory is the server's, not this process's.
            measured["peak_gb"] = round(memory_of(process.pid) / 2**30, 2)
            found[number] = measured
    return found


def fold(folder: Path) -> Path:
    """The shipped set folded into its base, in bfloat16, as a folder for vLLM."""
    spokes, card = load_spokes(find_spokes(SPOKES))
    return export_hf(folder / "folded", find_base(BASE), spokes, card).folder


VLLM_SIDES = {
    "vLLM schema": partial(measure_vllm, speculates=False),
    "vLLM schema with n-grams": partial(measure_vllm, speculates=True),
}
