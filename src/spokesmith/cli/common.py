"""What several commands share: options, output, and loading a base with spokes beside it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from spokesmith.backends import LocalBackend
    from spokesmith.bases import Base
    from spokesmith.tasks import Task

DEFAULT_BASE = "smollm2-135m"
DEFAULT_SPOKES = "memory-smollm2-135m"

JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")
]
BaseOption = Annotated[
    str, typer.Option("--base", help="Embedded name, Hugging Face id or folder, or GGUF file.")
]
SpokesOption = Annotated[
    str,
    typer.Option("--spokes", help="Folder of a set, a shipped name, or none for the bare base."),
]
TaskOption = Annotated[str, typer.Option("--task", help="Built-in task or a task folder.")]
DtypeOption = Annotated[str, typer.Option("--dtype", help="float32, bfloat16 or auto.")]
DeviceOption = Annotated[str, typer.Option("--device", help="cpu, cuda or auto.")]


def messages_console() -> Console:
    """Where people read; programs read stdout."""
    return Console(stderr=True)


def print_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def quiet_libraries() -> None:
    """Keep the libraries' own bars and advice out of our output."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def open_base(name: str, *, dtype: str, device: str) -> "Base":
    """Load a base and say so, since the first time takes a while."""
    quiet_libraries()
    from spokesmith.bases import EMBEDDED, load_base

    embedded = EMBEDDED.get(name)
    first = embedded is not None and not embedded.is_cached()
    note = " (unpacking it, once)" if first else ""
    with messages_console().status(f"loading {name}{note}"):
        return load_base(name, dtype=dtype, device=device)


def open_backend(base: "Base", spokes: str) -> "LocalBackend":
    """The local engine with a set of spokes beside its base; `none` runs the base alone."""
    from spokesmith.backends import LocalBackend
    from spokesmith.spokes import attach, find_spokes, load_spokes

    if spokes == "none":
        return LocalBackend(base, spokes=None)
    loaded, _ = load_spokes(find_spokes(spokes), base_fingerprint=base.fingerprint)
    if loaded.config.placement == "ffn":
        # Its products run in the base's dtype: casting once saves a cast at every token.
        loaded.to(base.model.dtype)
    attach(base.model, base.sites(), loaded, name="active")
    return LocalBackend(base, spokes="active")


def open_task(name_or_folder: str) -> "Task":
    from spokesmith.tasks import load_task

    return load_task(name_or_folder)


def check_new_file(path: Path, *, force: bool) -> None:
    """Refuse to write over a user's file."""
    if path.exists() and not force:
        raise ValueError(f"{path} is there already: give another name, or --force to replace it")
