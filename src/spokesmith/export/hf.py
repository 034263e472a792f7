"""A base and a set as one ordinary Hugging Face folder.

The base's text part is copied tensor by tensor, and the feed-forward blocks get the spokes as
further inner units. All layers of an architecture have one width in the configuration, so a layer
without spokes is filled up with zeros, which add exactly nothing. Where the last layers are twice
as wide as the others, one unit in the configuration is two of theirs.
"""

import copy
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spokesmith.bases.families import Family
from spokesmith.bases.loading import BaseSource
from spokesmith.export.card import Measure, TaskFiles, licence_of, model_card, write_task
from spokesmith.export.fold import REMEDY, FoldedLayer, folded_layers
from spokesmith.export.folders import check_space, whole_folder, write_facts
from spokesmith.export.weights import (
    TextWeights,
    build_empty,
    find_weights,
    num_bytes,
    stored_tensors,
    write_shards,
)
from spokesmith.spokes import SpokesCard, SpokeSet

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
MAX_SHARD_BYTES = 2_000_000_000
# For the tokenizer, the card and the index, beside the weights.
OTHER_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written. `intermediate_size` is that of the configuration, before and after."""

    folder: Path
    num_files: int
    num_bytes: int
    num_parameters: int
    intermediate_size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A model to write: its configuration, its tensors, and how one of them is made."""

    config: Any
    architecture: str
    tensors: Mapping[str, Tensor]
    make: Callable[[str], Tensor]
    weights: TextWeights


def export_folded(
    out: Path,
    source: BaseSource,
    spokes: SpokeSet,
    card: SpokesCard,
    *,
    dtype: str = "bf16",
    task: TaskFiles | None = None,
    measures: tuple[Measure, ...] = (),
    force: bool = False,
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> Exported:
    """Write a base with an `ffn` set folded into it: a model that plain `transformers` loads.

    Args:
        out: the folder to write, whole or not at all.
        source: the base that the set was trained on.
        spokes: the set.
        card: what it is for.
        dtype: bf16 or fp32. The base's weights are those that it would be loaded with in it.
        task: its prompt and schema, for whoever asks the model.
        measures: of probes, for the model card.
        force: replace an export that is at `out`.
        max_shard_bytes: most bytes of a file of weights.

    Raises:
        ValueError: the set is a residual one or for another base, the base's blocks are mixtures of
            experts, its files are not usable, or `out` is there or does not fit on the disk.
    """
    plan = plan_folded(source, spokes, DTYPES[dtype])
    facts = {"format": 1, "layout": "folded", "dtype": dtype, **asdict(card)}
    with whole_folder(out, force=force) as folder:
        check_space(out, num_bytes(plan.tensors.values()) + OTHER_BYTES)
        num_files = write_shards(folder, plan.tensors, plan.make, max_shard_bytes=max_shard_bytes)
        write_around(folder, source, plan, DTYPES[dtype])
        write_facts(folder, facts)
        if task is not None:
            write_task(folder, task)
        text = model_card(
            card,
            layout="folded",
            dtype=dtype,
            licence=licence_of(card.base, plan.weights.folder),
            task=task,
            measures=measures,
            takes_system_turn=takes_system_turn(source.tokenizer),
        )
        (folder / "README.md").write_text(text, encoding="utf-8")
    return Exported(
        folder=out,
        num_files=num_files,
        num_bytes=num_bytes(plan.tensors.values()),
        num_parameters=sum(tensor.numel() for tensor in plan.tensors.values()),
        intermediate_size=(source.config.intermediate_size, plan.config.intermediate_size),
    )


def plan_folded(source: BaseSource, spokes: SpokeSet, dtype: torch.dtype) -> Plan:
    """The folded model of a base and a set, before anything is written."""
    family = source.family
    if family.has_experts(source.config):
        raise ValueError(
            f"the feed-forward blocks of '{source.name}' are mixtures of experts, and a set cannot "
            f"be folded into those: {REMEDY}"
        )
    folded = folded_layers(spokes)
    base_model = build_empty(source.config)
    weights = find_weights(source, stored_tensors(base_model))
    config = copy.deepcopy(source.config)
    config.intermediate_size += further_width(family, source.config, folded)
    model = build_empty(config)
    tensors = {name: as_dtype(one, dtype) for name, one in stored_tensors(model).items()}
    parts = _parts_of(model, family, folded)

    def make(name: str) -> Tensor:
        base = as_dtype(weights.read(name), dtype)
        shape = tuple(tensors[name].shape)
        if tuple(base.shape) == shape:
            return base
        axis, added = parts[name]
        return widened(base, shape, axis, added)

    return Plan(
        config=config,
        architecture=type(model).__name__,
        tensors=tensors,
        make=make,
        weights=weights,
    )


def further_width(family: Family, config: Any, folded: Mapping[int, FoldedLayer]) -> int:
    """By how much `intermediate_size` grows, so that every layer has room for its spokes."""
    needed = 0
    for index, layer in folded.items():
        units = family.ffn_width(config, index) // config.intermediate_size
        needed = max(needed, -(-layer.gate.shape[0] // units))
    return needed


def widened(base: Tensor, shape: tuple[int, ...], axis: int, added: Tensor | None) -> Tensor:
    """A matrix or bias made longer along `axis`: the base's part, what is added, then zeros."""
    wide = base.new_zeros(shape)
    start = base.shape[axis]
    wide.narrow(axis, 0, start).copy_(base)
    if added is not None:
        wide.narrow(axis, start, added.shape[axis]).copy_(added)
    return wide


def as_dtype(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _parts_of(
    model: Any, family: Family, folded: Mapping[int, FoldedLayer]
) -> dict[str, tuple[int, Tensor | None]]:
    """By the names of feed-forward tensors: the axis of the inner units, and what spokes add."""
    names = {module: name for name, module in model.named_modules()}
    parts: dict[str, tuple[int, Tensor | None]] = {}
    for index, layer in enumerate(model.get_decoder().layers):
        own = folded.get(index)
        added = (own.gate, own.up, own.down) if own else (None, None, None)
        for projection, part, axis in zip(family.ffn_projections, added, (0, 0, 1), strict=True):
            name = names[getattr(getattr(layer, family.ffn), projection)]
            parts[f"{name}.weight"] = (axis, part)
            # Spokes have no biases; that of the last projection is not along the inner units.
            parts[f"{name}.bias"] = (0, None)
    return parts


def write_around(folder: Path, source: BaseSource, plan: Plan, dtype: torch.dtype) -> None:
    """Write what a model's folder has beside weights: configuration, tokenizer, turn format."""
    from transformers import GenerationConfig

    config = plan.config
    config.architectures = [plan.architecture]
    config.dtype = dtype
    config.save_pretrained(folder)
    tokenizer = copy.deepcopy(source.tokenizer)
    tokenizer.chat_template = with_defaults(source.chat.template, source.chat.template_options)
    tokenizer.save_pretrained(folder)
    stop_ids = list(source.chat.stop_ids)
    pad_id = source.tokenizer.pad_token_id
    # What sets are trained for is the most likely answer; a base's own rules of drawing do not fit.
    GenerationConfig(
        bos_token_id=source.tokenizer.bos_token_id,
        eos_token_id=stop_ids if len(stop_ids) > 1 else stop_ids[0],
        pad_token_id=source.chat.end_id if pad_id is None else pad_id,
        do_sample=False,
    ).save_pretrained(folder)
    for pattern in ("LICENSE*", "NOTICE*"):
        for path in plan.weights.folder.glob(pattern):
            shutil.copyfile(path, folder / path.name)


def with_defaults(template: str, options: Mapping[str, Any]) -> str:
    """A chat template that takes these options where its caller does not give them.

    A set was trained on what the template renders with them, and engines leave them out.
    """
    settings = [
        f"{{% if {name} is not defined %}}{{% set {name} = {_jinja(value)} %}}{{% endif %}}"
        for name, value in options.items()
    ]
    return "".join(settings) + template


def takes_system_turn(tokenizer: Any) -> bool:
    """Whether the chat template renders a system turn; else its words open the first user turn."""
    from jinja2.exceptions import TemplateError

    turns = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    render = partial(tokenizer.apply_chat_template, tokenize=False, add_generation_prompt=True)
    try:
        render(turns)
    except TemplateError:
        return False
    return True


def _jinja(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
