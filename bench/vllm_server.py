"""vLLM's server on a free port of this machine, in an environment of its own."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

START_LIMIT_S = 600
SPECULATION = {
    "method": "ngram",
    "num_speculative_tokens": 5,
    "prompt_lookup_min": 2,
    "prompt_lookup_max": 4,
}
STRUCTURED = {"backend": "xgrammar", "disable_any_whitespace": True}
MODEL = "folded"


@contextmanager
def server(
    python: str,
    folder: Path,
    *,
    speculates: bool = False,
    dtype: str = "bfloat16",
    compiles: bool = False,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the model of a folder, as `MODEL`, until the block ends; its address and process.

    Args:
        python: of an environment that has vLLM.
        folder: of the model; the server's log is written beside it.
        speculates: whether it guesses from n-grams of the prompt.
        dtype: of its products, by vLLM's name.
        compiles: whether it compiles the model, as it does where nothing else is said. The first
            start then takes minutes.
        arguments: further ones of vLLM.
        environment: further variables.
    """
    port = free_port()
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder)]
    command += ["--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", dtype, "--max-model-len", "4096"]
    command += [] if compiles else ["--enforce-eager"]
    command += ["--structured-outputs-config", json.dumps(STRUCTURED)]
    if speculates:
        command += ["--speculative-config", json.dumps(SPECULATION)]
    variables = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        # For the route by which it forgets its prompts.
        "VLLM_SERVER_DEV_MODE": "1",
        "LD_PRELOAD": ":".join(preloaded(python)),
        "HF_HUB_OFFLINE": "1",
        **(environment or {}),
    }
    log = folder.with_name(f"{folder.name}-{port}.log")
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen([*command, *arguments], stdout=file, stderr=file, env=variables)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/health", process, log)
            yield url, process
        finally:
            end(process)


def forget_prompts(url: str) -> None:
    """Let a server drop what it has kept of prompts."""
    httpx.post(f"{url}/reset_prefix_cache").raise_for_status()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers; the end of its log is the error where it never does."""
    deadline = time.monotonic() + START_LIMIT_S
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the server did not start: {words}")
        time.sleep(1)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it started."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
    process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def preloaded(python: str) -> list[str]:
    """The libraries that vLLM advises on a CPU, where they are there."""
    openmp = Path(python).parents[1] / "lib" / "libiomp5.so"
    allocator = [*Path("/usr/lib").glob("*/libtcmalloc_minimal.so.4")]
    return [str(library) for library in (*allocator, openmp) if library.exists()]


def memory_of(pid: int) -> int:
    """Resident bytes of a process and its children now."""
    parent = psutil.Process(pid)
    return sum(one.memory_info().rss for one in [parent, *parent.children(recursive=True)])
