"""From the logits of one step to a token: greedy, or drawn under a temperature."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How one answer's tokens are chosen.

    Attributes:
        temperature: 0 takes the most likely token.
        top_p: share of the probability that draws are made from.
        seed: of the draws; the same seed gives the same answer.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


class Sampler:
    """The draws of one answer."""

    def __init__(self, sampling: Sampling, device: torch.device) -> None:
        self.sampling = sampling
        self._generator = torch.Generator(device).manual_seed(sampling.seed)

    def pick(self, logits: Tensor) -> int:
        """One token from `logits` [V]; tokens at minus infinity are never drawn."""
        if self.sampling.temperature <= 0:
            return int(logits.argmax())
        probabilities = torch.softmax(logits.float() / self.sampling.temperature, dim=-1)
        if self.sampling.top_p < 1:
            ordered, order = probabilities.sort(descending=True)
            # A token stays if those before it do not yet make up the share.
            ordered[ordered.cumsum(0) - ordered >= self.sampling.top_p] = 0
            probabilities = torch.zeros_like(probabilities).scatter(0, order, ordered)
        return int(torch.multinomial(probabilities, 1, generator=self._generator))
