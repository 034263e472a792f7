"""A table of per-layer embeddings that stays in the host's memory.

Gemma 4 E2B's table is 4.7 GB in bf16, and a token reads one row of it. On the host it costs a
look-up and the copy of that row; on the device it would cost a third of a 16 GB card.
"""

from torch import Tensor, nn


class HostTable(nn.Module):
    """Stands in for an embedding: looks rows up on the host and copies them to the device.

    The embedding is kept apart from parameters and submodules, so that moving or casting the model
    leaves it where it is.
    """

    def __init__(self, table: nn.Module) -> None:
        super().__init__()
        object.__setattr__(self, "table", table.to("cpu"))

    def forward(self, input_ids: Tensor) -> Tensor:
        """Rows for tokens: [B, T] to [B, T, width], on the device of `input_ids`."""
        rows: Tensor = vars(self)["table"](input_ids.to("cpu"))
        if input_ids.device.type == "cuda":
            # From pinned memory the copy runs beside what the device computes.
            rows = rows.pin_memory()
        return rows.to(input_ids.device, non_blocking=True)
