"""The shipped set on stock llama.cpp: grafted onto the embedded base's file, it does its job."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spokesmith.bases import EMBEDDED
from spokesmith.export.gguf_types import engine_is_installed
from spokesmith.metrics.compliance import check
from spokesmith.tasks import load_task

PATH = EMBEDDED["smollm2-135m"].gguf_path()
pytestmark = [
    pytest.mark.skipif(PATH is None, reason="the embedded base's wheel is missing"),
    pytest.mark.skipif(not engine_is_installed(), reason="pip install 'spokesmith[llamacpp]'"),
]


def export(out: Path, *options: str) -> dict[str, Any]:
    """Run the command, as a user does."""
    command = [sys.executable, "-m", "spokesmith", "export", "gguf", "--json", *options]
    command += ["--spokes", "memory-smollm2-135m", "--base-gguf", str(PATH), "--out", str(out)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_it_encodes_a_gold_probe_free_and_greedy(tmp_path: Path) -> None:
    """With the file's own chat template and no schema, as any stock server asks it."""
    import xllamacpp

    document = export(tmp_path / "memory.gguf", "--no-check-engine")
    counts = {"keys": 32, "copied": 182, "kept": 90, "converted": 0}
    assert counts.items() <= document["read_back"].items()
    engine: Any = xllamacpp
    settings = engine.CommonParams()
    settings.model.path = document["file"]
    settings.n_ctx = 4096
    settings.n_parallel = 1
    settings.warmup = False
    settings.verbosity = -1
    cores = len(getattr(os, "sched_getaffinity", lambda _: range(2))(0))
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = cores
    server = engine.Server(settings)
    task = load_task("memory")
    lines = task.probes_path.read_text(encoding="utf-8").splitlines()
    text = min((json.loads(line)["text"] for line in lines), key=len)
    answer = server.handle_chat_completions(
        {"messages": task.messages(text), "temperature": 0, "max_tokens": task.max_tokens}
    )
    choice = answer["choices"][0]
    encoding = choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    assert check(encoding, task.schema).valid, encoding
    assert task.canonical(json.loads(encoding)) == encoding


@pytest.mark.slow
@pytest.mark.parametrize("touched", ["auto", "q8_0", "f16"])
def test_llama_cpp_agrees_with_pytorch(tmp_path: Path, touched: str) -> None:
    document = export(tmp_path / "memory.gguf", "--touched", touched)
    found = document["engine"]
    assert found["checked"]
    assert found["difference"] < {"auto": 0.15, "q8_0": 0.16, "f16": 0.12}[touched]
    assert found["rounding"] < {"auto": 0.4, "q8_0": 0.03, "f16": 0.002}[touched]
    assert found["same_first"] >= {"auto": 17, "q8_0": 19, "f16": 19}[touched]
    assert document["read_back"]["kept"] == (90 if touched == "auto" else 0)
