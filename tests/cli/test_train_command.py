"""What `spokesmith train` says of its data."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spokesmith.cli import app
from spokesmith.data.generate import generate
from spokesmith.data.pairs import Pair, write_pairs

CHOICES = ("max_steps=1", "num_spokes=1", "rank=2", "max_length=4096")


@pytest.mark.parametrize(
    ("long_splits", "words"),
    [
        ([], ()),
        (["train"], ("1 of 13 pairs are longer than 4096 tokens and left out",)),
        (["train", "eval"], ("2 of 14 pairs", "no pair is left to evaluate on")),
    ],
)
def test_pairs_that_are_left_out_are_told(
    long_splits: list[str], words: tuple[str, ...], tmp_path: Path
) -> None:
    pairs = [replace(pair, split="train") for pair in generate(12, seed=1, kinds=["minimal"])]
    long: list[Pair] = [
        replace(pairs[0], id=f"long-{split}", text="so it is " * 1000, split=split)
        for split in long_splits
    ]
    write_pairs(tmp_path / "data" / "pairs.jsonl", [*pairs, *long])
    options = [word for choice in CHOICES for word in ("--set", choice)]
    where = ("--data", str(tmp_path / "data"), "--out", str(tmp_path / "run"))
    result = CliRunner().invoke(app, ["train", "--base", "tiny-llama", *where, *options])
    assert result.exit_code == 0, result.exception
    said = " ".join(result.stderr.split())
    assert all(word in said for word in words)
    assert ("left out" in said) == bool(long)
