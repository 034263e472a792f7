"""`spokesmith data audit` as a user meets it: the verdict, the card, and what it is told."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spokesmith.cli import app
from spokesmith.data.generate import generate
from spokesmith.data.pairs import write_pairs

PAIRS = list(generate(12, seed=5, kinds=["news", "email"]))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "set" / "pairs.jsonl", PAIRS)
    return tmp_path / "set"


def audit(data: Path, *options: str | Path, status: int = 0) -> str:
    """Run the command; its output, or a user's mistake in words."""
    command = ["data", "audit", "--data", str(data), "--workers", "1", *map(str, options)]
    result = CliRunner().invoke(app, command)
    if isinstance(result.exception, ValueError):
        assert status == 2
        return str(result.exception)
    assert result.exit_code == status, (result.exception, result.stderr)
    return result.stdout


def test_the_document_names_the_file_and_counts_tokens(data: Path) -> None:
    document: dict[str, Any] = json.loads(audit(data, "--base", "tiny-llama", "--json"))
    assert document["ok"] is True
    assert document["pairs"] == len(PAIRS)
    content = (data / "pairs.jsonl").read_bytes()
    assert document["file_hash"] == hashlib.sha256(content).hexdigest()
    assert set(document["lengths"]) >= {"text_tokens", "target_tokens"}
    assert document["measures"]["SC"] == {"value": 1.0, "n": len(PAIRS)}
    assert document["measures"]["HFR"]["value"] == 0.0


def test_the_card_is_markdown_and_is_not_replaced(data: Path, tmp_path: Path) -> None:
    card = tmp_path / "docs" / "card.md"
    assert "every target is right" in audit(data, "--card", card)
    page = card.read_text()
    assert page.startswith("# Data set set\n")
    assert "Every fatal check passes." in page
    assert "| numbers lost | 0 | good |  |" in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert str(tmp_path) not in page
    assert "is there already" in audit(data, "--card", card, status=2)
    audit(data, "--card", card, "--force")


def test_texts_of_named_files_must_not_be_in_the_set(data: Path, tmp_path: Path) -> None:
    rows = [
        {"id": "a", "text": PAIRS[0].text, "split": "eval"},
        {"id": "b", "text": PAIRS[1].text, "split": "train"},
    ]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    every = json.loads(audit(data, "--probes", texts, "--json", status=1))
    assert every["checks"]["probe_leakage"]["count"] == 2
    some = ("--probes", texts, "--probes-split", "eval")
    assert json.loads(audit(data, *some, "--json", status=1))["probes"][str(texts)] == 1
    assert "the data set fails" in audit(data, *some, status=1)
    assert "--probes-split goes with" in audit(data, "--probes-split", "eval", status=2)
