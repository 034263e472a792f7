"""The sides of bench/decode.py. Each measures itself, and warms up on a short text first."""

import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria
from transformers.utils import logging as transformers_logging

from spokesmith.backends import LocalBackend
from spokesmith.backends.completion import Completion
from spokesmith.bases import Base, load_base
from spokesmith.decoding import Constraint, Features
from spokesmith.decoding.grammar import Grammar, GrammarCompiler
from spokesmith.probes import load_set
from spokesmith.spokes import attach, find_spokes, load_spokes
from spokesmith.tasks import Task, load_task

BASE, SPOKES = "smollm2-135m", "memory-smollm2-135m"
WARM_UP = "The pump stopped."


def loaded() -> tuple[Base, Task]:
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    base, task = load_base(BASE), load_task("memory")
    spokes, _ = load_spokes(find_spokes(SPOKES), base_fingerprint=base.fingerprint)
    attach(base.model, base.sites(), spokes, name="memory")
    return base, task


def texts_of(task: Task, first: int) -> list[str]:
    return [probe.text for probe in load_set("gold", task).probes[:first]]


def summary(
    seconds: float, tokens: list[int], first_token_s: list[float], forwards: int | None
) -> dict[str, Any]:
    """The figures of one side. `forwards_per_token` counts passes of the base, batches as one."""
    total = sum(tokens)
    return {
        "encodings_per_min": round(60 * len(tokens) / seconds, 2),
        "tokens_per_s": round(total / seconds, 1),
        "forwards_per_token": None if forwards is None else round(forwards / total, 4),
        "first_token_s": round(statistics.median(first_token_s), 3),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "tokens": total,
        "seconds": round(seconds, 2),
    }


class _Held(LogitsProcessor):
    """Masks by one grammar a row, as a user of `generate()` would."""

    def __init__(self, grammars: list[Grammar], prompt_length: int, stop_ids: list[int]) -> None:
        self.grammars = grammars
        self.prompt_length = prompt_length
        self.stop_ids = stop_ids

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        for row, grammar in enumerate(self.grammars):
            if input_ids.shape[1] > self.prompt_length:
                token = int(input_ids[row, -1])
                if not grammar.has_ended and token not in self.stop_ids:
                    grammar.accept(token)
            if grammar.has_ended:
                scores[row] = -torch.inf
                scores[row, self.stop_ids] = 0
            else:
                scores[row, ~torch.from_numpy(grammar.allowed())] = -torch.inf
        return scores


class _FirstToken(StoppingCriteria):
    """Notes when the first token is there; stops nothing."""

    def __init__(self) -> None:
        self.at: float | None = None
        self.forwards = 0

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        self.at = self.at or time.perf_counter()
        self.forwards += 1
        return torch.zeros(len(input_ids), dtype=torch.bool)


def by_generate(first: int, at_once: int, *, held: bool) -> dict[str, Any]:
    """transformers' own loop, in batches padded on the left."""
    base, task = loaded()
    compiler = GrammarCompiler(
        base.tokenizer, base.chat.end_id, base.model.get_output_embeddings().weight.shape[0]
    )
    stop_ids = list(base.chat.stop_ids)

    def encode(texts: list[str], max_tokens: int) -> tuple[list[int], float, int]:
        prompts = [base.chat.prompt_ids(task.messages(text)) for text in texts]
        longest = max(map(len, prompts))
        padded = [[stop_ids[0]] * (longest - len(ids)) + ids for ids in prompts]
        mask = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts]
        clock, start = _FirstToken(), time.perf_counter()
        held_by = [
            compiler.start(Constraint(kind="schema", value=task.schema))
            for _ in range(len(texts) if held else 0)
        ]
        output = base.model.generate(
            torch.tensor(padded),
            attention_mask=torch.tensor(mask),
            max_new_tokens=max_tokens,
            do_sample=False,
            eos_token_id=stop_ids,
            pad_token_id=stop_ids[0],
            logits_processor=LogitsProcessorList([_Held(held_by, longest, stop_ids)] * held),
            stopping_criteria=[clock],
        )
        answers = output[:, longest:].tolist()
        lengths = [
            next((i for i, token in enumerate(answer) if token in stop_ids), len(answer))
            for answer in answers
        ]
        assert clock.at is not None
        return lengths, clock.at - start, clock.forwards

    encode([WARM_UP], 8)
    texts = texts_of(task, first)
    tokens: list[int] = []
    waited: list[float] = []
    forwards, start = 0, time.perf_counter()
    for place in range(0, len(texts), at_once):
        lengths, first_token_s, passes = encode(texts[place : place + at_once], task.max_tokens)
        tokens += lengths
        waited += [first_token_s] * len(lengths)
        forwards += passes
    return summary(time.perf_counter() - start, tokens, waited, forwards)


def by_engine(
    first: int, at_once: int, *, held: bool = True, verbatim: bool = False, **features: Any
) -> dict[str, Any]:
    """This engine; callers ask `at_once` at a time."""
    base, task = loaded()
    backend = LocalBackend(base, spokes="memory", num_slots=at_once, features=Features(**features))
    backend.complete(task.messages(WARM_UP), task.schema if held else None, max_tokens=8)
    texts = texts_of(task, first)
    return ask_all(backend, task, texts, at_once, held=held, verbatim=verbatim)[0]


def ask_all(
    backend: LocalBackend,
    task: Task,
    texts: list[str],
    at_once: int,
    *,
    held: bool = True,
    verbatim: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """The figures of an engine that is asked for the encodings of all texts, and its answers.

    They are held to the task's schema, or with `verbatim` to that of each text.
    """

    def ask(text: str) -> Completion:
        schema = None
        if held:
            schema = task.schema_for(text) if verbatim else task.schema
        return backend.complete(task.messages(text), schema, max_tokens=task.max_tokens)

    before = backend.stats().forwards
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(ask, texts))
    figures = summary(
        time.perf_counter() - start,
        [one.usage.completion_tokens for one in found],
        [one.timing.first_token_s for one in found],
        backend.stats().forwards - before,
    )
    return figures, [one.text for one in found]


Side = Callable[[int, int], dict[str, Any]]
SIDES: dict[str, Side] = {
    "generate free": partial(by_generate, held=False),
    "generate grammar": partial(by_generate, held=True),
    "spokesmith": by_engine,
    "spokesmith held to the text": partial(by_engine, verbatim=True),
    "spokesmith free": partial(by_engine, held=False),
    "without forced tokens": partial(by_engine, forced=False),
    "without copying": partial(by_engine, copying=False),
    "without both": partial(by_engine, forced=False, copying=False),
    "without earlier answers": partial(by_engine, recalling=False),
    "without prefix cache": partial(by_engine, prefix_cache=False),
    "without the fixed layout": partial(by_engine, fixed_layout=False),
}
