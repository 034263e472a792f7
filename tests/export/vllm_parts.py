"""vLLM's server for the tests, in an environment of its own that a variable names."""

import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

PYTHON_VARIABLE = "SPOKESMITH_VLLM_PYTHON"
REQUEST_LIMIT_S = 600
BENCH = Path(__file__).parents[2] / "bench"


def vllm_python() -> str:
    """A Python that has vLLM; the test is skipped where none is named."""
    python = os.environ.get(PYTHON_VARIABLE)
    if not python:
        pytest.skip(f"{PYTHON_VARIABLE} names no Python that has vLLM")
    return python


def has_module(python: str, name: str) -> bool:
    """Whether an environment has a module."""
    script = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    return subprocess.run([python, "-c", script], check=False).returncode == 0


def servers() -> Any:
    """The module that starts servers, which the benchmarks share."""
    sys.path.insert(0, str(BENCH))
    try:
        return importlib.import_module("vllm_server")
    finally:
        sys.path.remove(str(BENCH))


def complete(url: str, model: str, messages: Any, **options: Any) -> dict[str, Any]:
    """One answer of a chat, greedy if `options` do not say otherwise."""
    body = {"model": model, "messages": messages, "temperature": 0, **options}
    answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=REQUEST_LIMIT_S)
    answer.raise_for_status()
    return answer.json()


def text_of(answer: dict[str, Any]) -> str:
    return answer["choices"][0]["message"]["content"]


OFFLINE = """
import json, sys
from vllm import LLM, SamplingParams

folder, out = sys.argv[1:3]
prompts, max_tokens, options = map(json.loads, sys.argv[3:])
model = LLM(folder, max_model_len=1024, **options)
sampling = SamplingParams(temperature=0, max_tokens=max_tokens, ignore_eos=True, logprobs=20)
answers = model.generate([{"prompt_token_ids": prompt} for prompt in prompts], sampling)
written = [
    (
        list(one.token_ids),
        [[(token, found.logprob) for token, found in place.items()] for place in one.logprobs],
    )
    for one in (answer.outputs[0] for answer in answers)
]
with open(out, "w") as file:
    json.dump(written, file)
"""


def greedy_tokens(
    python: str,
    folder: Path,
    prompts: list[list[int]],
    max_tokens: int,
    work: Path,
    **options: Any,
) -> list[tuple[list[int], list[list[tuple[int, float]]]]]:
    """After each prompt: the tokens that vLLM writes, and at each place the likeliest 20 tokens.

    These come with their log-probabilities. In float32 if `options`, vLLM's own, do not say
    otherwise, and with spokesmith's plugin installed.

    The plugin is found as an installed one is: by an entry point beside this checkout's sources.
    """
    plugin = work / "plugin" / "spokesmith-0.dist-info"
    plugin.mkdir(parents=True, exist_ok=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: spokesmith\nVersion: 0\n")
    project = tomllib.loads((BENCH.parent / "pyproject.toml").read_text())["project"]
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (plugin / "entry_points.txt").write_text("\n".join(lines) + "\n")
    out, log = work / "tokens.json", work / "vllm.log"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(plugin.parent), str(BENCH.parent / "src")]),
        "LD_PRELOAD": ":".join(servers().preloaded(python)),
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    if "tensor_parallel_size" in options:
        # Several processes share what cores there are.
        environment["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
    options = {"dtype": "float32", "enforce_eager": True, **options}
    arguments = [str(folder), str(out), *map(json.dumps, (prompts, max_tokens, options))]
    with log.open("w") as file:
        done = subprocess.run(
            [python, "-c", OFFLINE, *arguments],
            env=environment,
            stdout=file,
            stderr=file,
            timeout=REQUEST_LIMIT_S,
            check=False,
        )
    assert done.returncode == 0, log.read_text()[-3000:]
    return json.loads(out.read_text())
