"""Gemma 4: E2B, E4B and the larger dense bases.

The small ones have what makes training them delicate: the last layers use keys and values of
earlier ones, their feed-forward blocks are twice as wide, and every layer reads a row of a table
of per-layer embeddings.
"""

from spokesmith.bases.families.family import Family

GEMMA4 = Family(
    name="gemma4",
    model_types=("gemma4", "gemma4_text"),
    turn_end="<turn|>",
    starts_texts=True,
    template_options={"enable_thinking": False},
    gguf_architecture="gemma4",
    # Left out are which layers share keys and values, the soft cap and the layers' widths.
    gguf_is_read=False,
    double_wide_key="use_double_wide_mlp",
    shared_kv_key="num_kv_shared_layers",
    experts_key="enable_moe_block",
    per_layer_table="embed_tokens_per_layer",
    # There the shared keys and values travel through the cache, which the library's activation
    # checkpointing switches off: the shared layers then use weights of their own, never trained.
    corrupting_versions=("5.5.0", "5.5.1"),
)
