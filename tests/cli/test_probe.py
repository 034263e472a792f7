"""`spokesmith probe` as a user meets it, with answers from a file or a fake engine."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.backends.http import HttpBackend
from spokesmith.cli import app
from spokesmith.probes import load_probes
from spokesmith.tasks import load_task

MEMORY = load_task("memory")
PROBES = load_probes(MEMORY.probes_path)
GOLDS = {probe.text.strip(): json.dumps(probe.gold) for probe in PROBES}
URL = ("--url", "http://127.0.0.1:9", "--concurrency", "2")


def spokesmith(*arguments: str | Path | int, status: int = 0) -> tuple[str, str]:
    """Run the command in this process; return its stdout and stderr, or a user's mistake."""
    result = CliRunner().invoke(app, ["probe", *map(str, arguments)])
    if isinstance(result.exception, ValueError):
        assert status == 2
        assert "\n" not in str(result.exception)
        return "", str(result.exception)
    assert result.exit_code == status, (result.exception, result.stderr)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stdout, result.stderr


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Golds as somebody's answers, but one that is no JSON and one that is missing."""
    path = tmp_path / "answers.jsonl"
    lines = [{"id": probe.id, "text": json.dumps(probe.gold)} for probe in PROBES[1:]]
    lines[0]["text"] = "Sure!"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A server that answers with golds, and the texts that it is asked for."""
    asked: list[str] = []

    def complete(self: Any, messages: Any, schema: Any = None, **sampling: Any) -> Completion:
        asked.append(messages[-1]["content"])
        return answer_to(messages)

    monkeypatch.setattr(HttpBackend, "complete", complete)
    return asked


def answer_to(messages: Any) -> Completion:
    return Completion(
        text=GOLDS[messages[-1]["content"]],
        finish_reason="stop",
        usage=Usage(prompt_tokens=9, completion_tokens=50),
        timing=Timing(first_token_s=0.1, total_s=0.5),
    )


def report_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_answers_of_a_file_are_scored_without_an_engine(answers: Path, tmp_path: Path) -> None:
    report = tmp_path / "out" / "report.json"
    with answers.open("a") as file:
        file.write('{"id": "stranger", "text": "{}"}\n')
    page = tmp_path / "out" / "page.html"
    command = ("--answers", answers, "--out", report, "--page", page)
    out, error = spokesmith(*command, "--json", status=1)
    document = json.loads(out)
    assert document == report_of(report)
    assert document["totals"]["valid"] == {"n": 23, "of": 25}
    assert document["made"]["engine"] == "answers"
    assert document["base"] is None
    assert "answers for ids that the set does not have (1): stranger" in error
    assert "without a whole answer: 1 of 25 probes" in " ".join(error.split())
    assert "<html" in page.read_text(encoding="utf-8")
    assert sorted(path.name for path in report.parent.iterdir()) == ["page.html", "report.json"]
    _, error = spokesmith(*command, status=2)
    assert "is there already" in error
    spokesmith(*command, "--force", status=1)


def test_of_answers_that_others_made_only_what_was_said_is_known(
    answers: Path, tmp_path: Path
) -> None:
    def reported(*options: str | int) -> tuple[Any, Any]:
        document = json.loads(spokesmith("--answers", answers, *options, "--json", status=1)[0])
        return document["constrained"], document["max_tokens"]

    assert reported() == (None, None)
    assert reported("--free", "--max-tokens", 9) == (False, 9)
    assert reported("--constrained") == (True, None)


def test_tables_show_totals_and_failures(answers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    out, _ = spokesmith("--answers", answers, status=1)
    assert "2 of 25 fail" in out
    assert "not one JSON value" in " ".join(out.split())
    assert out.index("SC") < out.index("2 of 25 fail")


def test_golds_exit_with_success(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    lines = [{"id": probe.id, "answer": json.dumps(probe.gold)} for probe in PROBES]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out, error = spokesmith("--answers", path, "--first", 4, "--json")
    assert len(json.loads(out)["probes"]) == 4
    assert error == ""


def test_a_run_keeps_its_answers_which_are_good_for_scoring(
    engine: list[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    spokesmith(*URL, "--model", "m", "--constrained", "--out", report)
    saved = tmp_path / "report.json.answers.jsonl"
    assert len(saved.read_text().splitlines()) == 26
    document = report_of(report)
    assert (document["url"], document["base"]) == ("http://127.0.0.1:9", None)
    assert document["constrained"] is True
    assert document["time_limit_s"] == 120
    again = json.loads(spokesmith("--answers", saved, "--json")[0])
    assert again["constrained"] is True
    assert again["url"] == document["url"]
    assert again["probes"] == document["probes"]
    assert again["totals"] == document["totals"]
    assert len(engine) == 25


def test_a_run_that_was_killed_goes_on_and_ends_as_one_that_was_not(
    engine: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, report = tmp_path / "whole.json", tmp_path / "report.json"
    spokesmith(*URL, "--out", whole)
    saved = tmp_path / "report.json.answers.jsonl"
    asks = HttpBackend.complete
    engine.clear()
    lock = threading.Lock()

    def killed(self: Any, messages: Any, schema: Any = None, **sampling: Any) -> Completion:
        with lock:
            if len(engine) >= 9:
                raise KeyboardInterrupt
            return asks(self, messages, schema, **sampling)

    monkeypatch.setattr(HttpBackend, "complete", killed)
    result = CliRunner().invoke(app, ["probe", *URL, "--out", str(report)])
    assert result.exit_code == 130
    assert "--resume goes on" in result.stderr
    assert not report.exists()
    there = len(saved.read_text().splitlines()) - 1
    assert 0 < there <= 9
    # The last line of a process that was killed may be half written.
    with saved.open("a") as file:
        file.write('{"id": "recipe", "te')
    monkeypatch.setattr(HttpBackend, "complete", asks)
    engine.clear()

    _, error = spokesmith(*URL, "--out", report, status=2)
    assert "--resume goes on with it, --force replaces it" in error
    _, error = spokesmith(*URL, "--out", report, "--resume", "--max-tokens", 7, status=2)
    assert "another max_tokens" in error
    assert engine == []
    _, error = spokesmith(*URL, "--out", report, "--resume")
    assert f"{there} of 25 answers are there already" in error
    assert len(engine) == 25 - there
    assert report_of(report) == report_of(whole)
    # All is there: nothing is asked.
    engine.clear()
    spokesmith(*URL, "--out", report, "--resume", "--force")
    assert engine == []
    assert report_of(report) == report_of(whole)


def test_a_part_of_a_set_goes_on_to_the_whole(engine: list[str], tmp_path: Path) -> None:
    saved = tmp_path / "answers.jsonl"
    spokesmith(*URL, "--save-answers", saved, "--first", 5)
    spokesmith(*URL, "--save-answers", saved, "--resume")
    assert len(engine) == len(set(engine)) == 25


def test_a_server_that_is_not_there_fails_every_probe_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "answers.jsonl"
    command = (*URL, "--first", 3, "--save-answers", saved)
    out, error = spokesmith(*command, "--json", status=1)
    words = " ".join(error.split())
    assert "http://127.0.0.1:9 could not be reached: every probe failed" in words
    assert json.loads(out)["totals"]["measures"]["P"]["value"] == 0
    monkeypatch.setattr(HttpBackend, "complete", lambda self, messages, **_: answer_to(messages))
    spokesmith(*command, "--resume")


def test_what_a_server_answered_while_it_was_not_ready_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "answers.jsonl"
    command = (*URL, "--first", 3, "--save-answers", saved)
    ready: list[str] = []

    def one_is_ready(self: Any, messages: Any, schema: Any = None, **_: Any) -> Completion:
        if ready:
            raise ValueError("HTTP 503: the engine is still loading")
        ready.append("")
        return answer_to(messages)

    monkeypatch.setattr(HttpBackend, "complete", one_is_ready)
    spokesmith(*command, status=1)
    asked: list[str] = []

    def all_are_ready(self: Any, messages: Any, schema: Any = None, **_: Any) -> Completion:
        asked.append("")
        return answer_to(messages)

    monkeypatch.setattr(HttpBackend, "complete", all_are_ready)
    spokesmith(*command, "--resume")
    assert len(asked) == 2


def test_a_bad_server_is_scored_and_its_faults_are_counted(tmp_path: Path) -> None:
    whole = {"message": {"content": '{"gist": "\ud800"}'}, "finish_reason": "stop"}
    faults = [
        (500, b"oh"),
        (200, b"<html>"),
        (200, b""),
        (200, b'{"choices": []}'),
        (200, json.dumps({"choices": [whole]}).encode()),
    ]

    class Bad(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if not faults:
                time.sleep(2)
                return
            status, body = faults.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bad)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    command = ("--url", f"http://127.0.0.1:{server.server_port}/v1", "--concurrency", "1")
    report = tmp_path / "report.json"
    _, error = spokesmith(*command, "--first", 6, "--time-limit", "0.5", "--out", report, status=1)
    server.shutdown()
    totals = report_of(report)["totals"]
    assert totals["errors"] == {
        "no answer: HTTP 500": 1,
        "no answer: the body is not JSON": 1,
        "no answer: the body is empty": 1,
        "no answer: the body is no chat completion": 1,
        "no answer: nothing whole came within 0.5 s": 1,
    }
    assert totals["finish_reasons"] == {"error": 4, "stop": 1, "timeout": 1}
    assert totals["valid"] == {"n": 0, "of": 6}
    words = " ".join(error.split())
    assert "without a whole answer: 5 of 6 probes: no answer: HTTP 500 (1)" in words


def test_texts_are_probed_without_their_contents(engine: list[str], tmp_path: Path) -> None:
    texts, report = tmp_path / "texts.jsonl", tmp_path / "report.json"
    lines = [
        {"id": f"t{number}", "text": probe.text, "domain": "note", "split": split}
        for number, (probe, split) in enumerate(zip(PROBES, ["eval", "train"] * 13, strict=False))
    ]
    texts.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = (*URL, "--set", "texts", "--texts", texts, "--split", "eval", "--without-contents")
    out, _ = spokesmith(*command, "--out", report)
    document = report_of(report)
    assert [entry["id"] for entry in document["probes"]] == [f"t{n}" for n in range(0, 25, 2)]
    assert document["totals"]["categories"] == {"note": {"n": 13, "of": 13, "passes": 13}}
    written = report.read_text(encoding="utf-8") + out
    long = [probe.text[:25] for probe in PROBES if len(probe.text) > 25]
    assert not any(opening in written for opening in long)
    assert "Split pea" not in written
    _, error = spokesmith("--report", report, "--explain", "t0", status=2)
    assert "without contents" in error


def test_bad_lines_are_left_out_and_counted(engine: list[str], tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"id": "a", "text": PROBES[0].text}) + "\nnonsense\n")
    _, error = spokesmith(*URL, "--set", path, status=2)
    assert "line 2 is not JSON" in error
    assert engine == []
    out, error = spokesmith(*URL, "--set", path, "--keep-going", "--json")
    assert json.loads(out)["left_out"] == 1
    words = " ".join(error.split())
    assert "line 2 is not JSON" in words
    assert "bad lines of the set that were left out: 1" in words


def test_one_probe_is_explained_from_answers_or_a_report(answers: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    spokesmith("--answers", answers, "--out", report, status=1)
    first, _ = spokesmith("--report", report, "--explain", "medicine")
    second, _ = spokesmith("--answers", answers, "--explain", "medicine")
    assert first == second
    assert "5 mg" in first
    assert "/structured_concepts/entities/0/name" in first
    entry = json.loads(spokesmith("--report", report, "--explain", "law", "--json")[0])
    assert entry["id"] == "law"
    _, error = spokesmith("--answers", answers, "--explain", "zz", status=2)
    assert "no probe 'zz' in the set gold" in error
    _, error = spokesmith("--report", report, status=2)
    assert "--explain ID" in error


def test_two_reports_are_compared(answers: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    spokesmith("--answers", answers, "--out", one, status=1)
    spokesmith("--answers", answers, "--first", 9, "--out", other, status=1)
    out, error = spokesmith("--compare", one, other)
    assert "pair by pair: 9 probes in both" in out
    assert "warning: only 9 probes are in both" in error
    found = json.loads(spokesmith("--compare", one, other, "--json")[0])
    assert found["paired"]["passes"]["of"] == 9
    (tmp_path / "x.json").write_text("[]")
    _, error = spokesmith("--compare", one, tmp_path / "x.json", status=2)
    assert "no report of format 1" in error
    (tmp_path / "x.json").write_text("{")
    _, error = spokesmith("--compare", one, tmp_path / "x.json", status=2)
    assert "is not JSON" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "nowhere"), "no probe set 'nowhere'"),
        (("--set", "nowhere.jsonl"), "cannot read nowhere.jsonl"),
        (("--set", "texts"), "give it with --texts"),
        (("--split", "eval"), "go with --set texts"),
        (("--url", "here"), "give http://HOST:PORT"),
        ((*URL, "--answers", "a.jsonl"), "give one"),
        (("--model", "m"), "give its --url"),
        ((*URL, "--api-key-env", "NO_SUCH_KEY"), "NO_SUCH_KEY is not set"),
        (("--answers", "a.jsonl"), "cannot read a.jsonl"),
        (("--answers", "a.jsonl", "--resume"), "leave out --resume"),
        ((*URL, "--resume"), "give --out or --save-answers"),
        ((*URL, "--concurrency", "0"), "concurrency is 0"),
        ((*URL, "--time-limit", "0"), "the time limit is 0"),
        ((*URL, "--first", "-1"), "--first is -1"),
        (("--compare", "a.json", "b.json"), "cannot read a.json"),
        (("--spokes", "nowhere"), "no set of spokes at 'nowhere'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, error = spokesmith(*arguments, status=2)
    assert words in error
    assert not list(tmp_path.iterdir())
