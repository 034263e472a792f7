"""Activation checkpointing: layers forget their activations and compute them again in the backward.

The switch is the library's own, one flag and one function for each layer, so it wraps the layer
with its spoke, and any subset of layers can have it. The function is ours: it is non-reentrant, and
it hands the layer the cache that the library takes away, as a `CallCache`, which a second run of
the layer does not change. So a prompt can still be shared by a batch, and bases whose shared keys
and values travel through the cache stay right.
"""

import functools
from collections.abc import Callable
from typing import Any, Literal, get_args

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from spokesmith.bases.base import Base
from spokesmith.bases.shared_kv import CACHE_NAMES, CallCache, cache_name

CheckpointMode = Literal["none", "second", "every"]
CHECKPOINT_MODES: tuple[str, ...] = get_args(CheckpointMode)
EVERY: dict[str, int] = {"every": 1, "second": 2}
ATTRIBUTE = "spokesmith_checkpointing"


class _Checkpointing:
    """What the layers of one decoder share: the cache of the call that is under way."""

    brings_cache_back = True

    def __init__(self, base: Base) -> None:
        self.reads_cache = base.family.shares_prefix
        self.cache: CallCache | None = None
        decoder = base.decoder
        self.handles = [
            decoder.register_forward_pre_hook(self.before_decoder, with_kwargs=True),
            decoder.register_forward_hook(self.after_decoder),
        ]

    def before_decoder(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        """Notes the call's cache, made safe against a second run of its layers."""
        name = cache_name(kwargs)
        self.cache = None
        if name is None or not module.training:
            return args, kwargs
        cache = kwargs[name]
        if not self.reads_cache:
            raise ValueError(
                "activation checkpointing recomputes layers, and the cache of this base cannot be "
                "written twice: call it without a cache (share_prefix = false)"
            )
        self.cache = cache if isinstance(cache, CallCache) else CallCache(cache)
        kwargs[name] = self.cache
        return args, kwargs

    def after_decoder(self, _module: nn.Module, _args: Any, _output: Any) -> None:
        """Lets go of the cache; layers that will run again hold it themselves."""
        self.cache = None

    def run(self, layer: Callable[..., Tensor], *args: Any) -> Any:
        """The layer under a checkpoint. `layer` holds its keyword arguments, as a partial."""
        assert isinstance(layer, functools.partial)
        if self.cache is not None:
            # The library took the cache away, but left its name.
            name = next(name for name in CACHE_NAMES if name in layer.keywords)
            layer = functools.partial(layer, **{name: self.cache})
        return checkpoint(layer, *args, use_reentrant=False)


def set_checkpointing(base: Base, mode: str) -> None:
    """Recompute the activations of no layer, of every second one, or of every one.

    It works while the base is in training mode, as the library's switch does.

    Raises:
        ValueError: the mode is unknown.
    """
    if mode not in CHECKPOINT_MODES:
        raise ValueError(f"checkpointing '{mode}' is unknown: use {', '.join(CHECKPOINT_MODES)}")
    before: _Checkpointing | None = getattr(base.decoder, ATTRIBUTE, None)
    if before is not None:
        for handle in before.handles:
            handle.remove()
        object.__delattr__(base.decoder, ATTRIBUTE)
    step = EVERY.get(mode, 0)
    switch = _Checkpointing(base) if step else None
    if switch is not None:
        object.__setattr__(base.decoder, ATTRIBUTE, switch)
    for index, site in enumerate(base.sites()):
        layer: Any = site.layer
        layer.gradient_checkpointing = switch is not None and index % step == 0
        if switch is not None:
            layer._gradient_checkpointing_func = switch.run
