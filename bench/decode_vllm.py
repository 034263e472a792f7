"""The vLLM sides of bench/decode.py: a server in an environment of its own, on folded weights."""

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from vllm_server import MODEL, memory_of, server

from spokesmith.bases import find_base
from spokesmith.export.hf import export_hf
from spokesmith.spokes import find_spokes, load_spokes
from spokesmith.tasks import load_task


def measure_vllm(
    python: str, folder: Path, first: int, at_once: list[int], *, speculates: bool
) -> dict[int, Any]:
    """The gold probes through vLLM's server, by the number at once."""
    from decode_sides import WARM_UP, texts_of

    task = load_task("memory")
    texts = texts_of(task, first)
    with server(python, fold(folder), speculates=speculates) as (url, process):

        def encode(text: str) -> tuple[int, float]:
            body = {
                "model": MODEL,
                "messages": task.messages(text),
                "max_tokens": task.max_tokens,
                "temperature": 0,
                "stream": True,
                "stream_options": {"include_usage": True},
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "encoding", "strict": True, "schema": task.schema},
                },
            }
            start, first_token_s, tokens = time.perf_counter(), 0.0, 0
            with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=600) as got:
                got.raise_for_status()
                for line in got.iter_lines():
                    if not line.startswith("data: {"):
                        continue
                    event = json.loads(line.removeprefix("data: "))
                    said = any(choice["delta"].get("content") for choice in event["choices"])
                    first_token_s = first_token_s or said * (time.perf_counter() - start)
                    tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
            return tokens, first_token_s

        encode(WARM_UP)
        found: dict[int, Any] = {}
        for number in at_once:
            start = time.perf_counter()
            with ThreadPoolExecutor(number) as pool:
                answers = list(pool.map(encode, texts))
            seconds = time.perf_counter() - start
            total = sum(tokens for tokens, _ in answers)
            found[number] = {
                "encodings_per_min": round(60 * len(texts) / seconds, 2),
                "tokens_per_s": round(total / seconds, 1),
                "forwards_per_token": None,
                "first_token_s": round(statistics.median(wait for _, wait in answers), 3),
                "peak_gb": round(memory_of(process.pid) / 2**30, 2),
                "tokens": total,
                "seconds": round(seconds, 2),
            }
    return found


def fold(folder: Path) -> Path:
    """The shipped set folded into its base, in bfloat16, as a folder for vLLM."""
    from decode_sides import BASE, SPOKES

    spokes, card = load_spokes(find_spokes(SPOKES))
    return export_hf(folder / "folded", find_base(BASE), spokes, card).folder
