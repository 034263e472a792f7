"""The sides of bench/serve.py that run on llama.cpp. Each measures itself after a short text."""

import http.client
import json
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
SPEED_PROMPT = "The pump"
SPEED_TOKENS, WARM_UP_TOKENS = 64, 8


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
        backend = open_llamacpp(
            path, task=task, settings=settings, num_slots=at_once, context=CONTEXT
        )

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
    with folded_file() as path, stock_server(path, at_once) as address:

        def ask(text: str) -> tuple[int, float]:
            return ask_chat(f"http://{address}", "stock", task, text, limit_s=STOCK_LIMIT_S)

        ask(WARM_UP)
        return measure(ask, texts_of(task, first), at_once)


@contextmanager
def stock_server(path: Path, slots: int) -> Iterator[str]:
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


def decode_speed(address: str) -> float:
    """Tokens a second of one answer without a grammar, after a short one."""
    body = {"prompt": SPEED_PROMPT, "ignore_eos": True}
    for num_tokens in (WARM_UP_TOKENS, SPEED_TOKENS):
        answer = json.loads(_post(address, "/completion", body | {"n_predict": num_tokens}).read())
    return float(answer["timings"]["predicted_per_second"])
