"""Pairs from a teacher: its encodings of real texts, as far as they are faithful.

Judges what a teacher answered as the audit judges any gold, keeps what is right, and says of the
rest what is wrong. Knows no engine: it is handed the answers that came.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from spokesmith.data.extract import split_of
from spokesmith.data.faults import faults_of, rules_of
from spokesmith.data.pairs import Pair
from spokesmith.metrics import judge, parse_strict
from spokesmith.tasks import Task
from spokesmith.tasks.files import write_text

DISTILLED = "distilled"
NO_ANSWER, CUT = "no_answer", "cut"
STOP = "stop"
PER_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text to encode; `kind` is its domain, `split` is "" where its source names none."""

    id: str
    text: str
    kind: str
    split: str = ""


class Answer(Protocol):
    """What came for one text. `finish_reason` is `stop` where the teacher ended it by itself."""

    @property
    def text(self) -> str: ...
    @property
    def finish_reason(self) -> str: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """An answer that is no gold: the names of what is wrong, each with a reason."""

    id: str
    kind: str
    text: str
    reasons: dict[str, str]
    finish_reason: str
    answer: str


def verdict(text: Text, answer: Answer, task: Task) -> Pair | Rejected:
    """The pair that an answer makes, or what is wrong with it."""
    reasons = reasons_against(answer.text, text.text, task)
    if answer.finish_reason != STOP:
        name = CUT if answer.text else NO_ANSWER
        reasons = {name: answer.problem or f"the teacher ended with '{answer.finish_reason}'"}
    if reasons:
        return Rejected(
            id=text.id,
            kind=text.kind,
            text=text.text,
            reasons=reasons,
            finish_reason=answer.finish_reason,
            answer=answer.text,
        )
    return Pair(
        id=text.id,
        kind=text.kind,
        template=DISTILLED,
        # Else by the text: two ids with one text are in one split.
        split=text.split or split_of(text.text),
        text=text.text,
        gold=json.loads(task.canonical(parse_strict(answer.text))),
    )


def reasons_against(answer: str, text: str, task: Task) -> dict[str, str]:
    """Why an answer is no gold of a text, by the name of the fault; empty where it is one.

    Stricter than the audit: a broken field rule rejects, for another answer costs little.
    """
    judgement = judge(answer, text, task.schema, rules=rules_of(task))
    reasons = faults_of(judgement)
    if not reasons:
        try:
            task.canonical(judgement.encoding)
        except ValueError as error:
            reasons["canonical"] = str(error)
    return reasons


def write_rejected(path: Path, rejected: Sequence[Rejected]) -> None:
    """Write rejected answers as JSON lines, all of them or none."""
    # ASCII: half a surrogate pair in an answer has no UTF-8.
    write_text(path, "".join(json.dumps(asdict(one)) + "\n" for one in rejected))


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What a teacher costs for a million tokens, in any currency."""

    prompt: float
    completion: float

    def __post_init__(self) -> None:
        for name in ("prompt", "completion"):
            # Not `< 0`: no number is no price either.
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"the {name} price is {getattr(self, name)}: give 0 or more")


@dataclass(kw_only=True)
class Tally:
    """What came so far: verdicts, reasons, tokens and their price.

    An answer counts under each of its `reasons`. `held_out` are probes of the task, which are not
    asked for. `uncounted` are answers whose tokens the teacher does not tell: the price leaves them
    out.
    """

    texts: int
    held_out: int = 0
    prices: Prices | None = None
    accepted: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    uncounted: int = 0

    def add(self, found: Pair | Rejected, answer: Answer) -> None:
        """Count one answer."""
        if isinstance(found, Pair):
            self.accepted += 1
        else:
            self.rejected += 1
            self.reasons.update(found.reasons.keys())
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            self.uncounted += 1
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0

    @property
    def cost(self) -> float | None:
        """The price of the answers so far; None where prices are not known."""
        if self.prices is None:
            return None
        prompt = self.prompt_tokens * self.prices.prompt
        return (prompt + self.completion_tokens * self.prices.completion) / PER_MILLION

    def to_json(self) -> dict[str, Any]:
        """The tally as a JSON value, the most frequent reasons first."""
        return {
            "texts": self.texts,
            "held_out": self.held_out,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "reasons": dict(self.reasons.most_common()),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "uncounted": self.uncounted,
            "cost": self.cost,
        }
