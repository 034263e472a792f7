"""What a measurement of training runs on: its settings, the base and the examples.

`gemma4-e2b-random` is the architecture of Gemma 4 E2B with random weights. Speed and memory do not
depend on what the weights are, so nothing has to be downloaded. On a GPU it has its full size. On a
CPU all widths are divided by the same number, so that their proportions stay, and 14 of the 35
layers are left, of which the same share uses the keys and values of earlier ones. Texts are
tokenised as for SmolLM2, whose tokens all fit into the vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spokesmith.bases import Base, find_base, load_base, make_base
from spokesmith.bases.families import family_of
from spokesmith.bases.loading import choose_device, choose_dtype
from spokesmith.data.generate import generate
from spokesmith.data.prepare import Example, Prepared, prepare
from spokesmith.tasks import load_task
from spokesmith.training.config import TrainConfig

SMOLLM2, GEMMA4 = "smollm2-135m", "gemma4-e2b-random"
SEED = 11
NUM_PAIRS = 400
CONTROL_TOKENS = 49_152
FULL_LAYERS, FULL_SHARED_LAYERS = 35, 20
REDUCED_LAYERS, REDUCED_SHARED_LAYERS = 14, 8
# Sizes that a reduced architecture divides by the same number.
E2B_SIZES = {
    "hidden_size": 1536,
    "intermediate_size": 6144,
    "head_dim": 256,
    "global_head_dim": 512,
    "sliding_window": 512,
    "hidden_size_per_layer_input": 256,
    "vocab_size": 262_144,
}
E2B_RANK = 64


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One measurement.

    Attributes:
        base: SMOLLM2 or GEMMA4.
        device: cpu or cuda.
        steps: timed steps of each side.
        warm_up: steps before them.
        batch_size: examples of a step.
        length: most tokens of an example, to which the plain loop pads.
        joins: whether several pairs are joined into examples of nearly `length` tokens.
        shrink: what the widths of GEMMA4 are divided by; 1 is the full size.
    """

    base: str
    device: str
    steps: int
    warm_up: int
    batch_size: int
    length: int
    joins: bool
    shrink: int

    @property
    def is_gemma4(self) -> bool:
        return self.base == GEMMA4

    def train_config(self) -> TrainConfig:
        """The trainer's defaults, with a rank that keeps its share of the width."""
        rank = max(1, E2B_RANK // self.shrink) if self.is_gemma4 else TrainConfig().rank
        return TrainConfig(rank=rank, batch_size=self.batch_size, max_length=self.length)


def build_base(settings: Settings) -> Base:
    """The frozen base on its device, in the precision that `load_base` would choose there."""
    if not settings.is_gemma4:
        return load_base(settings.base, device=settings.device)
    import torch
    from transformers import AutoModelForCausalLM

    device = choose_device(settings.device)
    torch.manual_seed(SEED)
    with device:
        model = AutoModelForCausalLM.from_config(
            gemma4_config(settings.shrink), dtype=choose_dtype("auto", device)
        )
    tokenizer = find_base(SMOLLM2).tokenizer
    family = family_of(model.config.model_type)
    return make_base(settings.base, model, tokenizer, family, has_random_weights=True)


def gemma4_config(shrink: int) -> Any:
    """The configuration of Gemma 4 E2B, or of a small model of the same structure."""
    from transformers import Gemma4TextConfig

    layers, shared = (
        (FULL_LAYERS, FULL_SHARED_LAYERS)
        if shrink == 1
        else (REDUCED_LAYERS, REDUCED_SHARED_LAYERS)
    )
    sizes: dict[str, Any] = {name: size // shrink for name, size in E2B_SIZES.items()}
    sizes["vocab_size"] = max(sizes["vocab_size"], CONTROL_TOKENS)
    kinds = ["full_attention" if index % 5 == 4 else "sliding_attention" for index in range(layers)]
    # The library wants the last layer to attend to everything.
    kinds[-1] = "full_attention"
    return Gemma4TextConfig(
        **sizes,
        vocab_size_per_layer_input=sizes["vocab_size"],
        num_hidden_layers=layers,
        num_kv_shared_layers=shared,
        num_attention_heads=8,
        num_key_value_heads=1,
        layer_types=kinds,
        final_logit_softcapping=30.0,
        use_double_wide_mlp=True,
        tie_word_embeddings=True,
    )


def describe_base(settings: Settings) -> str:
    """One line that says what is measured, and how it differs from the real architecture."""
    if not settings.is_gemma4:
        return settings.base
    if settings.shrink == 1:
        return "Gemma 4 E2B at its full size, random weights"
    config = gemma4_config(settings.shrink)
    return (
        f"REDUCED Gemma 4 E2B, random weights: widths divided by {settings.shrink} "
        f"(hidden {config.hidden_size} for {E2B_SIZES['hidden_size']}, vocabulary "
        f"{config.vocab_size:,} for {E2B_SIZES['vocab_size']:,}, window {config.sliding_window} "
        f"for {E2B_SIZES['sliding_window']}), {config.num_hidden_layers} layers for "
        f"{FULL_LAYERS}, of which {config.num_kv_shared_layers} for {FULL_SHARED_LAYERS} share "
        f"keys and values; spokes of rank {settings.train_config().rank} for {E2B_RANK}"
    )


def prepare_examples(settings: Settings, base: Base) -> tuple[Prepared, list[Example]]:
    """Token ids of generated pairs, and the examples of all steps, warm-up first."""
    pairs = generate(NUM_PAIRS, seed=SEED)
    prepared = prepare(pairs, load_task("memory"), base.chat, max_length=settings.length)
    wanted = settings.batch_size * (settings.warm_up + settings.steps)
    found = prepared.splits["train"]
    if settings.joins:
        found = joined_examples(found, wanted, settings.length - len(prepared.prefix))
    if len(found) < wanted:
        raise SystemExit(f"{wanted} examples wanted, {len(found)} there: fewer --steps")
    return prepared, found[:wanted]


def joined_examples(examples: Sequence[Example], wanted: int, room: int) -> list[Example]:
    """Examples of nearly `room` tokens: the prompts of several, then their answers.

    So a long example has the share of labels that a short one has. Pairs are used again when all
    have been used.
    """
    whole: list[Example] = []
    left: list[Example] = []
    while len(whole) < wanted:
        if sum(len(example.tokens) for example in left) < room:
            left = list(examples)
        parts: list[Example] = []
        kept: list[Example] = []
        free = room
        for example in left:
            fits = len(example.tokens) <= free
            (parts if fits else kept).append(example)
            free -= len(example.tokens) if fits else 0
        left = kept
        whole.append(_join(parts))
    return whole


def _join(parts: Sequence[Example]) -> Example:
    prompts = [part.tokens[: part.answer_start] for part in parts]
    answers = [part.tokens[part.answer_start :] for part in parts]
    return Example(
        tokens=np.concatenate([*prompts, *answers]),
        answer_start=sum(len(prompt) for prompt in prompts),
    )
