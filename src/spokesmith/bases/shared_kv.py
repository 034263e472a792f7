"""A guard for bases whose last layers use the keys and values of earlier ones.

Two settings give such a base wrong results without a word. Reentrant activation checkpointing
produces the shared keys and values without a graph, so logits are right and gradients wrong. And in
some versions of transformers the shared keys and values travel through the cache, so a call without
a cache is wrong. The guard sits on the model itself: it refuses the first and mends the second,
whoever makes the call and wherever the setting was made.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

ATTRIBUTE = "spokesmith_shared_kv_guard"
# What versions of transformers call the cache among the arguments of a decoder and a layer.
CACHE_NAMES = ("cache", "past_key_values")


class CallCache:
    """The cache of one forward call, whose layers may run a second time when they are recomputed.

    The first write of a layer goes to the cache; later ones change nothing and return what the
    first returned, so a recomputed layer attends to the very keys and values of the first run.
    """

    def __init__(self, cache: Any) -> None:
        self.cache = cache
        self.written: dict[int, Any] = {}

    @property
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        # Masks are made for what passes isinstance(cache, Cache).
        return type(self.cache)

    def update(
        self, key_states: Any, value_states: Any, layer_idx: int, *rest: Any, **named: Any
    ) -> Any:
        if layer_idx not in self.written:
            self.written[layer_idx] = self.cache.update(
                key_states, value_states, layer_idx, *rest, **named
            )
        return self.written[layer_idx]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)


class SharedKVGuard:
    """Watches the calls of one decoder. `enabled` is False only where wrong results are wanted."""

    def __init__(self, layers: list[nn.Module], config: Any, *, carries_kv_in_cache: bool) -> None:
        self.layers = layers
        self.config = config
        self.carries_kv_in_cache = carries_kv_in_cache
        self.enabled = True
        self.wants_gradient = False

    def before_decoder(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        """Gives the call a cache where shared keys and values need one to travel in."""
        self.wants_gradient = torch.is_grad_enabled()
        if not (self.enabled and self.carries_kv_in_cache):
            return args, kwargs
        if module.training and any(_takes_cache_away(layer) for layer in self.layers):
            raise ValueError(
                "the library's activation checkpointing is on, and in this version of transformers "
                "it corrupts bases that share keys and values between layers. Install "
                "'transformers>=5.5.2', or use spokesmith's own checkpointing"
            )
        if cache_name(kwargs) is None:
            from transformers import DynamicCache

            kwargs["past_key_values"] = CallCache(DynamicCache(config=self.config))
        return args, kwargs

    def inside_layer(self, _module: nn.Module, _args: Any) -> None:
        """Refuses a layer that runs without a graph inside a call that wants gradients."""
        if self.enabled and self.wants_gradient and not torch.is_grad_enabled():
            raise ValueError(
                "reentrant activation checkpointing is on, and this base shares keys and values "
                "between layers: its gradients would be wrong. Use use_reentrant=False, or "
                "spokesmith's own checkpointing"
            )


def cache_name(arguments: Mapping[str, Any]) -> str | None:
    """Under which name a cache stands among these arguments, if there is one."""
    return next((name for name in CACHE_NAMES if arguments.get(name) is not None), None)


def cache_argument(decoder: nn.Module) -> str:
    """What a decoder calls the cache among its arguments."""
    known = inspect.signature(decoder.forward).parameters
    return next(name for name in CACHE_NAMES if name in known)


def _takes_cache_away(layer: Any) -> bool:
    """Whether the library's checkpoint is on, with a function that keeps the cache away."""
    function = getattr(layer, "_gradient_checkpointing_func", None)
    return layer.gradient_checkpointing and not getattr(
        getattr(function, "__self__", None), "brings_cache_back", False
    )


def guard_shared_kv(
    decoder: nn.Module,
    layers: list[nn.Module],
    ffn_blocks: list[nn.Module],
    config: Any,
    *,
    carries_kv_in_cache: bool,
) -> None:
    """Put a guard on a decoder.

    Args:
        decoder: the stack of layers.
        layers: its layers.
        ffn_blocks: the feed-forward block of each layer; they lie inside of any checkpoint.
        config: of the decoder.
        carries_kv_in_cache: whether this version of transformers hands shared keys and values on
            in the cache.
    """
    guard = SharedKVGuard(layers, config, carries_kv_in_cache=carries_kv_in_cache)
    decoder.register_forward_pre_hook(guard.before_decoder, with_kwargs=True)
    for block in ffn_blocks:
        block.register_forward_pre_hook(guard.inside_layer)
    object.__setattr__(decoder, ATTRIBUTE, guard)


@contextmanager
def unguarded(decoder: nn.Module) -> Iterator[None]:
    """Inside the block a decoder's guard is off, so that wrong settings show what they do."""
    guard: SharedKVGuard | None = getattr(decoder, ATTRIBUTE, None)
    if guard is None:
        yield
        return
    guard.enabled = False
    try:
        yield
    finally:
        guard.enabled = True
