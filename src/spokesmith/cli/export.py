"""`spokesmith export`: a set in files that other engines load."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli import export_gguf
from spokesmith.cli.common import JsonOption, messages_console, print_json, quiet_libraries, say
from spokesmith.cli.set_task import task_files

if TYPE_CHECKING:
    from spokesmith.export.card import Measure

LAYOUTS = ("folded", "plugin")
DTYPES = ("bf16", "fp32")

app = typer.Typer(
    help="Write a set into files that other engines load, without a fork of theirs.",
    no_args_is_help=True,
)
app.command()(export_gguf.gguf)


@app.command()
def hf(
    spokes: Annotated[str, typer.Option("--spokes", help="Folder of a set, or a shipped name.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    base: Annotated[
        str | None,
        typer.Option("--base", help="The base of the set; the one that the set names if left out."),
    ] = None,
    layout: Annotated[
        str,
        typer.Option(
            "--layout", help="folded, or plugin: a residual set beside its base, for vLLM's plugin."
        ),
    ] = "folded",
    dtype: Annotated[str, typer.Option("--dtype", help="Of the weights: bf16 or fp32.")] = "bf16",
    task: Annotated[
        str | None,
        typer.Option("--task", help="Task or task folder of the set, for its prompt and schema."),
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Report of `spokesmith probe` for the model card; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace an export that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fold a set into its base: an ordinary Hugging Face folder, for transformers, vLLM and others.

    The base's own weights stay as they are; its feed-forward blocks become wider. A residual set
    cannot be folded: with --layout plugin it is written beside its base, for vLLM's plugin.
    """
    from spokesmith.export.folders import check_out
    from spokesmith.spokes import find_spokes, load_spokes, read_card

    if layout not in LAYOUTS:
        raise ValueError(f"layout '{layout}' is unknown: use {' or '.join(LAYOUTS)}")
    if dtype not in DTYPES:
        raise ValueError(f"dtype '{dtype}' is unknown: use {' or '.join(DTYPES)}")
    check_out(out.resolve(), force=force)
    folder = find_spokes(spokes)
    card = read_card(folder)
    measures = [measure for path in report or [] for measure in measures_of_report(path)]
    files = task_files(folder, card, task)
    quiet_libraries()
    from spokesmith.bases import find_base, shape_fingerprint
    from spokesmith.export.hf import export_hf

    with messages_console().status(f"exporting {spokes}"):
        source = find_base(base or card.base)
        loaded, _ = load_spokes(folder, base_fingerprint=shape_fingerprint(source.config))
        made = export_hf(
            out,
            source,
            loaded,
            card,
            layout=layout,
            dtype=dtype,
            task=files,
            measures=tuple(measures),
            force=force,
        )
    document: dict[str, Any] = {
        "folder": str(made.folder),
        "layout": layout,
        "base": source.name,
        "dtype": dtype,
        "files": made.num_files,
        "bytes": made.num_bytes,
        "parameters": made.num_parameters,
        "intermediate_size": list(made.intermediate_size),
        "text_part_only": made.text_part_only,
        "task": files.name if files else None,
    }
    if as_json:
        print_json(document)
        return
    before, after = made.intermediate_size
    wider = f"feed-forward blocks of width {after:,} (the base: {before:,})"
    lines = [
        f"wrote {made.folder}: {made.num_parameters:,} parameters, {made.num_bytes / 1e9:.2f} GB "
        f"in {made.num_files} files, {wider if after > before else 'the spokes beside the base'}"
    ]
    if made.text_part_only:
        lines.append(
            "note: of the base only the part for text is in it, what takes pictures or sound was "
            "left out"
        )
    if files is None:
        lines.append(
            f"note: the prompt of task '{card.task}' is not in it: name the task with --task"
        )
    for line in lines:
        say(line)


def measures_of_report(path: Path) -> "list[Measure]":
    """The measures of a report of `spokesmith probe`.

    Raises:
        ValueError: it cannot be read, or is no such report.
    """
    from spokesmith.export.card import Measure
    from spokesmith.metrics.explanations import STRICT
    from spokesmith.metrics.report_document import decoding_of
    from spokesmith.report.measures import measures_of
    from spokesmith.tasks.files import read_text

    try:
        document = json.loads(read_text(path))
        return [
            Measure(
                probe_set=document["set"],
                decoding=decoding_of(document),
                name=measure.name,
                value=measure.value,
                interval=measure.interval,
                n=measure.n,
            )
            for measure in measures_of(document)
            if measure.value is not None and measure.name in STRICT
        ]
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no report of `spokesmith probe --out` ({error}): name one"
        ) from error
