"""Every choice of a training run, with defaults that need no search, and its TOML form."""

import importlib.util
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spokesmith.bases import Base
    from spokesmith.spokes import SpokesConfig

OPTIMIZERS = ("muon", "adamw")
SCHEDULES = ("cosine", "wsd")
CHECKPOINTING = ("auto", "none", "second", "every")
TRACKERS = ("wandb", "trackio", "tensorboard")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run.

    Attributes:
        placement, num_spokes, rank, every_n_layers: shape of the spokes, see `SpokesConfig`.
        max_steps: optimiser steps; 0 takes `epochs` passes over the data instead.
        epochs: passes over the data, where `max_steps` is 0.
        batch_size: examples of a micro-batch in one process.
        gradient_accumulation: micro-batches of a step in one process.
        shard_base: share the base's layers out over the processes, so that each holds a part.
        max_length: most tokens of an example; longer ones are dropped and counted.
        optimizer: `muon` for the matrices with AdamW for the gates, or `adamw` for all.
        learning_rate: relative rate, see `training/optimizer.py`.
        weight_decay: of the matrices.
        schedule: `cosine` down to the minimum, or `wsd`: warm-up, stable, then decay to it.
        warmup_steps: of a linear warm-up.
        decay_share: of the steps, for the decay of `wsd`.
        min_rate_share: of the rate, where the schedule ends.
        max_grad_norm: gradients are scaled down to this norm.
        checkpointing: which layers forget their activations and compute them again: `none`,
            `second`, `every`, or `auto`: as few as fit into memory.
        share_prefix: compute the prompt that all examples share once a batch.
        eval_every, save_every: steps between evaluations (0: none) and checkpoints.
        eval_examples: most examples of an evaluation.
        patience: evaluations without a better loss before the run stops; 0 never stops.
        seed: of the initial spokes and the order of the examples.
        trackers: of wandb, trackio, tensorboard; a JSONL and a CSV log are always written.
    """

    placement: str = "ffn"
    num_spokes: int = 4
    rank: int = 64
    every_n_layers: int = 1
    max_steps: int = 0
    epochs: float = 1.0
    batch_size: int = 8
    gradient_accumulation: int = 1
    shard_base: bool = False
    max_length: int = 2048
    optimizer: str = "muon"
    learning_rate: float = 0.08
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup_steps: int = 10
    decay_share: float = 0.3
    min_rate_share: float = 0.05
    max_grad_norm: float = 1.0
    checkpointing: str = "auto"
    share_prefix: bool = True
    eval_every: int = 50
    eval_examples: int = 64
    save_every: int = 50
    patience: int = 0
    seed: int = 0
    trackers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("checkpointing", self.checkpointing, CHECKPOINTING)
        for tracker in self.trackers:
            _one_of("trackers", tracker, TRACKERS)
            if importlib.util.find_spec(tracker) is None:
                raise ValueError(
                    f"trackers: '{tracker}' is not installed: pip install 'spokesmith[{tracker}]'"
                )
        whole = ("batch_size", "gradient_accumulation", "max_length", "eval_examples", "save_every")
        for name in whole:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: use a whole number from 1 up")
        for name in ("max_steps", "warmup_steps", "eval_every", "patience", "weight_decay"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} = {getattr(self, name)}: use 0 or more")
        for name in ("learning_rate", "max_grad_norm"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} = {getattr(self, name)}: use a number above 0")
        for name in ("decay_share", "min_rate_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} = {getattr(self, name)}: use a number from 0 to 1")
        if self.max_steps == 0 and self.epochs <= 0:
            raise ValueError(f"epochs = {self.epochs}: use a number above 0, or set max_steps")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def shape_of(base: "Base", config: TrainConfig) -> "SpokesConfig":
    """The shape of the spokes that a run trains beside a base.

    Raises:
        ValueError: the base has no place for such spokes.
    """
    return base.spokes_config(
        placement=config.placement,
        num_spokes=config.num_spokes,
        rank=config.rank,
        every_n_layers=config.every_n_layers,
    )


def read_config(path: Path, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """Read a run's choices from a TOML file; `overrides` win over what it says.

    Raises:
        ValueError: the file cannot be read, or a name or value in it is unknown.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"cannot read the configuration {path}: {error}") from error
    return make_config({**values, **(overrides or {})}, origin=str(path))


def make_config(values: dict[str, Any], *, origin: str = "the command line") -> TrainConfig:
    """A configuration from plain values.

    Raises:
        ValueError: a name is unknown, or a value has the wrong type or range.
    """
    defaults = {field.name: field.default for field in fields(TrainConfig)}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in defaults:
            raise ValueError(f"{origin}: '{name}' is unknown; known are {', '.join(defaults)}")
        wanted = type(defaults[name])
        if wanted is float and type(value) is int:
            value = float(value)
        if wanted is tuple and isinstance(value, list):
            value = tuple(value)
        if type(value) is not wanted:
            raise ValueError(f"{origin}: {name} = {value!r}, want a {wanted.__name__}")
        checked[name] = value
    return TrainConfig(**checked)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} = '{value}' is unknown: use {' or '.join(known)}")
