"""A set of spokes on disk: a folder with `spokes.safetensors` and `spokes.json`.

Files are safetensors and JSON only, written whole or not at all, and checked in full when read:
a wrong base, a missing key, a truncated file or a value that is not a number is one clear error.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from spokesmith.spokes.modules import SpokesConfig, SpokeSet

WEIGHTS_NAME = "spokes.safetensors"
CARD_NAME = "spokes.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class SpokesCard:
    """What a set is for: its shape, the base it sits beside, the task it learned, and how."""

    spokes: SpokesConfig
    base: str
    base_fingerprint: str
    task: str = ""
    schema_hash: str = ""
    prompt_hash: str = ""
    training: dict[str, Any] = field(default_factory=dict)


def save_spokes(
    folder: Path, spokes: SpokeSet, card: SpokesCard, *, dtype: torch.dtype = torch.float32
) -> None:
    """Write a set to `folder`, replacing a set that is there; nothing is left half-written.

    Raises:
        ValueError: a parameter is not finite, or `folder` holds something that is not a set.
        OSError: the disk does not take it.
    """
    state = {
        key: value.detach().to("cpu", dtype).contiguous()
        for key, value in spokes.state_dict().items()
    }
    _check_finite(state, "the set to save")
    there = {path.name for path in folder.iterdir()} if folder.exists() else set[str]()
    # A kill between the two moves leaves the weights alone.
    if there - {WEIGHTS_NAME} and CARD_NAME not in there:
        raise ValueError(f"{folder} holds files that are no set of spokes: use another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _save_tensors(state, partial / WEIGHTS_NAME, folder)
        document = {"format": FORMAT_VERSION, **asdict(card)}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        (partial / CARD_NAME).write_text(text, encoding="utf-8")
        # Temporary folders and safetensors files start readable by their owner alone.
        (partial / WEIGHTS_NAME).chmod(0o644)
        folder.mkdir(exist_ok=True)
        for name in (WEIGHTS_NAME, CARD_NAME):
            os.replace(partial / name, folder / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _save_tensors(state: dict[str, torch.Tensor], path: Path, folder: Path) -> None:
    try:
        save_file(state, path)
    except SafetensorError as error:
        words = f"the set cannot be written, the disk may be full ({error})"
        raise OSError(errno.EIO, words, str(folder)) from error


def read_card(folder: Path) -> SpokesCard:
    """Read what a set is for, without its weights.

    Raises:
        ValueError: the folder holds no set, or its card is damaged.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        raise ValueError(f"no set of spokes at {folder}: it has no {CARD_NAME}")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") != FORMAT_VERSION:
            raise ValueError(f"its format is not {FORMAT_VERSION}")
        shape = SpokesConfig.from_json(document.pop("spokes"))
        return SpokesCard(spokes=shape, **document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}): copy the set again") from error


def hash_of_weights(folder: Path) -> str:
    """SHA-256 of a set's weights: a set may be trained further under the same name."""
    with (folder / WEIGHTS_NAME).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_spokes(
    folder: Path, *, base_fingerprint: str | None = None
) -> tuple[SpokeSet, SpokesCard]:
    """Read a set, on the CPU, in the dtype it was stored in.

    Args:
        folder: of the set.
        base_fingerprint: of the base that it is to sit beside; None takes any.

    Raises:
        ValueError: no set, a damaged one, or one for another base.
    """
    card = read_card(folder)
    if base_fingerprint is not None and card.base_fingerprint != base_fingerprint:
        raise ValueError(
            f"{folder} was trained on {card.base} (fingerprint {card.base_fingerprint}), this base "
            f"has fingerprint {base_fingerprint}: load that base, or train a set for this one"
        )
    path = folder / WEIGHTS_NAME
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} cannot be read ({error}): copy the set again") from error
    with torch.device("meta"):
        spokes = SpokeSet(card.spokes)
    _check_tensors(state, spokes, path)
    _check_finite(state, str(path))
    spokes.load_state_dict(state, assign=True)
    return spokes, card


def _check_tensors(state: dict[str, torch.Tensor], spokes: SpokeSet, path: Path) -> None:
    wanted = {key: tuple(value.shape) for key, value in spokes.state_dict().items()}
    missing = sorted(wanted.keys() - state.keys())
    unknown = sorted(state.keys() - wanted.keys())
    if missing or unknown:
        parts = [f"lacks {missing[0]}"] if missing else []
        parts += [f"has an unknown {unknown[0]}"] if unknown else []
        raise ValueError(f"{path} {' and '.join(parts)}: copy the set again")
    for key, shape in wanted.items():
        if tuple(state[key].shape) != shape:
            raise ValueError(
                f"{path}: {key} is {list(state[key].shape)}, its card says {list(shape)}: "
                "copy the set again"
            )
        if not state[key].is_floating_point():
            raise ValueError(
                f"{path}: {key} holds {state[key].dtype}, want floating-point numbers: "
                "copy the set again"
            )


def _check_finite(state: dict[str, torch.Tensor], origin: str) -> None:
    for key, value in state.items():
        if not torch.isfinite(value).all():
            raise ValueError(f"{origin}: {key} holds values that are not finite: do not use it")
