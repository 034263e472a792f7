"""A loaded base: model, tokenizer and the facts that other rooms need."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.families import Family
from spokesmith.bases.shared_kv import ATTRIBUTE, SharedKVGuard, guard_shared_kv
from spokesmith.spokes import Site, SpokesConfig

SHAPE_KEYS = (
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "tie_word_embeddings",
)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A frozen language model.

    Attributes:
        name: as it was asked for.
        model: a transformers causal language model.
        tokenizer: its tokenizer.
        family: the facts of its architecture.
        chat: its turn format.
        freed_bytes: size of the parts for pictures and sound that were left out.
        has_random_weights: whether it is known to predict nothing, as a base for tests is.
    """

    name: str
    model: Any
    tokenizer: Any
    family: Family
    chat: ChatFormat
    freed_bytes: int = 0
    has_random_weights: bool = False

    @property
    def config(self) -> Any:
        """The configuration of the text part."""
        return self.model.config.get_text_config(decoder=True)

    @property
    def decoder(self) -> nn.Module:
        """The stack of layers: tokens in, last hidden states [B, T, d] out."""
        return self.model.get_decoder()

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def fingerprint(self) -> str:
        return shape_fingerprint(self.config)

    @property
    def packs(self) -> bool:
        """Whether several examples may stand in one row, told apart by their positions.

        Not so where the guard must give each call a cache, in which rows have one past each.
        """
        guard: SharedKVGuard | None = getattr(self.decoder, ATTRIBUTE, None)
        return self.family.packs and not (guard is not None and guard.carries_kv_in_cache)

    def sites(self) -> list[Site]:
        """The decoder layers in order, as spokes see them."""
        return [
            Site(
                layer=layer,
                ffn=getattr(layer, self.family.ffn),
                activation=getattr(getattr(layer, self.family.ffn), self.family.activation),
            )
            for layer in self.model.get_decoder().layers
        ]

    def spokes_config(self, **choices: Any) -> SpokesConfig:
        """The shape of a set for this base; `choices` as in `SpokesConfig`.

        Raises:
            ValueError: a choice is wrong, or the base has no place for such spokes.
        """
        shape = SpokesConfig(
            hidden_size=self.config.hidden_size,
            num_layers=self.config.num_hidden_layers,
            **choices,
        )
        if shape.placement == "ffn" and self.family.has_experts(self.config):
            raise ValueError(
                f"the feed-forward blocks of '{self.name}' are mixtures of experts, and an ffn "
                "spoke beside one could not be folded into it: use placement residual"
            )
        return shape

    def logits(self, hidden: Tensor) -> Tensor:
        """The language-model head: [..., d] to [..., V], with the base's soft cap if it has one."""
        logits = self.model.get_output_embeddings()(hidden)
        cap = getattr(self.config, "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap


def make_base(
    name: str,
    model: Any,
    tokenizer: Any,
    family: Family,
    *,
    freed_bytes: int = 0,
    has_random_weights: bool = False,
) -> Base:
    """A base from a model that is there: frozen, in evaluation mode, guarded where it needs it.

    Raises:
        ValueError: the tokenizer lacks what chats need, or how positions are told depends on how
            long the longest text of a batch is.
    """
    import transformers

    _check_positions(name, model.config)

    base = Base(
        name=name,
        model=model.eval().requires_grad_(False),
        tokenizer=tokenizer,
        family=family,
        chat=chat_of(tokenizer, family),
        freed_bytes=freed_bytes,
        has_random_weights=has_random_weights,
    )
    if family.shared_kv_layers(base.config):
        sites = base.sites()
        guard_shared_kv(
            base.decoder,
            [site.layer for site in sites],
            [site.ffn for site in sites],
            base.config,
            carries_kv_in_cache=transformers.__version__ in family.corrupting_versions,
        )
    return base


def _check_positions(name: str, config: Any) -> None:
    """Refuse rotary positions whose frequencies change with the longest text of a call: answers
    would depend on who shares their step, and kept keys would have other frequencies than queries.
    """
    given = getattr(config.get_text_config(), "rope_parameters", None) or {}
    for one in (given, *(part for part in given.values() if isinstance(part, dict))):
        kind = one.get("rope_type")
        if kind in ("dynamic", "longrope"):
            raise ValueError(
                f"'{name}' tells positions by {kind}, which depends on the longest text of a "
                "batch: use a base with another rope_type in its config.json"
            )


def chat_of(tokenizer: Any, family: Family) -> ChatFormat:
    """The turn format of a family's tokenizer.

    Raises:
        ValueError: the tokenizer lacks what chats need.
    """
    # As text, since there may be several templates, by name.
    options = family.options_of(str(tokenizer.chat_template))
    return ChatFormat(
        tokenizer,
        turn_end=family.turn_end,
        starts_texts=family.starts_texts,
        template_options=options,
    )


def shape_fingerprint(config: Any) -> str:
    """A short hash of what must agree between a base and its spokes: the model's shape."""
    entries = config.to_dict()
    return fingerprint_of({key: entries.get(key) for key in SHAPE_KEYS})


def fingerprint_of(shape: dict[str, Any]) -> str:
    """The same of a shape by itself, which has the `SHAPE_KEYS` as a configuration has them."""
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]
