"""Does llama.cpp predict from a written file what PyTorch predicts from the base and its spokes?

Both get the same token ids, so nothing but the model is compared. A quantised file differs a
little from any base; how much, the base's own file tells, which is compared with the base alone.
"""

import importlib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spokesmith.bases import Base
from spokesmith.spokes import SpokeSet, attached

ENGINE = "xllamacpp"
TOP = 5
# The engine tells so many; what is not among them has at most the last one's probability.
NUM_TOLD = 100
CONTEXT = 512
# How much further off than twice the base's own file a graft may be, in nats.
SLACK = 0.25

PROMPTS = (
    "The pump in hall 3 stopped at 14:05; Ana replaced the",
    "def add(a, b):\n    return a +",
    "Le 4 mars, la réunion a été déplacée à",
    '{"name": "Otto", "age": 41, "city":',
    "Water boils at 100 degrees",
    "1, 1, 2, 3, 5, 8, 13,",
    "Dear Ms. Okafor,\n\nThank you for your letter of",
    "| item | price |\n| --- | --- |\n| tea |",
    "Die Lieferung kommt am Dienstag um neun",
    "SELECT name, total FROM orders WHERE",
    "ERROR 2024-05-01 12:00:03 worker-7 could not connect to",
    "Mix the flour with two eggs and a pinch of",
    "https://example.org/docs/index.",
    "El equipo ganó el partido por 3 a",
    "The patient took 20 mg of the drug twice a",
    "Roses are red, violets are",
    "今日はとても",
    "Subject: Budget for the second quarter\nFrom:",
    "In 1969 the first people walked on the",
    '{"content": "Nadia fixed the login',
)


@dataclass(frozen=True, kw_only=True)
class EngineCheck:
    """What the comparison found. Differences are of log-probabilities, in nats.

    Attributes:
        prompts: how many prompts were compared.
        difference: mean over them and over PyTorch's most likely next tokens, `TOP` each.
        base_difference: the same of the base's own file, without spokes.
        same_first: prompts for which both have the same most likely token.
        largest_allowed: of `difference`.
    """

    prompts: int
    difference: float
    base_difference: float
    same_first: int

    @property
    def largest_allowed(self) -> float:
        return 2 * self.base_difference + SLACK

    @property
    def passed(self) -> bool:
        return self.difference <= self.largest_allowed


def engine_is_installed() -> bool:
    """Whether llama.cpp can be asked in this process."""
    return importlib.util.find_spec(ENGINE) is not None


def check_engine(written: Path, base_gguf: Path, base: Base, spokes: SpokeSet) -> EngineCheck:
    """Compare next-token log-probabilities of a written file with those of PyTorch.

    Args:
        written: the file with the spokes in it.
        base_gguf: the file that it was made from.
        base: that the set was trained on.
        spokes: the set.

    Raises:
        ValueError: the engine does not load a file.
    """
    prompts = [
        base.chat.text_ids(text, control_tokens=False, add_special_tokens=True) for text in PROMPTS
    ]
    alone = next_logprobs(base, prompts)
    with attached(base.model, base.sites(), spokes, name="engine-check"):
        together = next_logprobs(base, prompts)
    own = engine_logprobs(base_gguf, prompts)
    grafted = engine_logprobs(written, prompts)
    first = [int(reference.argmax()) for reference in together]
    return EngineCheck(
        prompts=len(prompts),
        difference=mean_difference(grafted, together),
        base_difference=mean_difference(own, alone),
        same_first=sum(max(a, key=a.__getitem__) == b for a, b in zip(grafted, first, strict=True)),
    )


@torch.inference_mode()
def next_logprobs(base: Base, prompts: Sequence[Sequence[int]]) -> list[Tensor]:
    """Log-probabilities of the token after each prompt, [V] in float32, by PyTorch."""
    device = base.device
    return [
        base.model(torch.tensor([list(ids)], device=device)).logits[0, -1].float().log_softmax(-1)
        for ids in prompts
    ]


def engine_logprobs(path: Path, prompts: Sequence[Sequence[int]]) -> list[dict[int, float]]:
    """Log-probabilities of the most likely tokens after each prompt, by llama.cpp.

    Raises:
        ValueError: it does not load the file.
    """
    # Its types are in compiled code, which type checkers do not see.
    xllamacpp: Any = importlib.import_module(ENGINE)
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx = CONTEXT
    settings.n_parallel = 1
    settings.warmup = False
    settings.fit_params = False
    settings.verbosity = -1
    # By itself the engine counts cores that this process may not use, and waits for them.
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = cores
    try:
        server = xllamacpp.Server(settings)
    except RuntimeError as error:
        raise ValueError(
            f"llama.cpp ({ENGINE} {xllamacpp.__version__}) does not load {path}: update it, or "
            "leave this check out with --no-check-engine"
        ) from error
    return [_told(server, list(ids)) for ids in prompts]


def _told(server: Any, ids: list[int]) -> dict[int, float]:
    request = {
        "prompt": ids,
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": NUM_TOLD,
        "cache_prompt": False,
    }
    answer = server.handle_completions(request)
    if "choices" not in answer:
        raise ValueError(f"llama.cpp gave no answer to the engine check: {answer}")
    tokens = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {token["id"]: token["logprob"] for token in tokens}


def mean_difference(told: Sequence[dict[int, float]], reference: Sequence[Tensor]) -> float:
    """Mean absolute difference over all prompts and the reference's `TOP` tokens of each."""
    differences: list[float] = []
    for answer, logprobs in zip(told, reference, strict=True):
        values, tokens = logprobs.topk(TOP)
        least = min(answer.values())
        for token, value in zip(tokens.tolist(), values.tolist(), strict=True):
            differences.append(abs(answer.get(token, least) - value))
    return sum(differences) / len(differences)
