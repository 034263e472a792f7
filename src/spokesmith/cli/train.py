"""`spokesmith train`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.common import (
    DEFAULT_BASE,
    DEFAULT_TASK,
    BaseOption,
    DeviceMapOption,
    DeviceOption,
    DtypeOption,
    JsonOption,
    PleOption,
    QuantizeOption,
    TaskOption,
    about_cut_answers,
    check_base_of,
    is_tiny,
    messages_console,
    open_base,
    open_task,
    print_json,
    quiet_libraries,
    say,
)

if TYPE_CHECKING:
    from spokesmith.bases import Base
    from spokesmith.tasks import Task
    from spokesmith.training.config import TrainConfig

OVERFIT_LOSS = 0.02
# Training goes on far below that: in a long answer a mean of 0.02 leaves tokens that are wrong.
OVERFIT_TARGET = 0.001
OVERFIT_STEPS = 300
GB = 1e9


def train(
    data: Annotated[Path, typer.Option("--data", help="Folder with pairs.jsonl.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the run.")],
    base: BaseOption = DEFAULT_BASE,
    task: TaskOption = DEFAULT_TASK,
    config: Annotated[Path | None, typer.Option(help="TOML file with the run's choices.")] = None,
    choice: Annotated[
        list[str] | None,
        typer.Option("--set", help="One choice, e.g. --set learning_rate=0.05; wins over a file."),
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option("--from", help="Trained set to begin with: a shipped name or a folder."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last whole checkpoint.")] = False,
    force: Annotated[bool, typer.Option(help="Replace a run that is in --out.")] = False,
    overfit: Annotated[
        int,
        typer.Option(
            help="Train on the first N examples until they are known by heart, and check."
        ),
    ] = 0,
    preflight: Annotated[
        bool, typer.Option(help="Check that the training pass is right before the first step.")
    ] = True,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    quantize: QuantizeOption = "none",
    ple: PleOption = "device",
    device_map: DeviceMapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train spokes beside a frozen base. The set with the best evaluation loss is OUT/best."""
    from dataclasses import asdict

    from spokesmith.training.config import make_config, read_config
    from spokesmith.training.runfolder import check_run_folder

    choices = parse_choices(choice or [])
    if overfit:
        choices = {"max_steps": OVERFIT_STEPS, "eval_every": 0, **choices}
        choices.setdefault("batch_size", min(overfit, 4))
    settings = read_config(config, choices) if config else make_config(choices)
    if overfit and settings.shard_base:
        raise ValueError(
            "--overfit asks the base in the end, and one that is shared out answers nothing: leave "
            "out shard_base"
        )
    loaded_task = open_task(task)
    first = None if start_from is None else _trained_set(start_from)
    named = [path for path in (Path(task), Path(base).expanduser()) if path.exists()]
    inputs = [*named, *(path for path in (data, config, first) if path is not None)]
    check_run_folder(out, resume=resume, force=force, inputs=inputs)
    if start_from is not None:
        check_base_of(base, start_from, remedy="give a set of its own, or leave out --from")
    checkpointing = None
    in_parts = device_map is not None or settings.shard_base
    if in_parts and settings.checkpointing == "auto":
        checkpointing = _recompute_all()
    elif not in_parts and not is_tiny(base):
        checkpointing = _plan_memory(
            base, loaded_task, settings, dtype=dtype, device=device, quantize=quantize, ple=ple
        )
    loaded = open_base(
        base,
        dtype=dtype,
        device=device,
        quantize=quantize,
        ple=ple,
        device_map=device_map,
        unpack=not in_parts and _is_cpu(device),
    )

    from spokesmith.training.processes import is_writing_process
    from spokesmith.training.run import train as run_training

    try:
        result = run_training(
            base=loaded,
            task=loaded_task,
            data_folder=data,
            run_folder=out,
            config=settings,
            resume=resume,
            force=force,
            overfit=overfit,
            target_loss=OVERFIT_TARGET if overfit else None,
            checkpointing=checkpointing,
            runs_preflight=preflight,
            start_from=first,
        )
    except KeyboardInterrupt:
        # With --force the folder may still hold the run that is to be replaced.
        if not force:
            _say_what_is_kept(out)
        raise
    if not is_writing_process():
        return
    document: dict[str, Any] = asdict(result)
    document["run_folder"] = str(out)
    if (out / "log.jsonl").is_file():
        from spokesmith.report import loss_curve
        from spokesmith.training.callbacks import read_log

        loss_curve(read_log(out / "log.jsonl"), out / "loss.png")
    known = None
    if overfit:
        known = _count_known(loaded, loaded_task, data, overfit, settings.max_length)
        document["known_by_heart"] = known
    if as_json:
        print_json(document)
    else:
        _say(document, loaded_task, overfit)
    if known is not None and (known < overfit or result.loss >= OVERFIT_LOSS):
        raise typer.Exit(1)


def _is_cpu(device: str) -> bool:
    """Whether the run is on a CPU, which would unpack four-bit weights for each product anew."""
    from spokesmith.bases.loading import choose_device

    return choose_device(device).type == "cpu"


def _trained_set(name_or_folder: str) -> Path:
    from spokesmith.spokes import find_spokes

    return find_spokes(name_or_folder)


def _recompute_all() -> str:
    """The checkpointing of a base in parts, whose memory no plan covers."""
    from spokesmith.training.processes import is_writing_process

    if is_writing_process():
        say(
            "no estimate of memory for a base on several devices, so every layer recomputes: "
            "--set checkpointing=none is faster where it fits"
        )
    return "every"


def _say_what_is_kept(out: Path) -> None:
    """Of a run that is interrupted."""
    from spokesmith.training.processes import is_writing_process
    from spokesmith.training.runfolder import RUN_NAME, last_checkpoint

    if not is_writing_process() or not (out / RUN_NAME).is_file():
        return
    last = last_checkpoint(out)
    kept = "no checkpoint was written yet" if last is None else f"{last} is kept"
    say(f"interrupted; {kept}: the same command with --resume goes on")


def _plan_memory(
    name: str,
    task: "Task",
    settings: "TrainConfig",
    *,
    dtype: str,
    device: str,
    quantize: str,
    ple: str,
) -> str | None:
    """Whether the run fits, before a weight is loaded; the checkpointing that it then takes."""
    quiet_libraries()
    from spokesmith.bases.loading import choose_device, choose_dtype, find_base
    from spokesmith.training.dry_run import NoEstimateError, TrainingSetup
    from spokesmith.training.memory import available_memory, check_fits, choose_checkpointing
    from spokesmith.training.processes import is_writing_process

    source, where = find_base(name), choose_device(device)
    prefix, _ = source.chat.prompt_parts(task.messages(""))
    setup = TrainingSetup(
        source=source,
        config=settings,
        dtype=choose_dtype(dtype, where),
        device=where,
        quantize=quantize,
        ple=ple,
        prefix_length=len(prefix),
        checkpointing="none" if settings.checkpointing == "auto" else settings.checkpointing,
    )
    available_bytes = available_memory(where)
    try:
        with messages_console().status("estimating memory"):
            if settings.checkpointing == "auto":
                chosen = choose_checkpointing(setup, available_bytes)
                setup = replace(setup, checkpointing=chosen)
            estimate = check_fits(setup, available_bytes)
    except NoEstimateError as error:
        if settings.checkpointing != "auto":
            say(f"no estimate of memory: {error}")
            return settings.checkpointing
        say(f"no estimate of memory, so every layer recomputes: {error}")
        return "every"
    if is_writing_process():
        say(
            f"memory: about {estimate.total_bytes / GB:.1f} of {available_bytes / GB:.1f} GB at "
            f"the longest ({estimate.describe()}), checkpointing {setup.checkpointing}"
        )
    return setup.checkpointing


def parse_choices(choices: list[str]) -> dict[str, Any]:
    """`name=value` pairs, the values read as TOML where they are, else as plain strings."""
    import tomllib

    parsed: dict[str, Any] = {}
    for choice in choices:
        name, equals, value = choice.partition("=")
        if not equals:
            raise ValueError(f"--set {choice}: write it as name=value")
        try:
            parsed[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            parsed[name.strip()] = value.strip()
    return parsed


def _count_known(base: "Base", task: "Task", data: Path, overfit: int, max_length: int) -> int:
    """How many of the trained examples free decoding gives back to the letter."""
    from itertools import islice

    from spokesmith.backends import LocalBackend
    from spokesmith.data.pairs import PAIRS_NAME, Pair, read_pairs

    def answer_of(pair: Pair) -> list[int]:
        return base.chat.answer_ids(task.canonical(pair.gold))

    def was_trained(pair: Pair) -> bool:
        prompt = base.chat.prompt_ids(task.messages(pair.text))
        return pair.split == "train" and len(prompt) + len(answer_of(pair)) <= max_length

    backend = LocalBackend(base, spokes="training")
    trained = islice(filter(was_trained, read_pairs(data / PAIRS_NAME)), overfit)
    return sum(
        backend.complete(task.messages(pair.text), max_tokens=len(answer_of(pair))).text
        == task.canonical(pair.gold)
        for pair in trained
    )


def _left_out(lengths: dict[str, Any]) -> list[str]:
    """What to know of the pairs that were too long to be trained or evaluated on."""
    kept, dropped = lengths["kept"], lengths["dropped"]
    count, limit = sum(dropped.values()), lengths["max_length"]
    lines: list[str] = []
    if count:
        lines.append(
            f"{count:,} of {count + sum(kept.values()):,} pairs are longer than {limit} tokens and "
            "left out: --set max_length=N keeps longer ones"
        )
    if dropped["eval"] and not kept["eval"]:
        lines.append("no pair is left to evaluate on, so best is the last set")
    return lines


def _say(document: dict[str, Any], task: "Task", overfit: int) -> None:
    lengths = document["lengths"]
    for line in [*_left_out(lengths), *about_cut_answers(lengths, task)]:
        say(line)
    loss, eval_loss = document["loss"], document["eval_loss"]
    say(
        f"trained {document['num_parameters']:,} parameters for {document['steps']} steps: "
        f"loss {loss:.4f}" + (f", best eval loss {eval_loss:.4f}" if eval_loss else "")
    )
    if overfit:
        known = document["known_by_heart"]
        verdict = "as it should be" if known == overfit and loss < OVERFIT_LOSS else "not learned"
        say(f"known by heart: {known} of {overfit}, loss below {OVERFIT_LOSS}: {verdict}")
    folder = document["run_folder"]
    say(f"the set is {folder}/best, the loss curve {folder}/loss.png")
