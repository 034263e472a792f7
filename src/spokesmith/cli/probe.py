"""`spokesmith probe`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spokesmith.cli.common import (
    DEFAULT_BASE,
    DEFAULT_SPOKES,
    BaseOption,
    DeviceMapOption,
    DeviceOption,
    DtypeOption,
    JsonOption,
    PleOption,
    QuantizeOption,
    SpokesOption,
    TaskOption,
    check_new_file,
    messages_console,
    open_backend,
    open_base,
    open_task,
    print_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spokesmith.probes import Complete, Probe, ProbeReport, ProbeResult
    from spokesmith.tasks import Task


def probe(
    probe_set: Annotated[
        str, typer.Option("--set", help="gold (the task's own probes) or a JSONL file.")
    ] = "gold",
    constrained: Annotated[
        bool, typer.Option("--constrained/--free", help="Hold answers to the schema's grammar.")
    ] = False,
    first: Annotated[int, typer.Option(help="Run the first so many probes; 0: all.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Also write the JSON report.")] = None,
    force: Annotated[bool, typer.Option(help="Replace the report that is there.")] = False,
    base: BaseOption = DEFAULT_BASE,
    spokes: SpokesOption = DEFAULT_SPOKES,
    task: TaskOption = "memory",
    max_tokens: Annotated[int, typer.Option(help="Most tokens of an answer; 0: the task's.")] = 0,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    quantize: QuantizeOption = "none",
    ple: PleOption = "device",
    device_map: DeviceMapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Encode every probe of a set and score the answers, field by field.

    Exit status 1 if any answer does not fit the schema.
    """
    from spokesmith.probes import load_probes, probe_table, totals_table

    if out:
        check_new_file(out, force=force)
    loaded_task = open_task(task)
    probes = load_probes(loaded_task.probes_path if probe_set == "gold" else probe_set)
    probes = probes[:first] if first else probes
    loaded = open_base(
        base, dtype=dtype, device=device, quantize=quantize, ple=ple, device_map=device_map
    )
    backend = open_backend(loaded, spokes)
    report = run_with_progress(
        probes,
        loaded_task,
        backend.complete,
        constrained=constrained,
        max_tokens=max_tokens or loaded_task.max_tokens,
    )
    document = {"base": base, "spokes": spokes, "set": probe_set, **report.to_json()}
    if out:
        _write_report(out, document)
    if as_json:
        print_json(document)
    else:
        from rich.console import Console

        console = Console()
        console.print(probe_table(report))
        console.print(totals_table(report))
    if not all(result.valid for result in report.results):
        raise typer.Exit(1)


def run_with_progress(
    probes: "Sequence[Probe]",
    task: "Task",
    complete: "Complete",
    *,
    constrained: bool,
    max_tokens: int,
) -> "ProbeReport":
    """Run probes with a bar on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from spokesmith.probes import run_probes

    console = messages_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("probing", total=len(probes))

        def on_result(result: "ProbeResult") -> None:
            progress.update(bar, advance=1, description=result.probe.id)

        return run_probes(
            probes,
            task,
            complete,
            constrained=constrained,
            max_tokens=max_tokens,
            on_result=on_result,
        )


def _write_report(path: Path, document: dict[str, object]) -> None:
    import json
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)
