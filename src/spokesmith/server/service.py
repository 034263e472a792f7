"""What all routes share: the engine while it loads and after, settings, counts.

Knows no route and no HTTP beyond the errors that it raises.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from spokesmith.backends.completion import Completion
from spokesmith.backends.request import (
    Backend,
    BusyError,
    CancelledError,
    Model,
    UnknownModelError,
)
from spokesmith.server.embedder import Embedder
from spokesmith.server.errors import not_ready
from spokesmith.server.meters import Meters

State = Literal["loading", "ready", "failed"]
NUM_STARTERS = 16
# So many failures of the engine, one after the other, are no request's fault: a lost GPU, say.
MAX_FAILURES = 8
Part = TypeVar("Part", covariant=True)
logger = logging.getLogger("spokesmith.server")


class Loading(Generic[Part]):
    """A part of the server that is loaded in a thread of its own.

    Args:
        what: its name in messages, for instance `engine`.
        load: makes it; may take minutes.
    """

    def __init__(self, what: str, load: Callable[[], Part]) -> None:
        self.what = what
        self.state: State = "loading"
        self.failure: str | None = None
        self.ended = threading.Event()
        self._load = load
        self._value: Part | None = None

    @property
    def value(self) -> Part:
        """The part. Raises ApiError (503) while there is none."""
        if self._value is None:
            raise not_ready(self.what, failure=self.failure)
        return self._value

    def begin(self) -> None:
        """Load it in the background; the thread does not keep the process alive."""
        threading.Thread(target=self.run, name=f"load-{self.what}", daemon=True).start()

    def run(self) -> None:
        """Load it now. A failure is kept and told, so that the server can say what is wrong."""
        try:
            self._value = self._load()
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            self.state = "failed"
            logger.exception("loading the %s failed", self.what)
        else:
            self.state = "ready"
        self.ended.set()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the server was told at its start.

    Attributes:
        api_keys: any one of them lets a client in; none means that no key is asked for.
        cors_origins: web pages from there may call the server.
        default_model: answers requests that name none; None takes the first set, else the base.
        log_contents: whether prompts and answers are logged.
        max_body_bytes: of one request.
        max_json_depth: nesting of one request's JSON.
        max_choices: answers that one request may ask for.
        keep_alive_s: a stream that has nothing to say sends a comment so often.
        only_local_names: whether requests must name this machine as their host, which keeps pages
            of other sites from calling a server that asks for no key.
        body_limit_s: a body has to be there within so long.
        compile_limit_s: the start of an answer (its prompt, its grammar) may take so long.
        shutdown_limit_s: answers under way get so long to end when the server is told to stop.
    """

    api_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    default_model: str | None = None
    log_contents: bool = False
    max_body_bytes: int = 8 * 2**20
    max_json_depth: int = 100
    max_choices: int = 16
    keep_alive_s: float = 10.0
    only_local_names: bool = False
    body_limit_s: float = 30.0
    compile_limit_s: float = 20.0
    shutdown_limit_s: float = 60.0


@dataclass(kw_only=True)
class Service:
    """The parts behind the routes.

    Attributes:
        engine: what answers chats and encodings.
        embedder: what answers /v1/embeddings; None where there is none.
        settings: as given at the start.
        started: Unix time in seconds.
        meters: what is counted.
        starters: the threads in which answers are prepared: rendered, tokenised, compiled.
    """

    engine: Loading[Backend]
    embedder: Loading[Embedder] | None = None
    settings: Settings = field(default_factory=Settings)
    started: int = field(default_factory=lambda: int(time.time()))
    starters: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(NUM_STARTERS, thread_name_prefix="start")
    )
    meters: Meters = field(init=False)
    _num_failures: int = field(default=0, init=False)
    _last_failure: Exception | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.meters = Meters(
            lambda: self.engine.value.stats() if self.engine.state == "ready" else None
        )

    @property
    def parts(self) -> list[Loading[object]]:
        """All that must be there before the server is ready."""
        return [self.engine] if self.embedder is None else [self.engine, self.embedder]

    @property
    def states(self) -> dict[str, State]:
        """Of each part; an engine that answers nothing any more counts as failed."""
        found: dict[str, State] = {part.what: part.state for part in self.parts}
        if self._num_failures >= MAX_FAILURES:
            found[self.engine.what] = "failed"
        return found

    @property
    def state(self) -> State:
        states = set(self.states.values())
        if "failed" in states:
            return "failed"
        return "loading" if "loading" in states else "ready"

    @property
    def backend(self) -> Backend:
        """The engine. Raises ApiError (503) while it is being loaded."""
        return self.engine.value

    def note_end(self, outcome: Completion | Exception) -> None:
        """Hear how the answer to a request ended; any thread may tell."""
        if isinstance(outcome, Completion):
            self._num_failures = 0
        elif isinstance(outcome, ValueError | BusyError | CancelledError):
            return
        # A fault that ends all answers under way is one.
        elif outcome is not self._last_failure:
            self._num_failures += 1
            self._last_failure = outcome

    def require_all(self) -> None:
        """Raise ApiError (503) unless all parts are there."""
        for part in self.parts:
            _ = part.value

    def close(self) -> None:
        """Stop the engine; answers that are still under way are given up."""
        if self.engine.state == "ready":
            self.backend.close(finish=False)
        self.starters.shutdown(wait=False, cancel_futures=True)

    def model(self, name: str | None = None) -> Model:
        """The model of a name; without one the default.

        Raises:
            UnknownModelError: there is none of that name.
        """
        models = self.backend.models()
        wanted = name or self.settings.default_model
        if not wanted:
            return models[1] if len(models) > 1 else models[0]
        for model in models:
            if model.name == wanted:
                return model
        known = ", ".join(model.name for model in models)
        raise UnknownModelError(f"no model '{wanted}' here: use one of {known}")
