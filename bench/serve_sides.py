"""The sides of bench/serve.py that run on llama.cpp. Each measures itself after a short text."""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chat_client import ask_chat, measure
from decode_sides import BASE, SPOKES, WARM_UP, texts_of

from spokesmith.bases import EMBEDDED
from spokesmith.cli.llamacpp import open_llamacpp
from spokesmith.tasks import load_task

CONTEXT = 2048
# llama-server's own grammar can come to a standstill on long bounded texts; such an answer is cut
# and counts as one, which flatters that side.
STOCK_LIMIT_S = 30.0
COST_TOKENS, COST_REPEATS = 128, 5


def base_file() -> Path:
    path = EMBEDDED[BASE].gguf_path()
    assert path is not None, "the package with the embedded base is not installed"
    return path


@contextmanager
def folded_file() -> Iterator[Path]:
    """The shipped set grafted onto the embedded base's own file, as `export gguf` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "memory.gguf"
        command = [sys.executable, "-m", "spokesmith", "export", "gguf", "--spokes", SPOKES]
        files = ["--base-gguf", str(base_file()), "--out", str(out)]
        subprocess.run([*command, *files], check=True, stdout=subprocess.DEVNULL)
        yield out


def by_our_server(first: int, at_once: int, **options: Any) -> dict[str, Any]:
    """Our backend on llama.cpp, with everything that it switches on but `options`."""
    task = load_task("memory")
    settings = [f"{name}={json.dumps(value).strip(chr(34))}" for name, value in options.items()]
    with folded_file() as path:
        backend = open_llamacpp(path, task="memory", settings=settings, num_slots=at_once)

        def ask(text: str) -> tuple[int, float]:
            found = backend.complete(task.messages(text), task.schema, max_tokens=task.max_tokens)
            return found.usage.completion_tokens, found.timing.first_token_s

        ask(WARM_UP)
        before = backend.stats().forwards
        measured = measure(ask, texts_of(task, first), at_once)
        forwards = backend.stats().forwards - before
        backend.close()
    return {**measured, "forwards_per_token": round(forwards / measured["tokens"], 4)}


def by_stock_server(first: int, at_once: int) -> dict[str, Any]:
    """llama-server as it comes, with the schema in each request; answers are cut at a limit."""
    task = load_task("memory")
    with folded_file() as path, _server(path, at_once) as address:

        def ask(text: str) -> tuple[int, float]:
            return ask_chat(f"http://{address}", "stock", task, text, limit_s=STOCK_LIMIT_S)

        ask(WARM_UP)
        return measure(ask, texts_of(task, first), at_once)


@contextmanager
def _server(path: Path, slots: int) -> Iterator[str]:
    """Stock settings but for the file, the context and the slots; where it listens."""
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(path)
    wanted.n_parallel = slots
    wanted.n_ctx = CONTEXT * slots
    server = xllamacpp.Server(wanted)
    yield server.listening_address.partition("://")[2]


def _post(address: str, path: str, body: dict[str, Any]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(address, timeout=600)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"llama-server answers {response.status}: {response.read()!r}")
    return response


def cost_of_spokes() -> dict[str, float]:
    """What the shipped set costs, as `export gguf` writes it."""
    with folded_file() as folded:
        return cost_between(base_file(), folded)


def cost_between(base: Path, folded: Path) -> dict[str, float]:
    """Decode speed of one free stream on llama.cpp: a base's file and the folded one, in turn."""
    speeds: dict[Path, list[float]] = {base: [], folded: []}
    for _ in range(COST_REPEATS):
        for path, found in speeds.items():
            found.append(decode_speed(path))
    bare, spoked = (statistics.median(speeds[path]) for path in (base, folded))
    return {
        "base, tokens/s": round(bare, 1),
        "folded, tokens/s": round(spoked, 1),
        "cost of decode speed": round(1 - spoked / bare, 3),
        "share of the file's bytes": round(1 - base.stat().st_size / folded.stat().st_size, 3),
    }


def decode_speed(path: Path) -> float:
    """Tokens a second of one answer without a grammar, after a warm-up, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"import serve_sides; serve_sides.print_speed({str(path)!r})"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )
    return float(done.stdout.splitlines()[-1])


def print_speed(path: str) -> None:
    """What `decode_speed` runs."""
    with _server(Path(path), 1) as address:
        body = {"prompt": "The pump", "n_predict": COST_TOKENS, "ignore_eos": True}
        for _ in range(2):
            answer = json.loads(_post(address, "/completion", body).read())
    print(answer["timings"]["predicted_per_second"])
