"""`spokesmith encode`."""

import functools
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    SetTaskOption,
    SpokesOption,
    check_base_of,
    messages_console,
    open_backend,
    open_base,
    print_json,
)
from spokesmith.cli.llamacpp import (
    OWN,
    EngineOption,
    EngineSettingsOption,
    ModelOption,
    TokenizerOption,
    given_file,
    open_llamacpp,
    runs_llamacpp,
)
from spokesmith.cli.set_task import task_to_ask, task_to_ask_of_file

if TYPE_CHECKING:
    from spokesmith.backends import LocalBackend
    from spokesmith.backends.llamacpp import LlamaCppBackend
    from spokesmith.tasks import Task

# Texts that are encoded in one batch.
AT_ONCE = 8
# One word of what names of files are made of; a URL has a colon.
ONE_NAME = re.compile(r"[\w.~+/-]+")
SUFFIXES = (".txt", ".md", ".json", ".jsonl", ".csv")


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """One input's outcome: its canonical JSON, or why there is none and what came instead.

    It `is_held` unless the text was too long for the grammar to hold the verbatim fields to it.
    """

    canonical: str | None
    problem: str | None
    answer: str
    tokens: int
    total_s: float
    is_held: bool = True


def encode(
    context: typer.Context,
    inputs: Annotated[
        list[str], typer.Argument(help="Texts, files (.jsonl: one input a line), or - for stdin.")
    ],
    lines: Annotated[bool, typer.Option(help="Take every line of a file as an input.")] = False,
    constrained: Annotated[
        bool, typer.Option("--constrained/--free", help="Hold the answer to the schema's grammar.")
    ] = True,
    base: BaseOption = DEFAULT_BASE,
    spokes: SpokesOption = DEFAULT_SPOKES,
    task: SetTaskOption = None,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of an answer; 0: the task's.")] = 0,
    dtype: DtypeOption = "auto",
    device: DeviceOption = "auto",
    quantize: QuantizeOption = "none",
    ple: PleOption = "device",
    device_map: DeviceMapOption = None,
    engine: EngineOption = OWN,
    model: ModelOption = None,
    tokenizer: TokenizerOption = None,
    engine_option: EngineSettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Text to canonical JSON, one line an input.

    The line is null where there is no text or the answer does not fit the schema.
    """
    texts = [text for given in inputs for text in read_inputs(given, lines=lines)]
    if not any(text.strip() for text in texts):
        given = ", ".join(f"'{one}'" for one in inputs)
        raise ValueError(f"no text in {given}: give at least one")
    at_once = min(AT_ONCE, len(texts))
    backend: LocalBackend | LlamaCppBackend
    if runs_llamacpp(context, engine, only_there=("model",)):
        loaded_task = task_to_ask_of_file(task, given_file(model))
        backend = open_llamacpp(
            model,
            task=loaded_task,
            tokenizer=tokenizer,
            settings=engine_option,
            num_slots=at_once,
        )
    else:
        loaded_task = task_to_ask(task, spokes)
        check_base_of(base, spokes)
        loaded = open_base(
            base, dtype=dtype, device=device, quantize=quantize, ple=ple, device_map=device_map
        )
        backend = open_backend(loaded, spokes, num_slots=at_once)
    encode_one = functools.partial(
        encode_text,
        backend,
        loaded_task,
        constrained=constrained,
        max_tokens=max_tokens or loaded_task.max_tokens,
    )
    results: list[Encoded] = []
    console = messages_console()
    with (
        console.status(f"encoding 1 of {len(texts)}") as status,
        ThreadPoolExecutor(at_once) as pool,
    ):
        try:
            for number, result in enumerate(pool.map(encode_one, texts), start=1):
                status.update(f"encoding {min(number + 1, len(texts))} of {len(texts)}")
                results.append(result)
                if not as_json:
                    sys.stdout.write((result.canonical or "null") + "\n")
                    sys.stdout.flush()
                for told in _words_on(result):
                    console.print(f"input {number}: {told}", markup=False, highlight=False)
        except BaseException:
            # Who interrupts does not wait for the answers under way.
            backend.close(finish=False)
            raise
    if as_json:
        print_json([_as_document(result) for result in results])
    if any(result.problem for result in results):
        raise typer.Exit(1)


def encode_text(
    backend: "LocalBackend | LlamaCppBackend",
    task: "Task",
    text: str,
    *,
    constrained: bool,
    max_tokens: int,
) -> Encoded:
    """Ask for one encoding and check it strictly."""
    from spokesmith.metrics.compliance import check, parse_strict
    from spokesmith.tasks.files import SURROGATE

    if not text.strip():
        return _failed("no text")
    if SURROGATE.search(text):
        return _failed("the text holds half of a surrogate pair: replace it")
    schema = task.schema_for(text) if constrained else None
    try:
        completion = backend.complete(task.messages(text), schema=schema, max_tokens=max_tokens)
    except (ValueError, RuntimeError) as error:
        return _failed(str(error))
    canonical = problem = None
    verdict = check(completion.text, task.schema)
    if completion.finish_reason == "length":
        problem = f"the answer was cut at {completion.usage.completion_tokens} tokens"
    elif not verdict.valid:
        problem = f"the answer does not fit the schema: {verdict.problems[0]}"
    else:
        canonical = task.canonical(parse_strict(completion.text))
    return Encoded(
        canonical=canonical,
        problem=problem,
        answer=completion.text,
        tokens=completion.usage.completion_tokens,
        total_s=completion.timing.total_s,
        is_held=schema is None or task.is_held(schema),
    )


def _words_on(result: Encoded) -> Iterator[str]:
    if result.problem:
        yield result.problem
    if not result.is_held:
        yield "a note: the text is too long for its verbatim fields to be held to its words"


def _failed(problem: str) -> Encoded:
    line = " ".join(problem.split())
    return Encoded(canonical=None, problem=line, answer="", tokens=0, total_s=0.0)


def read_inputs(given: str, *, lines: bool) -> list[str]:
    """The texts that one argument stands for, blank ones too: each has its line of the output.

    Lines end at newlines only: JSON leaves other separators of lines inside its strings.

    Raises:
        ValueError: a .jsonl line has no `text`, a file is not UTF-8, or what looks like the name of
            one is none.
    """
    if given == "-":
        return _split(sys.stdin.read(), lines=lines)
    path = Path(given)
    if not _is_file(path):
        if _is_like_a_name(given):
            raise ValueError(
                f"no file at {given}: name one that is there, or give a text that looks like a "
                "name through stdin, spokesmith encode -"
            )
        return [given]
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}): convert it first") from error
    if path.suffix != ".jsonl":
        return _split(content, lines=lines)
    texts: list[str] = []
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f'{path}, line {number} has no "text": mend the line') from error
        if not isinstance(text, str):
            raise ValueError(f'{path}, line {number}: "text" is {text!r}, want a string')
        texts.append(text)
    return texts


def _is_like_a_name(given: str) -> bool:
    is_named = "/" in given or given.lower().endswith(SUFFIXES)
    return is_named and ONE_NAME.fullmatch(given) is not None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A text may be too long for a file name, which is an answer too.
        return False


def _split(content: str, *, lines: bool) -> list[str]:
    if not lines:
        return [content]
    parts = content.split("\n")
    # Blank lines at the end are how files end.
    while parts and not parts[-1].strip():
        parts.pop()
    return parts


def _as_document(result: Encoded) -> dict[str, Any]:
    return {
        "encoding": json.loads(result.canonical) if result.canonical else None,
        "problem": result.problem,
        "held_to_text": result.is_held,
        "answer": result.answer,
        "completion_tokens": result.tokens,
        "total_s": round(result.total_s, 3),
    }
