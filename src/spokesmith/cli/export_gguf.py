"""`spokesmith export gguf`. Does not know what is in a GGUF file: the export room does."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.common import (
    JsonOption,
    open_base,
    print_json,
    quiet_libraries,
    say,
)
from spokesmith.cli.progress import progress
from spokesmith.cli.set_task import task_files

if TYPE_CHECKING:
    from spokesmith.bases import Base
    from spokesmith.bases.loading import BaseSource
    from spokesmith.export.card import TaskFiles
    from spokesmith.export.gguf_base import GGUFBase
    from spokesmith.export.gguf_export import Grafted

MODELFILE_NAME = "Modelfile"
LM_STUDIO_PUBLISHER = "spokesmith"
AUTO = "auto"
# What `auto` tries, in this order; without the engine's check it takes the first.
AUTO_TYPES = ("own", "q8_0")


def gguf(
    spokes: Annotated[str, typer.Option("--spokes", help="Folder of a set, or a shipped name.")],
    base_gguf: Annotated[
        Path, typer.Option("--base-gguf", help="GGUF file of the set's base; it is not changed.")
    ],
    out: Annotated[Path, typer.Option("--out", help="GGUF file to write.")],
    touched: Annotated[
        str,
        typer.Option(
            "--touched",
            help="Type of the matrices that get spokes: own (Q8_0 where own cannot be written), "
            "q8_0, f16, or auto: own, and Q8_0 where own rounds the spokes too much.",
        ),
    ] = AUTO,
    layout: Annotated[
        str,
        typer.Option(
            "--layout",
            help="folded: any engine runs it. tensors: spokes beside the base, also residual "
            "ones, for engines that know them.",
        ),
    ] = "folded",
    base: Annotated[
        str | None,
        typer.Option("--base", help="The base of the set; the one that the set names if left out."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", help="Task or task folder of the set, for its prompt and schema."),
    ] = None,
    modelfile: Annotated[
        bool, typer.Option(help="Write Ollama's Modelfile beside the file.")
    ] = True,
    lm_studio: Annotated[
        Path | None,
        typer.Option(
            "--lm-studio",
            help="LM Studio's models folder (~/.lmstudio/models): link the file into it.",
        ),
    ] = None,
    check_engine: Annotated[
        bool,
        typer.Option(help="Compare llama.cpp's predictions from the file with PyTorch's."),
    ] = True,
    force: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a set into a GGUF file of its base, for llama.cpp, Ollama, LM Studio and others.

    The base's own weights and keys stay as they are, byte for byte. The file is read back and
    compared before it takes its name.
    """
    from spokesmith.export.gguf_export import check_paths, export_gguf
    from spokesmith.export.gguf_plan import TOUCHED
    from spokesmith.spokes import find_spokes, load_spokes

    if touched not in (AUTO, *TOUCHED):
        raise ValueError(f"touched '{touched}' is unknown: use {', '.join((AUTO, *TOUCHED))}")
    check_paths(out, base_gguf, force=force)
    place = _place_of(out, lm_studio) if lm_studio else None
    link = place if place and not _same_place(place, out) else None
    if link:
        _check_place(link, base_gguf, force=force)
    loaded, card = load_spokes(find_spokes(spokes))
    files = task_files(find_spokes(spokes), card, task)
    quiet_libraries()
    name = base or card.base
    with ExitStack() as stack:

        def on_plan(_plan: Any, size: int) -> Callable[[int], None]:
            step = stack.enter_context(progress(f"writing {out.name}, MB", total=size // 1_000_000))
            return _in_megabytes(step)

        def write(type: str) -> "Grafted":
            return export_gguf(
                out,
                base_gguf,
                loaded,
                card,
                layout=layout,
                touched=type,  # pyright: ignore[reportArgumentType]
                task=files,
                find=lambda: _find(name),
                load=(lambda grafted: _load(name, grafted)) if check_engine else None,
                force=force,
                on_plan=on_plan,
            )

        made = _first_sound(AUTO_TYPES if touched == AUTO else (touched,), write)
    notes = list(made.notes)
    written = None
    if modelfile and layout == "folded":
        written = _write_modelfile(made, files, notes, force=force)
    if link:
        _link(out, link, base_gguf, force=force)
    document = _document(made, layout, notes, written, place)
    if as_json:
        print_json(document)
    else:
        _say(made, document)


def _first_sound(types: Sequence[str], write: Callable[[str], "Grafted"]) -> "Grafted":
    """What is written with the first of some types that pass the checks.

    A type is tried after another one only where that can help: where the check says that other
    types may mend the file, and the matrices are not all of this type already.
    """
    from spokesmith.export.gguf_export import CheckFailedError

    first, *others = types
    try:
        return write(first)
    except CheckFailedError as error:
        if not others or error.types <= {others[0]}:
            say(f"failed: {error}")
            raise typer.Exit(1) from error
        say(f"{first}: {error}; the next type is tried")
    return _first_sound(others, write)


def _in_megabytes(step: Callable[[int, str], None]) -> Callable[[int], None]:
    left = 0

    def on_bytes(count: int) -> None:
        nonlocal left
        done, left = divmod(left + count, 1_000_000)
        step(done, "")

    return on_bytes


def _find(name: str) -> "BaseSource":
    from spokesmith.bases import find_base

    return find_base(name)


def _load(name: str, grafted: "GGUFBase") -> "Base":
    """The base to compare with, as exact as half of the free memory allows."""
    import math

    import psutil

    elements = sum(math.prod(tensor.dims) for tensor in grafted.header.tensors.values())
    exact = 4 * elements < psutil.virtual_memory().available // 2
    return open_base(name, dtype="float32" if exact else "bfloat16", device="cpu")


def _write_modelfile(
    made: "Grafted", task: "TaskFiles | None", notes: list[str], *, force: bool
) -> Path | None:
    """Write the Modelfile, or add to the notes why there is none."""
    from spokesmith.bases.gguf_reader import read_header
    from spokesmith.export.gguf_graft import whole_file
    from spokesmith.export.ollama import modelfile

    path = made.path.parent / MODELFILE_NAME
    if task is None:
        notes.append("no Modelfile was written, the set's task is not at hand: name it with --task")
        return None
    try:
        text = modelfile(read_header(made.path), made.base.family, task)
    except ValueError as error:
        notes.append(f"no Modelfile was written: {error}")
        return None
    if path.exists():
        found = path.read_text(encoding="utf-8", errors="replace")
        if f"FROM ./{made.path.name}" not in found.splitlines():
            notes.append(f"{path} is there already and of another model, so it was left as it is")
            return None
        if found != text and not force:
            notes.append(
                f"{path} is there already with other words, so it was left as it is: --force "
                "replaces it"
            )
            return None
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def _place_of(out: Path, models: Path) -> Path:
    """Where LM Studio looks for a file: publisher/model/file."""
    return models.expanduser() / LM_STUDIO_PUBLISHER / out.stem / out.name


def _same_place(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _check_place(place: Path, base_gguf: Path, *, force: bool) -> None:
    if _same_place(place, base_gguf):
        raise ValueError(f"{place} is the base itself, which is never changed: give another --out")
    if (place.exists() or place.is_symlink()) and not force:
        raise ValueError(f"{place} is there already: remove it, or --force to replace it")


def _link(out: Path, place: Path, base_gguf: Path, *, force: bool) -> None:
    """Put a file at a place of LM Studio's without a second copy."""
    _check_place(place, base_gguf, force=force)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    try:
        os.link(out.resolve(), place)
    except OSError:
        # Hard links end at the border of a disk.
        place.symlink_to(out.resolve())


def _document(
    made: "Grafted", layout: str, notes: list[str], modelfile: Path | None, linked: Path | None
) -> dict[str, Any]:
    engine = made.engine
    return {
        "file": str(made.path),
        "layout": layout,
        "base_gguf": str(made.base.header.path),
        "architecture": made.base.family.gguf_architecture,
        "bytes": made.num_bytes,
        "base_bytes": made.base.header.file_size,
        "read_back": asdict(made.verified),
        "engine": {
            "checked": engine is not None,
            **({"why_not": made.engine_note} if engine is None else asdict(engine)),
        },
        "notes": notes,
        "modelfile": str(modelfile) if modelfile else None,
        "lm_studio": str(linked) if linked else None,
    }


def _say(made: "Grafted", document: dict[str, Any]) -> None:
    size, before = document["bytes"], document["base_bytes"]
    say(
        f"wrote {made.path}: {size / 1e6:.1f} MB, the base {before / 1e6:.1f} MB "
        f"({(size - before) / before:+.1%})"
    )
    found = made.verified
    say(
        f"read back: {found.keys} keys and {found.copied} tensors byte for byte as in the base, "
        f"{found.kept} grown ones with the base's bytes in them, {found.converted} of another type"
    )
    if engine := made.engine:
        say(
            f"llama.cpp agrees with PyTorch on {engine.prompts} prompts: log-probabilities differ "
            f"by {engine.difference:.3f} nats on average (the base's own file: "
            f"{engine.base_difference:.3f}, the spokes' rounding: {engine.rounding:.3f}), the same "
            f"first token on {engine.same_first}"
        )
    else:
        say(f"not compared with llama.cpp: {made.engine_note}")
    for note in document["notes"]:
        say(f"note: {note}")
    if document["modelfile"]:
        say(f"Ollama: ollama create NAME -f {document['modelfile']}")
    if document["lm_studio"]:
        say(f"LM Studio: {document['lm_studio']}")
    elif document["layout"] == "folded":
        say(f"LM Studio: lms import --copy {made.path}, or --lm-studio ~/.lmstudio/models")
