"""Where answers come from, and asking for them so that an interrupted run can go on."""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spokesmith.cli.common import (
    DEFAULT_BASE,
    DEFAULT_SPOKES,
    check_base_of,
    messages_console,
    open_backend,
    open_base,
)
from spokesmith.cli.llamacpp import LLAMACPP, open_llamacpp
from spokesmith.cli.progress import progress

if TYPE_CHECKING:
    from spokesmith.probes import Answer, Asking, Complete, Probe, ProbeSet
    from spokesmith.tasks import Task

LOCAL, HTTP, ANSWERS = "local", "http", "answers"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where answers come from: a server, a file, or else a base or a GGUF file in this process.

    `model` is that of the server, or the GGUF file.
    """

    url: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    answers: Path | None = None
    base: str = DEFAULT_BASE
    spokes: str = DEFAULT_SPOKES
    dtype: str = "auto"
    device: str = "auto"
    quantize: str = "none"
    ple: str = "device"
    device_map: str | None = None
    on_llamacpp: bool = False
    tokenizer: str | None = None
    engine_options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.url is not None and self.answers is not None:
            raise ValueError("--url and --answers are two sources of answers: give one")
        if self.on_llamacpp and (self.url is not None or self.answers is not None):
            raise ValueError("--engine llama.cpp runs here: leave out --url and --answers")
        has_model = self.model is not None and not self.on_llamacpp
        if self.url is None and (has_model or self.api_key_env is not None):
            raise ValueError("--model and --api-key-env are for a server: give its --url")

    @property
    def engine(self) -> str:
        """Which kind of engine answers."""
        if self.answers is not None:
            return ANSWERS
        if self.on_llamacpp:
            return LLAMACPP
        return LOCAL if self.url is None else HTTP

    def open(self, *, concurrency: int) -> "Complete":
        """Connect or load what answers."""
        if self.url is not None:
            from spokesmith.backends.http import HttpBackend

            return HttpBackend(self.url, model=self.model, api_key=self._api_key()).complete
        if self.on_llamacpp:
            return open_llamacpp(
                Path(self.model) if self.model else None,
                tokenizer=self.tokenizer,
                settings=self.engine_options,
                num_slots=concurrency,
            ).complete
        check_base_of(self.base, self.spokes)
        loaded = open_base(
            self.base,
            dtype=self.dtype,
            device=self.device,
            quantize=self.quantize,
            ple=self.ple,
            device_map=self.device_map,
        )
        return open_backend(loaded, self.spokes, num_slots=concurrency).complete

    def settings(self, task: "Task", probe_set: "ProbeSet", how: "Asking") -> dict[str, Any]:
        """All that answers depend on: a run that was stopped goes on with the same only."""
        is_local = self.url is None and not self.on_llamacpp
        holds_to_text = how.constrained and how.verbatim and task.verbatim
        return {
            "task": task.name,
            "schema_hash": task.schema_hash,
            "prompt_hash": task.prompt_hash,
            "set_hash": probe_set.hash,
            "base": self.base if is_local else self._file_name(),
            "spokes": self.spokes if is_local else None,
            "spokes_hash": _hash_of_spokes(self.spokes) if is_local else None,
            "dtype": self._precision() if is_local else None,
            "quantize": self.quantize if is_local else None,
            "url": self.url,
            "model": self.model,
            "tokenizer": self.tokenizer,
            **self._llamacpp_settings(),
            "constrained": how.constrained,
            "verbatim": list(task.verbatim) if holds_to_text else None,
            "max_tokens": how.max_tokens,
            "time_limit_s": how.time_limit_s,
        }

    def _precision(self) -> str:
        """The precision that answers are made in, which `auto` leaves to the machine."""
        # Answers that others made are scored without torch.
        if self.answers is not None:
            return self.dtype
        from spokesmith.bases.loading import choose_device, choose_dtype

        chosen = choose_dtype(self.dtype, choose_device(self.device))
        return str(chosen).removeprefix("torch.")

    def _file_name(self) -> str | None:
        return Path(self.model).name if self.on_llamacpp and self.model else None

    def _llamacpp_settings(self) -> dict[str, Any]:
        if not self.on_llamacpp or self.model is None:
            return {}
        try:
            with Path(self.model).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ValueError(f"cannot read {self.model} ({error}): give a GGUF file") from error
        return {"model_hash": digest, "engine_options": list(self.engine_options)}

    def _api_key(self) -> str | None:
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise ValueError(
                f"--api-key-env: {self.api_key_env} is not set in the environment: export it"
            )
        return key


def ask_and_save(
    probes: "Sequence[Probe]",
    task: "Task",
    source: Source,
    how: "Asking",
    *,
    settings: dict[str, Any],
    path: Path | None,
    resume: bool,
    on_answer: "Callable[[Answer], str]",
    is_kept: "Callable[[Answer], bool]" = lambda _: True,
) -> "dict[str, Answer]":
    """Ask for the probes that the file at `path` does not answer yet; keep each answer there.

    Args:
        path: None where answers are not kept.
        on_answer: called with every answer, also with those that the file has; its words stand
            beside the bar.
        is_kept: whether an answer of the file counts; one that does not is asked for again, and
            its tokens, which were paid for too, are added to those of the answer that comes then.
    """
    from spokesmith.probes import ask
    from spokesmith.probes.answers import AnswerLog, resumable

    known: dict[str, Answer] = {}
    again: dict[str, Answer] = {}
    if path is not None and resume and path.exists():
        found = resumable(path, settings)
        known = {id: answer for id, answer in found.items() if is_kept(answer)}
        again = {id: answer for id, answer in found.items() if id not in known}
    words = [on_answer(answer) for answer in known.values()]
    missing = [probe for probe in probes if probe.id not in known]
    done = len(probes) - len(missing)
    console = messages_console()
    if known:
        console.print(f"{done} of {len(probes)} answers are there already")
    complete = source.open(concurrency=how.concurrency) if missing else None
    with (
        nullcontext() if path is None else AnswerLog(path, settings, known) as log,
        progress(words[-1] if words else "", total=len(probes), done=done) as step,
    ):

        def on_each(answer: "Answer") -> None:
            if before := again.pop(answer.id, None):
                answer = _with_tokens_of(before, answer)
            if log is not None:
                log.add(answer)
            step(1, on_answer(answer))

        if complete is None:
            return known
        try:
            return known | ask(missing, task, complete, how, on_answer=on_each)
        except KeyboardInterrupt:
            if path is not None:
                console.print(f"the answers so far are in {path}: --resume goes on", markup=False)
            raise
        finally:
            # What was not asked again yet stays in the file: it was paid for.
            if log is not None:
                for answer in again.values():
                    log.add(answer)


def _with_tokens_of(before: "Answer", answer: "Answer") -> "Answer":
    """An answer with the tokens of the one that it replaces; None where neither has a count."""

    def total(one: int | None, other: int | None) -> int | None:
        return other if one is None else one + (other or 0)

    return replace(
        answer,
        prompt_tokens=total(before.prompt_tokens, answer.prompt_tokens),
        completion_tokens=total(before.completion_tokens, answer.completion_tokens),
    )


def _hash_of_spokes(spokes: str) -> str | None:
    from spokesmith.spokes import find_spokes, hash_of_weights

    return None if spokes == "none" else hash_of_weights(find_spokes(spokes))
