"""`bench/results.py`: reports of whole sets from kept answers, and the page over them."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from spokesmith.cli.asking import Source
from spokesmith.probes import Asking, load_set
from spokesmith.tasks import load_task

SCRIPT = Path(__file__).parents[1] / "bench" / "results.py"
TEXTS = [
    {"id": f"t{number}", "text": f"Ana moved {number + 10} files to Lindau.", "split": split}
    for number, split in enumerate(("eval", "eval", "train"))
]


def run(out: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "--out", out, "--time-limit", "9", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def keep_answers(out: Path, name: str, texts: Path) -> None:
    """Answers as a run leaves them, all but one whole; so no model is needed."""
    task = load_task("memory")
    options = {"texts": texts, "split": "eval"} if name == "texts" else {}
    found = load_set(name, task, **options)
    gold = json.dumps(load_set("gold", task).probes[0].gold)
    for decoding in ("free", "constrained"):
        how = Asking(
            constrained=decoding == "constrained", max_tokens=task.max_tokens, time_limit_s=9
        )
        lines = [{"format": 1, "settings": Source().settings(task, found, how)}]
        lines += [{"id": probe.id, "text": gold} for probe in found.probes[1:]]
        lines += [{"id": found.probes[0].id, "text": "no"}]
        path = out / f"{name}-{decoding}.json.answers.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_set_is_scored_from_its_answers_and_shown_on_the_page(tmp_path: Path) -> None:
    texts = tmp_path / "given.jsonl"
    texts.write_text("".join(json.dumps(one) + "\n" for one in TEXTS))
    keep_answers(tmp_path, "texts", texts)
    done = run(tmp_path, "--sets", "texts", "--texts", texts)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in tmp_path.glob("*.json")}
    assert names == {"texts-free.json", "texts-constrained.json"}
    written = (tmp_path / "texts-free.json").read_text()
    report = json.loads(written)
    assert [probe["id"] for probe in report["probes"]] == ["t0", "t1"]
    assert report["time_limit_s"] == 9
    assert report["made"]["engine"] == "local"
    assert "Lindau" not in written
    assert str(tmp_path) not in written
    # Each probe stands on a line of its own.
    assert sum(line.startswith('{"id"') for line in written.splitlines()) == 2
    page = (tmp_path / "index.html").read_text()
    assert page.count('class="overview"') == 2
    assert "texts-constrained.json" in page


def test_the_gold_set_keeps_its_texts_and_answers_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    results = importlib.import_module("results")
    asked: list[list[str]] = []

    def answered(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        (path,) = [Path(word.removeprefix("--out=")) for word in command if "--out=" in word]
        summary = {"totals": {"measures": {}, "median_latency_s": None}, "probes": []}
        of = {"task": "memory", "set": path.stem, "base": "b", "spokes": "s", "url": None}
        head = {"format": 1, "constrained": "con" in path.stem, **of}
        path.write_text(json.dumps(head | summary))
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(results.subprocess, "run", answered)
    monkeypatch.setattr(sys, "argv", ["results.py", "--out", str(tmp_path), "--concurrency", "3"])
    assert results.main() == 0
    assert len(asked) == 10
    assert [("--summary" in command) for command in asked] == [False, False, *[True] * 8]
    assert all({"--resume", "--concurrency=3"} <= set(command) for command in asked)
    monkeypatch.setattr(sys, "argv", ["results.py", "--out", str(tmp_path), "--anew"])
    assert results.main() == 0
    assert not any("--resume" in command for command in asked[10:])
    assert (tmp_path / "index.html").is_file()


def test_real_texts_need_their_file_and_a_mistake_stops_the_run(tmp_path: Path) -> None:
    done = run(tmp_path, "--sets", "texts")
    assert done.returncode == 2
    assert "needs --texts FILE" in done.stderr
    done = run(tmp_path, "--sets", "opera,gold")
    assert done.returncode == 2
    assert "no probe set 'opera'" in done.stderr
    assert not list(tmp_path.iterdir())
