"""The sides that are measured: two ways to train an adapter with the library's parts, and ours.

Each is a model that gives a loss, what makes its batches, and its optimiser. All train beside the
same frozen base in the same dtype on the same examples, and have the same number of parameters (as
nearly as a whole rank allows, for LoRA).

- `plain` is what one writes first: every batch padded to the longest example allowed, the logits of
  every position, each spoke as three small products of its own in a hook, AdamW.
- `lora` is LoRA of PEFT on all linear layers of the decoder, batches padded to their longest.
- `spokesmith` has the project's own parts, as its trainer puts them together; `spokesmith-every` is
  the same with the activations of every layer computed again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from train_base import SEED, Settings

from spokesmith.bases import Base, set_checkpointing
from spokesmith.data.prepare import Example, Prepared
from spokesmith.spokes import SpokesConfig, SpokeSet, attach
from spokesmith.training.loss import IGNORED
from spokesmith.training.objective import Collator, Objective
from spokesmith.training.optimizer import build_optimizer
from spokesmith.training.run import create_spokes
from spokesmith.training.sampler import LengthGroupedBatches

Batch = dict[str, Tensor]
CHECKPOINTING = {"spokesmith": "none", "spokesmith-every": "every"}
PLAIN_RATE = 1e-2
LORA_RATE = 2e-4


@dataclass(frozen=True, kw_only=True)
class Side:
    """What a trainer needs to train one side.

    Attributes:
        model: gives a dictionary or output with `loss` for a batch.
        collator: makes a batch of examples.
        optimizer: of the adapter's parameters.
        examples: of all steps in the order in which they are trained, warm-up first.
        num_parameters: that are trained.
        shares_prefix: whether a batch runs the opening of its examples once.
        library: whether it is trained as the library's users do: with the library's activation
            checkpointing, and with mixed precision where the base is in bfloat16.
    """

    model: nn.Module
    collator: Callable[[list[Example]], Batch]
    optimizer: Optimizer
    examples: list[Example]
    num_parameters: int
    shares_prefix: bool = False
    library: bool = False


def make_side(
    name: str, settings: Settings, base: Base, prepared: Prepared, examples: list[Example]
) -> Side:
    """The side of this name."""
    if name == "plain":
        return plain_side(settings, base, prepared, examples)
    if name == "lora":
        return lora_side(settings, base, prepared, examples)
    set_checkpointing(base, CHECKPOINTING[name])
    return spokesmith_side(settings, base, prepared, examples)


class PlainSpoke(nn.Module):
    """One spoke by itself."""

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.gate, self.down, self.up = (
            nn.Linear(*shape, bias=False) for shape in ((width, rank), (width, rank), (rank, width))
        )
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return self.up(nn.functional.silu(self.gate(wide)) * self.down(wide)).to(x.dtype)


class PlainLayer(nn.Module):
    """The spokes of one layer, one after the other, as a hook of its feed-forward block."""

    def __init__(self, shape: SpokesConfig, index: int) -> None:
        super().__init__()
        self.spokes = nn.ModuleList(
            PlainSpoke(shape.hidden_size, shape.rank) for _ in range(shape.num_spokes)
        )
        self.bias = nn.Parameter(torch.tensor(shape.initial_gate_bias(index)))

    def forward(self, _block: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        for spoke in self.spokes:
            gate = (torch.sigmoid(self.bias) / len(self.spokes)).to(output.dtype)
            output = output + gate * spoke(inputs[0])
        return output


@dataclass(frozen=True, kw_only=True)
class PlainCollator:
    """Batches as the library's models take them, padded on the right to `length` or the longest."""

    prefix: np.ndarray
    pad_id: int
    length: int | None = None

    def __call__(self, examples: list[Example]) -> Batch:
        rows = [np.concatenate([self.prefix, example.tokens]) for example in examples]
        shape = (len(rows), self.length or max(len(row) for row in rows))
        input_ids = np.full(shape, self.pad_id, dtype=np.int64)
        labels = np.full(shape, IGNORED, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for index, (row, example) in enumerate(zip(rows, examples, strict=True)):
            answer = len(self.prefix) + example.answer_start
            input_ids[index, : len(row)] = row
            labels[index, answer : len(row)] = row[answer:]
            mask[index, : len(row)] = 1
        arrays = {"input_ids": input_ids, "labels": labels, "attention_mask": mask}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def plain_side(settings: Settings, base: Base, prepared: Prepared, examples: list[Example]) -> Side:
    """The first loop one writes."""
    shape = spokes_shape(settings, base)
    layers = nn.ModuleList(PlainLayer(shape, index) for index in range(shape.num_layers))
    layers.to(base.device)
    for site, layer in zip(base.sites(), layers, strict=True):
        site.ffn.register_forward_hook(layer)
    # A part of the model, so that the trainer finds what it trains.
    base.model.plain_spokes = layers
    base.model.config.use_cache = False
    return Side(
        model=base.model,
        collator=PlainCollator(
            prefix=prepared.prefix, pad_id=base.chat.end_id, length=settings.length
        ),
        optimizer=AdamW(layers.parameters(), lr=PLAIN_RATE),
        examples=examples,
        num_parameters=_count(layers),
        library=settings.is_gemma4,
    )


def lora_side(settings: Settings, base: Base, prepared: Prepared, examples: list[Example]) -> Side:
    """LoRA with about as many parameters as the spokes have."""
    from peft import LoraConfig, get_peft_model

    wanted = SpokeSet(spokes_shape(settings, base)).num_parameters()
    linear = [module for module in base.decoder.modules() if isinstance(module, nn.Linear)]
    of_rank_one = sum(module.in_features + module.out_features for module in linear)
    rank = max(1, round(wanted / of_rank_one))
    choices = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    base.model.config.use_cache = False
    model = get_peft_model(base.model, choices)
    trained = [one for one in model.parameters() if one.requires_grad]
    assert sum(one.numel() for one in trained) == rank * of_rank_one, "all linear layers have LoRA"
    return Side(
        model=model,
        collator=PlainCollator(prefix=prepared.prefix, pad_id=base.chat.end_id),
        optimizer=AdamW(trained, lr=LORA_RATE),
        examples=examples,
        num_parameters=rank * of_rank_one,
        library=True,
    )


def spokesmith_side(
    settings: Settings, base: Base, prepared: Prepared, examples: list[Example]
) -> Side:
    """The project's own parts, as its trainer uses them."""
    config = settings.train_config()
    spokes, input_rms = create_spokes(base, config, prepared)
    attach(base.model, base.sites(), spokes)
    collator = Collator(prefix=prepared.prefix, pad_id=base.chat.end_id, share_prefix=True)

    def collate(rows: list[Example]) -> Batch:
        batch = collator(rows)
        # For the trainer's log of its speed; this one has a clock of its own.
        batch.pop("num_tokens")
        return batch

    return Side(
        model=Objective(base, spokes),
        collator=collate,
        optimizer=build_optimizer(
            spokes, kind=config.optimizer, rate=config.learning_rate / 4, input_rms=input_rms
        ),
        examples=grouped_by_length(settings, examples),
        num_parameters=spokes.num_parameters(),
        shares_prefix=True,
    )


def spokes_shape(settings: Settings, base: Base) -> SpokesConfig:
    return base.spokes_config(rank=settings.train_config().rank)


def grouped_by_length(settings: Settings, examples: Sequence[Example]) -> list[Example]:
    """The warm-up's examples as they are, then the others in the trainer's order."""
    first = settings.batch_size * settings.warm_up
    timed = examples[first:]
    order = LengthGroupedBatches(
        [len(example.tokens) for example in timed], batch_size=settings.batch_size, seed=SEED
    )
    return [*examples[:first], *(timed[index] for index in order)]


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
