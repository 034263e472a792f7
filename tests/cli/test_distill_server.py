"""`data distill` against a teacher behind a real local server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spokesmith.cli import app
from spokesmith.data.gold import make_gold

ASKED: list[str] = []


class Teacher(BaseHTTPRequestHandler):
    """Answers with a faithful encoding; of texts with a `!` with a made-up one."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][-1]["content"]
        ASKED.append(text)
        gold = make_gold(text=text, concepts=["pump"], significance="routine", salience=0.2)
        if "!" in text:
            gold["summary"] = "Ana Ruiz did it in 1999."
        message = {"role": "assistant", "content": json.dumps(gold)}
        answer: dict[str, Any] = {
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 50},
        }
        payload = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    ASKED.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Teacher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_pairs_and_rejected_answers_are_kept_and_a_run_resumes(url: str, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    words = ["The pump of hall 3 is quiet.", "The pump of hall 4 hums!", "The lamp 7 is out."]
    texts.write_text("".join(json.dumps({"id": w[:8] + w[-9:], "text": w}) + "\n" for w in words))
    out = tmp_path / "distilled"
    command = ["data", "distill", "--texts", str(texts), "--url", url, "--out", str(out), "--json"]
    prices = ["--price-in", "2", "--price-out", "10"]

    first = CliRunner().invoke(app, [*command, *prices])
    assert first.exit_code == 0, first.output
    said = json.loads(first.stdout)
    assert (said["accepted"], said["rejected"]) == (2, 1)
    assert said["cost"] == pytest.approx((300 * 2 + 150 * 10) / 1e6)
    assert "made_up" in said["reasons"]
    pairs = (out / "pairs.jsonl").read_text()
    assert {json.loads(line)["text"] for line in pairs.splitlines()} == {words[0], words[2]}
    (rejected,) = (out / "rejected.jsonl").read_text().splitlines()
    assert json.loads(rejected)["text"] == words[1]

    answers = (out / "answers.jsonl").read_text().splitlines(keepends=True)
    (out / "answers.jsonl").write_text("".join(answers[:-1]))
    ASKED.clear()
    again = CliRunner().invoke(app, [*command, "--resume"])
    assert again.exit_code == 0, again.output
    assert len(ASKED) == 1
    assert (out / "pairs.jsonl").read_text() == pairs
