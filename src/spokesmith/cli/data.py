"""`spokesmith data`: `generate` and `prepare`; its other commands have files of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.audit import audit
from spokesmith.cli.common import (
    DEFAULT_BASE,
    DEFAULT_TASK,
    BaseOption,
    JsonOption,
    TaskOption,
    about_cut_answers,
    check_new_file,
    open_chat,
    open_task,
    print_json,
    say,
)
from spokesmith.cli.distill import distill
from spokesmith.cli.progress import progress

if TYPE_CHECKING:
    from collections import Counter

    from spokesmith.data.pairs import Pair

app = typer.Typer(help="Make, tokenise and check training data.", no_args_is_help=True)
app.command()(audit)
app.command()(distill)

DataOption = Annotated[Path, typer.Option("--data", help="Folder with pairs.jsonl.")]


@app.command()
def generate(
    out: Annotated[Path, typer.Option("--out", help="Folder to write pairs.jsonl into.")],
    count: Annotated[int, typer.Option(help="Pairs to write procedurally.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pairs.")] = 0,
    kinds: Annotated[str, typer.Option(help="Kinds of text, with commas; empty: all.")] = "",
    mix: Annotated[
        Path | None,
        typer.Option(help="TOML with the shares of kinds, hard cases and twins; else the usual."),
    ] = None,
    texts: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL of real texts; extractive gold is added for them."),
    ] = None,
    texts_split: Annotated[
        str,
        typer.Option(
            help="Use only the real texts of this split, train or eval, and split those anew: "
            "the others stay unseen, also by evaluation."
        ),
    ] = "",
    sentences: Annotated[
        bool,
        typer.Option(
            "--sentences",
            help="Also take of each real text the first sentence longer than a gist as a text.",
        ),
    ] = False,
    excerpts: Annotated[
        int,
        typer.Option(help="Also take of each real text up to so many runs of its lines as texts."),
    ] = 0,
    force: Annotated[bool, typer.Option(help="Replace pairs that are there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write (text, gold) pairs whose gold is faithful by construction.

    Left out are texts that are probes of the task or, with --texts-split, nearly a text of another
    split, real ones with all of their parts, and real texts whose gold the judge fails.
    """
    import time
    from collections import Counter

    from spokesmith.data.extract import extract
    from spokesmith.data.pairs import PAIRS_NAME, SPLITS, write_pairs

    if count < 0:
        raise ValueError(f"--count {count}: use 0 or more")
    if excerpts < 0:
        raise ValueError(f"--excerpts {excerpts}: use 0 or more")
    if texts_split not in ("", *SPLITS):
        raise ValueError(f"--texts-split {texts_split}: use {' or '.join(SPLITS)}")
    if count == 0 and not texts:
        raise ValueError("--count 0 without --texts makes no pairs: give one of them")
    path = out / PAIRS_NAME
    check_new_file(path, force=force)
    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    start = time.monotonic()

    with progress("writing pairs", total=count) as step:

        def counted() -> Iterator["Pair"]:
            real = [
                pair
                for one in texts or []
                for pair in extract(one, sentences=sentences, num_excerpts=excerpts, seed=seed)
            ]
            for pair in _all_pairs(count, seed, wanted, mix, real, texts_split, dropped):
                counts[pair.kind] += 1
                step(1, "")
                yield pair

        total = write_pairs(path, counted())
    seconds = time.monotonic() - start
    if as_json:
        document = {"path": str(path), "pairs": total, "seconds": round(seconds, 2)}
        kinds_found = {"kinds": dict(sorted(counts.items()))}
        print_json({**document, **kinds_found, "dropped": dict(sorted(dropped.items()))})
        return
    say(f"wrote {total:,} pairs to {path} in {seconds:.1f} s")
    say(", ".join(f"{kind} {number}" for kind, number in counts.most_common()))
    if dropped:
        reasons = ", ".join(f"{_words(name)} {number}" for name, number in dropped.most_common())
        say(f"real texts left out: {dropped.total():,} ({reasons})")


@app.command()
def prepare(
    data: DataOption,
    base: BaseOption = DEFAULT_BASE,
    task: TaskOption = DEFAULT_TASK,
    max_length: Annotated[int, typer.Option(help="Most tokens of an example.")] = 2048,
    as_json: JsonOption = False,
) -> None:
    """Turn pairs into token ids for a base, and report their lengths. `train` reuses them."""
    from dataclasses import asdict

    from spokesmith.training.run import prepare_cached

    loaded_task = open_task(task)
    prepared, folder = prepare_cached(
        data, loaded_task, base, open_chat(base), max_length=max_length
    )
    report = asdict(prepared.report)
    if as_json:
        print_json({"folder": str(folder), **report})
        return
    _say_lengths(report, folder)
    for line in about_cut_answers(report, loaded_task):
        say(line)


def _all_pairs(
    count: int,
    seed: int,
    kinds: list[str],
    mix: Path | None,
    real: list["Pair"],
    texts_split: str,
    dropped: "Counter[str]",
) -> "Iterator[Pair]":
    """Pairs of the generator, then of real texts; `dropped` counts the ones left out."""
    from spokesmith.data.audit import probe_texts
    from spokesmith.data.extract import split_anew
    from spokesmith.data.generate import generate as write
    from spokesmith.data.shingles import TextsToAvoid
    from spokesmith.data.sift import sift

    task = open_task(DEFAULT_TASK)
    asked = [pair for pair in real if texts_split in ("", pair.split)]
    others = [pair.text for pair in real if texts_split not in ("", pair.split)]
    probes = [text for by_id in probe_texts(task).values() for text in by_id.values()]
    held_out = TextsToAvoid([*probes, *others])
    if count:
        yield from write(count, seed=seed, kinds=kinds or None, mix=mix, is_taken=held_out.has)
    for pair in sift(asked, task, is_taken=held_out.has, dropped=dropped):
        yield split_anew(pair) if texts_split else pair


def _words(name: str) -> str:
    return name.replace("_", " ")


def _say_lengths(report: dict[str, Any], folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Tokens of an example (of which {report['prefix']} open every prompt)")
    for column in ("", "min", "p50", "p90", "p99", "max"):
        table.add_column(column, justify="right")
    for part in ("prompt", "answer", "total"):
        values = report[f"{part}_quantiles"]
        table.add_row(part, *(str(values[point]) for point in ("min", "p50", "p90", "p99", "max")))
    console = Console()
    console.print(table)
    for split, kept in report["kept"].items():
        dropped = report["dropped"][split]
        console.print(f"{split}: {kept:,} kept, {dropped:,} longer than {report['max_length']}")
    console.print(f"tokens: {folder}", highlight=False)
