"""How fast does a GPU decode with a base of Gemma 4 E2B's full size, and what bounds it?

The weights are random, since speed does not depend on them. What a random base would choose is of
no use, so the engine is told the gold encoding of each probe token by token: it computes every
logit and every mask as ever, and guesses are right where they would be right with a base that
answers so. `generate()` needs nothing of the kind: it takes as long for any token.

Prints, and writes to docs/results/decode-gpu.json: what the card reads in a second; how long a
step takes, plain, recorded and compiled, with spokes and without; and tokens/s of `generate()` and
of the engine with each of its parts switched off, for 1 and 8 probes at once. 16 GB of memory.

    python bench/decode_gpu.py
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from figures import RESULTS
from spokes_share import random_e2b

from spokesmith.backends import LocalBackend
from spokesmith.bases import Base
from spokesmith.decoding import Features
from spokesmith.decoding.forward import Work
from spokesmith.decoding.runner import Runner
from spokesmith.decoding.sampling import Scores
from spokesmith.probes import load_set
from spokesmith.tasks import Task, load_task
from spokesmith.tasks.canonical import canonical_json
from spokesmith.tasks.files import write_text

RESULT = RESULTS / "decode-gpu.json"
SET = "memory"
# Rows and new tokens of each, behind so many tokens that are there already.
STEPS = ((1, 1), (1, 16), (8, 5))
START = 400
REPEATS, WARM_UP = 50, 5
COPY_BYTES = 4 * 10**9
AT_ONCE = (1, 8)
ENGINES: dict[str, dict[str, Any]] = {
    "spokesmith": {},
    "without guesses": {"forced": False, "copying": False},
    "without compiled layers": {"compiled": False},
    "without recorded passes": {"compiled": False, "captured": False},
    "without all of these": {
        "compiled": False,
        "captured": False,
        "forced": False,
        "copying": False,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--first", type=int, default=25, help="probes for the engine")
    parser.add_argument("--generated", type=int, default=128, help="tokens for generate()")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    base, task = random_e2b(), load_task("memory")
    result: dict[str, Any] = {"card": torch.cuda.get_device_name(), "torch": torch.__version__}

    def note(name: str, value: Any) -> None:
        result[name] = value
        print(name, json.dumps(value), flush=True)

    note("bound", bound(base))
    note("generate", generated(base, task, arguments.generated))
    note("steps", list(steps(base)))
    note(
        "engine",
        [
            {
                "side": side,
                "at_once": at_once,
                **by_engine(base, task, at_once, arguments.first, features),
            }
            for side, features in ENGINES.items()
            for at_once in AT_ONCE
        ],
    )
    write_text(arguments.out, json.dumps(result, indent=1) + "\n")


def bound(base: Base) -> dict[str, float]:
    """How many tokens a second one stream could have, if a step only read all weights once."""
    source = torch.randint(0, 255, (COPY_BYTES,), dtype=torch.uint8, device=base.device)
    target = torch.empty_like(source)
    copies = [seconds(lambda: target.copy_(source)) for _ in range(10)]
    per_s = 2 * COPY_BYTES / statistics.median(copies)
    read = weight_bytes(base)
    return {
        "bytes_per_s": round(per_s / 1e12, 3) * 1e12,
        "weight_bytes": read,
        "tokens_per_s": round(per_s / read, 1),
    }


def weight_bytes(base: Base) -> int:
    """What one token must read: every parameter once, but of the tables of embeddings a row; the
    one that is the head as well counts as the head."""
    tables = {
        id(module.weight)
        for module in base.decoder.modules()
        if isinstance(module, torch.nn.Embedding)
    } - {id(base.model.get_output_embeddings().weight)}
    kept = [one for one in base.model.parameters() if id(one) not in tables]
    return sum(one.numel() * one.element_size() for one in kept)


def seconds(action: Callable[[], Any]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def generated(base: Base, task: Task, num_tokens: int) -> dict[str, float]:
    """transformers' own loop for one text, free, after a warm-up."""
    text = load_set("gold", task).probes[0].text
    prompt = torch.tensor([base.chat.prompt_ids(task.messages(text))], device=base.device)

    def run(count: int) -> None:
        base.model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            min_new_tokens=count,
            max_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
        )

    run(4)
    whole, first = seconds(lambda: run(num_tokens)), seconds(lambda: run(1))
    return {
        "tokens": num_tokens,
        "tokens_per_s": round(num_tokens / whole, 2),
        "step_ms": round(1e3 * (whole - first) / (num_tokens - 1), 2),
    }


def steps(base: Base) -> list[dict[str, Any]]:
    """How long a step takes, without spokes and with: medians, in turns."""
    rows = []
    for way, choices in {
        "plain": {},
        "recorded": {"captured": True},
        "compiled": {"captured": True, "compiled": True},
    }.items():
        runner = Runner(base, 8, **choices)
        for num_rows, length in STEPS:
            taken: dict[str | None, list[float]] = {None: [], SET: []}
            for _ in range(REPEATS + WARM_UP):
                for spokes, found in taken.items():
                    works = [
                        Work(
                            row=row,
                            start=START,
                            token_ids=[100 + row] * length,
                            wanted=length,
                            spokes=spokes,
                        )
                        for row in range(num_rows)
                    ]
                    found.append(seconds(partial(runner.run, works)))
            bare, spoked = (1e3 * statistics.median(one[WARM_UP:]) for one in taken.values())
            rows.append(
                {
                    "way": way,
                    "rows": num_rows,
                    "tokens_each": length,
                    "base_ms": round(bare, 3),
                    "with_spokes_ms": round(spoked, 3),
                    "share": round(1 - bare / spoked, 4),
                    "warm_up_s": round(sum(one[0] for one in taken.values()), 2),
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


def by_engine(
    base: Base, task: Task, at_once: int, first: int, features: Mapping[str, Any]
) -> dict[str, Any]:
    """The engine, told what to answer; callers ask `at_once` at a time."""
    backend = LocalBackend(
        base, spokes=SET, num_slots=at_once, features=Features(**{"compiled": True, **features})
    )
    probes = load_set("gold", task).probes[:first]
    tell(backend, task, [(probe.text, probe.gold) for probe in probes])
    warm_up = backend.engine.warm_up()

    def ask(text: str) -> Any:
        return backend.complete(task.messages(text), task.schema, max_tokens=task.max_tokens)

    ask(probes[0].text)
    before = backend.stats().forwards
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(lambda probe: ask(probe.text), probes))
    taken = time.perf_counter() - start
    tokens = sum(one.usage.completion_tokens for one in found)
    forwards = backend.stats().forwards - before
    for probe, one in zip(probes, found, strict=True):
        assert one.text == canonical_json(probe.gold, task.schema), one.text
    backend.close()
    return {
        "encodings_per_min": round(60 * len(found) / taken, 1),
        "tokens_per_s": round(tokens / taken, 1),
        "forwards_per_token": round(forwards / tokens, 4),
        "forward_ms": round(1e3 * taken / forwards, 2),
        "first_token_s": round(statistics.median(one.timing.first_token_s for one in found), 3),
        "warm_up_passes": warm_up.num_passes,
        "warm_up_s": round(warm_up.seconds, 1),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 1),
    }


def tell(backend: LocalBackend, task: Task, answers: Sequence[tuple[str, Any]]) -> None:
    """Let the engine's base choose the tokens of these answers, whatever its logits say."""
    engine, chat = backend.engine, backend.chat
    told = {
        tuple(chat.prompt_ids(task.messages(text))): [
            *chat.text_ids(canonical_json(answer, task.schema), control_tokens=False),
            chat.end_id,
        ]
        for text, answer in answers
    }
    run = engine.runner.run

    def run_and_tell(works: Sequence[Work]) -> dict[int, Scores]:
        scores = run(works)
        for work in works:
            row = engine._rows[work.row]
            assert row is not None
            answer = told[tuple(row.prompt)]
            after = work.start + len(work.token_ids) - work.wanted + 1 - len(row.prompt)
            best = [*answer[after : after + work.wanted], *[chat.end_id] * work.wanted]
            scores[work.row] = Scores(logits=scores[work.row].logits, best=best[: work.wanted])
        return scores

    engine.runner.run = run_and_tell


if __name__ == "__main__":
    main()
