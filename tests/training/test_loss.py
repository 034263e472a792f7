"""The chunked loss of completion positions against the plain one, gradients too."""

import pytest
import torch
from torch.nn import functional as F

from spokesmith.training import loss as loss_module
from spokesmith.training.loss import IGNORED, completion_loss


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("chunk_logits", [50, 50 * 4, 2**24])
@pytest.mark.parametrize("soft_cap", [None, 5.0])
def test_equals_the_plain_loss_and_gradient(
    batch: int, chunk_logits: int, soft_cap: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_module, "CHUNK_LOGITS", chunk_logits)
    generator = torch.Generator().manual_seed(batch)
    weight = torch.randn(50, 12, generator=generator)
    hidden = torch.randn(batch, 11, 12, generator=generator)
    labels = torch.randint(0, 50, (batch, 11), generator=generator)
    labels[:, :4] = IGNORED

    def head(states: torch.Tensor) -> torch.Tensor:
        logits = states @ weight.T
        return logits if soft_cap is None else torch.tanh(logits / soft_cap) * soft_cap

    def plain(states: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(
            head(states).flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )

    results = []
    for function in (plain, lambda states: completion_loss(states, labels, head, 50)):
        states = hidden.clone().requires_grad_()
        value = function(states)
        (value * 0.37).backward()
        results.append((value.detach(), states.grad))
    torch.testing.assert_close(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1])
    assert results[1][1][:, :4].eq(0).all()


def test_no_chunk_is_larger_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "CHUNK_LOGITS", 100)
    sizes: list[int] = []

    def head(states: torch.Tensor) -> torch.Tensor:
        logits = states @ torch.ones(8, 20)
        sizes.append(logits.numel())
        return logits

    completion_loss(torch.ones(2, 9, 8), torch.ones(2, 9, dtype=torch.long), head, 20)
    assert max(sizes) <= 100
    assert sum(sizes) == 2 * 9 * 20


def test_a_batch_without_labels_costs_nothing() -> None:
    hidden = torch.ones(1, 3, 4, requires_grad=True)
    labels = torch.full((1, 3), IGNORED)
    loss = completion_loss(hidden, labels, lambda states: states @ torch.ones(4, 9), 9)
    loss.backward()
    assert loss.item() == 0
    assert hidden.grad is not None
    assert hidden.grad.eq(0).all()
