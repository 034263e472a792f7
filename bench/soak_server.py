"""The served process of the soak: its sets, what it says, how much memory it holds, its end."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

START_LIMIT_S = 300
STOP_LIMIT_S = 120
MAX_SAMPLES = 10_000
MAX_TRACEBACKS = 20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a process holds, so many seconds after the first request."""

    seconds: float
    resident_mb: float
    open_files: int
    threads: int


class ServerProcess:
    """A `spokesmith serve` process on a free port of the loopback interface."""

    def __init__(self, base: str, *options: str) -> None:
        command = [sys.executable, "-m", "spokesmith", "serve", "--base", base, "--port", "0"]
        self._process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
        self.statuses: Counter[int] = Counter()
        self.tracebacks: list[str] = []
        self.words: deque[str] = deque(maxlen=60)
        self._said = threading.Condition()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, words: str) -> str:
        """The line that the process says with these words in it."""
        deadline = time.monotonic() + START_LIMIT_S
        with self._said:
            while time.monotonic() < deadline and self._process.poll() is None:
                for line in self.words:
                    if words in line:
                        return line
                self._said.wait(0.5)
        raise RuntimeError(f"the server never said '{words}': {list(self.words)}")

    def stop(self) -> None:
        """Tell it to end; it takes its time."""
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> int:
        """Wait for the end and return the exit status, a signal's number negative."""
        try:
            status = self._process.wait(STOP_LIMIT_S)
        finally:
            self.kill()
        self._reading.join(10)
        return status

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            document = json.loads(line) if line.startswith("{") else {}
            if "path" in document:
                self.statuses[document["status"]] += 1
                continue
            if "exception" in document and len(self.tracebacks) < MAX_TRACEBACKS:
                self.tracebacks.append(document["exception"])
            elif line.startswith("Traceback"):
                self.tracebacks.append("")
            # What is no JSON after a traceback's first line are its further lines.
            if self.tracebacks and not document and len(self.tracebacks) < MAX_TRACEBACKS:
                self.tracebacks[-1] += line
            with self._said:
                self.words.append(line.rstrip("\n"))
                self._said.notify_all()


class Watch:
    """Samples a process from a thread of its own until it is told to stop."""

    def __init__(self, pid: int, *, every_s: float) -> None:
        self.samples: list[Sample] = []
        self._process = psutil.Process(pid)
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        for _ in range(MAX_SAMPLES):
            with self._process.oneshot():
                sample = Sample(
                    seconds=round(time.monotonic() - start, 1),
                    resident_mb=round(self._process.memory_info().rss / 1e6, 1),
                    open_files=self._process.num_fds(),
                    threads=self._process.num_threads(),
                )
            self.samples.append(sample)
            if self._over.wait(self._every_s):
                return


def make_sets(base_name: str, folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    """Random sets that change what a base says, saved in folders of their names."""
    import torch

    from spokesmith.cli.common import open_base
    from spokesmith.spokes import SpokesCard, SpokeSet, save_spokes

    base: Any = open_base(base_name, dtype="auto", device="cpu")
    for seed, name in enumerate(names, start=1):
        config = base.spokes_config(placement="ffn", num_spokes=1, rank=8)
        spokes = SpokeSet.create(config, seed=seed)
        generator = torch.Generator().manual_seed(seed)
        for index in spokes.config.layer_indices:
            torch.nn.init.normal_(spokes.at(index).up, std=3.0, generator=generator)
        card = SpokesCard(
            spokes=config, base=base.name, base_fingerprint=base.fingerprint, task="memory"
        )
        save_spokes(folder / name, spokes, card)
    return {name: folder / name for name in names}
