"""A table of per-layer embeddings that stays in the host's memory.

Gemma 4 E2B's table is 4.7 GB in bf16, and a token reads one row of it. On the host it costs a
look-up and the copy of that row; on the device it would cost a third of a 16 GB card.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class HostTable(nn.Module):
    """Stands in for an embedding: looks rows up on the host and copies them to the device.

    The embedding is kept apart from parameters and submodules, so that moving or casting the model
    leaves it where it is.
    """

    table: Any

    def __init__(self, table: nn.Module) -> None:
        super().__init__()
        object.__setattr__(self, "table", table.to("cpu"))
        self._given: Tensor | None = None

    def forward(self, input_ids: Tensor) -> Tensor:
        """Rows for tokens: [B, T] to [B, T, width], on the device of `input_ids`."""
        if self._given is not None:
            return self._given.view(*input_ids.shape, -1)
        rows: Tensor = self.table(input_ids.to("cpu"))
        if input_ids.device.type == "cuda":
            # From pinned memory the copy runs beside what the device computes.
            rows = rows.pin_memory()
        return rows.to(input_ids.device, non_blocking=True)

    def empty_rows(self, num_tokens: int, device: torch.device) -> Tensor:
        """Room for the rows of so many tokens, [num_tokens, width]."""
        weight: Tensor = self.table.weight
        return weight.new_zeros(num_tokens, weight.shape[1], device=device)

    @torch.inference_mode()
    def look_up(self, token_ids: Sequence[int], rows: Tensor) -> None:
        """Write the rows of tokens to a place on a device, [num_tokens, width]."""
        rows.copy_(self.forward(torch.tensor(token_ids)), non_blocking=True)

    @contextmanager
    def giving(self, rows: Tensor) -> Iterator[None]:
        """Inside the block these rows [B * T, width] are the answer to every call."""
        self._given = rows
        try:
            yield
        finally:
            self._given = None
