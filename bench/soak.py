"""A soak: one server under the mix of what real clients send, for a long while.

Starts `spokesmith serve` on a free port of the loopback interface with two random sets. Client
threads send chats under schemas, streams that are read and streams that are left, requests that are
cancelled while they wait, bursts beyond the queue, bad bodies, over-long prompts, encodings, tools,
vectors, draws with a seed, and sets that come and go (`soak_requests.py`). Every answer is checked.
Memory is sampled all along (`soak_server.py`). In the end the server is told to stop while it
answers. Prints a table, writes docs/results/soak.json, exits with 1 where a verdict fails.

    python bench/soak.py [--minutes 20] [--base tiny-llama] [--out FILE]
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

import httpx
from figures import RESULTS
from soak_requests import ENDLESS, TEXT, Client, Served, Tally, look, once, visit
from soak_server import Sample, ServerProcess, Watch, make_sets

from spokesmith.tasks.files import write_text

RESULT = RESULTS / "soak.json"
SETS = ("one", "two")
NUM_SLOTS, MAX_WAITING = 4, 24
SAMPLE_EVERY_S = 10.0
LEAST_SAMPLES = 24
MOST_TOLD = 60
MOST_VISITS = 1_000_000
DRAIN_LIMIT_S = 15
# Memory is flat where the mean of the last quarter is above that of the second by no more than the
# larger of the two.
FLAT_SHARE, FLAT_MB = 0.03, 30.0
FLAT_FILES = 20
STOP_TOKENS = 400


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        result = soak(arguments, Path(folder))
    report(result)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(arguments.out, json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    sys.exit(0 if all(result["verdicts"].values()) else 1)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="tiny-llama", help="tiny-NAME is a tiny random one")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--clients", type=int, default=8, help="client threads")
    parser.add_argument("--out", type=Path, default=RESULT, help="where the result goes")
    return parser.parse_args()


def soak(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Everything, from the start of the server to its end."""
    sets = make_sets(arguments.base, folder, SETS)
    named = ",".join(f"{name}={place}" for name, place in sets.items())
    limits = ["--slots", str(NUM_SLOTS), "--max-waiting", str(MAX_WAITING)]
    server = ServerProcess(arguments.base, "--spokes", named, *limits)
    tally = Tally()
    try:
        url = server.wait_for("is up, loading").split()[0]
        server.wait_for("ready: ")
        tally.sent()
        served = describe(url, str(sets[SETS[-1]]), arguments.clients)
        seconds = 60 * arguments.minutes
        watch = Watch(server.pid, every_s=min(SAMPLE_EVERY_S, seconds / LEAST_SAMPLES))
        run_clients(served, tally, seconds)
        watch.stop()
        drained = drains(Client(served, tally, arguments.clients))
        stopping = stop_while_it_answers(server, served, tally)
    finally:
        server.kill()
        print(*server.tracebacks, sep="\n", file=sys.stderr)
    return {
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} of "
        f"{os.cpu_count()} cores, for the server and its clients",
        "base": served.base,
        "minutes": arguments.minutes,
        "clients": arguments.clients,
        "slots": NUM_SLOTS,
        "max_waiting": MAX_WAITING,
        "embeddings": served.vectors,
        **findings(server, tally, watch.samples, drained=drained, stopping=stopping),
    }


def describe(url: str, folder: str, num_clients: int) -> Served:
    """What the server says that it serves."""
    models = httpx.get(f"{url}/v1/models", timeout=60).json()["data"]
    others = [one["id"] for one in models if "max_model_len" not in one]
    return Served(
        url=url,
        base=models[0]["id"],
        sets=SETS,
        folder=folder,
        vectors=others[0] if others else None,
        num_slots=NUM_SLOTS,
        num_clients=num_clients,
        context=models[0]["max_model_len"],
    )


def run_clients(served: Served, tally: Tally, seconds: float) -> None:
    """All clients, until the time is over and their last visits have ended."""
    deadline = time.monotonic() + seconds
    clients = [Client(served, tally, number) for number in range(served.num_clients)]
    with ThreadPoolExecutor(len(clients)) as threads:
        running = [threads.submit(visit, one, deadline, most=MOST_VISITS) for one in clients]
        for one in running:
            one.result()
    for client in clients:
        client.http.close()


def drains(client: Client) -> bool:
    """Whether the server comes to rest once nobody wants anything any more."""
    deadline = time.monotonic() + DRAIN_LIMIT_S
    while time.monotonic() < deadline:
        text = client.get("/metrics").text
        if "spokesmith_running_answers 0.0" in text and "spokesmith_waiting_answers 0.0" in text:
            return True
        time.sleep(0.2)
    return False


def stop_while_it_answers(server: ServerProcess, served: Served, tally: Tally) -> dict[str, Any]:
    """SIGTERM while all slots answer and others wait: every one has to get its whole answer."""
    ended: list[str] = []

    def ask(number: int) -> None:
        client = Client(served, tally, number)

        def while_it_stops(client: Client) -> None:
            body = {"model": client.model(), "prompt": client.text(), "json_schema": ENDLESS}
            body["max_tokens"] = STOP_TOKENS
            if number % 2:
                with client.stream(TEXT, body) as arriving:
                    events = list(arriving)
                assert events[-1] == "[DONE]", events[-1]
                reason = json.loads(events[-2])["choices"][0]["finish_reason"]
            else:
                reason = client.post(TEXT, body)["choices"][0]["finish_reason"]
            ended.append(reason)

        once(client, while_it_stops)

    num_asked = 2 * served.num_slots
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(num_asked)]
    for thread in threads:
        thread.start()
    under_way = wait_until_all_are_in(served, tally, num_asked)
    server.stop()
    for thread in threads:
        thread.join()
    return {"under_way": under_way, "ended": ended.count("length"), "exit_status": server.end()}


def wait_until_all_are_in(served: Served, tally: Tally, num_asked: int) -> int:
    """How many answers run or wait: all, unless some have ended before the others came."""
    seen = Tally()
    client = Client(served, seen, 0)
    deadline = time.monotonic() + DRAIN_LIMIT_S
    while time.monotonic() < deadline and seen.most_running + seen.most_waiting < num_asked:
        look(client)
    tally.sent(seen.num_sent)
    return seen.most_running + seen.most_waiting


def findings(
    server: ServerProcess,
    tally: Tally,
    samples: Sequence[Sample],
    *,
    drained: bool,
    stopping: dict[str, Any],
) -> dict[str, Any]:
    """What was counted, and whether it is as it has to be."""
    memory = flatness(samples)
    failed = sum(count for status, count in server.statuses.items() if status >= 500)
    full = server.statuses[503]
    return {
        "requests": tally.num_sent,
        "outcomes": by_kind(tally),
        "server_log_statuses": {str(key): server.statuses[key] for key in sorted(server.statuses)},
        "most_running": tally.most_running,
        "most_waiting": tally.most_waiting,
        "most_kept_prompts_mb": tally.most_kept_mb,
        "memory": memory,
        "samples": [asdict(one) for one in thinned(samples, MOST_TOLD)],
        "stop": stopping,
        "problems": tally.problems,
        "verdicts": {
            "nothing_lost": tally.total("lost") == 0,
            "server_saw_every_request": server.statuses.total() == tally.num_sent,
            "nothing_wrong": tally.total("wrong") == 0,
            "no_5xx_but_of_a_full_queue": failed == full and not server.tracebacks,
            "memory_flat": memory["resident_mb_rise"] <= memory["resident_mb_allowed"],
            "files_flat": memory["open_files_rise"] <= FLAT_FILES,
            "comes_to_rest": drained,
            "stop_ends_all": stopping["ended"] == 2 * NUM_SLOTS
            and stopping["exit_status"] in (0, -15),
        },
    }


def flatness(samples: Sequence[Sample]) -> dict[str, float]:
    """How much the last quarter of the time is above the second; the first warms up."""
    end = samples[-1].seconds

    def quarter(number: int) -> list[Sample]:
        return [one for one in samples if number - 1 < 4 * one.seconds / end <= number]

    second, last = quarter(2), quarter(4)
    before, after = (mean(one.resident_mb for one in part) for part in (second, last))
    files = mean(one.open_files for one in last) - mean(one.open_files for one in second)
    return {
        "resident_mb_second_quarter": round(before, 1),
        "resident_mb_last_quarter": round(after, 1),
        "resident_mb_rise": round(after - before, 1),
        "resident_mb_allowed": round(max(FLAT_MB, FLAT_SHARE * before), 1),
        "open_files_rise": round(files, 1),
    }


def thinned(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(samples) <= most:
        return list(samples)
    step = (len(samples) - 1) / (most - 1)
    return [samples[round(index * step)] for index in range(most)]


def by_kind(tally: Tally) -> dict[str, dict[str, int]]:
    kinds: dict[str, dict[str, int]] = {}
    for (kind, outcome), count in sorted(tally.outcomes.items()):
        kinds.setdefault(kind, {})[outcome] = count
    return kinds


def report(result: dict[str, Any]) -> None:
    for kind, outcomes in result["outcomes"].items():
        counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        print(f"{kind:16}{counted}")
    for problem in result["problems"]:
        print(f"problem: {problem}")
    memory = result["memory"]
    print(
        f"{result['requests']} requests; memory {memory['resident_mb_second_quarter']} MB, then "
        f"{memory['resident_mb_last_quarter']} MB; stop: {result['stop']}"
    )
    for name, holds in result["verdicts"].items():
        print(f"{name:32}{'yes' if holds else 'NO'}")


if __name__ == "__main__":
    main()
