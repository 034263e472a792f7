"""What the clients of the soak send, and what has to come back. Knows no process and no memory.

Every kind of visit sends one or more requests and checks each answer. What is not as it has to be
is raised: `Wrong` for an answer, `httpx.HTTPError` or `OSError` where none came.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from spokesmith.metrics import check
from spokesmith.tasks import load_task

ANSWER_LIMIT_S = 120
MAX_PROBLEMS = 20
CHAT, TEXT, ENCODE = "/v1/chat/completions", "/v1/completions", "/v1/encode"
EMBED, SETS = "/v1/embeddings", "/v1/spokes"
WORDS = (
    "Marta moved the backup job from 02:00 to 04:30 because nightly export was still running Ana "
    "Ruiz wrote 27 lines about Lindau harbour and paid 1,250 EUR on 3 June für Käse 東京 \U0001f600"
).split()
ENDLESS = {"type": "array", "items": {"type": "integer"}, "minItems": 10_000}
MEMORY = load_task("memory").schema


class Wrong(Exception):
    """An answer that is not as it has to be."""


class Refused(Exception):
    """The 503 of a full queue."""


@dataclass(kw_only=True)
class Tally:
    """What was sent and what came of it, by kind of visit; for all clients."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    num_sent: int = 0
    most_running: int = 0
    most_waiting: int = 0
    most_kept_mb: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self, count: int = 1) -> None:
        with self._lock:
            self.num_sent += count

    def count(self, kind: str, outcome: str, count: int = 1) -> None:
        with self._lock:
            self.outcomes[kind, outcome] += count

    def problem(self, kind: str, words: str) -> None:
        with self._lock:
            if len(self.problems) < MAX_PROBLEMS:
                self.problems.append(f"{kind}: {words[:400]}")

    def seen(self, running: int, waiting: int, kept_mb: float) -> None:
        """What the server said of itself: answers, and memory of kept beginnings of prompts."""
        with self._lock:
            self.most_kept_mb = max(self.most_kept_mb, round(kept_mb, 1))
            self.most_running = max(self.most_running, running)
            self.most_waiting = max(self.most_waiting, waiting)

    def total(self, outcome: str) -> int:
        return sum(count for (_, found), count in self.outcomes.items() if found == outcome)


@dataclass(frozen=True, kw_only=True)
class Served:
    """What the server serves: its base, its sets, and a folder to load a further set from.

    The last of `sets` comes from `folder` too. `vectors` is the embedding model, None without one.
    """

    url: str
    base: str
    sets: tuple[str, ...]
    folder: str
    vectors: str | None
    num_slots: int
    num_clients: int
    context: int

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 80


class Client:
    """One client thread's connection, its random numbers and where it counts."""

    def __init__(self, served: Served, tally: Tally, number: int) -> None:
        self.served = served
        self.tally = tally
        self.number = number
        self.random = random.Random(number)
        self.http = httpx.Client(base_url=served.url, timeout=ANSWER_LIMIT_S)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """The document that answers a request."""
        content = body if isinstance(body, bytes) else json.dumps(body)
        self.tally.sent()
        return _checked(self.http.post(path, content=content), status)

    def get(self, path: str) -> httpx.Response:
        self.tally.sent()
        response = self.http.get(path)
        _require(response.status_code == 200, f"{path} answers {response.status_code}")
        return response

    @contextmanager
    def stream(self, path: str, body: dict[str, Any]) -> Iterator[Iterator[str]]:
        """The events of a stream, as they arrive, without `data: `."""
        self.tally.sent()
        with self.http.stream("POST", path, json={**body, "stream": True}) as response:
            if response.status_code != 200:
                response.read()
                _checked(response, 200)
            lines = response.iter_lines()
            yield (line.removeprefix("data: ") for line in lines if line.startswith("data: "))

    def text(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(3, 40)))

    def model(self) -> str:
        return self.random.choice([self.served.base, *self.served.sets])

    def chat(self, **more: Any) -> dict[str, Any]:
        turns = [{"role": "system", "content": "Answer."}, {"role": "user", "content": self.text()}]
        return {"model": self.model(), "messages": turns, "max_tokens": 40, **more}

    def schema(self) -> dict[str, Any]:
        """A schema that hardly any request had before, with room for few tokens."""
        kinds: list[dict[str, Any]] = [
            {"type": "string", "maxLength": 8},
            {"type": "integer", "minimum": 0, "maximum": 999},
            {"type": "boolean"},
            {"enum": ["low", "middle", "high"]},
            {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        ]
        names = [f"field{self.random.randrange(1000)}" for _ in range(self.random.randint(1, 4))]
        return {
            "type": "object",
            "properties": {name: self.random.choice(kinds) for name in names},
            "required": sorted(set(names)),
            "additionalProperties": False,
        }


def chat_schema(client: Client) -> None:
    """JSON under a schema of the caller's own."""
    schema = client.schema()
    choice = client.post(CHAT, client.chat(**_held(schema)))["choices"][0]
    _require_fit(choice, schema)


def stream_whole(client: Client) -> None:
    """A stream that is read to its end, by some clients slowly."""
    schema = client.schema()
    pause_s = client.random.choice([0, 0, 0, 0.01])
    body = client.chat(**_held(schema), stream_options={"include_usage": True})
    events: list[str] = []
    with client.stream(CHAT, body) as arriving:
        for event in arriving:
            events.append(event)
            time.sleep(pause_s)
    _require(events[-1:] == ["[DONE]"], f"a stream ends with {events[-1:]}")
    chunks = [json.loads(event) for event in events[:-1]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    whole = {"message": {"content": text}, "finish_reason": choices[-1]["finish_reason"]}
    _require_fit(whole, schema)
    _require(chunks[-1]["usage"]["completion_tokens"] > 0, "a stream tells no usage")


def stream_left(client: Client) -> str:
    """A stream that is abandoned in the middle."""
    body = client.chat(max_tokens=2000, json_schema=ENDLESS)
    with client.stream(CHAT, body) as arriving:
        for _, event in zip(range(client.random.randint(1, 8)), arriving, strict=False):
            _require("error" not in json.loads(event), event)
    return "left"


def left_waiting(client: Client) -> str:
    """More long requests than there are slots, all cancelled: some run, some wait."""
    count = client.served.num_slots + 4
    body = client.chat(max_tokens=2000, json_schema=ENDLESS)
    connections = [_ask(client, CHAT, body) for _ in range(count)]
    time.sleep(client.random.uniform(0, 0.4))
    look(client)
    for connection in connections:
        connection.close()
    client.tally.count("left_waiting", "left", count - 1)
    return "left"


def burst(client: Client) -> str:
    """More requests at once than the queue takes: each is answered, or refused in the right way."""
    body = client.chat(max_tokens=4)
    connections = [_ask(client, CHAT, body) for _ in range(40)]
    refused = 0
    try:
        for connection in connections:
            response = connection.getresponse()
            document = json.loads(response.read())
            if response.status == 503:
                _require_refusal(document, response.headers.get("retry-after"))
                refused += 1
            else:
                _require(response.status == 200, f"a burst is answered {response.status}")
                _require(bool(document["choices"]), f"a burst is answered {document}")
    finally:
        for connection in connections:
            connection.close()
    client.tally.count("burst", "full", refused)
    client.tally.count("burst", "ok", len(connections) - refused - 1)
    return "ok"


def bad_body(client: Client) -> None:
    """What is no request is refused with the status and the form of an error."""
    path, body, status = client.random.choice(
        [
            (CHAT, b"{", 400),
            (CHAT, b'{"messages": "\xff"}', 400),
            (CHAT, b"[" * 500, 400),
            (CHAT, {}, 400),
            (CHAT, client.chat(messages=[]), 400),
            (CHAT, client.chat(temperature=9), 400),
            (CHAT, client.chat(n=99), 400),
            (CHAT, client.chat(guided_json={}), 400),
            (CHAT, client.chat(json_schema={"uniqueItems": True}), 400),
            (CHAT, client.chat(grammar="root ::= ("), 400),
            (CHAT, client.chat(model="nobody"), 404),
            (TEXT, {"prompt": [10**9]}, 400),
            (ENCODE, {"text": " "}, 400),
            (ENCODE, {"txt": "a"}, 400),
            (SETS, {"source": "nowhere", "name": "x"}, 400),
        ]
    )
    error = client.post(path, body, status)["error"]
    _require(bool(error["message"] and error["type"]), f"an error says {error}")


def over_long(client: Client) -> None:
    """A prompt beyond the context is refused with both numbers."""
    # The longest word of any vocabulary is far shorter than these numbers of blanks and digits.
    text = " ".join(str(client.random.randrange(10**6)) for _ in range(client.served.context))
    turns = [{"role": "user", "content": text}]
    error = client.post(CHAT, client.chat(messages=turns), 400)["error"]
    _require(error["code"] == "context_length_exceeded", f"an error says {error}")
    _require(str(client.served.context) in error["message"], f"an error says {error}")


def to_the_end(client: Client) -> None:
    """A prompt that nearly fills the context, answered to its end."""
    room = 20
    token = client.random.randrange(60, 90)
    body = {"model": client.served.base, "prompt": [token] * (client.served.context - room)}
    answer = client.post(TEXT, {**body, "max_tokens": 100, "json_schema": ENDLESS})
    reason, used = answer["choices"][0]["finish_reason"], answer["usage"]["total_tokens"]
    _require(reason == "length", f"an answer at the context's end ends with {reason}")
    _require(used == client.served.context, f"a full context has {used} tokens")


def encode(client: Client) -> None:
    """A text and its encoding, whole, with facts, or as a stream."""
    body = {
        "text": client.text(),
        "model": client.random.choice(client.served.sets),
        "max_tokens": client.random.randint(10, 120),
        "on_truncation": "close",
    }
    form = client.random.choice(["plain", "facts", "stream"])
    if form == "stream":
        with client.stream(ENCODE, body) as arriving:
            events = list(arriving)
        _require(events[-1:] == ["[DONE]"], f"a stream ends with {events[-1:]}")
        result = json.loads(events[-2])
        _require(result["type"] == "result", f"an encoding ends with {result}")
        encoding = result["result"]["encoding"]
    elif form == "facts":
        encoding = client.post(ENCODE, {**body, "facts": True})["encoding"]
    else:
        encoding = client.post(ENCODE, body)
    verdict = check(json.dumps(encoding, ensure_ascii=False), MEMORY)
    _require(verdict.valid, f"an encoding does not fit: {verdict.problems[:1]}")


def same_seed(client: Client) -> None:
    """A draw with a seed, twice."""
    body = client.chat(temperature=1, seed=client.random.randrange(2**31))
    if client.random.random() < 0.5:
        body = {**body, **_held(client.schema())}
    one, two = (client.post(CHAT, body)["choices"][0]["message"] for _ in range(2))
    _require(one == two, f"one seed gives {one} and {two}")


def conversation(client: Client) -> None:
    """A chat that goes on, with a long beginning of its own: what is kept of prompts fills up."""
    told = " ".join(client.random.choices(WORDS, k=client.random.randint(250, 450)))
    turns = [
        {"role": "user", "content": told},
        {"role": "assistant", "content": "Go on."},
        {"role": "user", "content": client.text()},
    ]
    schema = client.schema()
    _require_fit(
        client.post(CHAT, client.chat(messages=turns, **_held(schema)))["choices"][0], schema
    )


def tools(client: Client) -> None:
    """A call of a tool that has to be made."""
    schema = client.schema()
    tool = {"type": "function", "function": {"name": "note", "parameters": schema}}
    body = client.chat(tools=[tool], tool_choice="required", max_tokens=400)
    choice = client.post(CHAT, body)["choices"][0]
    arguments = choice["message"]["tool_calls"][0]["function"]["arguments"]
    _require(choice["finish_reason"] == "tool_calls", f"a call ends with {choice}")
    _require(check(arguments, schema).valid, f"arguments do not fit: {arguments}")


def texts(client: Client) -> None:
    """Two free texts with stops and log-probabilities."""
    prompt = client.text()
    body = {"prompt": prompt, "max_tokens": 20, "n": 2, "stop": ["\n"], "logprobs": 2}
    answer = client.post(TEXT, {**body, "model": client.model(), "temperature": 1})
    _require(len(answer["choices"]) == 2, f"two texts are {len(answer['choices'])}")
    _require(all("\n" not in one["text"] for one in answer["choices"]), "a stop stands in a text")


def vectors(client: Client) -> None:
    """Vectors of a few texts."""
    given = [client.text() for _ in range(client.random.randint(1, 4))]
    data = client.post(EMBED, {"input": given})["data"]
    _require([one["index"] for one in data] == list(range(len(given))), "vectors out of order")
    sizes = [sum(value * value for value in one["embedding"]) for one in data]
    _require(all(abs(size - 1) < 1e-3 for size in sizes), f"vectors have squared sizes {sizes}")


def sets(client: Client) -> None:
    """A further set is loaded, answers as the set of the same folder does, and is unloaded."""
    name = _guest(client.number)
    client.post(SETS, {"source": client.served.folder, "name": name}, 201)
    body = client.chat(**_held(client.schema()))
    said = {}
    for model in (client.served.sets[-1], name):
        said[model] = _patiently(lambda m=model: client.post(CHAT, {**body, "model": m}))
    one, two = (answer["choices"][0]["message"]["content"] for answer in said.values())
    # Time for other clients to find it.
    time.sleep(client.random.uniform(0, 1))
    client.tally.sent()
    _checked(client.http.delete(f"{SETS}/{name}"), 200)
    _require(one == two, f"a set loaded twice says {one} and {two}")
    _patiently(lambda: client.post(CHAT, {**body, "model": name}, 404))


def guest(client: Client) -> str:
    """A chat with a set that another client loads and unloads meanwhile."""
    schema = client.schema()
    name = _guest(client.random.randrange(client.served.num_clients))
    client.tally.sent()
    response = client.http.post(CHAT, json=client.chat(**_held(schema), model=name))
    if response.status_code == 404:
        return "not there"
    _require_fit(_checked(response, 200)["choices"][0], schema)
    return "ok"


def look(client: Client) -> None:
    """What those look at who run a server."""
    counts = dict(
        line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if line[0] != "#"
    )
    running, waiting = (
        int(float(counts[f"spokesmith_{name}_answers"])) for name in ("running", "waiting")
    )
    kept_mb = float(counts["spokesmith_prefix_cache_bytes"]) / 1e6
    client.tally.seen(running, waiting, kept_mb)
    _require(running <= client.served.num_slots, f"{running} answers on fewer slots")
    health = client.get("/health").json()
    _require(health["status"] == "ok", f"the server says {health}")
    ids = [one["id"] for one in client.get("/v1/models").json()["data"]]
    _require({client.served.base, *client.served.sets} <= {*ids}, f"the models are {ids}")


# How often each is sent, among all.
VISITS: dict[Callable[[Client], str | None], int] = {
    chat_schema: 20,
    stream_whole: 12,
    stream_left: 8,
    left_waiting: 2,
    burst: 1,
    bad_body: 12,
    over_long: 3,
    to_the_end: 1,
    encode: 10,
    same_seed: 6,
    conversation: 8,
    tools: 5,
    texts: 6,
    vectors: 6,
    sets: 4,
    guest: 6,
    look: 6,
}


def visit(client: Client, deadline: float, *, most: int) -> None:
    """Visits at random until the time is over, `most` at most; every outcome is counted."""
    kinds = [kind for kind in VISITS if kind is not vectors or client.served.vectors]
    weights = [VISITS[kind] for kind in kinds]
    for _ in range(most):
        if time.monotonic() >= deadline:
            return
        once(client, client.random.choices(kinds, weights)[0])


def once(client: Client, kind: Callable[[Client], str | None]) -> None:
    """One visit and its outcome."""
    name = kind.__name__
    try:
        outcome = kind(client) or "ok"
    except Refused:
        outcome = "full"
    except (httpx.HTTPError, OSError, http.client.HTTPException) as error:
        outcome = "lost"
        client.tally.problem(name, f"no answer: {type(error).__name__} {error}")
    except (Wrong, ValueError, LookupError, TypeError) as error:
        outcome = "wrong"
        client.tally.problem(name, f"{type(error).__name__} {error}")
    client.tally.count(name, outcome)


def _held(schema: Any) -> dict[str, Any]:
    form = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": form}, "max_tokens": 400}


def _guest(number: int) -> str:
    return f"guest-{number}"


def _patiently(ask: Callable[[], Any]) -> Any:
    """Ask again where the queue was full: what was begun has to be brought to its end."""
    for _ in range(100):
        try:
            return ask()
        except Refused:
            time.sleep(0.1)
    raise Wrong("the queue was full 100 times in a row")


def _ask(client: Client, path: str, body: Any) -> http.client.HTTPConnection:
    """Send a request without waiting for its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", client.served.port, timeout=ANSWER_LIMIT_S)
    client.tally.sent()
    connection.request("POST", path, json.dumps(body))
    return connection


def _checked(response: httpx.Response, status: int) -> Any:
    """The document of a response that has the status; `Refused` where the queue was full."""
    if response.status_code == 503 and status != 503:
        _require_refusal(response.json(), response.headers.get("retry-after"))
        raise Refused
    if response.status_code != status:
        raise Wrong(f"{response.status_code} instead of {status}: {response.text[:300]}")
    return response.json()


def _require_refusal(document: Any, retry_after: str | None) -> None:
    code = document["error"]["code"]
    _require(code == "overloaded" and bool(retry_after), f"a 503 says {document}")


def _require_fit(choice: Any, schema: Any) -> None:
    content, reason = choice["message"]["content"], choice["finish_reason"]
    _require(reason == "stop", f"an answer ends with {reason}: {content}")
    verdict = check(content, schema)
    _require(verdict.valid, f"an answer does not fit: {verdict.problems[:1]} {content}")


def _require(holds: bool, words: str) -> None:
    if not holds:
        raise Wrong(words)
