"""vLLM's plugin for `residual` sets: its own models, with spokes after their layers.

A folder of `export hf --layout plugin` names an architecture of `SUPPORTED` with `PREFIX` before
it. vLLM calls `register` in every process, and asks this module for a class when it loads such a
folder; nothing of vLLM is imported before. A layer gets a subclass of its own class, whose forward
adds the spoke to what the layer hands on. Every rank of tensor parallelism holds all of a spoke: a
layer's output is whole on each.
"""

import functools
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spokesmith.spokes.modules import RMS_NORM_EPS

PREFIX = "Spokesmith"
# Architectures, each with vLLM's module of it.
SUPPORTED = {
    "LlamaForCausalLM": "llama",
    "Gemma3ForCausalLM": "gemma3",
    "Gemma4ForCausalLM": "gemma4",
    "Qwen3ForCausalLM": "qwen3",
    "Qwen3_5ForCausalLM": "qwen3_5",
}
# The entry of a folder's configuration: which layers have spokes, of how many inner units.
CONFIG_KEY = "spokesmith"
# Under a layer's name. vLLM fuses what is called up_proj or the like, and leaves these alone.
DOWN_NAME, UP_NAME = "spoke.down", "spoke.up"


def register() -> None:
    """Tell vLLM of the architectures, by name only."""
    registry = import_module("vllm").ModelRegistry
    settings = import_module("vllm.model_executor.models.config").MODELS_CONFIG_MAP
    for architecture in SUPPORTED:
        registry.register_model(PREFIX + architecture, f"{__name__}:{PREFIX}{architecture}")
        if architecture in settings:
            settings[PREFIX + architecture] = settings[architecture]


def __getattr__(name: str) -> Any:
    """The class of an architecture with spokes."""
    architecture = name.removeprefix(PREFIX)
    if name == architecture or architecture not in SUPPORTED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _spoked_model(architecture)


class Spoke(nn.Module):
    """The spokes of one layer: `down` [S*r, d], `up` [d, S*r] with their scale in it, in fp32."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(inner, width, dtype=torch.float32), False)
        self.up = nn.Parameter(torch.empty(width, inner, dtype=torch.float32), False)

    def forward(self, hidden: Tensor, residual: Tensor | None) -> Tensor:
        """`hidden`, [tokens, d], with the spokes of the layer's output added.

        The output is the sum of `hidden` and `residual`, which vLLM adds up only later.
        """
        whole = hidden.float() if residual is None else hidden.float() + residual.float()
        normed = F.rms_norm(whole, (whole.shape[-1],), eps=RMS_NORM_EPS)
        added = F.linear(F.silu(F.linear(normed, self.down)), self.up)
        return (hidden.float() + added).to(hidden.dtype)


@functools.cache
def _spoked_model(architecture: str) -> type[nn.Module]:
    models = "vllm.model_executor.models"
    base_class = getattr(import_module(f"{models}.{SUPPORTED[architecture]}"), architecture)
    missing_class = import_module(f"{models}.utils").PPMissingLayer

    def init(self: Any, *, vllm_config: Any, prefix: str = "") -> None:
        base_class.__init__(self, vllm_config=vllm_config, prefix=prefix)
        config = vllm_config.model_config.hf_config
        shape = getattr(config, CONFIG_KEY)
        for index in shape["layers"]:
            layer = self.model.layers[index]
            # Of a pipeline's layers, each process has its own.
            if not isinstance(layer, missing_class):
                if "forward" in vars(layer):
                    raise ValueError(
                        "vLLM offloads layers by a forward of their own, which would leave the "
                        "spokes out: leave out --offload-group-size and --cpu-offload-gb"
                    )
                layer.__class__ = _spoked_layer(type(layer))
                layer.spoke = Spoke(config.hidden_size, shape["inner"])

    members = {"__init__": init, "__module__": __name__}
    return type(PREFIX + architecture, (base_class,), members)


@functools.cache
def _spoked_layer(layer_class: type[nn.Module]) -> type[nn.Module]:
    def forward(self: Any, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
        hidden, residual = layer_class.forward(self, *args, **kwargs)
        return self.spoke(hidden, residual), residual

    return type(layer_class.__name__, (layer_class,), {"forward": forward})
