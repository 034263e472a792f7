"""A backend without a model: its encodings repeat the text, and say two things too many.

Its tokens have the origins that an engine would report: what the schema dictates is forced, what
stands in the text is copied. Enough for the routes and the page; knows nothing of schemas.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from spokesmith.backends.completion import Completion, Piece, Timing, Usage
from spokesmith.backends.request import (
    CancelledError,
    Job,
    Model,
    Request,
    Stats,
    UnknownModelError,
)
from spokesmith.decoding.request import Chosen, Origin
from spokesmith.tasks import load_task

MEMORY = load_task("memory")
MADE_UP_NAME, MADE_UP_NUMBER = "Ada Lovelace", "93,417 servers"
_STRING = r'"(?:[^"\\]|\\.)*"'
_PART = re.compile(rf'({_STRING})(?!:)|({_STRING}:)|([\w.]+|[^\w"]+)')
_WORD = re.compile(r"\\.| ?\w+|[^\w\\]")


class EchoJob:
    """An answer that a thread writes word by word."""

    def __init__(self, run: Callable[["EchoJob"], Completion]) -> None:
        self.cancelled = threading.Event()
        self.ended = threading.Event()
        self._run = run
        self._outcome: Completion | Exception | None = None

    def work(self, on_end: Callable[[Job], None] | None) -> None:
        try:
            self._outcome = self._run(self)
        except Exception as error:
            self._outcome = error
        self.ended.set()
        if on_end is not None:
            on_end(self)

    def cancel(self) -> None:
        self.cancelled.set()

    def result(self, timeout: float | None = None) -> Completion:
        assert self.ended.wait(timeout)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        assert self._outcome is not None
        return self._outcome


class EchoBackend:
    """Encodes by repeating.

    Args:
        delay_s: between tokens.
        answer: what it says, whatever it is asked; None: an encoding of the text.
        failure: raised after a few tokens, if given.
    """

    context_length = 4096
    chat_template = ""

    def __init__(
        self, *, delay_s: float = 0.0, answer: str | None = None, failure: Exception | None = None
    ) -> None:
        self.delay_s, self.answer, self.failure = delay_s, answer, failure
        self.jobs: list[EchoJob] = []
        self.requests: list[Request] = []
        self._sets = [
            Model(name="memory", base="echo", folder="sets/memory", task=MEMORY, created=1)
        ]
        self._words: list[str] = []
        self._ids: dict[str, int] = {}

    def models(self) -> list[Model]:
        base = Model(name="echo", base="echo", folder=None, task=None, created=1)
        return [base, *self._sets]

    def start(
        self,
        request: Request,
        *,
        on_piece: Callable[[Piece], None] | None = None,
        on_end: Callable[[Job], None] | None = None,
    ) -> EchoJob:
        if request.model not in [model.name for model in self.models()]:
            raise UnknownModelError(f"no model '{request.model}' here: use echo or memory")
        self.requests.append(request)
        job = EchoJob(lambda job: self._write(request, job, on_piece))
        self.jobs.append(job)
        threading.Thread(target=job.work, args=(on_end,), daemon=True).start()
        return job

    def _write(
        self, request: Request, job: EchoJob, on_piece: Callable[[Piece], None] | None
    ) -> Completion:
        assert request.messages
        text, began = request.messages[-1]["content"], time.monotonic()
        answer = self.answer or json.dumps(
            encoding(text), ensure_ascii=False, separators=(",", ":")
        )
        tokens: list[Chosen] = []
        parts: list[str] = []
        for word, origin in _tokens(answer, text):
            if job.cancelled.wait(self.delay_s):
                raise CancelledError("given up")
            if self.failure is not None and len(tokens) == 5:
                raise self.failure
            if request.max_tokens is not None and len(tokens) == request.max_tokens:
                break
            tokens.append(Chosen(id=self._id(word), origin=origin))
            parts.append(word)
            if on_piece is not None:
                on_piece(Piece(text=word, tokens=(tokens[-1],)))
        written = "".join(parts)
        total_s = time.monotonic() - began
        return Completion(
            text=written,
            finish_reason="stop" if written == answer else "length",
            usage=Usage(prompt_tokens=len(text.split()) + 50, completion_tokens=len(tokens)),
            timing=Timing(first_token_s=self.delay_s, total_s=total_s),
            tokens=tuple(tokens),
            num_forwards=sum(token.origin == "model" for token in tokens) + 3,
        )

    def _id(self, word: str) -> int:
        if word not in self._ids:
            self._ids[word] = len(self._words)
            self._words.append(word)
        return self._ids[word]

    def tokenize(
        self, text: str, *, add_special: bool = False, parse_special: bool = True
    ) -> list[int]:
        return [self._id(word) for word in re.findall(r"\S+|\s+", text)]

    def detokenize(self, token_ids: Sequence[int]) -> str:
        return "".join(self._words[id] for id in token_ids)

    def token_bytes(self, token_id: int) -> bytes:
        return self._words[token_id].encode()

    def prompt_ids(self, request: Request) -> list[int]:
        return self.tokenize(" ".join(one["content"] for one in request.messages or ()))

    def load_set(self, source: str, *, name: str | None = None) -> Model:
        model = Model(name=name or source, base="echo", folder=source, task=MEMORY, created=1)
        self._sets.append(model)
        return model

    def unload_set(self, name: str) -> None:
        self._sets = [model for model in self._sets if model.name != name]

    def stats(self) -> Stats:
        fields: dict[str, Any] = dict.fromkeys(Stats.__dataclass_fields__, 0)
        return Stats(**fields)

    def close(self, *, finish: bool = True) -> None:
        for job in self.jobs:
            job.cancel()


def encoding(text: str) -> dict[str, Any]:
    """A memory of a text in its own words, with a name and a number that it lacks."""
    sentences = re.split(r"(?<=[.!?])\s+", text)
    names = re.findall(r"\b[A-Z][a-z]+\b", text)[:2]
    entities = [{"name": name, "type": "name", "context": sentences[0][:200]} for name in names]
    return {
        "gist": text[:80].rsplit(" ", 1)[0] if len(text) > 80 else text,
        "summary": sentences[0][:400],
        "content": text[:2000],
        "narrative": sentences[-1][:1000],
        "concepts": list(dict.fromkeys(re.findall(r"\b[a-z]{5,80}\b", text)))[:4],
        "structured_concepts": {
            "topics": [{"label": "notes", "path": "work/notes"}],
            "entities": [
                *entities,
                {"name": MADE_UP_NAME, "type": "person", "context": f"runs {MADE_UP_NUMBER}"},
            ],
            "actions": [],
            "causality": [],
        },
        "significance": "notable",
        "emotional_tone": "neutral",
        "outcome": "success",
        "salience": 0.45,
    }


def _tokens(answer: str, text: str) -> list[tuple[str, Origin]]:
    """The answer in words, each with its origin."""
    found: list[tuple[str, Origin]] = []
    for string, key, other in _PART.findall(answer):
        if key or other:
            origin: Origin = "model" if other.isalnum() or "." in other else "forced"
            found.append((key or other, origin))
            continue
        found.append(('"', "forced"))
        for word in _WORD.findall(string[1:-1]):
            found.append((word, "copied" if word.strip() in text else "model"))
        found.append(('"', "forced"))
    return found
