"""`spokesmith demo`: the whole loop on the embedded base, small."""

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.common import (
    DEFAULT_BASE,
    DEFAULT_SPOKES,
    DEFAULT_TASK,
    JsonOption,
    messages_console,
    open_backend,
    open_base,
    open_task,
    print_json,
    say,
)

if TYPE_CHECKING:
    from rich.console import Console

    from spokesmith.bases import Base
    from spokesmith.tasks import Task

NUM_PAIRS = 200
SEED = 7
CHOICES: dict[str, Any] = {
    "max_steps": 24,
    "batch_size": 4,
    "max_length": 600,
    "warmup_steps": 3,
    "eval_every": 0,
    "save_every": 1000,
}
NUM_PROBES = 5
AVERAGED = 4
TEXTS = (
    "Marta moved the backup job from 02:00 to 04:30 because the nightly export to /srv/export "
    "was still running.",
    "Lentil soup for 4: 250 g red lentils, 1 onion, 2 carrots, 1.2 l stock. Simmer 25 minutes.",
    "it works now",
)


def demo(
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts of yours to encode; three of its own if none.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the run and its picture.")] = Path(
        "demo"
    ),
    as_json: JsonOption = False,
) -> None:
    """Train a fresh set for a few steps, encode three texts, probe five, draw the loss."""
    from spokesmith.cli.encode import encode_text
    from spokesmith.spokes import detach

    console = messages_console()
    start = time.monotonic()
    task = open_task(DEFAULT_TASK)
    base = open_base(DEFAULT_BASE, dtype="auto", device="auto")
    run = _free_folder(out)
    console.rule("1. Train a fresh set beside a frozen base")
    training = _train(base, task, run)
    detach(base.model)

    console.rule("2. Encode with the shipped set")
    backend = open_backend(base, DEFAULT_SPOKES)
    encodings = []
    for text in texts or TEXTS:
        with console.status("encoding"):
            result = encode_text(backend, task, text, constrained=True, max_tokens=task.max_tokens)
        console.print(f"[bold]text[/bold]  {_plain(text)}", highlight=False)
        console.print(f"[bold]json[/bold]  {_plain(result.canonical or result.problem or '')}")
        console.print(f"[dim]{result.tokens} tokens in {result.total_s:.1f} s[/dim]\n")
        encodings.append(
            {
                "text": text,
                "encoding": json.loads(result.canonical) if result.canonical else None,
                "problem": result.problem,
            }
        )

    console.rule(f"3. Probe it: {NUM_PROBES} of the gold probes, decoded freely")
    probes = _probe(backend, task, console)
    document = {
        "training": training,
        "encodings": encodings,
        "probes_valid": f"{probes} of {NUM_PROBES}",
        "picture": str(run / "loss.png"),
        "seconds": round(time.monotonic() - start, 1),
    }
    if as_json:
        print_json(document)
        return
    console.rule("Where to go next")
    say(
        f"the loss curve:        {run}/loss.png\n"
        'your own text:         spokesmith encode "any text"\n'
        "all probes:            spokesmith probe --set gold\n"
        "your own data:         spokesmith data generate --out data --texts yours.jsonl\n"
        "your own set:          spokesmith train --data data --out runs/mine\n"
        "your own schema:       spokesmith task new tasks/mine --schema schema.json\n"
        f"the whole demo took {document['seconds']:.0f} s"
    )


def _train(base: "Base", task: "Task", run: Path) -> dict[str, Any]:
    """Train on short generated pairs and say what happened."""
    from spokesmith.data.generate import generate
    from spokesmith.data.pairs import PAIRS_NAME, write_pairs
    from spokesmith.report import loss_curve
    from spokesmith.training.callbacks import read_log
    from spokesmith.training.config import make_config
    from spokesmith.training.run import train

    config = make_config(CHOICES)
    write_pairs(run / "data" / PAIRS_NAME, generate(NUM_PAIRS, seed=SEED))
    before = time.monotonic()
    result = train(
        base=base, task=task, data_folder=run / "data", run_folder=run / "run", config=config
    )
    rows = [row for row in read_log(run / "run" / "log.jsonl") if "loss" in row]
    loss_curve(rows, run / "loss.png", title=f"{base.name}: {len(rows)} steps")
    losses = [row["loss"] for row in rows]
    first, last = statistics.mean(losses[:AVERAGED]), statistics.mean(losses[-AVERAGED:])
    say(
        f"{result.num_parameters:,} parameters beside {base.config.num_hidden_layers} frozen "
        f"layers: mean loss of {AVERAGED} steps from {first:.2f} to {last:.2f} in {result.steps}, "
        f"{time.monotonic() - before:.0f} s"
    )
    return {"steps": result.steps, "first_loss": first, "last_loss": last}


def _probe(backend: Any, task: "Task", console: "Console") -> int:
    """Probe a few inputs of different categories; return how many answers are valid."""
    from spokesmith.cli.progress import progress
    from spokesmith.probes import Asking, ask, load_probes, report_document, score
    from spokesmith.probes.records import GOLD, find_set
    from spokesmith.probes.tables import failures_table, shown

    probes = load_probes(find_set(GOLD, task))
    chosen = [probes[index * len(probes) // NUM_PROBES] for index in range(NUM_PROBES)]
    how = Asking(constrained=False, max_tokens=task.max_tokens, concurrency=1)
    with progress("probing", total=len(chosen)) as step:
        answers = ask(
            chosen,
            task,
            backend.complete,
            how,
            on_answer=lambda answer: step(1, shown(answer.id)),
        )
    report = score(chosen, answers, task, whole_set=probes)
    document = report_document(report, set_name="gold", settings={}, engine="local")
    console.print(failures_table(document))
    return sum(result.valid for result in report.results)


def _free_folder(out: Path) -> Path:
    """`out`, or `out-2`, `out-3`, ...: a demo never writes over what is there."""
    number, folder = 1, out
    while folder.exists():
        number += 1
        folder = out.with_name(f"{out.name}-{number}")
    folder.mkdir(parents=True)
    return folder


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
