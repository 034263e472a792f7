"""`spokesmith train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.common import (
    DEFAULT_BASE,
    BaseOption,
    DeviceOption,
    DtypeOption,
    JsonOption,
    TaskOption,
    messages_console,
    open_base,
    open_task,
    print_json,
)

if TYPE_CHECKING:
    from spokesmith.bases import Base
    from spokesmith.tasks import Task

OVERFIT_LOSS = 0.02
OVERFIT_STEPS = 300


def train(
    data: Annotated[Path, typer.Option("--data", help="Folder with pairs.jsonl.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the run.")],
    base: BaseOption = DEFAULT_BASE,
    task: TaskOption = "memory",
    config: Annotated[Path | None, typer.Option(help="TOML file with the run's choices.")] = None,
    choice: Annotated[
        list[str] | None,
        typer.Option("--set", help="One choice, e.g. --set learning_rate=0.05; wins over a file."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last whole checkpoint.")] = False,
    force: Annotated[bool, typer.Option(help="Replace a run that is in --out.")] = False,
    overfit: Annotated[
        int,
        typer.Option(
            help="Train on the first N examples until they are known by heart, and check."
        ),
    ] = 0,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Train spokes beside a frozen base. The set with the best evaluation loss is OUT/best."""
    from dataclasses import asdict

    from spokesmith.training.config import make_config, read_config

    choices = parse_choices(choice or [])
    if overfit:
        choices = {"max_steps": OVERFIT_STEPS, "eval_every": 0, **choices}
        choices.setdefault("batch_size", min(overfit, 4))
    settings = read_config(config, choices) if config else make_config(choices)
    loaded_task = open_task(task)
    loaded = open_base(base, dtype=dtype, device=device)

    from spokesmith.training.run import train as run_training

    result = run_training(
        base=loaded,
        task=loaded_task,
        data_folder=data,
        run_folder=out,
        config=settings,
        resume=resume,
        force=force,
        overfit=overfit,
        target_loss=OVERFIT_LOSS if overfit else None,
    )
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
        _say(document, overfit)
    if known is not None and (known < overfit or result.loss >= OVERFIT_LOSS):
        raise typer.Exit(1)


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

    def was_trained(pair: Pair) -> bool:
        prompt = base.chat.prompt_ids(task.messages(pair.text))
        answer = base.chat.answer_ids(task.canonical(pair.gold))
        return pair.split == "train" and len(prompt) + len(answer) <= max_length

    backend = LocalBackend(base, spokes="training")
    trained = islice(filter(was_trained, read_pairs(data / PAIRS_NAME)), overfit)
    return sum(
        backend.complete(task.messages(pair.text), max_tokens=task.max_tokens).text
        == task.canonical(pair.gold)
        for pair in trained
    )


def _say(document: dict[str, Any], overfit: int) -> None:
    console = messages_console()
    loss, eval_loss = document["loss"], document["eval_loss"]
    console.print(
        f"trained {document['num_parameters']:,} parameters for {document['steps']} steps: "
        f"loss {loss:.4f}" + (f", best eval loss {eval_loss:.4f}" if eval_loss else "")
    )
    if overfit:
        known = document["known_by_heart"]
        verdict = "as it should be" if known == overfit and loss < OVERFIT_LOSS else "not learned"
        console.print(f"known by heart: {known} of {overfit}, loss below {OVERFIT_LOSS}: {verdict}")
    folder = document["run_folder"]
    console.print(f"the set is {folder}/best, the loss curve {folder}/loss.png")
