"""What commands share that run a GGUF file on stock llama.cpp, `--engine llama.cpp`."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from spokesmith.cli.common import messages_console, quiet_libraries, say
from spokesmith.cli.set_task import task_of_file

if TYPE_CHECKING:
    from spokesmith.backends.llamacpp import LlamaCppBackend, LlamaCppOptions
    from spokesmith.bases.gguf_header import Header
    from spokesmith.tasks import Task

OWN, LLAMACPP = "spokesmith", "llama.cpp"
ENGINES = (OWN, LLAMACPP)
OF_OWN = {"base", "spokes", "dtype", "device", "quantize", "ple", "device_map"}
OF_LLAMACPP = {"tokenizer", "engine_option"}

EngineOption = Annotated[
    str, typer.Option("--engine", help="spokesmith, or llama.cpp: stock, with a GGUF file.")
]
ModelOption = Annotated[
    Path | None, typer.Option("--model", help="With --engine llama.cpp: the GGUF file.")
]
TokenizerOption = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        help="With --engine llama.cpp: a folder with the base's own tokenizer; the file's if left "
        "out.",
    ),
]
EngineSettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine-option",
        metavar="NAME=VALUE",
        help="With --engine llama.cpp: context, threads, speculation and others; may be repeated.",
    ),
]


def runs_llamacpp(context: typer.Context, engine: str, *, only_there: Sequence[str] = ()) -> bool:
    """Whether a GGUF file is to be run on llama.cpp.

    Args:
        context: of the command that runs.
        only_there: parameters of the command that mean something to llama.cpp only, beside those
            that do so for every command.

    Raises:
        ValueError: there is no such engine, or an option was given that is for the other one.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine '{engine}' is unknown: use {' or '.join(ENGINES)}")
    foreign = OF_OWN if engine == LLAMACPP else {*OF_LLAMACPP, *only_there}
    for name in context.params:
        source = context.get_parameter_source(name)
        if name in foreign and source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"{option} is not for --engine {engine}: leave it out")
    return engine == LLAMACPP


def given_file(model: Path | None) -> Path:
    """Raises ValueError where no file was given."""
    if model is None:
        raise ValueError("--engine llama.cpp runs a GGUF file: give it, --model FILE")
    return model


def open_llamacpp(
    model: Path | None,
    *,
    name: str | None = None,
    task: "Task | None" = None,
    tokenizer: str | None = None,
    settings: Sequence[str] | None = None,
    max_waiting: int | None = None,
    **defaults: Any,
) -> "LlamaCppBackend":
    """Load a GGUF file into llama.cpp and say so, since it takes a while.

    Args:
        model: the file.
        name: what requests call it; its task's name, or else its own, if left out.
        task: what it was trained for; the one that the file brings if left out.
        settings: NAME=VALUE, names of `LlamaCppOptions`.
        defaults: options that hold where the settings do not name them.

    Raises:
        ValueError: the file is none that llama.cpp runs, or a setting is wrong.
    """
    model = given_file(model)
    options = parse_options(settings or (), **defaults)
    quiet_libraries()
    from spokesmith.backends.llamacpp import LlamaCppBackend
    from spokesmith.bases.gguf_chat import read_gguf_chat
    from spokesmith.bases.gguf_reader import read_header

    with messages_console().status(f"loading {model}"):
        header = read_header(model)
        loaded_task = _task_of(header) if task is None else task
        chat = read_gguf_chat(header, tokenizer=tokenizer)
        own_name = header.value("general.name")
        backend = LlamaCppBackend(
            model,
            chat,
            name=name or (loaded_task.name if loaded_task else str(own_name or model.stem)),
            task=loaded_task,
            max_waiting=max_waiting,
            options=options,
        )
        if loaded_task is not None:
            backend.share_prefix(loaded_task.messages("Ready?"))
    return backend


def parse_options(settings: Sequence[str], **defaults: Any) -> "LlamaCppOptions":
    """Options from NAME=VALUE.

    Raises:
        ValueError: there is no such option, or its value is of another kind.
    """
    from spokesmith.backends.llamacpp import LlamaCppOptions

    kinds = get_type_hints(LlamaCppOptions)
    known = [field.name for field in dataclasses.fields(LlamaCppOptions)]
    found: dict[str, Any] = dict(defaults)
    for setting in settings:
        name, mark, value = setting.partition("=")
        name = name.strip().replace("-", "_")
        if not mark or name not in known:
            raise ValueError(
                f"--engine-option {setting}: give NAME=VALUE with one of {', '.join(known)}"
            )
        try:
            found[name] = _as_kind(value.strip(), kinds[name])
        except ValueError as error:
            raise ValueError(f"--engine-option {setting}: {value!r} is {error}") from error
    return LlamaCppOptions(**found)


def _as_kind(value: str, kind: Any) -> Any:
    if kind is bool:
        if value not in ("true", "false"):
            raise ValueError("no truth value: give true or false")
        return value == "true"
    for number in (int, float):
        if kind in (number, number | None):
            try:
                return number(value)
            except ValueError:
                raise ValueError("no number") from None
    return value


def _task_of(header: "Header") -> "Task | None":
    """The task that a file brings; None, and why, where that is not to be had."""
    try:
        return task_of_file(header)
    except ValueError as error:
        say(str(error))
        return None
