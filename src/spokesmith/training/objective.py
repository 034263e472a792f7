"""What a training step computes: the loss of a batch through a base with spokes beside it.

Every example of a task opens with the same prompt. Its keys and values are computed once for a
batch and shared, with gradients, instead of once an example: the same numbers for less work.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import DynamicCache

from spokesmith.bases import Base
from spokesmith.bases.shared_kv import cache_argument
from spokesmith.data.prepare import Example
from spokesmith.spokes import SpokeSet
from spokesmith.training.loss import IGNORED, completion_loss


class Objective(nn.Module):
    """The mean cross-entropy of completions, as a module that a trainer can hold.

    Its parameters are the base's, frozen, and the spokes'.
    """

    accepts_loss_kwargs = True

    def __init__(self, base: Base, spokes: SpokeSet) -> None:
        super().__init__()
        self.base = base
        self.model = base.model
        self.spokes = spokes

    def forward(
        self,
        input_ids: Tensor,
        labels: Tensor,
        prefix_ids: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
    ) -> dict[str, Tensor]:
        """The loss of a batch.

        Args:
            input_ids: [B, T], padded on the right; causal attention keeps the padding from
                every position that has a label.
            labels: [B, K], for each of the last K positions the token that follows, or -100.
            prefix_ids: [1, P], tokens that open every row, if they are not in `input_ids`.
            num_items_in_batch: labels in all micro-batches of a step; None takes this batch's.
        """
        hidden = self.last_hidden(input_ids, prefix_ids, keep=labels.shape[1])
        total = completion_loss(hidden, labels, self.base.logits, self.base.config.vocab_size)
        if num_items_in_batch is None:
            num_items_in_batch = (labels != IGNORED).sum()
        return {"loss": total / num_items_in_batch}

    def last_hidden(
        self, input_ids: Tensor, prefix_ids: Tensor | None, *, keep: int | None = None
    ) -> Tensor:
        """The decoder's last hidden states of `input_ids`, [B, T, d].

        `keep` asks for the last so many positions only, [B, keep, d]. Layers that use the keys and
        values of earlier ones then leave the other positions out, since nobody reads them.
        """
        decoder: Any = self.base.decoder
        keep = input_ids.shape[1] if keep is None else keep
        leaves_out = "logits_to_keep" in inspect.signature(decoder.forward).parameters
        kept, none = ({"logits_to_keep": keep}, {"logits_to_keep": 1}) if leaves_out else ({}, {})
        if prefix_ids is None:
            output = decoder(input_ids=input_ids, use_cache=False, **kept)
            return output.last_hidden_state[:, -keep:]
        cache = DynamicCache(config=self.base.config)
        memory = {cache_argument(decoder): cache, "use_cache": True}
        decoder(input_ids=prefix_ids, **memory, **none)
        cache.batch_repeat_interleave(len(input_ids))
        output = decoder(input_ids=input_ids, **memory, **kept)
        return output.last_hidden_state[:, -keep:]


@dataclass(frozen=True, kw_only=True)
class Collator:
    """Makes a batch of examples, padded on the right to the longest of them.

    With `share_prefix` the prefix comes apart from the rows; without, each row starts with it.
    Labels start at the first position that has one: before it nobody reads what is predicted.
    There may be no examples: a process can be left without rows in a short last step.
    `num_tokens` counts the tokens of the examples, each with its prefix, without padding.
    """

    prefix: np.ndarray
    pad_id: int
    share_prefix: bool

    def __call__(self, examples: list[Example]) -> dict[str, Tensor]:
        opening = self.prefix[:0] if self.share_prefix else self.prefix
        rows = [np.concatenate([opening, example.tokens]) for example in examples]
        length = max((len(row) for row in rows), default=1) - 1
        input_ids = np.full((len(rows), length), self.pad_id, dtype=np.int64)
        labels = np.full((len(rows), length), IGNORED, dtype=np.int64)
        for index, (row, example) in enumerate(zip(rows, examples, strict=True)):
            first_label = len(opening) + example.answer_start
            input_ids[index, : len(row) - 1] = row[:-1]
            labels[index, first_label - 1 : len(row) - 1] = row[first_label:]
        start = min((len(opening) + one.answer_start - 1 for one in examples), default=0)
        batch = {
            "input_ids": torch.from_numpy(input_ids),
            "labels": torch.from_numpy(labels[:, start:].copy()),
        }
        num_tokens = sum(len(self.prefix) + len(example.tokens) for example in examples)
        batch["num_tokens"] = torch.tensor(num_tokens)
        if self.share_prefix:
            batch["prefix_ids"] = torch.from_numpy(self.prefix.astype(np.int64))[None]
        return batch
