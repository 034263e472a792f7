"""llama.cpp in this process: its server, loaded by xllamacpp and asked over the loopback interface.

The listener is llama.cpp's own. It takes a key that only this object knows, so that no other
program is answered, and closing a connection is the one way to stop an answer in its prompt too.
Knows tokens and events; no chat and no grammar.
"""

import gc
import json
import re
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spokesmith.backends.llamacpp import trial
from spokesmith.backends.llamacpp.options import LlamaCppOptions, parameters
from spokesmith.backends.llamacpp.tokens import Event
from spokesmith.decoding.request import ContextError

TRIAL_LIMIT_S = 600.0
PREFIX_FILE = "prefix"
FORWARDS_METRIC = "llamacpp:n_decode_total "


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What llama.cpp knows of a file: the tokens that it was trained on at once, and how many
    there are."""

    context: int
    vocabulary: int


def try_to_load(path: Path) -> ModelFacts:
    """Load a file in a process of its own.

    Raises:
        ValueError: there is no such file, or llama.cpp cannot load it, or does not start.
    """
    if find_spec("xllamacpp") is None:
        raise ValueError("llama.cpp is not installed: pip install 'spokesmith[llamacpp]'")
    if not path.is_file():
        raise ValueError(f"no file at {path}: give the path of a GGUF file")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ValueError(f"{path} is no GGUF file: it does not start with 'GGUF'")
    try:
        done = subprocess.run(
            # Its folder is to be none in which modules are looked for.
            [sys.executable, "-P", trial.__file__, str(path)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TRIAL_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"llama.cpp does not get done with {path}: get the file anew") from error
    if done.returncode == trial.NOT_STARTED:
        raise ValueError(
            f"llama.cpp is installed and does not start ({done.stderr.splitlines()[-1]}): install "
            "what it lacks, or xllamacpp anew"
        )
    if done.returncode != 0:
        raise ValueError(
            f"llama.cpp cannot load {path} ({_reason(done.stderr, done.returncode)}): "
            "get the file anew, or one of an architecture that it knows"
        )
    meta = json.loads(done.stdout)["data"][0]["meta"]
    return ModelFacts(context=meta["n_ctx_train"], vocabulary=meta["n_vocab"])


class LlamaCppEngine:
    """One file, loaded.

    Args:
        path: of the file, which `try_to_load` has loaded.
        options: how it runs.
        context: tokens of one slot.

    Raises:
        ValueError: it cannot be loaded so.
    """

    def __init__(self, path: Path, options: LlamaCppOptions, *, context: int) -> None:
        xllamacpp: Any = import_module("xllamacpp")
        self._folder = tempfile.TemporaryDirectory(prefix="spokesmith-llamacpp-")
        self._key = secrets.token_urlsafe(32)
        wanted = parameters(xllamacpp, path, options, context=context)
        wanted.api_keys = [self._key]
        wanted.slot_save_path = self._folder.name + "/"
        try:
            self._server = xllamacpp.Server(wanted)
        except RuntimeError as error:
            self._folder.cleanup()
            raise ValueError(
                f"llama.cpp cannot run {path} with {options.num_slots} answers of {context} tokens "
                "at once: give fewer slots or a smaller context"
            ) from error
        address = self._server.listening_address.partition("://")[2]
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._num_slots = options.num_slots

    def tokenize(self, text: str, *, control_tokens: bool) -> list[int]:
        """The tokens that llama.cpp itself cuts a text into."""
        body = {"content": text, "add_special": False, "parse_special": control_tokens}
        return self._ask("POST", "/tokenize", body)["tokens"]

    def answer(self, body: Mapping[str, Any]) -> "Events":
        """Begin an answer. Raises OSError where llama.cpp does not listen any more."""
        connection = self._connect()
        wanted = {**body, "stream": True, "return_progress": True, "timings_per_token": True}
        connection.request("POST", "/completion", json.dumps(wanted), self._headers())
        return Events(connection)

    def share_prefix(self, token_ids: Sequence[int]) -> None:
        """Give every slot a beginning that prompts will share, which is computed once."""
        body = {"prompt": list(token_ids), "n_predict": 0, "cache_prompt": True, "id_slot": 0}
        self._ask("POST", "/completion", body)
        if self._num_slots == 1:
            return
        name = {"filename": PREFIX_FILE}
        self._ask("POST", "/slots/0?action=save", name)
        for slot in range(1, self._num_slots):
            self._ask("POST", f"/slots/{slot}?action=restore", name)
        for file in Path(self._folder.name).iterdir():
            file.unlink()

    def num_forwards(self) -> int:
        """Passes that were computed since the start."""
        for line in self._server.handle_metrics().splitlines():
            if line.startswith(FORWARDS_METRIC):
                return int(float(line.removeprefix(FORWARDS_METRIC)))
        return 0

    def close(self) -> None:
        """Unload the file; every answer must have ended."""
        # Its own end is that of the object.
        del self._server
        gc.collect()
        self._folder.cleanup()

    def _connect(self) -> HTTPConnection:
        return HTTPConnection(*self._address)

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        connection = self._connect()
        try:
            connection.request(method, path, json.dumps(body), self._headers())
            response = connection.getresponse()
            document = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise _as_error(document)
        return document


class Events:
    """The events of one answer, which any thread may interrupt."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection
        assert connection.sock is not None
        self._socket: socket.socket = connection.sock

    def interrupt(self) -> None:
        """Stop the answer; whoever reads its events finds their end or an OSError."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            # Both sides are done with it.
            return

    @contextmanager
    def read(self) -> Iterator[Iterator[Event]]:
        """The events as they come; leaving the block before their end stops the answer.

        Raises:
            ContextError, ValueError: llama.cpp does not take the request.
            RuntimeError: it fails.
            OSError, HTTPException: the connection broke off.
        """
        try:
            response = self._connection.getresponse()
            if response.status != 200:
                raise _as_error(json.loads(response.read()))
            yield _events(response)
        finally:
            self.interrupt()
            self._connection.close()


def _events(response: HTTPResponse) -> Iterator[Event]:
    for line in response:
        kind, mark, data = line.partition(b": ")
        if not mark:
            continue
        event = json.loads(data)
        if kind == b"error" or "error" in event:
            raise _as_error(event)
        yield event


def _as_error(document: Mapping[str, Any]) -> Exception:
    """What llama.cpp's own error means."""
    error = document.get("error", document)
    words = str(error.get("message", error))
    if error.get("type") == "exceed_context_size_error":
        return ContextError(f"llama.cpp: {words}: shorten the text")
    if error.get("type") == "invalid_request_error":
        return ValueError(f"llama.cpp does not take the request ({words}): change that part of it")
    return RuntimeError(f"llama.cpp failed: {words}")


def _reason(log: str, returncode: int) -> str:
    """Why a load failed: the first error of its log says it best."""
    if returncode < 0:
        return f"it ended by signal {-returncode}"
    # The time, E for an error, the function, the words; two threads may share a line.
    found = re.search(r"[\d.]+ E (.+)", log)
    if found is None:
        return "its log says no more"
    return found[1].partition(": ")[2].removeprefix("error loading model: ") or found[1]
