"""Cross-entropy of the completion, in chunks, without a full logit tensor.

With a vocabulary of 262,144 the logits of one batch in fp32 are larger than the model. Here the
head runs on completion positions only, a chunk of them at a time; the gradient with respect to the
hidden states is computed beside the loss, so that no chunk's logits outlive it. The head is frozen
and gets no gradient. (The idea of fusing head, loss and gradient is that of Liger Kernel's
fused linear cross-entropy, Hsu et al., 2024.)
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

Head = Callable[[Tensor], Tensor]

IGNORED = -100
CHUNK_LOGITS = 16 * 2**20


def completion_loss(hidden: Tensor, labels: Tensor, head: Head, vocabulary: int) -> Tensor:
    """Summed cross-entropy of the positions that have a label.

    Args:
        hidden: [B, K, d], the decoder's last hidden states.
        labels: [B, K], the token that follows each position, or IGNORED.
        head: hidden states [N, d] to logits [N, V]; its weights get no gradient.
        vocabulary: V, which sets how many positions make a chunk.

    Returns:
        A scalar in fp32: the sum, not the mean, so that micro-batches add up.
    """
    # The layers of a base that is spread over several devices end on another than they start on.
    labels = labels.to(hidden.device)
    wanted = labels != IGNORED
    chunk_size = max(1, CHUNK_LOGITS // vocabulary)
    loss = _ChunkedCrossEntropy.apply(hidden[wanted], labels[wanted], head, chunk_size)
    assert isinstance(loss, Tensor)
    return loss


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, labels: Tensor, head: Head, chunk_size: int) -> Tensor:
        wants_gradient = ctx.needs_input_grad[0]
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        gradient = torch.empty_like(hidden) if wants_gradient else None
        for start in range(0, len(hidden), chunk_size):
            part = slice(start, start + chunk_size)
            chunk = hidden[part].detach().requires_grad_(wants_gradient)
            with torch.set_grad_enabled(wants_gradient):
                logits = head(chunk).float()
                targets = labels[part].to(logits.device)
                loss = F.cross_entropy(logits, targets, reduction="sum")
            if gradient is not None:
                (gradient[part],) = torch.autograd.grad(loss, chunk)
            total += loss.detach().to(total.device)
        ctx.gradient = gradient
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.gradient * grad_outputs[0].to(ctx.gradient.dtype), None, None, None
