"""`spokesmith diagnose`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from spokesmith.cli.common import (
    DEFAULT_BASE,
    BaseOption,
    DeviceMapOption,
    DeviceOption,
    DtypeOption,
    JsonOption,
    PleOption,
    QuantizeOption,
    SetTaskOption,
    attach_set,
    check_base_of,
    check_new_file,
    is_tiny,
    messages_console,
    open_base,
    print_json,
)
from spokesmith.cli.set_task import task_to_ask

if TYPE_CHECKING:
    from spokesmith.bases import Base
    from spokesmith.diagnose import Diagnosis, Reference, Sample
    from spokesmith.tasks import Task

NUM_SAMPLES = 2
NUM_PAIRS = 60
SEED = 7
REFERENCE_SHARE = 0.5
FILE_WIDTH = 120
# A tiny base reads bytes, so that whole prompts would be thousands of tokens.
TINY_LENGTH = 256
MARKS = {
    "yes": "[green]yes[/]",
    "no": "[bold red]NO[/]",
    "refused": "[yellow]refused[/]",
    "told": "",
}


def diagnose(
    base: BaseOption = DEFAULT_BASE,
    spokes: Annotated[
        str, typer.Option(help="A set to ask about; none takes a small random one.")
    ] = "none",
    placement: Annotated[str, typer.Option(help="Of the random set: ffn or residual.")] = "ffn",
    task: SetTaskOption = None,
    length: Annotated[int, typer.Option(help="Most tokens of an example.")] = 1024,
    reference: Annotated[
        str, typer.Option(help="Also load the base in float32 and compare: auto or none.")
    ] = "auto",
    picture: Annotated[Path | None, typer.Option(help="Where to write heat maps by layer.")] = None,
    force: Annotated[bool, typer.Option(help="Replace a picture that is there.")] = False,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    quantize: QuantizeOption = "none",
    ple: PleOption = "device",
    device_map: DeviceMapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Is this base's forward and backward pass right here? Exits 1 on any no."""
    if length < 16:
        raise ValueError(f"--length {length}: use at least 16")
    length = min(length, TINY_LENGTH) if is_tiny(base) else length
    if picture is not None:
        check_new_file(picture, force=force)
    loaded_task = task_to_ask(task, spokes)
    check_base_of(base, spokes)
    right = right_answers(loaded_task)
    # One example has nothing beside it in a batch.
    if len(right) < NUM_SAMPLES:
        right = []
        messages_console().print(
            f"fewer than {NUM_SAMPLES} probes of the task '{loaded_task.name}' have a gold: "
            "settings are judged, and what is predicted is only told",
            markup=False,
            highlight=False,
        )
    samples = partial(_samples, task=loaded_task, pairs=right or _any_pairs(), length=length)
    options = {"device": device, "ple": ple, "device_map": device_map}
    unquantised = _reference(base, samples, reference, dtype, quantize, options)
    loaded = open_base(base, dtype=dtype, quantize=quantize, **options)
    if spokes != "none":
        attach_set(loaded, spokes)

    from spokesmith.diagnose import diagnose as ask

    with messages_console().status(f"asking {base}"), _full_memory_told(quantize):
        diagnosis = ask(
            loaded,
            samples(loaded),
            placement=placement,
            unquantised=unquantised,
            is_quantised=quantize != "none",
            answers_are_right=bool(right),
        )
    if as_json:
        print_json(diagnosis.to_dict())
    else:
        _say(diagnosis)
    if picture is not None:
        from spokesmith.report import layer_heat_maps

        words = "a random set" if spokes == "none" else spokes
        rows = diagnosis.questions[2].rows
        layer_heat_maps(rows, picture, title=f"{base}, {words}, by layer")
    if not diagnosis.ok:
        raise typer.Exit(1)


def right_answers(task: "Task") -> list[tuple[str, str]]:
    """Texts of a task's probes, with the encodings that a person has checked."""
    from spokesmith.tasks.probe_records import read_probe_records

    return [
        (record["text"], task.canonical(record["gold"]))
        for path in task.probe_files
        for record in read_probe_records(path)[0]
        if record.get("gold")
    ]


def _any_pairs() -> list[tuple[str, str]]:
    """Texts with JSON that is no answer of the task: enough to hold one setting against another."""
    from spokesmith.data.generate import generate
    from spokesmith.tasks.canonical import canonical_json

    return [(pair.text, canonical_json(pair.gold)) for pair in generate(NUM_PAIRS, seed=SEED)]


def _samples(
    base: "Base", *, task: "Task", pairs: list[tuple[str, str]], length: int
) -> "list[Sample]":
    """The shortest of some pairs of text and answer, as examples of the task."""
    from spokesmith.diagnose import Sample, shorten

    samples: list[Sample] = []
    for text, encoding in pairs:
        prompt = base.chat.prompt_ids(task.messages(text))
        answer = base.chat.answer_ids(encoding)
        samples.append(Sample(tokens=prompt + answer, answer_start=len(prompt)))
    samples.sort(key=lambda sample: len(sample.tokens))
    return [shorten(sample, length) for sample in samples[:NUM_SAMPLES]]


def _reference(
    name: str,
    samples: "Callable[[Base], list[Sample]]",
    wanted: str,
    dtype: str,
    quantize: str,
    options: dict[str, Any],
) -> "Reference | None":
    """The bare base's pass in float32, where it differs from what is asked for and fits."""
    if wanted not in ("auto", "none"):
        raise ValueError(f"--reference {wanted} is unknown: use auto or none")
    from spokesmith.bases.loading import choose_device, choose_dtype

    chosen = str(choose_dtype(dtype, choose_device(options["device"]))).removeprefix("torch.")
    if wanted == "none" or (chosen == "float32" and quantize == "none"):
        return None
    if not _fits(name, options["device"]):
        messages_console().print(
            f"no comparison with float32: {name} does not fit into half of the free memory"
        )
        return None
    from spokesmith.diagnose import reference_pass

    base = open_base(name, dtype="float32", quantize="none", **options)
    return reference_pass(base, samples(base))


def _fits(name: str, device: str) -> bool:
    """Whether the base's weights in float32 take at most half of the free memory."""
    if is_tiny(name):
        return True
    from spokesmith.bases.loading import choose_device, find_base, num_parameters
    from spokesmith.training.memory import available_memory

    most = REFERENCE_SHARE * available_memory(choose_device(device))
    return 4 * num_parameters(find_base(name)) <= most


@contextmanager
def _full_memory_told(quantize: str) -> Iterator[None]:
    """A full GPU as one line, with what would help."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        remedies = ["a smaller --length", "--device cpu"]
        if quantize == "none":
            remedies.insert(1, "--quantize nf4")
        raise ValueError(
            "there is not enough memory on the device for gradients without checkpointing: use "
            f"{' or '.join(remedies)}"
        ) from error


def _say(diagnosis: "Diagnosis") -> None:
    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    facts = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in diagnosis.facts.items())
    console.print(f"[bold]{diagnosis.base}[/]: {facts}")
    for number, question in enumerate(diagnosis.questions, start=1):
        console.print(f"\n[bold]{number}. {question.title}[/]")
        lines = Table.grid(padding=(0, 2))
        for check in question.checks:
            lines.add_row("", MARKS[check.verdict], check.name, check.figure)
        console.print(lines)
        if question.rows:
            console.print(_table(question.rows))
    verdict = "all right" if diagnosis.ok else f"WRONG: {'; '.join(diagnosis.failures())}"
    console.print(f"\n{verdict}")


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for column in rows[0]:
        table.add_column(column.replace("_", "\n"), justify="right", no_wrap=True)
    for row in rows:
        values = (f"{one:.1e}" if isinstance(one, float) else str(one) for one in row.values())
        table.add_row(*values)
    return table
