"""A base and a set as one Hugging Face folder: an ordinary model, or one for vLLM's plugin.

The base's text part is copied tensor by tensor; `hf_plan.py` says what becomes of each.
"""

import copy
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from spokesmith.bases.loading import BaseSource
from spokesmith.export.card import Measure, TaskFiles, licence_of, model_card, write_task
from spokesmith.export.folders import check_space, whole_folder, write_facts
from spokesmith.export.hf_plan import HfPlan, plan_beside, plan_folded
from spokesmith.export.hf_weights import num_bytes, write_shards
from spokesmith.spokes import SpokesCard, SpokeSet

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
# An ordinary model, or the base with a residual set's tensors beside its own, for vLLM's plugin.
LAYOUTS = {"folded": plan_folded, "plugin": plan_beside}
MAX_SHARD_BYTES = 2_000_000_000
# For the tokenizer, the card and the index, beside the weights.
OTHER_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written.

    Attributes:
        folder, num_files, num_bytes, num_parameters: the folder, and what is in it.
        intermediate_size: of the configuration, before and after.
        text_part_only: whether the base has parts for pictures or sound, which are not in it.
    """

    folder: Path
    num_files: int
    num_bytes: int
    num_parameters: int
    intermediate_size: tuple[int, int]
    text_part_only: bool


def export_hf(
    out: Path,
    source: BaseSource,
    spokes: SpokeSet,
    card: SpokesCard,
    *,
    layout: str = "folded",
    dtype: str = "bf16",
    task: TaskFiles | None = None,
    measures: tuple[Measure, ...] = (),
    force: bool = False,
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> Exported:
    """Write a base and a set as one model.

    Args:
        out: the folder to write, whole or not at all.
        source: the base that the set was trained on.
        spokes: the set.
        card: what it is for.
        layout: folded, for an `ffn` set: a model that plain `transformers` loads; or plugin, for a
            `residual` set: what vLLM loads with the plugin.
        dtype: bf16 or fp32. The base's weights are those that it would be loaded with in it.
        task: its prompt and schema, for whoever asks the model.
        measures: of probes, for the model card.
        force: replace an export that is at `out`.
        max_shard_bytes: most bytes of a file of weights.

    Raises:
        ValueError: the set does not go with the layout or the base, the base's files are not
            usable, or `out` is there or does not fit on the disk.
    """
    plan = LAYOUTS[layout](source, spokes, DTYPES[dtype])
    text_part_only = source.config is not source.whole_config
    size = num_bytes(plan.tensors.values())
    with whole_folder(out, force=force) as folder:
        check_space(out, size + OTHER_BYTES)
        num_files = write_shards(folder, plan.tensors, plan.make, max_shard_bytes=max_shard_bytes)
        write_around(folder, source, plan, DTYPES[dtype])
        write_facts(folder, {"format": 1, "layout": layout, "dtype": dtype, **asdict(card)})
        if task is not None:
            write_task(folder, task)
        text = model_card(
            card,
            layout=layout,
            dtype=dtype,
            licence=licence_of(card.base, plan.weights.folder),
            task=task,
            measures=measures,
            takes_system_turn=takes_system_turn(source.tokenizer),
            text_part_only=text_part_only,
        )
        (folder / "README.md").write_text(text, encoding="utf-8")
    return Exported(
        folder=out,
        num_files=num_files,
        num_bytes=size,
        num_parameters=sum(tensor.numel() for tensor in plan.tensors.values()),
        intermediate_size=(source.config.intermediate_size, plan.config.intermediate_size),
        text_part_only=text_part_only,
    )


def write_around(folder: Path, source: BaseSource, plan: HfPlan, dtype: torch.dtype) -> None:
    """Write what a model's folder has beside weights: configuration, tokenizer, turn format.

    Raises:
        ValueError: the disk does not take the tokenizer.
    """
    from transformers import GenerationConfig

    config = plan.config
    tell_other_readers(config)
    config.architectures = [plan.architecture]
    config.dtype = dtype
    config.save_pretrained(folder)
    tokenizer = copy.deepcopy(source.tokenizer)
    tokenizer.chat_template = with_defaults(source.chat.template, source.chat.template_options)
    try:
        tokenizer.save_pretrained(folder)
    except Exception as error:
        # All that tokenizers raises where a disk is full is a plain `Exception`.
        if type(error) is not Exception:
            raise
        raise ValueError(
            f"cannot write the tokenizer ({error}): free disk space, or give another --out"
        ) from error
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


def tell_other_readers(config: Any) -> None:
    """Say in a configuration what other programs than this library's own models read of it."""
    if getattr(config, "is_heterogeneous", False):
        # Gemma 4's layers of full attention have heads of their own. Newer versions of the library
        # write them layer by layer alone, and where they find both, these two count for nothing.
        full = config.per_layer_config["full_attention"]
        config.global_head_dim = full.head_dim
        config.num_global_key_value_heads = full.num_key_value_heads
    if hasattr(config, "mtp_num_hidden_layers"):
        # Layers that only guess further tokens are no part of what is written.
        config.mtp_num_hidden_layers = 0


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
