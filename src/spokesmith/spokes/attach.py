"""Putting sets of spokes beside the layers of a model, and taking them off again.

A layer (or its feed-forward block) gets a subclass of its own class whose forward adds the active
set's spoke. So names, captured hidden states, `_no_split_modules` and the layer's own activation
checkpointing stay right, and the spoke runs inside the checkpoint; a hook or a wrapper would sit
outside of it. The model's parameters are never written.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from spokesmith.spokes.mixing import Mixture, add_beside_ffn_mixed, add_to_hidden_mixed
from spokesmith.spokes.modules import Activation, Spoke, SpokeSet


@dataclass(frozen=True, kw_only=True)
class Site:
    """One decoder layer as spokes see it: the layer, its feed-forward block, its activation."""

    layer: nn.Module
    ffn: nn.Module
    activation: Activation


@dataclass(kw_only=True)
class Hub:
    """What is attached to one model.

    `active` names the set that the next call uses, `parts` the tokens that use one, where they do
    not all use the same.
    """

    sites: Sequence[Site]
    sets: dict[str, SpokeSet] = field(default_factory=dict)
    active: str | None = None
    parts: Mixture | None = None


class _Spoked:
    """What a module gains while spokes are beside it."""

    spokes: nn.ModuleDict
    spokes_hub: Hub
    spokes_activation: Activation

    def active_spoke(self) -> Spoke | None:
        active = self.spokes_hub.active
        return None if active is None else self.spoke_of(active)

    def spoke_of(self, name: str) -> Spoke | None:
        if _key(name) not in self.spokes:
            return None
        spoke = self.spokes[_key(name)]
        assert isinstance(spoke, Spoke)
        return spoke

    def mixed_parts(self) -> list[tuple[Spoke, Tensor]] | None:
        """The spokes in use here, each with its tokens; None where all tokens use one set."""
        mixture = self.spokes_hub.parts
        if mixture is None:
            return None
        found = [(self.spoke_of(name), tokens) for name, tokens in mixture.parts]
        return [(spoke, tokens) for spoke, tokens in found if spoke is not None]


def attach(
    model: nn.Module, sites: Sequence[Site], spokes: SpokeSet, *, name: str = "default"
) -> None:
    """Put a set beside a model's layers and make it the active one.

    Args:
        model: the base; its own parameters are not touched.
        sites: its decoder layers in order.
        spokes: the set; it goes to the device of each layer.
        name: of the set on this model.

    Raises:
        ValueError: the name is taken or unusable, or the set was made for another shape.
    """
    hub = _hub(model) or Hub(sites=sites)
    config = spokes.config
    if name in hub.sets:
        raise ValueError(f"a set named '{name}' is attached: detach it or use another name")
    if not name:
        raise ValueError("a set needs a name: give one")
    if config.num_layers != len(sites):
        raise ValueError(
            f"the spokes are for {config.num_layers} layers, the model has {len(sites)}: "
            "use the base that they were trained on"
        )
    targets = {
        index: sites[index].layer if config.placement == "residual" else sites[index].ffn
        for index in config.layer_indices
    }
    # First, so that nothing is attached where there is no memory for all of them.
    for index, target in targets.items():
        spokes.at(index).to(next(target.parameters()).device)
    for index, target in targets.items():
        _spoke_module(target, hub, sites[index].activation)[_key(name)] = spokes.at(index)
    hub.sets[name] = spokes
    hub.active = name
    object.__setattr__(model, "spokes_hub", hub)


def detach(model: nn.Module, name: str | None = None) -> None:
    """Take a set off the model, or all of them; the model is then as it was before."""
    hub = _hub(model)
    names = [] if hub is None else list(hub.sets) if name is None else [name]
    if hub is None or any(one not in hub.sets for one in names):
        raise ValueError(f"no set named '{name}' is attached: {_names(hub)}")
    for one in names:
        _take_off(hub, one)
    if not hub.sets:
        object.__delattr__(model, "spokes_hub")


@contextmanager
def attached(
    model: nn.Module, sites: Sequence[Site], spokes: SpokeSet, *, name: str
) -> Iterator[None]:
    """Inside the block a set is beside a model and active; afterwards all is as before."""
    before = active_set(model)
    attach(model, sites, spokes, name=name)
    try:
        yield
    finally:
        detach(model, name)
        if before is not None:
            activate(model, before)


def activate(model: nn.Module, name: str | None) -> None:
    """Make the named set the one that calls use; None runs the bare base.

    Raises:
        ValueError: no such set is attached.
    """
    hub = _hub(model)
    if hub is None or (name is not None and name not in hub.sets):
        raise ValueError(f"no set named '{name}' is attached: {_names(hub)}")
    hub.active = name


@contextmanager
def using(model: nn.Module, name: str | None) -> Iterator[None]:
    """Inside the block calls use the named set, or the bare base for None."""
    before = active_set(model)
    if name == before:
        yield
        return
    activate(model, name)
    try:
        yield
    finally:
        activate(model, before)


@contextmanager
def using_parts(
    model: nn.Module, parts: Sequence[tuple[str | None, Tensor | None]]
) -> Iterator[None]:
    """Inside the block each token of a call uses a set of its own.

    Args:
        parts: sets, each with the places [n] of its tokens when a call's batch and length are read
            as one. One set with None is that of all tokens. Tokens in no part use the bare base.
    """
    if len(parts) == 1 and parts[0][1] is None:
        if _hub(model) is None and parts[0][0] is None:
            yield
            return
        with using(model, parts[0][0]):
            yield
        return
    hub = _hub(model)
    for name, _ in parts:
        if hub is None or name not in hub.sets:
            raise ValueError(f"no set named '{name}' is attached: {_names(hub)}")
    assert hub is not None
    hub.parts = Mixture([(name, tokens) for name, tokens in parts if name and tokens is not None])
    try:
        yield
    finally:
        hub.parts = None


@contextmanager
def holding_products(model: nn.Module, name: str | None, dtype: torch.dtype) -> Iterator[None]:
    """Inside the block a set computes as in inference mode, for a compiler that cannot tell.

    Args:
        model: the base.
        name: of the set; nothing is done for None.
        dtype: of the hidden states.
    """
    spokes = [] if name is None else list(attached_sets(model)[name].spokes())
    for spoke in spokes:
        spoke.held_products = spoke.products(dtype)
    try:
        yield
    finally:
        for spoke in spokes:
            spoke.held_products = None


def active_set(model: nn.Module) -> str | None:
    """The name of the active set, if any."""
    hub = _hub(model)
    return hub.active if hub else None


def attached_sets(model: nn.Module) -> dict[str, SpokeSet]:
    """All sets that are beside this model, by name."""
    hub = _hub(model)
    return dict(hub.sets) if hub else {}


@torch.no_grad()
def measure_input_rms(
    model: Callable[[Tensor], Any], sites: Sequence[Site], input_ids: Tensor
) -> dict[int, float]:
    """Root mean square of the input of each layer's feed-forward block.

    Args:
        model: called once with `input_ids`.
        sites: its decoder layers in order.
        input_ids: [B, T] tokens of typical texts, without padding.
    """
    measured: dict[int, float] = {}

    def record(index: int, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        measured[index] = inputs[0].float().pow(2).mean().sqrt().item()

    handles = [
        site.ffn.register_forward_pre_hook(functools.partial(record, index))
        for index, site in enumerate(sites)
    ]
    try:
        model(input_ids)
    finally:
        for handle in handles:
            handle.remove()
    return measured


@functools.cache
def _spoked_class(base_class: type[nn.Module], is_layer: bool) -> type[nn.Module]:
    """A subclass of `base_class`, under the same name, whose forward adds the active spoke."""

    def layer_forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        hidden = base_class.forward(self, *args, **kwargs)
        parts = self.mixed_parts()
        if parts is not None:
            return add_to_hidden_mixed(hidden, parts)
        spoke = self.active_spoke()
        return hidden if spoke is None else spoke.add_to_hidden(hidden)

    def ffn_forward(self: Any, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        output = base_class.forward(self, x, *args, **kwargs)
        parts = self.mixed_parts()
        if parts is not None:
            return add_beside_ffn_mixed(output, x, parts, self.spokes_activation)
        spoke = self.active_spoke()
        return output if spoke is None else output + spoke.beside_ffn(x, self.spokes_activation)

    forward = layer_forward if is_layer else ffn_forward
    return type(base_class.__name__, (_Spoked, base_class), {"forward": forward})


def _spoke_module(target: nn.Module, hub: Hub, activation: Activation) -> nn.ModuleDict:
    """The dictionary of spokes of a module, which is made a spoked one at its first set."""
    if isinstance(target, _Spoked):
        return target.spokes
    is_layer = any(target is site.layer for site in hub.sites)
    with _device_hook_set_aside(target):
        target.__class__ = _spoked_class(type(target), is_layer)
    assert isinstance(target, _Spoked)
    target.spokes = nn.ModuleDict()
    target.spokes_hub = hub
    target.spokes_activation = activation
    return target.spokes


def _take_off(hub: Hub, name: str) -> None:
    spokes = hub.sets.pop(name)
    hub.active = None if hub.active == name else hub.active
    for index in spokes.config.layer_indices:
        site = hub.sites[index]
        target = site.layer if spokes.config.placement == "residual" else site.ffn
        assert isinstance(target, _Spoked)
        assert isinstance(target, nn.Module)
        del target.spokes[_key(name)]
        if not target.spokes:
            del target.spokes, target.spokes_hub, target.spokes_activation
            with _device_hook_set_aside(target):
                target.__class__ = type(target).__mro__[2]


@contextmanager
def _device_hook_set_aside(target: nn.Module) -> Iterator[None]:
    """Inside the block a module has its class's forward, not that of accelerate's device map."""
    if "forward" not in vars(target):
        yield
        return
    hook = vars(target).get("_hf_hook")
    if hook is None:
        raise ValueError(
            f"{type(target).__name__} has a forward of its own, which would hide the spokes: "
            "attach the spokes before what replaces it"
        )
    if any(parameter.is_meta for parameter in target.parameters()):
        raise ValueError(
            f"the weights of {type(target).__name__} are offloaded, and spokes need them in place: "
            "load the base with --quantize nf4 or on more devices"
        )
    from accelerate.hooks import add_hook_to_module, remove_hook_from_module

    remove_hook_from_module(target)
    # What it leaves behind is the forward of the class that the module has now.
    del target.forward
    yield
    add_hook_to_module(target, hook)


def _key(name: str) -> str:
    """A set's key among a module's children, which have no dots and no attribute's name."""
    return "set:" + name.replace("%", "%25").replace(".", "%2E")


def _hub(model: nn.Module) -> Hub | None:
    return vars(model).get("spokes_hub")


def _names(hub: Hub | None) -> str:
    return f"attached are {', '.join(hub.sets)}" if hub and hub.sets else "none is attached"
