"""From the logits of one position to a token: greedy, or drawn as a request says."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import torch
from torch import Tensor

from spokesmith.decoding.request import Sampling

# Below this a draw is the most likely token anyway; far below, logits divided by it are infinite.
LEAST_TEMPERATURE = 1e-5
NO_TOKEN = -1


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What the base says of each of n positions.

    Attributes:
        logits: [n, V].
        best: the most likely tokens; `NO_TOKEN` where the logits are no finite numbers.
    """

    logits: Tensor
    best: list[int]


class Sampler:
    """The choices of one answer. A draw depends on the seed and on the token's place alone."""

    def __init__(self, sampling: Sampling, device: torch.device) -> None:
        self.sampling = sampling
        self.is_greedy = sampling.temperature < LEAST_TEMPERATURE or sampling.top_k == 1
        tokens, biases = list(sampling.logit_bias), list(sampling.logit_bias.values())
        self._biased = torch.tensor(tokens, dtype=torch.long, device=device)
        self._biases = torch.tensor(biases, dtype=torch.float, device=device)
        self._counts: Counter[int] = Counter()
        self._place = 0
        self._generator = torch.Generator(device)

    def pick(
        self,
        logits: Tensor,
        best: int,
        is_allowed: Callable[[int], bool],
        allowed: Callable[[], Tensor | None],
    ) -> int:
        """One token from `logits` [V].

        Args:
            best: the most likely token.
            is_allowed: whether a token may stand here.
            allowed: which tokens may stand here, [V]; None for any. It costs more than to ask for
                one token, so it is called only where the most likely token may not, or where a
                token is drawn.
        """
        if self.sampling.changes_logits:
            logits = self._changed(logits)
            best = int(logits.argmax())
        if self.is_greedy and is_allowed(best):
            return best
        mask = allowed()
        if mask is not None:
            logits = logits.masked_fill(~mask, -torch.inf)
        return int(logits.argmax()) if self.is_greedy else self._draw(logits)

    def accept(self, token: int) -> None:
        """Go on: the token is a part of the answer."""
        self._counts[token] += 1
        self._place += 1

    def _changed(self, logits: Tensor) -> Tensor:
        """The logits with biases and penalties."""
        logits = logits.float().clone()
        logits.index_add_(0, self._biased, self._biases)
        if self._counts:
            tokens = torch.tensor(list(self._counts), device=logits.device)
            counts = torch.tensor(list(self._counts.values()), device=logits.device)
            once, often = self.sampling.presence_penalty, self.sampling.frequency_penalty
            logits[tokens] -= once + often * counts.float()
        return logits

    def _draw(self, logits: Tensor) -> int:
        """One draw; tokens at minus infinity are never drawn."""
        sampling = self.sampling
        scores = logits.float() / sampling.temperature
        if 0 < sampling.top_k < len(scores):
            # By place, not by value: in bfloat16 several tokens are as likely as the last one.
            likely = scores.topk(sampling.top_k).indices
            scores = torch.full_like(scores, -torch.inf).scatter(0, likely, scores[likely])
        probabilities = torch.softmax(scores, dim=-1)
        if sampling.min_p > 0:
            probabilities[probabilities < sampling.min_p * probabilities.max()] = 0
        if sampling.top_p < 1:
            ordered, order = probabilities.sort(descending=True)
            # A token stays if those before it do not yet make up the share; the first always does.
            ordered[1:][(ordered.cumsum(0) - ordered >= sampling.top_p * ordered.sum())[1:]] = 0
            probabilities = torch.zeros_like(probabilities).scatter(0, order, ordered)
        self._generator.manual_seed(_mixed(sampling.seed, self._place))
        return int(torch.multinomial(probabilities, 1, generator=self._generator))


def _mixed(seed: int, place: int) -> int:
    """Both in 32 bits: torch's generator on a CPU keeps no more of a seed."""
    return int.from_bytes(blake2b(f"{seed}/{place}".encode(), digest_size=4).digest())
