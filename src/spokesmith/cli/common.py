"""What several commands share: options, output, and loading a base with spokes beside it."""

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from spokesmith.backends import LocalBackend
    from spokesmith.bases import Base, ChatFormat
    from spokesmith.tasks import Task

DEFAULT_BASE = "smollm2-135m"
DEFAULT_SPOKES = "memory-smollm2-135m"
DEFAULT_TASK = "memory"
TINY_PREFIX = "tiny-"

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
SetTaskOption = Annotated[
    str | None,
    typer.Option(
        "--task", help="Built-in task or a task folder; what the set was trained for if left out."
    ),
]
DtypeOption = Annotated[str, typer.Option("--dtype", help="float32, bfloat16 or auto.")]
DeviceOption = Annotated[str, typer.Option("--device", help="cpu, cuda or auto.")]
QuantizeOption = Annotated[
    str, typer.Option("--quantize", help="none, or nf4: the base in 4 bits, by bitsandbytes.")
]
PleOption = Annotated[
    str,
    typer.Option("--ple", help="Where a table of per-layer embeddings stays: device or cpu."),
]
DeviceMapOption = Annotated[
    str | None,
    typer.Option("--device-map", help="auto spreads the base's layers over several GPUs."),
]


def messages_console() -> Console:
    """Where people read; programs read stdout."""
    return Console(stderr=True)


def say(words: str) -> None:
    """Words for people, as they are: no markup in them, and no line broken but by the terminal."""
    messages_console().print(words, markup=False, highlight=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def quiet_libraries() -> None:
    """Keep the libraries' own bars and advice out of our output."""
    from transformers.utils import logging as transformers_logging

    # What it lacks for speed where it is installed but not asked for.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def open_base(
    name: str,
    *,
    dtype: str,
    device: str,
    quantize: str = "none",
    ple: str = "device",
    device_map: str | None = None,
    unpack: bool = False,
) -> "Base":
    """Load a base and say so, since it takes a while. `tiny-NAME` is a random one for tests."""
    quiet_libraries()
    from spokesmith.bases import EMBEDDED, load_base

    if is_tiny(name):
        return _tiny_base(name, dtype)
    embedded = EMBEDDED.get(name)
    first = embedded is not None and not embedded.is_cached()
    note = " (unpacking it, once)" if first else ""
    with messages_console().status(f"loading {name}{note}"):
        base = load_base(
            name,
            dtype=dtype,
            device=device,
            quantize=quantize,
            ple=ple,
            device_map=device_map,
            unpack=unpack,
        )
    if base.freed_bytes:
        freed = f"{base.freed_bytes / 1e9:.2f} GB"
        say(f"left out the parts for pictures and sound: {freed}")
    return base


def open_chat(name: str) -> "ChatFormat":
    """A base's turn format, with its tokenizer; no weights are read."""
    quiet_libraries()
    if is_tiny(name):
        return _tiny_base(name, "auto").chat
    from spokesmith.bases.loading import find_base

    with messages_console().status(f"reading the tokenizer of {name}"):
        return find_base(name).chat


def is_tiny(name: str) -> bool:
    """Whether a name means one of the tiny random bases of `spokesmith.testing`."""
    return name.startswith(TINY_PREFIX)


def _tiny_base(name: str, dtype: str) -> "Base":
    from spokesmith.testing import FAMILY_SIZES, tiny_base

    model_type = name.removeprefix(TINY_PREFIX)
    if model_type not in FAMILY_SIZES:
        known = ", ".join(TINY_PREFIX + size for size in FAMILY_SIZES)
        raise ValueError(f"'{name}' is no tiny base: use {known}")
    return tiny_base(model_type, dtype="float32" if dtype == "auto" else dtype)


def check_base_of(base: str, *sets: str, remedy: str = "") -> None:
    """Refuse sets of another base before the weights of this one are read.

    Args:
        base: as it was asked for.
        sets: folders or shipped names; `none` is none.
        remedy: what to do instead, where that is not to give other --spokes.

    Raises:
        ValueError: a set was trained on a base of another shape.
    """
    from spokesmith.spokes.files import read_card
    from spokesmith.spokes.shipped import find_spokes

    cards = {name: read_card(find_spokes(name)) for name in sets if name != "none"}
    others = {name: card for name, card in cards.items() if card.base != base}
    # A tiny base is made as fast as it is looked at.
    if not others or is_tiny(base):
        return
    quiet_libraries()
    from spokesmith.bases import find_base, shape_fingerprint

    with messages_console().status(f"looking at {base}"):
        fingerprint = shape_fingerprint(find_base(base).config)
    own = f"give a set of its own with --spokes FOLDER, or --spokes none for {base} alone"
    for name, card in others.items():
        if card.base_fingerprint != fingerprint:
            raise ValueError(
                f"{name} was trained on {card.base}, and {base} is another base: {remedy or own}"
            )


def attach_set(base: "Base", spokes: str) -> None:
    """Put a set of spokes beside a base, active, under the name `active`."""
    from spokesmith.spokes import attach, find_spokes, load_spokes

    loaded, _ = load_spokes(find_spokes(spokes), base_fingerprint=base.fingerprint)
    attach(base.model, base.sites(), loaded, name="active")


def open_backend(base: "Base", spokes: str, *, num_slots: int = 1) -> "LocalBackend":
    """The local engine with a set of spokes beside its base; `none` runs the base alone.

    `num_slots` answers at most are under way at once.
    """
    from spokesmith.backends import LocalBackend

    if spokes == "none":
        return LocalBackend(base, spokes=None, num_slots=num_slots)
    attach_set(base, spokes)
    return LocalBackend(base, spokes="active", num_slots=num_slots)


def open_task(name_or_folder: str) -> "Task":
    from spokesmith.tasks import load_task

    return load_task(name_or_folder)


def about_cut_answers(lengths: dict[str, Any], task: "Task") -> list[str]:
    """A line where a data set has answers that are longer than the task lets an engine write.

    Args:
        lengths: a `LengthReport` as a dictionary.
    """
    longest = lengths["answer_quantiles"]["max"]
    if longest <= task.max_tokens:
        return []
    return [
        f"the longest answer has {longest:,} tokens, and the task '{task.name}' ends answers after "
        f"{task.max_tokens:,}: raise max_tokens in its task.toml"
    ]


def check_new_file(path: Path, *, force: bool) -> None:
    """Refuse to write over a user's file."""
    if path.exists() and not force:
        raise ValueError(f"{path} is there already: give another name, or --force to replace it")
