"""An engine of ten lines, and what it answers."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spokesmith.probes import load_probes
from spokesmith.tasks import load_task

MEMORY = load_task("memory")
PROBES = load_probes(MEMORY.probes_path)


@dataclass(frozen=True)
class Usage:
    prompt_tokens: int | None = 300
    completion_tokens: int | None = 50


@dataclass(frozen=True)
class Timing:
    total_s: float = 0.5


@dataclass(frozen=True)
class Reply:
    text: str
    finish_reason: str = "stop"
    usage: Usage = Usage()
    timing: Timing = Timing()


class FakeEngine:
    """Answers every gold probe with its gold, or with what `change` makes of it."""

    def __init__(self, change: Callable[[dict[str, Any]], Any] = lambda gold: gold) -> None:
        self.golds = {probe.text.strip(): probe.gold for probe in PROBES}
        self.change = change
        self.calls: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __call__(self, messages: Any, schema: Any = None, **sampling: Any) -> Reply:
        with self._lock:
            self.calls.append({"messages": messages, "schema": schema, **sampling})
            changed = self.change(json.loads(json.dumps(self.golds[messages[-1]["content"]])))
        return changed if isinstance(changed, Reply) else Reply(json.dumps(changed))
