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


def servers() -> Any:
    """The module that starts servers, which the benchmarks share."""
    sys.path.insert(0, str(BENCH))
    try:
        return importlib.import_module("vllm_server")
    finally:
        sys.path.remove(str(BENCH))


def complete(url: str, model: str, messages: Any, **options: Any) -> dict[str, Any]:
    """One greedy answer of a chat."""
    body = {"model": model, "messages": messages, "temperature": 0, **options}
    answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=REQUEST_LIMIT_S)
    answer.raise_for_status()
    return answer.json()


def text_of(answer: dict[str, Any]) -> str:
    return answer["choices"][0]["message"]["content"]


OFFLINE = """
import json, sys
from vllm import LLM, SamplingParams

folder, prompts, max_tokens, out = sys.argv[1], *map(json.loads, sys.argv[2:4]), sys.argv[4]
model = LLM(folder, dtype="float32", enforce_eager=True, max_model_len=1024, seed=0)
sampling = SamplingParams(temperature=0, max_tokens=max_tokens, ignore_eos=True)
answers = model.generate([{"prompt_token_ids": prompt} for prompt in prompts], sampling)
with open(out, "w") as file:
    json.dump([list(answer.outputs[0].token_ids) for answer in answers], file)
"""


def greedy_tokens(
    python: str, folder: Path, prompts: list[list[int]], max_tokens: int, work: Path
) -> list[list[int]]:
    """What vLLM writes after each prompt, in float32, with spokesmith's plugin installed.

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
    arguments = [str(folder), json.dumps(prompts), str(max_tokens), str(out)]
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
