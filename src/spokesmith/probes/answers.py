"""Answers, and the file that keeps them: the first line holds the settings, then one answer a line.

The file is appended to as answers come, so a run that is killed loses only what was under way.
Files that others wrote have no settings line. Knows nothing of whether an answer is right.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from spokesmith.tasks.files import read_text, write_text

STOP, LENGTH, TIMEOUT, ERROR = "stop", "length", "timeout", "error"
FINISH_REASONS = (STOP, LENGTH, TIMEOUT, ERROR)
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came for one probe.

    `text` is what the engine wrote, "" where nothing came; `problem` why there is no whole answer.
    `latency_s` is the engine's own time or, where no answer came, the time until it failed; None
    where others wrote the answer. `reached` is False where no engine could be reached at all.
    """

    id: str
    text: str = ""
    finish_reason: str = STOP
    problem: str | None = None
    latency_s: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reached: bool = True

    @property
    def finished(self) -> bool:
        """Whether the engine ended the answer by itself."""
        return self.finish_reason == STOP

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class AnswersFile:
    """The answers of a file by id, and the settings they were made with, None if it has none."""

    settings: dict[str, Any] | None
    answers: dict[str, Answer]


def no_answer(id: str) -> Answer:
    """The failure of a probe that nobody answered."""
    return Answer(id=id, finish_reason=ERROR, problem="no answer: the file has none for this id")


def read_answers(path: Path) -> AnswersFile:
    """Read a file of answers. An unfinished last line, of a run that was killed, is dropped.

    Raises:
        ValueError: the file cannot be read, or a line is no answer; names file, line, reason.
    """
    lines = read_text(path).split("\n")
    settings: dict[str, Any] | None = None
    answers: dict[str, Answer] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            if number == len(lines):
                break
            raise ValueError(f"{where} is not JSON ({error}): mend the line") from error
        if not isinstance(record, dict):
            raise ValueError(f"{where} holds {type(record).__name__}, want an object with id")
        if number == 1 and isinstance(record.get("settings"), dict):
            settings = record["settings"]
            continue
        answer = _as_answer(record, where)
        if answer.id in answers:
            raise ValueError(f"{where}: a second answer for '{answer.id}': keep one of them")
        answers[answer.id] = answer
    return AnswersFile(settings=settings, answers=answers)


def _as_answer(record: dict[str, Any], where: str) -> Answer:
    if not isinstance(record.get("id"), str):
        raise ValueError(f"{where}: id is {record.get('id')!r}: give the id of a probe")
    text = record.get("text", record.get("answer"))
    if not isinstance(text, str):
        raise ValueError(f"{where}: text is {text!r}: give the answer, as it was written")
    finish_reason = record.get("finish_reason", STOP)
    if finish_reason not in FINISH_REASONS:
        known = ", ".join(FINISH_REASONS)
        raise ValueError(f"{where}: finish_reason is {finish_reason!r}: give one of {known}")
    for name in ("latency_s", "prompt_tokens", "completion_tokens"):
        value = record.get(name)
        if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
            raise ValueError(f"{where}: {name} is {value!r}: give a number or leave it out")
    problem = record.get("problem")
    return Answer(
        id=record["id"],
        text=text,
        finish_reason=finish_reason,
        problem=None if problem is None else str(problem),
        latency_s=record.get("latency_s"),
        prompt_tokens=record.get("prompt_tokens"),
        completion_tokens=record.get("completion_tokens"),
        reached=record.get("reached", True) is True,
    )


class AnswerLog:
    """An answers file that is open for more answers.

    Args:
        path: of the file; what is there is replaced by the settings and `kept`.
        settings: what the answers depend on.
        kept: answers that are known already.
    """

    def __init__(
        self, path: Path, settings: dict[str, Any], kept: dict[str, Answer] | None = None
    ) -> None:
        header = {"format": FORMAT, "settings": settings}
        lines = [header, *(answer.to_json() for answer in (kept or {}).values())]
        write_text(path, "".join(map(_line, lines)))
        self._file = path.open("a", encoding="utf-8")

    def add(self, answer: Answer) -> None:
        """Write an answer so that it is there even if the process dies now."""
        self._file.write(_line(answer.to_json()))
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def resumable(path: Path, settings: dict[str, Any]) -> dict[str, Answer]:
    """The answers of a run that was stopped, without those whose engine was never reached.

    Raises:
        ValueError: the file was made with other settings.
    """
    found = read_answers(path)
    other = [
        name
        for name in settings
        if found.settings is None or found.settings.get(name) != settings[name]
    ]
    if other:
        before = "nothing" if found.settings is None else found.settings.get(other[0])
        raise ValueError(
            f"{path} was made with another {other[0]} ({before!r}, now {settings[other[0]]!r}): "
            "give the settings it was made with, or --force instead of --resume to begin anew"
        )
    return {id: answer for id, answer in found.answers.items() if answer.reached}


def _line(record: dict[str, Any]) -> str:
    # ASCII: half a surrogate pair in an answer has no UTF-8.
    return json.dumps(record) + "\n"
