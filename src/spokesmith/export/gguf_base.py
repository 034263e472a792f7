"""A GGUF file as a base for spokes: is it one, and is it the one that a set was trained on?

Knows the families' names in GGUF files and what their feed-forward tensors are called. Shapes are
checked against the file's own keys, then against the set's card; where the card's fingerprint
cannot be had from the keys, against the configuration of the base.
"""

import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spokesmith.bases.base import SHAPE_KEYS, fingerprint_of, shape_fingerprint
from spokesmith.bases.families import FAMILIES, Family, family_of_gguf
from spokesmith.bases.gguf_header import Header, TensorInfo
from spokesmith.bases.gguf_reader import read_header
from spokesmith.spokes import SpokesCard
from spokesmith.spokes.modules import MAX_LAYERS

OWN_PREFIX = "spokesmith."
PARTS = ("gate", "up", "down")
MAX_CONFIGURATIONS = 10_000


@dataclass(frozen=True, kw_only=True)
class GGUFBase:
    """A base in a GGUF file.

    Attributes:
        header: of the file.
        family: of its architecture.
        hidden_size: model width d.
        num_layers: decoder layers, those that only guess further tokens (nextn) left out.
        widths: the inner width of each block's feed-forward part, nextn blocks included.
        widths_differ: whether the file has a list of widths and not one for all.
    """

    header: Header
    family: Family
    hidden_size: int
    num_layers: int
    widths: tuple[int, ...]
    widths_differ: bool

    def ffn(self, layer: int, part: str) -> TensorInfo:
        """A layer's feed-forward tensor: gate, up or down."""
        return self.header.tensors[ffn_name(layer, part)]

    @property
    def width_key(self) -> str:
        return f"{self.family.gguf_architecture}.feed_forward_length"


def ffn_name(layer: int, part: str) -> str:
    return f"blk.{layer}.ffn_{part}.weight"


def read_base(path: Path) -> GGUFBase:
    """Read what a GGUF file is as a base.

    Raises:
        ValueError: it is damaged, of no known architecture, split, a mixture of experts, has spokes
            already, or its tensors are not those that its keys say.
    """
    header = read_header(path)
    family = _family_of(header)
    name = family.gguf_architecture
    if (header.integer("split.count") or 1) > 1:
        raise ValueError(
            f"{path} is one part of a split GGUF: join the parts with `llama-gguf-split --merge` "
            "and give the whole"
        )
    if any(key.startswith(OWN_PREFIX) for key in header.entries):
        raise ValueError(f"{path} has spokes in it already: give the GGUF of the plain base")
    num_blocks = _size(header, f"{name}.block_count")
    if num_blocks > min(MAX_LAYERS, len(header.tensors)):
        raise ValueError(f"{path}: {name}.block_count = {num_blocks}, more than it has tensors for")
    nextn = header.integer(f"{name}.nextn_predict_layers") or 0
    if not 0 <= nextn < num_blocks:
        raise ValueError(
            f"{path}: {name}.nextn_predict_layers = {nextn}, want 0 or more, and fewer than its "
            f"{num_blocks} blocks"
        )
    listed = header.integers(f"{name}.feed_forward_length")
    differ = f"{name}.feed_forward_length" in header.entries and (
        header.entries[f"{name}.feed_forward_length"].is_array
    )
    widths = tuple(listed) if differ else tuple(listed) * num_blocks
    if len(widths) != num_blocks or min(widths) < 1:
        raise ValueError(
            f"{path}: {name}.feed_forward_length = {listed or None}, want one width or "
            f"{num_blocks} of them"
        )
    base = GGUFBase(
        header=header,
        family=family,
        hidden_size=_size(header, f"{name}.embedding_length"),
        num_layers=num_blocks - nextn,
        widths=widths,
        widths_differ=differ,
    )
    _check_tensors(base)
    return base


def _family_of(header: Header) -> Family:
    architecture = header.value("general.architecture")
    family = family_of_gguf(architecture)
    if family is not None:
        return family
    known = ", ".join(family.gguf_architecture for family in FAMILIES)
    raise ValueError(
        f"{header.path} has the architecture {architecture!r}, spokes know {known}: give the GGUF "
        "of the base that the set was trained on"
    )


def _size(header: Header, key: str) -> int:
    value = header.integer(key)
    if value is None or value < 1:
        raise ValueError(f"{header.path}: {key} = {value}: want a size of at least 1")
    return value


def _check_tensors(base: GGUFBase) -> None:
    """Refuse blocks that no spokes can join, and shapes that differ from what the keys say."""
    path, found = base.header.path, base.header.tensors
    experts = [name for name in found if re.search(r"\.ffn_(gate_inp|\w*exps)", name)]
    if base.header.integer(f"{base.family.gguf_architecture}.expert_count"):
        experts.append(f"{base.family.gguf_architecture}.expert_count")
    if experts:
        raise ValueError(
            f"{path} is a mixture of experts ({experts[0]!r}): spokes "
            "cannot join such a block, use a dense base"
        )
    for layer, width in enumerate(base.widths):
        if ffn_name(layer, "gate") not in found and ffn_name(layer, "up") in found:
            raise ValueError(
                f"{path}: {ffn_name(layer, 'up')} has gate and up in one: spokes cannot join it, "
                "convert the base with two separate tensors"
            )
        for part in PARTS:
            name, d = ffn_name(layer, part), base.hidden_size
            wanted = (width, d) if part == "down" else (d, width)
            if name not in found:
                raise ValueError(f"{path} lacks the tensor {name}: get the file anew")
            if found[name].dims != wanted:
                raise ValueError(
                    f"{path}: {name} is {list(found[name].dims)}, the file's keys say "
                    f"{list(wanted)}: get the file anew"
                )
    beside = [
        name for name in found if re.match(r"blk\.\d+\.ffn_(gate|up|down)\.(?!weight$)", name)
    ]
    if beside:
        raise ValueError(
            f"{path} has {beside[0]!r} beside its feed-forward matrices: spokes cannot join such a "
            "block, convert the base without it"
        )


def check_card(base: GGUFBase, card: SpokesCard) -> bool:
    """Refuse a file of another width or depth than a set's, and say whether it is surely its base.

    Returns:
        True where the file's keys give the fingerprint of the base that the set was trained on.

    Raises:
        ValueError: width or number of layers differ.
    """
    for what, own, wanted in (
        ("model width", base.hidden_size, card.spokes.hidden_size),
        ("decoder layers", base.num_layers, card.spokes.num_layers),
    ):
        if own != wanted:
            raise ValueError(_mismatch(base, card, what, own, wanted))
    return card.base_fingerprint in _possible_fingerprints(base)


def check_trained_on(config: Any, card: SpokesCard) -> None:
    """Refuse a configuration that is not of the base that a set was trained on.

    Raises:
        ValueError: it is not.
    """
    if shape_fingerprint(config) != card.base_fingerprint:
        raise ValueError(
            f"the set was trained on {card.base} (fingerprint {card.base_fingerprint}), the base "
            f"named has fingerprint {shape_fingerprint(config)}: name the base of the set"
        )


def check_config(base: GGUFBase, card: SpokesCard, config: Any, family: Family) -> None:
    """Refuse a file that is not of the model whose configuration this is.

    Args:
        base: the file.
        card: of the set.
        config: of the base that the set was trained on, or of what is said to be it.
        family: of that configuration.

    Raises:
        ValueError: the configuration is not of the set's base, or the file's shape differs.
    """
    check_trained_on(config, card)
    widths = tuple(family.ffn_width(config, layer) for layer in range(config.num_hidden_layers))
    name = base.family.gguf_architecture
    heads = base.header.integers(f"{name}.attention.head_count")
    for what, own, wanted in (
        ("architecture", name, family.gguf_architecture),
        ("feed-forward width", sorted(set(base.widths[: base.num_layers])), sorted(set(widths))),
        ("feed-forward widths by layer", base.widths[: base.num_layers], widths),
        ("attention heads", max(heads, default=0), config.num_attention_heads),
    ):
        if own != wanted:
            raise ValueError(_mismatch(base, card, what, own, wanted))


def _mismatch(base: GGUFBase, card: SpokesCard, what: str, own: Any, wanted: Any) -> str:
    return (
        f"{base.header.path} is another base than {card.base}, on which the set was trained: its "
        f"{what} is {_plain(own)}, the set's {_plain(wanted)}. Give a GGUF of {card.base}"
    )


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _possible_fingerprints(base: GGUFBase) -> set[str]:
    """Fingerprints of the configurations that a file of this shape may have been made from.

    GGUF files do not say everything: a configuration may leave out the size of a head, count rows
    of the vocabulary that the file cuts off, or tie a head that the file stores twice.
    """
    header, name = base.header, base.family.gguf_architecture
    heads = header.integers(f"{name}.attention.head_count")
    sizes: dict[str, list[Any]] = {
        "model_type": list(base.family.model_types),
        "hidden_size": [base.hidden_size],
        "intermediate_size": [min(base.widths)],
        "num_hidden_layers": [base.num_layers],
        "num_attention_heads": sorted(set(heads)),
        "num_key_value_heads": sorted(
            set(header.integers(f"{name}.attention.head_count_kv") or heads)
        ),
        "head_dim": [None, *_head_sizes(header, name, base.hidden_size, heads)],
        "vocab_size": _vocabulary_sizes(header, name),
        "tie_word_embeddings": [True, False],
    }
    assert tuple(sizes) == SHAPE_KEYS, "a fingerprint is of other entries than these"
    if math.prod(map(len, sizes.values())) > MAX_CONFIGURATIONS:
        return set()
    return {
        fingerprint_of(dict(zip(sizes, one, strict=True)))
        for one in itertools.product(*sizes.values())
    }


def _head_sizes(header: Header, name: str, hidden_size: int, heads: list[int]) -> list[int]:
    keys = (f"{name}.attention.key_length", f"{name}.attention.key_length_swa")
    named = {size for key in keys for size in header.integers(key)}
    return sorted(named | {hidden_size // count for count in heads if count > 0})


def _vocabulary_sizes(header: Header, name: str) -> list[int]:
    sizes = set(header.integers(f"{name}.vocab_size"))
    if table := header.tensors.get("token_embd.weight"):
        sizes.add(table.dims[-1])
    if tokens := header.entries.get("tokenizer.ggml.tokens"):
        sizes.add(tokens.count)
    return sorted(sizes)
