"""One encoding from a server that speaks OpenAI's interface, streamed, with its schema."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from decode_sides import summary

from spokesmith.tasks import Task

Ask = Callable[[str], tuple[int, float]]


def ask_chat(
    url: str, model: str, task: Task, text: str, *, limit_s: float | None = None
) -> tuple[int, float]:
    """How many tokens an encoding has, and seconds to the first.

    Args:
        url: of the server.
        model: its name there.
        task: whose prompt and schema are sent.
        text: to encode.
        limit_s: after so many seconds the answer is cut.
    """
    body = {
        "model": model,
        "messages": task.messages(text),
        "max_tokens": task.max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "encoding", "strict": True, "schema": task.schema},
        },
    }
    start, first_token_s, tokens = time.perf_counter(), 0.0, 0
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=600) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            if limit_s is not None and time.perf_counter() - start > limit_s:
                break
            event = json.loads(line.removeprefix("data: "))
            said = any(choice["delta"].get("content") for choice in event["choices"])
            first_token_s = first_token_s or said * (time.perf_counter() - start)
            # An answer that is cut never tells its usage: its events are counted.
            tokens = (event.get("usage") or {}).get("completion_tokens", tokens + 1)
    return tokens, first_token_s


def measure(ask: Ask, texts: list[str], at_once: int) -> dict[str, Any]:
    """The figures of a side that is asked one text at a time by `at_once` callers."""
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(ask, texts))
    seconds = time.perf_counter() - start
    return summary(seconds, [n for n, _ in answers], [wait for _, wait in answers], None)
