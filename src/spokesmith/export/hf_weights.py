"""The weights of a base's text part, tensor by tensor from its files into files of another model.

No model is built, and no more than one output file's tensors are in memory at a time. Which tensors
there are, and their shapes, is what the library's own class says of a configuration.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download, split_torch_state_dict_into_shards
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from spokesmith.bases.loading import TEXT_PREFIXES, BaseSource

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"
# What is read of a hub's repository beside what its configuration and tokenizer brought.
PATTERNS = ("*.safetensors", INDEX_NAME, "README.md", "LICENSE*", "NOTICE*")


@dataclass(frozen=True, kw_only=True)
class TextWeights:
    """Where the tensors of a base's text part are: by name, the file and the name in it."""

    folder: Path
    places: Mapping[str, tuple[Path, str]]

    def read(self, name: str) -> Tensor:
        """One tensor, as it is stored."""
        path, key = self.places[name]
        with safe_open(path, framework="pt") as file:
            return file.get_tensor(key)

    def shape(self, name: str) -> tuple[int, ...]:
        path, key = self.places[name]
        with safe_open(path, framework="pt") as file:
            return tuple(file.get_slice(key).get_shape())


def build_empty(config: Any) -> Any:
    """The causal language model of a configuration, without memory for its weights."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def stored_tensors(model: Any) -> dict[str, Tensor]:
    """What a model keeps in files: its parameters and buffers, a tied one under its first name."""
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            found[name] = tensor
    return found


def find_weights(source: BaseSource, wanted: Mapping[str, Tensor]) -> TextWeights:
    """Find the tensors of a base's text part in its files, without reading them.

    Args:
        source: the base; one of a hub is downloaded.
        wanted: names and shapes of its tensors (`stored_tensors`).

    Raises:
        ValueError: the files cannot be had, are damaged or quantised, or lack a tensor.
    """
    quantised = getattr(source.whole_config, "quantization_config", None)
    if quantised is not None:
        raise ValueError(
            f"the weights of '{source.name}' are quantised, and spokes cannot be written into "
            "them: name the unquantised base with --base, and quantise what is exported"
        )
    folder = _folder_of(source)
    places: dict[str, tuple[Path, str]] = {}
    for path in _files_of(source.name, folder):
        for key in _keys_of(path):
            name = key
            # The library saves some text parts, too, under the names that the whole has.
            for pattern, replacement in TEXT_PREFIXES.items():
                name = re.sub(pattern, replacement, name)
            if name in wanted:
                places[name] = (path, key)
    if missing := sorted(wanted.keys() - places.keys()):
        raise ValueError(
            f"the files of '{source.name}' lack {len(missing)} weights that the model needs "
            f"({', '.join(missing[:3])} ...): get the base anew"
        )
    weights = TextWeights(folder=folder, places=places)
    for name, tensor in wanted.items():
        if weights.shape(name) != tuple(tensor.shape):
            raise ValueError(
                f"{name} of '{source.name}' is {list(weights.shape(name))} in its file, its "
                f"configuration says {list(tensor.shape)}: get the base anew"
            )
    return weights


def write_shards(
    folder: Path,
    tensors: Mapping[str, Tensor],
    make: Callable[[str], Tensor],
    *,
    max_shard_bytes: int,
) -> int:
    """Write tensors as safetensors, in one file or in several with an index.

    Args:
        folder: where; it is there.
        tensors: what will be written, by name, in shape and dtype; they may be without memory.
        make: makes one of them.
        max_shard_bytes: most bytes of a file; a tensor that is larger gets one of its own.

    Returns:
        The number of files.

    Raises:
        ValueError: the disk does not take them.
    """
    plan = split_torch_state_dict_into_shards(dict(tensors), max_shard_size=max_shard_bytes)
    for file_name, names in plan.filename_to_tensors.items():
        shard = {name: make(name).contiguous() for name in names}
        for name, tensor in shard.items():
            wanted = (tensors[name].shape, tensors[name].dtype)
            assert (tensor.shape, tensor.dtype) == wanted, f"{name} is {tensor.shape}, not {wanted}"
        try:
            save_file(shard, folder / file_name, metadata={"format": "pt"})
        except SafetensorError as error:
            raise ValueError(
                f"cannot write {file_name} ({error}): free disk space, or give another --out"
            ) from error
        # Files of this library start readable by their owner alone.
        (folder / file_name).chmod(0o644)
    if plan.is_sharded:
        index = {"metadata": plan.metadata, "weight_map": plan.tensor_to_filename}
        (folder / INDEX_NAME).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return len(plan.filename_to_tensors)


def num_bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _folder_of(source: BaseSource) -> Path:
    folder = Path(source.location)
    if folder.is_dir():
        return folder
    try:
        return Path(snapshot_download(source.location, allow_patterns=list(PATTERNS)))
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"the weights of '{source.name}' cannot be had ({reason}): connect to the hub, or name "
            "a folder with --base"
        ) from error


def _files_of(name: str, folder: Path) -> list[Path]:
    # Where there are both, the library loads this one.
    if (folder / SINGLE_NAME).is_file():
        return [folder / SINGLE_NAME]
    index = folder / INDEX_NAME
    try:
        if index.is_file():
            listed = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            return sorted({folder / file for file in listed.values()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index} is damaged ({error}): get the base anew") from error
    raise ValueError(
        f"'{name}' has no safetensors files at {folder}: load it with transformers once and save "
        "it with save_pretrained"
    )


def _keys_of(path: Path) -> list[str]:
    try:
        with safe_open(path, framework="pt") as file:
            return list(file.keys())
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} cannot be read ({error}): get the base anew") from error
