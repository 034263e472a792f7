"""How fast does a GPU decode with a base of Gemma 4 E2B's full size, and what bounds it?

The weights are random, since speed does not depend on them. What a random base would choose is of
no use, so the engine is told the gold encoding of each probe token by token: it computes every
logit as ever, and guesses are right where they would be right with a base that answers so.
`generate()` needs nothing of the kind: it takes as long for any token.

Prints, and writes to docs/results/decode-gpu.json: what the card reads in a second; how long a
step takes by plain, recorded and compiled passes, without spokes and with; and tokens/s of
`generate()` and of the engine, for 1 and 8 probes at once. Needs a GPU with 24 GB, and about four
minutes.

    python bench/decode_gpu.py
"""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from decode_sides import ask_all
from figures import RESULTS
from spokes_share import random_e2b, works_of

from spokesmith.backends import LocalBackend
from spokesmith.bases import Base
from spokesmith.decoding import Features
from spokesmith.decoding.forward import Work
from spokesmith.decoding.runner import Runner
from spokesmith.decoding.sampling import Scores
from spokesmith.probes import load_set
from spokesmith.spokes import attach, attached_sets, detach
from spokesmith.tasks import Task, load_task
from spokesmith.tasks.canonical import canonical_json
from spokesmith.tasks.files import write_text

Figures = dict[str, Any]
RESULT = RESULTS / "decode-gpu.json"
SET = "memory"
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "recorded": {"captured": True},
    "compiled": {"captured": True, "compiled": True},
}
# Rows and new tokens of each, behind so many tokens that are there already.
STEPS = ((1, 1), (1, 16), (8, 5))
START = 400
REPEATS, WARM_UP = 20, 3
COPY_BYTES = 4 * 10**9
NO_GUESSES = {"forced": False, "copying": False}
# Features, and how many probes for one at a time and for eight: slow sides get fewer.
ENGINES: dict[str, tuple[dict[str, Any], dict[int, int]]] = {
    "spokesmith": ({}, {1: 25, 8: 25}),
    "without guesses": (NO_GUESSES, {1: 8, 8: 16}),
    "without compiled layers": ({"compiled": False}, {1: 8, 8: 16}),
    "without recorded passes": ({"compiled": False, "captured": False}, {1: 3, 8: 8}),
    "without all of these": ({"compiled": False, "captured": False, **NO_GUESSES}, {1: 1}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--generated", type=int, default=32, help="tokens for generate()")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    base, task = random_e2b(), load_task("memory")
    result: Figures = {"card": torch.cuda.get_device_name(), "torch": torch.__version__}

    def note(name: str, value: Any) -> None:
        result[name] = value
        write_text(arguments.out, json.dumps(result, indent=1) + "\n")

    note("bound", say(bound(base)))
    note("generate", say(generated(base, task, arguments.generated)))
    runners = {way: Runner(base, 8, **choices) for way, choices in WAYS.items()}
    note("steps", steps(base, runners))
    del runners
    for side, (features, probes) in ENGINES.items():
        for at_once, first in probes.items():
            figures = by_engine(base, task, at_once, first, features)
            row = {"side": side, "at_once": at_once, "probes": first, **figures}
            note("engine", [*result.get("engine", []), say(row)])
            gc.collect()


def say(figures: Figures) -> Figures:
    print(json.dumps(figures), flush=True)
    return figures


def bound(base: Base) -> Figures:
    """How many tokens a second one stream could have, if a step only read all weights once."""
    source = torch.randint(0, 255, (COPY_BYTES,), dtype=torch.uint8, device=base.device)
    target = torch.empty_like(source)
    copies = [seconds(partial(target.copy_, source)) for _ in range(10)]
    per_s = 2 * COPY_BYTES / statistics.median(copies)
    read = weight_bytes(base)
    return {
        "bytes_per_s": round(per_s / 1e12, 3) * 1e12,
        "weight_bytes": read,
        "tokens_per_s": round(per_s / read, 1),
    }


def weight_bytes(base: Base) -> int:
    """What one token must read: every parameter once, but of the tables of embeddings a row; the
    one that is the head as well counts as the head. Spokes are not counted."""
    tables = {
        id(module.weight)
        for module in base.decoder.modules()
        if isinstance(module, torch.nn.Embedding)
    } - {id(base.model.get_output_embeddings().weight)}
    spokes = {id(one) for each in attached_sets(base.model).values() for one in each.parameters()}
    kept = [one for one in base.model.parameters() if id(one) not in tables | spokes]
    return sum(one.numel() * one.element_size() for one in kept)


def seconds(action: Callable[[], Any]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def generated(base: Base, task: Task, num_tokens: int) -> Figures:
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
    first, whole = seconds(partial(run, 1)), seconds(partial(run, num_tokens))
    step = (whole - first) / (num_tokens - 1)
    return {
        "tokens": num_tokens,
        "first_token_s": round(first, 3),
        "step_ms": round(1e3 * step, 2),
        # As if the answer were long, so that the prompt does not count.
        "tokens_per_s": round(1 / step, 2),
    }


def steps(base: Base, runners: Mapping[str, Runner]) -> list[Figures]:
    """How long a step takes, before spokes are there and after: medians."""
    spokes = attached_sets(base.model)[SET]
    detach(base.model, SET)
    bare = {way: list(step_ms(runner, None)) for way, runner in runners.items()}
    attach(base.model, base.sites(), spokes, name=SET)
    rows = []
    for way, runner in runners.items():
        spoked = list(step_ms(runner, SET))
        for (num_rows, length), before, after in zip(STEPS, bare[way], spoked, strict=True):
            rows.append(
                {
                    "way": way,
                    "rows": num_rows,
                    "tokens_each": length,
                    "base_ms": round(before["median"], 3),
                    "with_spokes_ms": round(after["median"], 3),
                    "share": round(1 - before["median"] / after["median"], 4),
                    "first_s": round(before["first"] / 1e3, 1),
                }
            )
            say(rows[-1])
    return rows


def step_ms(runner: Runner, spokes: str | None) -> Sequence[dict[str, float]]:
    """Of each kind of step the first time, which compiles and records, and the median."""
    found = []
    for num_rows, length in STEPS:
        works = [works_of(row, START, length, spokes) for row in range(num_rows)]
        taken = [1e3 * seconds(partial(runner.run, works)) for _ in range(REPEATS + WARM_UP)]
        found.append({"first": taken[0], "median": statistics.median(taken[WARM_UP:])})
    return found


def by_engine(
    base: Base, task: Task, at_once: int, first: int, features: Mapping[str, Any]
) -> Figures:
    """The engine, told what to answer; callers ask `at_once` at a time."""
    torch.cuda.reset_peak_memory_stats()
    backend = LocalBackend(
        base, spokes=SET, num_slots=at_once, features=Features(**{"compiled": True, **features})
    )
    probes = load_set("gold", task).probes[:first]
    tell(backend, task, [(probe.text, probe.gold) for probe in probes])
    warm_up = backend.engine.warm_up()

    backend.complete(task.messages(probes[0].text), task.schema, max_tokens=8)
    figures, answers = ask_all(backend, task, [probe.text for probe in probes], at_once)
    for probe, answer in zip(probes, answers, strict=True):
        assert answer == canonical_json(probe.gold, task.schema), answer
    backend.close()
    return {
        **figures,
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
            row = engine.batch.rows[work.row]
            assert row is not None
            answer = told[tuple(row.prompt)]
            after = work.start + len(work.token_ids) - work.wanted + 1 - len(row.prompt)
            best = [*answer[after : after + work.wanted], *[chat.end_id] * work.wanted]
            scores[work.row] = Scores(logits=scores[work.row].logits, best=best[: work.wanted])
        return scores

    engine.runner.run = run_and_tell


if __name__ == "__main__":
    main()
