"""vLLM's server for the tests, in an environment of its own that a variable names."""

import importlib
import os
import sys
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
