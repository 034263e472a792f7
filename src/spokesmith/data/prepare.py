"""From pairs to token ids: prompts and answers as training sees them, with a length report.

A pair that is longer than the limit is counted and dropped, never cut: a cut target teaches JSON
that never closes. This file loads no tokenizer; it is handed a turn format that renders chats.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from spokesmith.data.pairs import SPLITS, Pair
from spokesmith.metrics import check
from spokesmith.tasks import Message, Task


class Chat(Protocol):
    """Renders chats as token ids."""

    @property
    def tokenizer(self) -> Any: ...

    @property
    def template(self) -> str: ...

    @property
    def template_options(self) -> Mapping[str, Any]: ...

    @property
    def end_id(self) -> int: ...

    def prompt_parts(self, messages: Sequence[Message]) -> tuple[list[int], list[int]]: ...

    def answer_ids(self, answer: str) -> list[int]: ...


@dataclass(frozen=True, kw_only=True)
class Example:
    """One training example after the shared prefix.

    `tokens` is the rest of the prompt and the answer; the answer starts at `answer_start`.
    """

    tokens: np.ndarray
    answer_start: int


@dataclass(frozen=True, kw_only=True)
class LengthReport:
    """Token counts of a prepared data set, prefix included."""

    kept: dict[str, int]
    dropped: dict[str, int]
    max_length: int
    prefix: int
    prompt_quantiles: dict[str, int]
    answer_quantiles: dict[str, int]
    total_quantiles: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Token ids of a data set for one base and task. `prefix` opens every example."""

    prefix: np.ndarray
    splits: dict[str, list[Example]]
    report: LengthReport


def prepare(pairs: Iterable[Pair], task: Task, chat: Chat, *, max_length: int) -> Prepared:
    """Tokenise pairs.

    Args:
        pairs: with gold encodings.
        task: gives the prompt and the canonical form of the answers.
        chat: the base's turn format.
        max_length: most tokens an example may have, prompt and answer together.

    Raises:
        ValueError: a gold does not fit the schema of the task, or no pair of the training split
            fits into the length.
    """
    pairs = list(pairs)
    _check_golds(pairs, task)
    splits: dict[str, list[Example]] = {split: [] for split in SPLITS}
    dropped = dict.fromkeys(SPLITS, 0)
    prefix: list[int] = []
    for pair in pairs:
        prefix, rest = chat.prompt_parts(task.messages(pair.text))
        tokens = rest + chat.answer_ids(task.canonical(pair.gold))
        if len(prefix) + len(tokens) > max_length:
            dropped[pair.split] += 1
            continue
        example = Example(tokens=np.array(tokens, dtype=np.int32), answer_start=len(rest))
        splits[pair.split].append(example)
    if not splits["train"]:
        raise ValueError(
            f"no training pair fits into {max_length} tokens ({dropped['train']} are longer): "
            "give more pairs or a larger limit: `train --set max_length=N`, `data prepare "
            "--max-length N`"
        )
    return Prepared(
        prefix=np.array(prefix, dtype=np.int32),
        splits=splits,
        report=_report(splits, dropped, max_length, len(prefix)),
    )


def _check_golds(pairs: Sequence[Pair], task: Task) -> None:
    """Refuse golds that are no encodings of the task: what they teach would never be valid."""
    found = [(pair.id, problem) for pair in pairs if (problem := _problem(pair.gold, task))]
    if not found:
        return
    (first, problem), *others = found
    more = f", nor do {len(others):,} more" if others else ""
    raise ValueError(
        f"the gold of pair '{first}' does not fit the schema of the task {task.name} "
        f"({problem}){more}: mend it, or give --task the one that it was written for; "
        "`spokesmith data audit --task` says more"
    )


def _problem(gold: dict[str, Any], task: Task) -> str | None:
    """The first that is wrong with a gold, if anything is."""
    try:
        problems = check(task.canonical(gold), task.schema).problems
    except ValueError as error:
        return str(error)
    return problems[0] if problems else None


def prepared_key(pairs_path: Path, task: Task, base_name: str, max_length: int) -> str:
    """A hash of all that the token ids depend on, but for what a base's name leaves open."""
    parts = [
        hashlib.sha256(pairs_path.read_bytes()).hexdigest(),
        task.prompt_hash,
        task.schema_hash,
        base_name,
        str(max_length),
    ]
    schema = json.dumps(task.schema)
    if any(f'"{keyword}"' in schema for keyword in ("anyOf", "oneOf", "$ref")):
        # Another number where the keys of such objects come to stand in another order.
        parts.append("order 2")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def chat_key(chat: Chat) -> str:
    """A hash of how a base writes chats as token ids: its name may come to mean another one."""
    rules: dict[str, Any] = json.loads(chat.tokenizer.backend_tokenizer.to_str())
    # How texts are cut and padded is set by each call anew.
    rules["truncation"] = rules["padding"] = None
    parts = {
        "template": chat.template,
        "template_options": dict(chat.template_options),
        # A template may name them.
        "special_tokens": chat.tokenizer.special_tokens_map,
        "end_id": chat.end_id,
        "rules": rules,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def write_prepared(folder: Path, prepared: Prepared) -> None:
    """Write token ids and the length report; a partly written folder is never read."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {"prefix": prepared.prefix}
    for split, examples in prepared.splits.items():
        lengths = [len(example.tokens) for example in examples]
        arrays[f"{split}.tokens"] = np.concatenate(
            [example.tokens for example in examples] or [np.zeros(0, dtype=np.int32)]
        )
        arrays[f"{split}.ends"] = np.cumsum(lengths, dtype=np.int64)
        arrays[f"{split}.answer_starts"] = np.array(
            [example.answer_start for example in examples], dtype=np.int64
        )
    partial = folder / "tokens.partial"
    report = json.dumps(asdict(prepared.report), indent=2) + "\n"
    try:
        save_file(arrays, partial)
        (folder / "lengths.json").write_text(report, encoding="utf-8")
        os.replace(partial, folder / "tokens.safetensors")
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"cannot write the token ids to {folder} ({error}): free disk space"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def read_prepared(folder: Path) -> Prepared | None:
    """Read what `write_prepared` wrote; None where there is nothing."""
    path = folder / "tokens.safetensors"
    if not path.is_file():
        return None
    arrays = load_file(path)
    splits: dict[str, list[Example]] = {}
    for split in SPLITS:
        tokens = np.split(arrays[f"{split}.tokens"], arrays[f"{split}.ends"])[:-1]
        starts = arrays[f"{split}.answer_starts"]
        splits[split] = [
            Example(tokens=part, answer_start=int(start))
            for part, start in zip(tokens, starts, strict=True)
        ]
    report: dict[str, Any] = json.loads((folder / "lengths.json").read_text(encoding="utf-8"))
    return Prepared(prefix=arrays["prefix"], splits=splits, report=LengthReport(**report))


def _report(
    splits: dict[str, list[Example]], dropped: dict[str, int], max_length: int, prefix: int
) -> LengthReport:
    examples = [example for split in SPLITS for example in splits[split]]
    prompts = [prefix + example.answer_start for example in examples]
    answers = [len(example.tokens) - example.answer_start for example in examples]
    totals = [prefix + len(example.tokens) for example in examples]
    return LengthReport(
        kept={split: len(splits[split]) for split in SPLITS},
        dropped=dropped,
        max_length=max_length,
        prefix=prefix,
        prompt_quantiles=_quantiles(prompts),
        answer_quantiles=_quantiles(answers),
        total_quantiles=_quantiles(totals),
    )


def _quantiles(lengths: list[int]) -> dict[str, int]:
    points = {"min": 0.0, "p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {name: int(np.quantile(lengths, point)) for name, point in points.items()}
