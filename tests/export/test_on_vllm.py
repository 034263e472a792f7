"""The shipped set, folded, on a stock vLLM server: the same answers, one by one and eight at once.

In float32, because in bfloat16 equal models part after a few tokens.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import torch
from vllm_parts import complete, servers, text_of, vllm_python

from spokesmith.backends import LocalBackend
from spokesmith.bases import find_base, load_base
from spokesmith.export.hf import export_hf
from spokesmith.probes import load_set
from spokesmith.spokes import attach, find_spokes, load_spokes
from spokesmith.tasks import load_task

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

BASE, SPOKES = "smollm2-135m", "memory-smollm2-135m"
AT_ONCE, SHORT = 8, 48
# Answers that may part, and what the likelier token may lead by where they do, in nats.
MOST_TIES, TIE = 2, 1e-3
TASK = load_task("memory")
TEXTS = [probe.text for probe in load_set("gold", TASK).probes]


@pytest.fixture(scope="module")
def python() -> str:
    return vllm_python()


@pytest.fixture(scope="module")
def folder(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    spokes, card = load_spokes(find_spokes(SPOKES))
    out = tmp_path_factory.mktemp("vllm") / "folded"
    return export_hf(out, find_base(BASE), spokes, card, dtype="fp32").folder


@pytest.fixture(scope="module")
def url(python: str, folder: Path) -> Iterator[str]:
    arguments = ("--override-generation-config", '{"temperature": 0}')
    with servers().server(python, folder, dtype="float32", arguments=arguments) as (address, _):
        yield address


@pytest.fixture(scope="module")
def ours(python: str) -> LocalBackend:
    base = load_base(BASE, dtype="float32", device="cpu")
    spokes, _ = load_spokes(find_spokes(SPOKES), base_fingerprint=base.fingerprint)
    attach(base.model, base.sites(), spokes, name="memory")
    return LocalBackend(base, spokes="memory", num_slots=AT_ONCE)


def ask(url: str, text: str, **options: Any) -> dict[str, Any]:
    return complete(url, servers().MODEL, TASK.messages(text), **options)


def test_greedy_texts_are_ours(url: str, ours: LocalBackend) -> None:
    """To the letter, but where two tokens are as likely as float32 can tell."""

    def of_ours(text: str) -> tuple[str, str, int]:
        found = ours.complete(TASK.messages(text), max_tokens=TASK.max_tokens)
        return found.text, found.finish_reason, found.usage.prompt_tokens

    def of_vllm(text: str) -> tuple[str, str, int]:
        found = ask(url, text, max_tokens=TASK.max_tokens)
        reason = found["choices"][0]["finish_reason"]
        return text_of(found), reason, found["usage"]["prompt_tokens"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        wanted = list(pool.map(of_ours, TEXTS))
        found = list(pool.map(of_vllm, TEXTS))
    assert len(wanted) == 25
    assert [reason for _, reason, _ in wanted].count("stop") > 20
    others = [place for place in range(25) if found[place] != wanted[place]]
    assert len(others) <= MOST_TIES
    for place in others:
        assert found[place][2] == wanted[place][2]
        assert lead_where_they_part(TEXTS[place], wanted[place][0], found[place][0], ours) < TIE


def lead_where_they_part(text: str, one: str, other: str, ours: LocalBackend) -> float:
    """By how much the likelier of the two tokens leads where two answers part, in nats."""
    ids = [ours.chat.text_ids(answer, control_tokens=False) for answer in (one, other)]
    shared = next(i for i, pair in enumerate(zip(*ids, strict=False)) if pair[0] != pair[1])
    prompt = ours.chat.prompt_ids(TASK.messages(text))
    with torch.inference_mode():
        logits = ours.base.model(torch.tensor([[*prompt, *ids[0][:shared]]])).logits[0, -1]
    first, second = logits.topk(2).values.tolist()
    assert {ids[0][shared], ids[1][shared]} == set(logits.topk(2).indices.tolist())
    return first - second


def test_a_schema_holds_and_the_answer_is_ours(url: str, ours: LocalBackend) -> None:
    text = TEXTS[0]
    form = {"name": "encoding", "strict": True, "schema": TASK.schema}
    answer = ask(
        url,
        text,
        max_tokens=TASK.max_tokens,
        response_format={"type": "json_schema", "json_schema": form},
    )
    found = json.loads(text_of(answer))
    jsonschema.validate(found, TASK.schema)
    wanted = ours.complete(TASK.messages(text), TASK.schema, max_tokens=TASK.max_tokens)
    assert found == json.loads(wanted.text)


def test_eight_at_once_answer_as_one_by_one(url: str) -> None:
    texts = TEXTS[:AT_ONCE]
    alone = [text_of(ask(url, text, max_tokens=SHORT)) for text in texts]
    assert together(url, texts) == alone
    assert len(set(alone)) == AT_ONCE


def test_a_request_that_names_no_temperature_is_greedy(url: str) -> None:
    wanted = text_of(ask(url, TEXTS[0], max_tokens=SHORT))
    for seed in (1, 2):
        answer = ask(url, TEXTS[0], max_tokens=SHORT, temperature=None, seed=seed)
        assert text_of(answer) == wanted


def together(url: str, texts: list[str]) -> list[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda text: text_of(ask(url, text, max_tokens=SHORT)), texts))


@contextmanager
def vllm_router(workers: list[str], folder: Path) -> Iterator[str]:
    """vLLM's own router."""
    port = servers().free_port()
    command = [shutil.which("vllm-router") or "", "--port", str(port), "--policy", "round_robin"]
    command += ["--prometheus-port", str(servers().free_port()), "--worker-urls", *workers]
    with proxy(command, port, folder / "router.log", "/health") as address:
        yield address


NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream replicas {{
    {workers}
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://replicas;
      proxy_buffering off;
      proxy_read_timeout 600s;
      proxy_next_upstream error timeout non_idempotent;
    }}
  }}
}}
"""


@contextmanager
def nginx(workers: list[str], folder: Path) -> Iterator[str]:
    port = servers().free_port()
    listed = "\n    ".join(f"server {url.removeprefix('http://')};" for url in workers)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, workers=listed, port=port))
    command = [shutil.which("nginx") or "", "-c", str(config), "-p", str(folder)]
    with proxy(command, port, folder / "nginx.log", "/health") as address:
        yield address


@contextmanager
def proxy(command: list[str], port: int, log: Path, health: str) -> Iterator[str]:
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            servers().wait_for(f"http://127.0.0.1:{port}{health}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            servers().end(process)


def answered(url: str) -> float:
    """How many requests a server has answered."""
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    counts = [line for line in lines if line.startswith("vllm:request_success_total")]
    return sum(float(line.split()[-1]) for line in counts)


@pytest.mark.parametrize("front", [vllm_router, nginx], ids=["vllm-router", "nginx"])
def test_two_replicas_behind_a_proxy_answer_as_one(
    front: Any, python: str, folder: Path, url: str, tmp_path: Path
) -> None:
    name = front.__name__.replace("_", "-")
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    texts = TEXTS[:AT_ONCE]
    wanted = together(url, texts)
    with ExitStack() as stack:
        other, process = stack.enter_context(servers().server(python, folder, dtype="float32"))
        address = stack.enter_context(front([url, other], tmp_path))
        before = [answered(replica) for replica in (url, other)]
        assert together(address, texts) == wanted
        after = [answered(replica) for replica in (url, other)]
        shares = [new - old for new, old in zip(after, before, strict=True)]
        assert sum(shares) == AT_ONCE
        assert min(shares) >= 2
        # A replica that is gone takes no answer with it.
        servers().end(process)
        assert together(address, texts) == wanted
