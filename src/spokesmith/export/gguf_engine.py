"""Does llama.cpp predict from a written file what PyTorch predicts from the base and its spokes?

Both get the same token ids, so nothing but the model is compared. They begin with the start token
where texts of the base do: without it some bases predict nonsense. A quantised file differs a
little from any base; how much, the base's own file tells, which is compared with the base alone.
What the file's types round off the spokes is no fault of the file: PyTorch gets the spokes as the
file holds them, and what their rounding does is measured by itself, within PyTorch.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from spokesmith.bases import Base
from spokesmith.export import ask_llamacpp
from spokesmith.export.gguf_base import GGUFBase
from spokesmith.export.gguf_stored import stored_spokes
from spokesmith.export.gguf_types import ENGINE
from spokesmith.spokes import SpokeSet, attached

TOP = 5
# The engine tells so many; what is not among them has at most the last one's probability.
NUM_TOLD = 100
CONTEXT = 512
# A base's own file that is further off than this, in nats, is made from other weights.
LARGEST_BASE_DIFFERENCE = 1.5
# How much further off than twice the base's own file a graft may be, in nats.
SLACK = 0.1
# What the rounding of the spokes may do to PyTorch's predictions, in nats. A set that four bits
# moved by 0.38 passed as many probes as before.
LARGEST_ROUNDING = 0.5

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
        difference: of llama.cpp from PyTorch with the spokes that the file holds: mean over the
            prompts and over PyTorch's most likely next tokens, `TOP` each.
        base_difference: the same of the base's own file, without spokes.
        rounding: of PyTorch with the spokes that the file holds from PyTorch with the exact ones.
        same_first: prompts for which llama.cpp and PyTorch with the exact spokes have the same
            most likely token.
        largest_allowed: of `difference`.
    """

    prompts: int
    difference: float
    base_difference: float
    rounding: float
    same_first: int

    @property
    def largest_allowed(self) -> float:
        return 2 * self.base_difference + SLACK

    @property
    def is_of_the_base(self) -> bool:
        """Whether the base's own file is near enough to be made from the base's weights."""
        return self.base_difference <= LARGEST_BASE_DIFFERENCE

    @property
    def is_near_enough(self) -> bool:
        """Whether the rounding of the spokes changes little."""
        return self.rounding <= LARGEST_ROUNDING

    @property
    def passed(self) -> bool:
        agree = self.difference <= self.largest_allowed
        return self.is_of_the_base and self.is_near_enough and agree


def check_engine(written: Path, base_gguf: GGUFBase, base: Base, spokes: SpokeSet) -> EngineCheck:
    """Compare next-token log-probabilities of a written file with those of PyTorch.

    Args:
        written: the file with the spokes in it.
        base_gguf: the file that it was made from.
        base: that the set was trained on.
        spokes: the set.

    Raises:
        ValueError: the engine does not load a file.
    """
    prompts = beginnings(base)
    alone = next_logprobs(base, prompts)
    exact = with_spokes(base, prompts, spokes)
    stored = with_spokes(base, prompts, stored_spokes(written, base_gguf, spokes))
    own = engine_logprobs(base_gguf.header.path, prompts, plain_id=plain_token(base))
    grafted = engine_logprobs(written, prompts, plain_id=plain_token(base))
    first = [int(reference.argmax()) for reference in exact]
    rounded = [dict(enumerate(logprobs.tolist())) for logprobs in stored]
    return EngineCheck(
        prompts=len(prompts),
        difference=mean_difference(grafted, stored),
        base_difference=mean_difference(own, alone),
        rounding=mean_difference(rounded, exact),
        same_first=sum(max(a, key=a.__getitem__) == b for a, b in zip(grafted, first, strict=True)),
    )


def beginnings(base: Base) -> list[list[int]]:
    """Token ids of the prompts, as texts of the base begin."""
    return [base.chat.text_ids(text, control_tokens=False, add_start=True) for text in PROMPTS]


def with_spokes(base: Base, prompts: Sequence[Sequence[int]], spokes: SpokeSet) -> list[Tensor]:
    """Log-probabilities as `next_logprobs` gives them, of the base with a set beside it."""
    with attached(base.model, base.sites(), spokes, name="engine-check"):
        return next_logprobs(base, prompts)


@torch.inference_mode()
def next_logprobs(base: Base, prompts: Sequence[Sequence[int]]) -> list[Tensor]:
    """Log-probabilities of the token after each prompt, [V] in float32, by PyTorch."""
    device = base.device
    return [
        base.model(torch.tensor([list(ids)], device=device)).logits[0, -1].float().log_softmax(-1)
        for ids in prompts
    ]


def plain_token(base: Base) -> int:
    """A token that is a letter."""
    return base.chat.text_ids("a", control_tokens=False)[-1]


def engine_logprobs(
    path: Path, prompts: Sequence[Sequence[int]], *, plain_id: int
) -> list[dict[int, float]]:
    """Log-probabilities of the most likely tokens after each prompt, by llama.cpp.

    Args:
        path: of the GGUF file.
        prompts: token ids.
        plain_id: a token that is a letter, see `ask_llamacpp`.

    Raises:
        ValueError: the engine does not start, does not load the file, or breaks on it.
    """
    request = {
        "path": str(path.resolve()),
        "prompts": [list(ids) for ids in prompts],
        "plain_id": plain_id,
        "num_told": NUM_TOLD,
        "context": CONTEXT,
    }
    done = subprocess.run(
        [sys.executable, ask_llamacpp.__file__],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        # It would start a debugger where it breaks.
        env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        check=False,
    )
    if done.returncode == ask_llamacpp.NOT_STARTED:
        raise ValueError(
            f"llama.cpp is installed and does not start ({done.stderr.splitlines()[-1]}): install "
            f"what it lacks, or {ENGINE} anew, or leave this check out with --no-check-engine"
        )
    if done.returncode:
        loaded = done.returncode != ask_llamacpp.LOAD_FAILED
        why = (
            f"breaks on {path} (exit status {done.returncode})"
            if loaded
            else f"does not load {path}"
        )
        raise ValueError(
            f"llama.cpp ({ENGINE} {version(ENGINE)}) {why}: update it, or leave this check out "
            "with --no-check-engine"
        )
    return [dict(map(tuple, told)) for told in json.loads(done.stdout)]


def mean_difference(told: Sequence[dict[int, float]], reference: Sequence[Tensor]) -> float:
    """Mean absolute difference over all prompts and the reference's `TOP` tokens of each."""
    differences: list[float] = []
    for answer, logprobs in zip(told, reference, strict=True):
        values, tokens = logprobs.topk(TOP)
        least = min(answer.values())
        for token, value in zip(tokens.tolist(), values.tolist(), strict=True):
            differences.append(abs(answer.get(token, least) - value))
    return sum(differences) / len(differences)
