"""`spokesmith data distill`: real texts, encoded by a larger model behind a server."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.asking import Source, ask_and_save
from spokesmith.cli.common import (
    DEFAULT_TASK,
    JsonOption,
    TaskOption,
    open_task,
    print_json,
    say,
)

if TYPE_CHECKING:
    from spokesmith.data.distill import Rejected, Tally, Text
    from spokesmith.data.pairs import Pair
    from spokesmith.probes import Answer, Asking, Probe, ProbeSet
    from spokesmith.tasks import Task

ANSWERS_NAME, REJECTED_NAME = "answers.jsonl", "rejected.jsonl"


def distill(
    texts: Annotated[Path, typer.Option(help="JSONL of real texts (id, text; domain, split).")],
    url: Annotated[str, typer.Option(help="The teacher: an OpenAI-compatible server.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write pairs.jsonl into.")],
    model: Annotated[str | None, typer.Option(help="Which model of the server.")] = None,
    split: Annotated[str | None, typer.Option(help="Of the texts the lines of one split.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable with the server's key.")
    ] = None,
    constrained: Annotated[
        bool, typer.Option("--constrained/--free", help="Hold answers to the schema's grammar.")
    ] = True,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of an answer; 0: the task's.")] = 0,
    time_limit: Annotated[float, typer.Option(help="Most seconds for a text.")] = 120.0,
    concurrency: Annotated[int, typer.Option(help="How many texts at once.")] = 8,
    price_in: Annotated[
        float | None, typer.Option(help="Price of a million tokens of prompts.")
    ] = None,
    price_out: Annotated[
        float | None, typer.Option(help="Price of a million tokens of answers.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Ask only for what the folder lacks.")
    ] = False,
    force: Annotated[bool, typer.Option(help="Replace what the folder has.")] = False,
    task: TaskOption = DEFAULT_TASK,
    as_json: JsonOption = False,
) -> None:
    """Ask a teacher for the encodings of real texts, and keep those that are faithful as pairs.

    A text stays in the split that its line names. Texts that are probes of the task are left out.
    Rejected answers go to rejected.jsonl with the reasons. Exit status 1 if nothing is accepted.
    """
    from spokesmith.data.distill import Prices, Tally
    from spokesmith.probes import Asking, load_set
    from spokesmith.probes.records import TEXTS

    if (price_in is None) != (price_out is None):
        raise ValueError("--price-in and --price-out go together: give both or neither")
    prices = None
    if price_in is not None and price_out is not None:
        prices = Prices(prompt=price_in, completion=price_out)
    loaded_task = open_task(task)
    how = Asking(
        constrained=constrained,
        max_tokens=max_tokens or loaded_task.max_tokens,
        verbatim=False,
        time_limit_s=time_limit,
        concurrency=concurrency,
    )
    given = load_set(TEXTS, loaded_task, texts=texts, split=split)
    asked = _without_probes(given, loaded_task)
    wanted = _texts_of(asked.probes, texts)
    source = Source(url=url, model=model, api_key_env=api_key_env)
    # What is wrong with the server's address or key shows before anything is taken away.
    source.open(concurrency=concurrency)
    _check_folder(out, resume=resume, force=force)
    settings = _settings(url, model, loaded_task, asked, how)
    held_out = len(given.probes) - len(asked.probes)
    tally = Tally(texts=len(asked.probes), held_out=held_out, prices=prices)
    start = time.monotonic()
    found = _ask_all(
        asked.probes, wanted, loaded_task, source, how, tally, settings, out, resume=resume
    )
    _write(out, found)
    seconds = time.monotonic() - start
    if as_json:
        print_json({"folder": str(out), **tally.to_json(), "seconds": round(seconds, 2)})
    else:
        _say(tally, out, seconds)
    if not tally.accepted:
        raise typer.Exit(1)


def _check_folder(out: Path, *, resume: bool, force: bool) -> None:
    """Refuse to write over what is there; with `force`, take it away."""
    from spokesmith.data.pairs import PAIRS_NAME

    if resume and force:
        raise ValueError("--resume goes on with what is there, --force replaces it: give one")
    if resume:
        if not (out / ANSWERS_NAME).exists():
            raise ValueError(f"no {out / ANSWERS_NAME} to go on with: leave out --resume")
        return
    for path in (out / name for name in (ANSWERS_NAME, PAIRS_NAME, REJECTED_NAME)):
        if path.exists() and not force:
            raise ValueError(
                f"{path} is there already: --resume goes on, --force replaces it, or give "
                "another folder"
            )
        path.unlink(missing_ok=True)


def _settings(
    url: str, model: str | None, task: "Task", asked: "ProbeSet", how: "Asking"
) -> dict[str, Any]:
    """All that answers depend on: a run that was stopped goes on with the same only."""
    return {
        "task": task.name,
        "schema_hash": task.schema_hash,
        "prompt_hash": task.prompt_hash,
        "texts_hash": asked.hash,
        "url": url,
        "model": model,
        "constrained": how.constrained,
        "max_tokens": how.max_tokens,
        "time_limit_s": how.time_limit_s,
    }


def _without_probes(given: "ProbeSet", task: "Task") -> "ProbeSet":
    """The texts that may be learned from: a probe of the task is for measuring."""
    from spokesmith.data.audit import probe_texts
    from spokesmith.data.shingles import TextsToAvoid

    held_out = TextsToAvoid(text for found in probe_texts(task).values() for text in found.values())
    return replace(given, probes=[one for one in given.probes if not held_out.has(one.text)])


def _texts_of(probes: "list[Probe]", path: Path) -> "list[Text]":
    """The texts to ask for, each in the split that its line of the file names, if it does.

    Raises:
        ValueError: a line names a split that pairs cannot be of.
    """
    from spokesmith.data.distill import DISTILLED, Text
    from spokesmith.data.pairs import SPLITS
    from spokesmith.probes.records import NO_CATEGORY
    from spokesmith.tasks.probe_records import read_text_file

    split_of = {record["id"]: record.get("split", "") for record in read_text_file(path).records}
    for probe in probes:
        if split_of[probe.id] not in ("", *SPLITS):
            raise ValueError(
                f"{path}: the split of the text '{probe.id}' is {split_of[probe.id]!r}, and pairs "
                f"are of {' or '.join(SPLITS)}: change it, leave it out, or ask for those of one "
                f"of these alone with --split {SPLITS[0]}"
            )
    return [
        Text(
            id=probe.id,
            text=probe.text,
            kind=DISTILLED if probe.category == NO_CATEGORY else probe.category,
            split=split_of[probe.id],
        )
        for probe in probes
    ]


def _ask_all(
    probes: "list[Probe]",
    texts: "list[Text]",
    task: "Task",
    source: Source,
    how: "Asking",
    tally: "Tally",
    settings: dict[str, Any],
    out: Path,
    *,
    resume: bool,
) -> "list[Pair | Rejected]":
    """The verdict on the answer to every text, in the texts' order; each answer is kept at once."""
    from spokesmith.data.distill import verdict

    by_id = {text.id: text for text in texts}
    found: dict[str, Pair | Rejected] = {}

    def judge(answer: "Answer") -> str:
        found[answer.id] = verdict(by_id[answer.id], answer, task)
        tally.add(found[answer.id], answer)
        return _state(tally)

    try:
        ask_and_save(
            probes,
            task,
            source,
            how,
            settings=settings,
            path=out / ANSWERS_NAME,
            resume=resume,
            on_answer=judge,
            # A text without any answer is asked for again: the server may be well by now.
            is_kept=lambda answer: bool(answer.text),
        )
    except KeyboardInterrupt:
        say(_state(tally))
        raise
    return [found[probe.id] for probe in probes]


def _state(tally: "Tally") -> str:
    """Where a run stands, on one line."""
    words = f"{tally.accepted} accepted, {tally.rejected} rejected"
    if tally.cost is None:
        return words
    words += f", cost {tally.cost:.2f}"
    answered = tally.accepted + tally.rejected
    counted, left = answered - tally.uncounted, tally.texts - answered
    if counted and left:
        words += f", about {tally.cost / counted * left:.2f} for the {left} left"
    return words


def _write(out: Path, found: "list[Pair | Rejected]") -> None:
    from spokesmith.data.distill import Rejected, write_rejected
    from spokesmith.data.pairs import PAIRS_NAME, write_pairs

    write_pairs(out / PAIRS_NAME, (one for one in found if not isinstance(one, Rejected)))
    write_rejected(out / REJECTED_NAME, [one for one in found if isinstance(one, Rejected)])


def _say(tally: "Tally", out: Path, seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Distilled from {tally.texts:,} texts")
    table.add_column("", no_wrap=True)
    table.add_column("answers", justify="right")
    table.add_row("accepted", f"{tally.accepted:,}")
    table.add_row("rejected", f"{tally.rejected:,}")
    table.add_section()
    for reason, count in tally.reasons.most_common():
        table.add_row(f"for {reason.replace('_', ' ')}", f"{count:,}")
    console = Console()
    console.print(table)
    tokens = f"{tally.prompt_tokens:,} tokens in, {tally.completion_tokens:,} out"
    if tally.uncounted:
        tokens += f" ({tally.uncounted} answers came without a count)"
    cost = "" if tally.cost is None else f", cost {tally.cost:.2f}"
    if tally.held_out:
        console.print(f"left out as probes of the task: {tally.held_out:,}", highlight=False)
    console.print(f"{tokens}{cost}; {seconds:.0f} s", highlight=False)
    console.print(f"pairs and rejected answers: {out}", markup=False, highlight=False)
