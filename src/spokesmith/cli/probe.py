"""`spokesmith probe`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spokesmith.cli.asking import Source, ask_and_save
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
    SetTaskOption,
    SpokesOption,
    check_new_file,
    messages_console,
    say,
)
from spokesmith.cli.llamacpp import (
    OWN,
    EngineOption,
    EngineSettingsOption,
    TokenizerOption,
    given_file,
    runs_llamacpp,
)
from spokesmith.cli.set_task import task_to_ask, task_to_ask_of_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from spokesmith.probes import Answer, Asking, Probe, ProbeSet
    from spokesmith.tasks import Task

# What a file of answers does not say where others made it.
UNKNOWN_OF_OTHERS = (
    "base", "spokes", "spokes_hash", "dtype", "quantize", "verbatim", "time_limit_s",
)  # fmt: skip


def probe(
    context: typer.Context,
    probe_set: Annotated[
        str,
        typer.Option(
            "--set",
            help="gold (the task's own probes), a name in its probe_sets, texts, or a JSONL file.",
        ),
    ] = "gold",
    texts: Annotated[
        Path | None, typer.Option(help="JSONL of real texts (id, text) for --set texts.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Of these the lines of one split.")] = None,
    first: Annotated[int, typer.Option(help="Run the first so many probes; 0: all.")] = 0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out bad lines of the set.")
    ] = False,
    constrained: Annotated[
        bool, typer.Option("--constrained/--free", help="Hold answers to the schema's grammar.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Ask an OpenAI-compatible server.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Which model of the server; with --engine llama.cpp the GGUF file."),
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable with the server's key.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="Score the answers of a JSONL file (id, text).")
    ] = None,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of an answer; 0: the task's.")] = 0,
    time_limit: Annotated[float, typer.Option(help="Most seconds of an answer.")] = 120.0,
    concurrency: Annotated[int, typer.Option(help="How many answers at once.")] = 8,
    out: Annotated[Path | None, typer.Option("--out", help="Also write the JSON report.")] = None,
    page: Annotated[Path | None, typer.Option(help="Also write the report as a web page.")] = None,
    without_contents: Annotated[
        bool, typer.Option("--without-contents", help="Keep texts and answers out of the report.")
    ] = False,
    summary: Annotated[
        bool,
        typer.Option(
            "--summary", help="Verdicts and values alone in the report: no texts, no facts."
        ),
    ] = False,
    save_answers: Annotated[
        Path | None, typer.Option(help="Where answers are kept; with --out: OUT.answers.jsonl.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Ask only for what the answers file lacks.")
    ] = False,
    force: Annotated[bool, typer.Option(help="Replace files that are there.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="ID", help="Explain the score of one probe.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="With --explain: a saved report to explain from.")
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Compare two saved reports.")
    ] = None,
    base: BaseOption = DEFAULT_BASE,
    spokes: SpokesOption = DEFAULT_SPOKES,
    task: SetTaskOption = None,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    quantize: QuantizeOption = "none",
    ple: PleOption = "device",
    device_map: DeviceMapOption = None,
    engine: EngineOption = OWN,
    tokenizer: TokenizerOption = None,
    engine_option: EngineSettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Encode every probe of a set and score the answers: form, facts, faithfulness.

    Asks a local base, llama.cpp (--engine), a server (--url), or nobody (--answers). Exit status 1
    if any answer does not fit the schema.
    """
    from spokesmith.probes import Asking, load_set

    if compare is not None:
        _show_comparison(*compare, as_json=as_json)
        return
    if report is not None:
        if explain is None:
            raise ValueError("--report is what --explain reads: say which probe, --explain ID")
        _show_explanation(_read_report(report), explain, as_json=as_json)
        return
    on_llamacpp = runs_llamacpp(context, engine)
    if on_llamacpp:
        loaded_task = task_to_ask_of_file(task, given_file(Path(model) if model else None))
    else:
        loaded_task = task_to_ask(task, spokes)
    source = Source(
        url=url,
        model=model,
        api_key_env=api_key_env,
        answers=answers,
        base=base,
        spokes=spokes,
        dtype=dtype,
        device=device,
        quantize=quantize,
        ple=ple,
        device_map=device_map,
        on_llamacpp=on_llamacpp,
        tokenizer=tokenizer,
        engine_options=tuple(engine_option or ()),
    )
    how = Asking(
        constrained=constrained,
        max_tokens=max_tokens or loaded_task.max_tokens,
        # Grammars of other engines need not take a pattern as long as a text.
        verbatim=url is None,
        time_limit_s=time_limit,
        concurrency=concurrency,
    )
    path = _answers_path(source, out, save_answers, resume=resume, force=force)
    for file in (out, page):
        if file:
            check_new_file(file, force=force)
    found = load_set(probe_set, loaded_task, texts=texts, split=split, keep_going=keep_going)
    for problem in found.problems:
        say(f"left out: {problem}")
    probes = _chosen(found, first=first, explain=explain)
    got, settings = _answers_of(
        source,
        loaded_task,
        found,
        probes,
        how,
        path,
        resume=resume,
        not_given=_not_given(context, "constrained", "max_tokens"),
    )
    document = _report(
        loaded_task,
        found,
        probes,
        got,
        settings=settings,
        engine=source.engine,
        without_contents=without_contents,
        summary=summary,
    )
    _write_report(document, out, page)
    if explain is not None:
        _show_explanation(document, explain, as_json=as_json)
    else:
        _show_report(document, as_json=as_json)
    if not all(one["valid"] for one in document["probes"]):
        raise typer.Exit(1)


def _not_given(context: typer.Context, *options: str) -> list[str]:
    """Those of the options that have their default value."""
    sources = {name: context.get_parameter_source(name) for name in options}
    return [name for name, source in sources.items() if source and source.name == "DEFAULT"]


def _answers_path(
    source: Source, out: Path | None, save_answers: Path | None, *, resume: bool, force: bool
) -> Path | None:
    """Where the answers are kept, if anywhere; what is there is replaced only where asked for."""
    if source.answers is not None:
        if resume or save_answers:
            raise ValueError("--answers asks for nothing: leave out --resume and --save-answers")
        return None
    path = save_answers or (out and out.with_name(out.name + ".answers.jsonl"))
    if path is None:
        if resume:
            raise ValueError("--resume needs the answers file: give --out or --save-answers")
        return None
    if path.exists() and not (resume or force):
        raise ValueError(f"{path} is there already: --resume goes on with it, --force replaces it")
    return path


def _chosen(found: "ProbeSet", *, first: int, explain: str | None) -> "list[Probe]":
    """The probes to ask for; to explain one, it and the one that it is an edit of."""
    if first < 0:
        raise ValueError(f"--first is {first}: give how many probes to run, 0 for all")
    if explain is None:
        return found.probes[:first] if first else found.probes
    by_id = {one.id: one for one in found.probes}
    if explain not in by_id:
        raise ValueError(f"no probe '{explain}' in the set {found.name}: give one of its ids")
    edit = by_id[explain].edit
    wanted = {explain, edit.of if edit else explain}
    return [one for one in found.probes if one.id in wanted]


def _answers_of(
    source: Source,
    task: "Task",
    found: "ProbeSet",
    probes: "list[Probe]",
    how: "Asking",
    path: Path | None,
    *,
    resume: bool,
    not_given: "Sequence[str]",
) -> "tuple[dict[str, Answer], dict[str, Any]]":
    """The answers by id, and the settings that they were made with.

    Of answers that others made the settings that were `not_given` are unknown.
    """
    settings = source.settings(task, found, how)
    from spokesmith.probes import read_answers
    from spokesmith.probes.answers import ERROR
    from spokesmith.probes.tables import shown

    if source.answers is None:
        got = ask_and_save(
            probes,
            task,
            source,
            how,
            settings=settings,
            path=path,
            resume=resume,
            # A server that was not ready says nothing of what it answers when it is.
            is_kept=lambda answer: answer.finish_reason != ERROR or bool(answer.text),
            on_answer=lambda answer: shown(answer.id),
        )
        return got, settings

    file = read_answers(source.answers)
    unknown = file.answers.keys() - {one.id for one in found.probes}
    if unknown:
        some = ", ".join(sorted(unknown)[:5]) + (", …" if len(unknown) > 5 else "")
        say(f"answers for ids that the set does not have ({len(unknown)}): {some}")
    if file.settings is None:
        return file.answers, settings | dict.fromkeys([*UNKNOWN_OF_OTHERS, *not_given])
    for name in ("schema_hash", "prompt_hash", "set_hash"):
        if file.settings.get(name) != settings[name]:
            say(f"{source.answers}: asked with another {name.removesuffix('_hash')} than now")
    return file.answers, settings | file.settings


def _report(
    task: "Task",
    found: "ProbeSet",
    probes: "list[Probe]",
    answers: "dict[str, Answer]",
    *,
    settings: dict[str, Any],
    engine: str,
    without_contents: bool,
    summary: bool,
) -> dict[str, Any]:
    """The document on the answers to some probes of a set."""
    from spokesmith.probes import report_document, score

    with messages_console().status("scoring"):
        scored = score(probes, answers, task, whole_set=found.probes)
    return report_document(
        scored,
        set_name=found.name,
        settings=settings,
        engine=engine,
        left_out=found.left_out,
        without_contents=without_contents,
        summary=summary,
    )


def _write_report(document: dict[str, Any], out: Path | None, page: Path | None) -> None:
    """Write a document as it is and as a page, where either is asked for."""
    from spokesmith.tasks.files import write_text

    if out:
        write_text(out, _as_text(document))
    if page:
        from spokesmith.report import page as as_page

        write_text(page, as_page(document))


def _show_report(document: dict[str, Any], *, as_json: bool) -> None:
    from spokesmith.probes.tables import failures_table, summary_lines, totals_tables

    for line in summary_lines(document):
        say(line)
    _show(document, [*totals_tables(document), failures_table(document)], as_json=as_json)


def _show_explanation(document: dict[str, Any], id: str, *, as_json: bool) -> None:
    from spokesmith.probes.explain import explanation, probe_entry

    entry = probe_entry(document, id)
    _show(entry, [explanation(entry)], as_json=as_json)


def _show_comparison(one: Path, other: Path, *, as_json: bool) -> None:
    from spokesmith.probes.compare import compare, comparison_tables

    found = compare(_read_report(one), _read_report(other), names=(str(one), str(other)))
    for warning in found["warnings"]:
        say(f"warning: {warning}")
    _show(found, comparison_tables(found), as_json=as_json)


def _show(document: dict[str, Any], tables: "Sequence[RenderableType]", *, as_json: bool) -> None:
    from rich.console import Console

    if as_json:
        sys.stdout.write(_as_text(document))
        return
    console = Console()
    for table in tables:
        console.print(table)


def _read_report(path: Path) -> dict[str, Any]:
    from spokesmith.metrics.report_document import FORMAT
    from spokesmith.tasks.files import read_text

    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON ({error}): give a report of `probe --out`") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(
            f"{path} is no report of format {FORMAT}: give one that `probe --out` wrote"
        )
    return document


def _as_text(document: dict[str, Any]) -> str:
    """JSON as text that has UTF-8: half a surrogate pair of an answer stays an escape.

    The probes of a report stand on a line each, which is half as long as if they were indented.
    """
    text = json.dumps(document | {"probes": []} if "probes" in document else document, indent=1)
    if document.get("probes"):
        lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in document["probes"])
        text = text.replace('"probes": []', f'"probes": [\n{lines}\n ]', 1)
    return (text + "\n").encode("utf-8", "backslashreplace").decode()
