"""The vLLM sides of bench/decode.py: a server in an environment of its own, on folded weights."""

import json
import os
import socket
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import torch
from transformers import AutoModelForCausalLM

START_LIMIT_S = 600
SPECULATION = {
    "method": "ngram",
    "num_speculative_tokens": 5,
    "prompt_lookup_min": 2,
    "prompt_lookup_max": 4,
}
STRUCTURED = {"backend": "xgrammar", "disable_any_whitespace": True}


def measure_vllm(
    python: str, folder: Path, first: int, at_once: list[int], *, speculates: bool
) -> dict[int, Any]:
    """The gold probes through vLLM's server, by the number at once."""
    from decode_sides import WARM_UP, loaded, texts_of

    base, task = loaded()
    fold(base, folder)
    texts = texts_of(task, first)
    with server(python, folder, speculates=speculates) as (url, process):

        def encode(text: str) -> tuple[int, float]:
            body = {
                "model": "folded",
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


def fold(base: Any, folder: Path) -> None:
    """The base with its `ffn` spokes as a wider feed-forward block, as a folder for vLLM."""
    from spokesmith.spokes import attached_sets, detach

    spokes = attached_sets(base.model)["memory"]
    detach(base.model)
    config = base.model.config
    inner = spokes.config.num_spokes * spokes.config.rank
    config.intermediate_size += inner
    wider = AutoModelForCausalLM.from_config(config, dtype=base.model.dtype)
    weights = dict(base.model.state_dict())
    for index in spokes.config.layer_indices:
        into, up = spokes.at(index).fused_weights(base.model.dtype)
        gate, value = into.chunk(2)
        prefix = f"model.layers.{index}.mlp."
        for name, part, axis in (
            ("gate_proj", gate, 0),
            ("up_proj", value, 0),
            ("down_proj", up, 1),
        ):
            key = f"{prefix}{name}.weight"
            weights[key] = torch.cat([weights[key], part], dim=axis)
    wider.load_state_dict(weights)
    wider.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)


@contextmanager
def server(python: str, folder: Path, *, speculates: bool) -> Any:
    """vLLM's server on a free port of this machine, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder)]
    command += ["--served-model-name", "folded", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", "bfloat16", "--enforce-eager", "--max-model-len", "4096"]
    command += ["--structured-outputs-config", json.dumps(STRUCTURED)]
    if speculates:
        command += ["--speculative-config", json.dumps(SPECULATION)]
    environment = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "LD_PRELOAD": ":".join(preloaded(python)),
        "HF_HUB_OFFLINE": "1",
    }
    log = (folder / "server.log").open("w", encoding="utf-8")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("vLLM did not start: " + _tail(folder / "server.log"))
            time.sleep(1)
        yield url, process
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()
        log.close()


def preloaded(python: str) -> list[str]:
    """The libraries that vLLM advises on a CPU, where they are there."""
    openmp = Path(python).parents[1] / "lib" / "libiomp5.so"
    allocator = [*Path("/usr/lib").glob("*/libtcmalloc_minimal.so.4")]
    return [str(library) for library in (*allocator, openmp) if library.exists()]


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def memory_of(pid: int) -> int:
    """Resident bytes of a process and its children now."""
    parent = psutil.Process(pid)
    return sum(one.memory_info().rss for one in [parent, *parent.children(recursive=True)])


def _tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[-2000:]
