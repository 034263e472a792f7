"""What the logits look like: their range, how near the soft cap, how sure and how right."""

import math

import torch

from spokesmith.bases import Base
from spokesmith.diagnose.findings import Check, Question
from spokesmith.diagnose.passes import targets
from spokesmith.diagnose.sameness import Comparisons

NEAR_CAP = 0.95
MOST_NEAR_CAP = 0.05


def predictions(passes: Comparisons, *, is_judged: bool = True) -> Question:
    """The fourth question: do the logits predict anything?

    Args:
        passes: of a base with the spokes of interest active; what one of random weights predicts
            is not judged.
        is_judged: whether the samples' answers are right ones.
    """
    base, samples, result = passes.base, passes.samples, passes.wanted
    logits = result.logits
    wanted = targets(base, samples)
    log_probabilities = torch.log_softmax(logits, dim=-1)
    entropy = -(log_probabilities.exp() * log_probabilities).sum(-1).mean().item()
    right = log_probabilities.gather(-1, wanted[:, None]).exp().mean().item()
    accuracy = (logits.argmax(-1) == wanted).float().mean().item()
    perplexity = math.exp(min(result.loss, 700.0))
    is_finite = bool(torch.isfinite(logits).all())
    checks = [
        Check(
            name="logits are finite",
            verdict="yes" if is_finite else "no",
            figure=f"from {logits.min().item():.2f} to {logits.max().item():.2f}",
        ),
        *_near_cap(base, logits),
        Check(
            name="better than a uniform guess",
            verdict="told"
            if base.has_random_weights or not is_judged
            else "no"
            if _is_garbage(base, perplexity)
            else "yes",
            figure=f"perplexity {perplexity:.4g} of a vocabulary of {base.config.vocab_size}",
            value=perplexity,
        ),
        Check(
            name="how sure and how right",
            verdict="told",
            figure=f"entropy {entropy:.3f} nats, probability of the right token {right:.3f}, "
            f"token accuracy {accuracy:.1%}",
        ),
    ]
    return Question(title="Do the logits predict anything?", checks=checks)


def _is_garbage(base: Base, perplexity: float) -> bool:
    return not perplexity < base.config.vocab_size


def _near_cap(base: Base, logits: torch.Tensor) -> list[Check]:
    cap = getattr(base.config, "final_logit_softcapping", None)
    if cap is None:
        return []
    share = (logits.abs() > NEAR_CAP * cap).float().mean().item()
    return [
        Check(
            name="logits keep off the soft cap",
            verdict="yes" if share <= MOST_NEAR_CAP else "no",
            figure=f"{share:.2%} within 5 % of {cap:g}",
            value=share,
        )
    ]
