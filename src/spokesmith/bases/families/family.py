"""What one architecture looks like to spokes: facts, no class per model, no forward of our own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Family:
    """The facts of one architecture. Where a field says "configuration", the text part's is meant.

    Attributes:
        name: of the family.
        model_types: `model_type` values of the configurations that belong to it, those of
            multimodal bases included: of them only the text part is loaded.
        turn_end: the token that ends a turn in the family's chats, where it is not the
            tokenizer's end token.
        starts_texts: whether the start token stands before texts that are no chats, even where the
            tokenizer does not put it there by itself.
        template_options: what the chat template is to be told, so that it asks for an answer
            without reasoning, in the same words on every day.
        ffn: attribute of a decoder layer that holds its feed-forward block.
        activation: attribute of that block that holds its activation function.
        ffn_projections: names of the block's gate, up and down projections, as export needs them.
        gguf_architecture: what GGUF files call the family.
        gguf_is_read: whether transformers takes all that such files say of the model from them.
        double_wide_key: configuration entry that says whether layers with shared keys and values
            have feed-forward blocks of twice the width.
        shared_kv_key: configuration entry that counts the last layers that use the keys and values
            of earlier ones.
        experts_key: configuration entry that is set where the feed-forward block is a mixture of
            experts, beside which an `ffn` spoke has no place.
        per_layer_table: attribute of the decoder that holds the table of per-layer embeddings.
        shares_prefix: whether a prompt's keys and values may be computed once and shared by the
            examples of a batch, with gradients (true where all of a layer's memory is keys and
            values).
        packs: whether several examples may stand in one row, told apart by their positions.
        corrupting_versions: versions of transformers whose own activation checkpointing gives this
            family wrong results.
    """

    name: str
    model_types: tuple[str, ...]
    turn_end: str | None = None
    starts_texts: bool = False
    template_options: Mapping[str, Any] = field(default_factory=dict)
    ffn: str = "mlp"
    activation: str = "act_fn"
    ffn_projections: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj")
    gguf_architecture: str
    gguf_is_read: bool = True
    double_wide_key: str | None = None
    shared_kv_key: str | None = None
    experts_key: str | None = None
    per_layer_table: str | None = None
    shares_prefix: bool = True
    packs: bool = True
    corrupting_versions: tuple[str, ...] = ()

    def options_of(self, template: str) -> dict[str, Any]:
        """Those of `template_options` that a chat template asks about."""
        return {name: one for name, one in self.template_options.items() if name in template}

    def shared_kv_layers(self, config: Any) -> int:
        """How many of the last layers use the keys and values of earlier ones."""
        return _entry(config, self.shared_kv_key) or 0

    def ffn_width(self, config: Any, layer: int) -> int:
        """The inner width of a layer's feed-forward block."""
        shared = layer >= config.num_hidden_layers - self.shared_kv_layers(config)
        double = shared and bool(_entry(config, self.double_wide_key))
        return config.intermediate_size * (2 if double else 1)

    def has_experts(self, config: Any) -> bool:
        """Whether the feed-forward block is a mixture of experts."""
        return bool(_entry(config, self.experts_key))


def _entry(config: Any, key: str | None) -> Any:
    return None if key is None else getattr(config, key, None)
