"""`spokesmith data generate` as a user meets it: what it leaves out of real texts, and says so."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from spokesmith.cli import app

# A numbered list in running text: the numbers of its steps are lost where sentences are chosen.
LOSING = " ".join(
    f"{number}. Somebody of the team looks after the {thing} of the store before the audit begins "
    "and writes it into the plan of the week."
    for number, thing in enumerate(("boxes", "shelves", "parts", "halls", "doors", "vans"), start=1)
)


def generate(out: Path, *options: str | Path) -> tuple[str, str]:
    """Run the command; what it writes to stdout and to stderr."""
    command = ["data", "generate", "--out", str(out), *map(str, options)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, (result.exception, result.stderr)
    return result.stdout, result.stderr


def test_real_texts_that_must_not_be_learned_from_are_left_out(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "fine", "text": "Ana moved 3 files to /srv/3.", "split": "train"},
        {"id": "losing", "text": LOSING, "split": "train"},
        {"id": "probe", "text": "It works now", "split": "train"},
        {"id": "unseen", "text": "Ben sold 4 boats to Cleo in Lindau.", "split": "eval"},
        {"id": "copy", "text": "ben sold 4 boats to Cleo in Lindau", "split": "train"},
    ]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("--count", 5, "--texts", texts, "--texts-split", "train")
    out, _ = generate(tmp_path / "a", *options, "--json")
    document = json.loads(out)
    assert document["pairs"] == 6
    assert document["dropped"] == {"held_out": 2, "numbers_lost": 1}
    pairs = (tmp_path / "a" / "pairs.jsonl").read_text().splitlines()
    ids = [json.loads(pair)["id"] for pair in pairs]
    assert "fine" in ids
    assert not {"losing", "probe", "unseen", "copy"} & set(ids)
    _, said = generate(tmp_path / "b", *options)
    assert "real texts left out: 3 (held out 2, numbers lost 1)" in said


def test_long_sentences_may_be_texts_too(tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    text = (
        "Somebody of the team looks after the boxes of the store before the audit begins in May. "
        "It is a large store."
    )
    texts.write_text(json.dumps({"id": "one", "text": text}) + "\n")
    out, _ = generate(tmp_path / "a", "--count", 0, "--texts", texts, "--sentences", "--json")
    assert json.loads(out)["pairs"] == 2


def test_less_than_no_excerpts_are_refused(tmp_path: Path) -> None:
    options = ["data", "generate", "--out", str(tmp_path), "--count", "1", "--excerpts", "-1"]
    assert "--excerpts -1: use 0 or more" in str(CliRunner().invoke(app, options).exception)


def test_nothing_is_said_where_nothing_is_left_out(tmp_path: Path) -> None:
    assert "left out" not in generate(tmp_path, "--count", 5)[1]
