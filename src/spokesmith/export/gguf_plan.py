"""What a GGUF file with spokes in it will hold, before a byte is written.

Two layouts. `folded` makes the feed-forward matrices larger: rows for gate and up, columns for
down; stock engines run it. `tensors` leaves the base as it is and adds the spokes as tensors of
their own, for engines that know them (docs/gguf-spokes.md).

A matrix keeps its own type where rows of that type can be written, so the base's blocks stay bit
for bit. `general.file_type` and `general.size_label` stay: the first names the recipe of the base's
quantisation, which all untouched tensors still have, and every tensor says its own type; the second
names the class of the base's size.
"""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import gguf
import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from spokesmith.bases.gguf_header import FORMATS, TensorInfo
from spokesmith.export.card import TaskFiles
from spokesmith.export.fold import FoldedLayer
from spokesmith.export.gguf_base import OWN_PREFIX, PARTS, GGUFBase, ffn_name
from spokesmith.export.gguf_types import (
    ENGINE_TYPES,
    Array,
    engine_is_installed,
    is_writable,
    readable_type,
)
from spokesmith.spokes import SpokesCard, SpokeSet
from spokesmith.spokes.modules import RMS_NORM_EPS

Touched = Literal["own", "q8_0", "f16"]
TOUCHED: tuple[str, ...] = get_args(Touched)
Entries = Mapping[str, int | float | str | list[int] | list[float]]
# The types of a layer's matrices, by part.
Kinds = dict[str, GGMLQuantizationType]

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class NewTensor:
    """One tensor of the file to write.

    Attributes:
        name, dims, type: as in `TensorInfo`.
        source: the base's tensor, whose rows come first; None for one that the base lacks.
        added: further rows, or further columns where `adds_columns`, [rows, columns], in float32;
            None where the base's tensor keeps its shape: it is copied if it keeps its type too.
        adds_columns: whether `added` makes the base's rows longer.
    """

    name: str
    dims: tuple[int, ...]
    type: int
    source: TensorInfo | None
    added: Array | None = None
    adds_columns: bool = False

    @property
    def is_copy(self) -> bool:
        """Whether it is the base's tensor, byte for byte."""
        source = self.source
        return source is not None and self.added is None and source.type == self.type

    @property
    def size(self) -> int:
        """In bytes."""
        if self.is_copy:
            assert self.source is not None, "a copy is one of something"
            return self.source.size
        block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(self.type)]
        return int(np.prod(self.dims)) // block * block_bytes


@dataclass(frozen=True, kw_only=True)
class GgufPlan:
    """A file to write.

    Attributes:
        base: whose keys and tensors it has.
        tensors: of the file, in order.
        changed: entries that differ from the base's, as bytes, by key.
        entries: further keys with their values.
        notes: what a user should know, one sentence each.
        touched: types, as `Touched` names them, of the matrices that spokes are a part of.
    """

    base: GGUFBase
    tensors: Sequence[NewTensor]
    changed: Mapping[str, bytes]
    entries: Entries
    notes: list[str] = field(default_factory=list)
    touched: frozenset[str] = frozenset()


def plan_folded(
    base: GGUFBase, folded: Mapping[int, FoldedLayer], card: SpokesCard, *, touched: Touched = "own"
) -> GgufPlan:
    """The file in which a set is a part of the base's feed-forward blocks.

    Args:
        base: the file to graft onto.
        folded: by layer, what its spokes add.
        card: of the set.
        touched: type of the matrices that are touched: own, where rows of it can be written and
            Q8_0 elsewhere, or q8_0 or f16 for all.

    Raises:
        ValueError: a matrix cannot be read, or its rows do not fit the type that it is to have.
    """
    kinds = {layer: _kinds(base, layer, touched) for layer in folded}
    names = frozenset(one.name.lower() for kind in kinds.values() for one in kind.values())
    # Where the file has one width for all layers, those without spokes are filled up with zeros.
    # A block that only guesses further tokens (nextn) is one of them.
    padded = [] if base.widths_differ else [i for i in range(len(base.widths)) if i not in folded]
    inner = next(iter(folded.values())).gate.shape[0]
    block = _block(base, kinds, padded)
    width = -(-inner // block) * block
    for layer in padded:
        kinds[layer] = {part: _padded_kind(base.ffn(layer, part), part, width) for part in PARTS}
    new: dict[str, NewTensor] = {}
    for layer, kind in kinds.items():
        for part in PARTS:
            added = _added(base, folded.get(layer), part, width)
            new[ffn_name(layer, part)] = _grown(base.ffn(layer, part), part, kind[part], added)
    tensors = [
        new.get(info.name) or NewTensor(name=info.name, dims=info.dims, type=info.type, source=info)
        for info in base.header.tensors.values()
    ]
    return GgufPlan(
        base=base,
        tensors=tensors,
        changed={base.width_key: _wider_entry(base, set(kinds), width)},
        entries=_facts(card, layout="folded"),
        notes=[
            *_zeros(inner, width, block, len(padded)),
            *_conversions(new.values()),
            *_keepable(base, folded, touched),
        ],
        touched=names,
    )


def _block(base: GGUFBase, kinds: Mapping[int, Kinds], padded: Sequence[int]) -> int:
    """How many columns of the down projections are quantised together.

    Args:
        base: the file to graft onto.
        kinds: types of the matrices that get spokes, by layer.
        padded: layers whose matrices get zeros alone.
    """
    blocks = [GGML_QUANT_SIZES[kind["down"]][0] for kind in kinds.values()]
    for layer in padded:
        block, _ = GGML_QUANT_SIZES[readable_type(base.ffn(layer, "down"))]
        # A layer that gets nothing is no reason for blocks of 256: it can go to Q8_0, with 32.
        blocks.append(min(block, 32))
    return max(blocks)


def _zeros(inner: int, width: int, block: int, num_padded: int) -> list[str]:
    """What to say of the zeros that a file is filled up with."""
    notes: list[str] = []
    if width != inner:
        notes.append(
            f"the spokes' {inner} inner units are filled up with zeros to {width}, since a "
            f"quantised row is made of blocks of {block}"
        )
    if num_padded:
        notes.append(
            f"{num_padded} layers without spokes are filled up with zeros, since the file has one "
            "width for all"
        )
    return notes


def _kinds(base: GGUFBase, layer: int, touched: Touched) -> Kinds:
    """The types that a layer's matrices are to have."""
    found: Kinds = {}
    for part in PARTS:
        info = base.ffn(layer, part)
        kind = readable_type(info)
        if touched != "own":
            kind = GGMLQuantizationType[touched.upper()]
        elif not is_writable(kind):
            kind = GGMLQuantizationType.Q8_0
        if info.dims[0] % GGML_QUANT_SIZES[kind][0]:
            raise ValueError(
                f"a row of {info.name} has {info.dims[0]} values, which is no multiple of "
                f"{kind.name}'s block of {GGML_QUANT_SIZES[kind][0]}: use --touched f16"
            )
        found[part] = kind
    return found


def _padded_kind(info: TensorInfo, part: str, width: int) -> GGMLQuantizationType:
    """The type of a matrix that gets zeros alone: its own, where zeros of it can be written."""
    kind = readable_type(info)
    block, block_bytes = GGML_QUANT_SIZES[kind]
    zero = gguf.dequantize(np.zeros((1, block_bytes), np.uint8), kind)
    fits = part != "down" or width % block == 0
    return kind if fits and not zero.any() else GGMLQuantizationType.Q8_0


def _added(base: GGUFBase, layer: FoldedLayer | None, part: str, width: int) -> Array:
    """What a matrix gets, filled up with zeros: rows [width, d], for down columns [d, width]."""
    d = base.hidden_size
    filled = np.zeros((d, width) if part == "down" else (width, d), np.float32)
    if layer is not None:
        own = getattr(layer, part).numpy()
        filled[: own.shape[0], : own.shape[1]] = own
    return filled


def _grown(info: TensorInfo, part: str, kind: GGMLQuantizationType, added: Array) -> NewTensor:
    columns = part == "down"
    length, rows = info.dims
    dims = (length + added.shape[1], rows) if columns else (length, rows + added.shape[0])
    return NewTensor(
        name=info.name, dims=dims, type=int(kind), source=info, added=added, adds_columns=columns
    )


def _conversions(tensors: Iterable[NewTensor]) -> list[str]:
    """What to say of matrices that do not keep their type."""
    pairs = [(one, one.source) for one in tensors if one.source is not None]
    converted = [(new, old) for new, old in pairs if new.type != old.type]
    if not converted:
        return []
    before = sorted({old.type_name for _, old in converted})
    after = sorted({GGMLQuantizationType(new.type).name for new, _ in converted})
    size, grown = sum(old.size for _, old in converted), sum(new.size for new, _ in converted)
    return [
        f"{len(converted)} feed-forward matrices went from {', '.join(before)} to "
        f"{', '.join(after)}: {size / 1e6:.1f} MB became {grown / 1e6:.1f} MB, spokes included"
    ]


def _keepable(base: GGUFBase, layers: Iterable[int], touched: Touched) -> list[str]:
    """What to say of types that would have been kept with llama.cpp installed."""
    if touched != "own" or engine_is_installed():
        return []
    kinds = {readable_type(base.ffn(layer, part)) for layer in layers for part in PARTS}
    names = sorted(kind.name for kind in kinds if kind in ENGINE_TYPES)
    if not names:
        return []
    return [
        f"llama.cpp's quantiser keeps {', '.join(names)} and the file small: "
        "pip install 'spokesmith[llamacpp]'"
    ]


def _wider_entry(base: GGUFBase, layers: set[int], width: int) -> bytes:
    """The key of the feed-forward width with its new value, of the type that it had."""
    entry = base.header.entries[base.width_key]
    before = base.header.raw(entry.start, entry.value_start)
    widths = [own + (width if i in layers else 0) for i, own in enumerate(base.widths)]
    try:
        values = widths if entry.is_array else widths[:1]
        return before + b"".join(struct.pack(FORMATS[entry.type], value) for value in values)
    except struct.error as error:
        raise ValueError(
            f"{base.width_key} is a {entry.type.name} and cannot hold {max(widths)}: convert the "
            "base anew"
        ) from error


def _facts(card: SpokesCard, *, layout: str) -> dict[str, int | float | str | list[int]]:
    """What the file says of the set in it, under keys of our own, which engines pass over."""
    shape = card.spokes
    facts: dict[str, int | float | str | list[int]] = {
        "version": FORMAT_VERSION,
        "layout": layout,
        "placement": shape.placement,
        "num_spokes": shape.num_spokes,
        "rank": shape.rank,
        "layers": list(shape.layer_indices),
        "base_fingerprint": card.base_fingerprint,
    }
    for key in ("task", "schema_hash", "prompt_hash"):
        if value := getattr(card, key):
            facts[key] = value
    return {OWN_PREFIX + key: value for key, value in facts.items()}


def plan_tensors(base: GGUFBase, spokes: SpokeSet, card: SpokesCard) -> GgufPlan:
    """The file in which a set is tensors of its own, in BF16 where it is stored so, else in F32.

    `blk.N.spoke.down.weight` and `.gate.weight` have rows of d values, `.up.weight` rows of S*r;
    the scales of the layers are one array of keys.
    """
    tensors = [
        NewTensor(name=info.name, dims=info.dims, type=info.type, source=info)
        for info in base.header.tensors.values()
    ]
    scales: list[float] = []
    for layer in card.spokes.layer_indices:
        spoke = spokes.at(layer)
        scales.append(float(spoke.scale.detach()))
        parts = {"gate": spoke.gate, "down": spoke.down, "up": spoke.up}
        for part, matrix in parts.items():
            if matrix is None:
                continue
            kind = GGMLQuantizationType.F32
            if matrix.dtype == torch.bfloat16:
                kind = GGMLQuantizationType.BF16
            added = matrix.detach().float().cpu().numpy()
            tensors.append(
                NewTensor(
                    name=f"blk.{layer}.spoke.{part}.weight",
                    dims=(added.shape[1], added.shape[0]),
                    type=int(kind),
                    source=None,
                    added=added,
                )
            )
    facts: Entries = {
        **_facts(card, layout="tensors"),
        f"{OWN_PREFIX}scales": scales,
        f"{OWN_PREFIX}rms_norm_epsilon": RMS_NORM_EPS,
    }
    notes = [
        "stock llama.cpp refuses tensors that it does not know: this file is for engines that know "
        "docs/gguf-spokes.md"
    ]
    return GgufPlan(base=base, tensors=tensors, changed={}, entries=facts, notes=notes)


def with_task(plan: GgufPlan, task: TaskFiles) -> GgufPlan:
    """The same file with the prompt that the set was trained with, and what answers fit."""
    facts = {
        f"{OWN_PREFIX}prompt": task.prompt,
        f"{OWN_PREFIX}schema": json.dumps(task.schema, ensure_ascii=False),
        f"{OWN_PREFIX}max_tokens": task.max_tokens,
        f"{OWN_PREFIX}verbatim": json.dumps(task.verbatim),
    }
    return replace(plan, entries={**plan.entries, **facts})


def entries_bytes(entries: Entries) -> list[bytes]:
    """Further keys as a file has them."""
    return [entry_bytes(key, value) for key, value in entries.items()]


def entry_bytes(key: str, value: int | float | str | list[int] | list[float]) -> bytes:
    """A key and its value as a file has them: STRING, UINT32, FLOAT32, or an array of numbers."""
    head = struct.pack("<Q", len(key.encode())) + key.encode()
    if isinstance(value, str):
        raw = value.encode()
        return head + struct.pack("<IQ", GGUFValueType.STRING, len(raw)) + raw
    items = value if isinstance(value, list) else [value]
    is_float = any(isinstance(item, float) for item in items)
    kind = GGUFValueType.FLOAT32 if is_float else GGUFValueType.UINT32
    packed = b"".join(struct.pack(FORMATS[kind], item) for item in items)
    if not isinstance(value, list):
        return head + struct.pack("<I", kind) + packed
    return head + struct.pack("<IIQ", GGUFValueType.ARRAY, kind, len(items)) + packed
