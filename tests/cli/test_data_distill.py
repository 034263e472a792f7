"""`spokesmith data distill` as a user meets it, with a teacher of ten lines."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spokesmith.backends.completion import Completion, Timing, Usage
from spokesmith.backends.http import HttpBackend
from spokesmith.cli import app
from spokesmith.data.extract import split_of
from spokesmith.data.generate import generate
from spokesmith.data.pairs import read_pairs
from spokesmith.probes.records import load_probes
from spokesmith.tasks import load_task

PAIRS = {pair.text.strip(): pair for pair in generate(6, seed=3, kinds=["news", "email"])}
TEXTS = list(PAIRS)


class Teacher:
    """Answers with the generator's golds, but for the texts that `answers` names."""

    def __init__(self) -> None:
        self.answers: dict[str, str | BaseException] = {}
        self.asked: list[str] = []
        self.schemas: list[Any] = []
        self.tokens = 100

    def complete(self, messages: Any, schema: Any = None, **_: Any) -> Completion:
        text = messages[-1]["content"]
        self.asked.append(text)
        self.schemas.append(schema)
        answer = self.answers.get(text, json.dumps(PAIRS[text].gold))
        if isinstance(answer, BaseException):
            raise answer
        return Completion(
            text=answer,
            finish_reason="stop",
            usage=Usage(prompt_tokens=1000, completion_tokens=self.tokens),
            timing=Timing(first_token_s=0.1, total_s=0.5),
        )


@pytest.fixture
def teacher(monkeypatch: pytest.MonkeyPatch) -> Teacher:
    made = Teacher()
    monkeypatch.setattr(
        HttpBackend, "complete", lambda _, *asked, **how: made.complete(*asked, **how)
    )
    return made


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Six texts; the first names its domain, the last is of another split."""
    rows: list[dict[str, str]] = [
        {"id": f"t-{number}", "text": text, "split": "train"} for number, text in enumerate(TEXTS)
    ]
    rows[0]["domain"] = "press"
    rows[-1]["split"] = "eval"
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def distill(
    texts: Path, out: Path, *options: str | int, status: int = 0
) -> tuple[dict[str, Any], str]:
    """Run the command; its JSON and stderr, or a user's mistake or interruption in words."""
    fixed = ("--texts", texts, "--out", out, "--url", "http://127.0.0.1:9", "--concurrency", 1)
    command = [*map(str, ("data", "distill", *fixed, *options)), "--json"]
    result = CliRunner().invoke(app, command)
    if isinstance(result.exception, ValueError):
        assert status == 2
        return {}, str(result.exception)
    assert result.exit_code == status, (result.exception, result.stderr)
    return (json.loads(result.stdout) if result.stdout else {}), result.stderr


def files(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text() for name in ("pairs.jsonl", "rejected.jsonl")}


def test_faithful_answers_become_pairs_and_the_others_say_why(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    made_up = {**PAIRS[TEXTS[1]].gold, "narrative": "It cost 98,765 EUR."}
    teacher.answers = {
        TEXTS[1]: json.dumps(made_up),
        TEXTS[2]: "Sure!",
        TEXTS[3]: ValueError("HTTP 500: out of order"),
    }
    out = tmp_path / "out"
    prices = ("--price-in", 2, "--price-out", 10)
    document, _ = distill(texts, out, "--split", "train", *prices)
    assert (document["accepted"], document["rejected"]) == (2, 3)
    assert document["reasons"] == {"made_up": 1, "schema": 1, "no_answer": 1}
    assert document["uncounted"] == 1
    assert document["cost"] == pytest.approx((4 * 1000 * 2 + 4 * 100 * 10) / 1e6)
    pairs = list(read_pairs(out / "pairs.jsonl"))
    assert [(pair.id, pair.kind, pair.gold) for pair in pairs] == [
        ("t-0", "press", PAIRS[TEXTS[0]].gold),
        ("t-4", "distilled", PAIRS[TEXTS[4]].gold),
    ]
    rejected = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
    assert [one["id"] for one in rejected] == ["t-1", "t-2", "t-3"]
    assert "98,765" in rejected[0]["reasons"]["made_up"]
    assert rejected[1]["answer"] == "Sure!"
    assert "out of order" in rejected[2]["reasons"]["no_answer"]
    assert all(teacher.schemas)


def test_keys_in_another_order_become_canonical(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    gold = PAIRS[TEXTS[0]].gold
    teacher.answers = {TEXTS[0]: json.dumps(dict(reversed(gold.items())), indent=2)}
    distill(texts, tmp_path / "out", "--free")
    first = next(iter(read_pairs(tmp_path / "out" / "pairs.jsonl")))
    assert json.dumps(asdict(first)["gold"]) == json.dumps(gold)
    assert not any(teacher.schemas)


def test_a_run_that_was_stopped_resumes_to_the_same_files(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    teacher.answers = {TEXTS[1]: "Sure!"}
    distill(texts, tmp_path / "whole")
    teacher.answers[TEXTS[3]] = KeyboardInterrupt()
    _, said = distill(texts, tmp_path / "cut", status=130)
    assert "--resume goes on" in " ".join(said.split())
    assert not (tmp_path / "cut" / "pairs.jsonl").exists()
    del teacher.answers[TEXTS[3]]
    teacher.asked.clear()
    document, _ = distill(texts, tmp_path / "cut", "--resume")
    assert teacher.asked == TEXTS[3:]
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert document["accepted"] + document["rejected"] == len(TEXTS)


def test_a_text_without_an_answer_is_asked_for_again(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    teacher.answers = {TEXTS[2]: ValueError("HTTP 429: slow down")}
    assert distill(texts, tmp_path / "out")[0]["rejected"] == 1
    teacher.answers.clear()
    teacher.asked.clear()
    assert distill(texts, tmp_path / "out", "--resume")[0]["rejected"] == 0
    assert teacher.asked == [TEXTS[2]]


def test_answers_that_are_asked_for_again_stay_paid_for(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    def paid(*options: str, status: int = 0) -> tuple[int, int]:
        document, _ = distill(texts, tmp_path / "out", *options, status=status)
        return document.get("prompt_tokens", 0), document.get("completion_tokens", 0)

    teacher.answers = {TEXTS[1]: "", TEXTS[2]: "", TEXTS[3]: ValueError("HTTP 500")}
    assert paid() == (5000, 500)
    # Stopped before the second was asked for again.
    del teacher.answers[TEXTS[1]], teacher.answers[TEXTS[3]]
    teacher.answers[TEXTS[2]] = KeyboardInterrupt()
    teacher.tokens = 30
    paid("--resume", status=130)
    del teacher.answers[TEXTS[2]]
    assert paid("--resume") == (8000, 590)
    # Nothing is left to ask for, so nothing more is paid.
    assert paid("--resume") == (8000, 590)


def test_a_text_stays_in_the_split_that_its_line_names(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in texts.read_text().splitlines()]
    del rows[0]["split"]
    for split in ("train", "eval"):
        rows = [row | {"split": split} if "split" in row else row for row in rows]
        texts.write_text("".join(json.dumps(row) + "\n" for row in rows))
        distill(texts, tmp_path / split)
        first, *others = read_pairs(tmp_path / split / "pairs.jsonl")
        assert first.split == split_of(TEXTS[0])
        assert {pair.split for pair in others} == {split}


def test_a_split_that_pairs_cannot_be_of_is_refused(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in texts.read_text().splitlines()]
    rows[2]["split"] = "test"
    texts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, words = distill(texts, tmp_path / "out", status=2)
    assert "the split of the text 't-2' is 'test', and pairs are of train or eval: change" in words
    assert not teacher.asked
    assert not (tmp_path / "out").exists()
    document, _ = distill(texts, tmp_path / "out", "--split", "train")
    assert document["texts"] == 4


def test_probes_of_the_task_are_not_asked_for(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    probe = load_probes(load_task("memory").probe_files[0])[0]
    with texts.open("a") as file:
        file.write(json.dumps({"id": "probe", "text": f" {probe.text}\n"}) + "\n")
    document, _ = distill(texts, tmp_path / "out")
    assert teacher.asked == TEXTS
    assert (document["texts"], document["held_out"]) == (6, 1)
    assert distill(texts, tmp_path / "out", "--resume")[0]["accepted"] == 6


def test_nothing_is_replaced_unless_asked_for(
    teacher: Teacher, texts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert "to go on with" in distill(texts, out, "--resume", status=2)[1]
    distill(texts, out)
    before = files(out)
    assert "is there already" in distill(texts, out, status=2)[1]
    assert "another model" in distill(texts, out, "--resume", "--model", "b", status=2)[1]
    assert files(out) == before
    teacher.answers = dict.fromkeys(TEXTS, "Sure!")
    assert distill(texts, out, "--force", status=1)[0]["accepted"] == 0
    assert files(out)["pairs.jsonl"] == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--price-in", 2), "go together"),
        (("--price-in", -1, "--price-out", 1), "price is -1"),
        (("--split", "test"), "holds no probe"),
        (("--resume", "--force"), "give one"),
        (("--api-key-env", "NO_SUCH_KEY"), "is not set"),
    ],
)
def test_mistakes_are_told(
    teacher: Teacher, texts: Path, tmp_path: Path, options: tuple[Any, ...], words: str
) -> None:
    assert words in distill(texts, tmp_path / "out", *options, status=2)[1]
    assert not teacher.asked
    assert not (tmp_path / "out").exists()
