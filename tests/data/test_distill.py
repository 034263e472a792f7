"""A teacher's answers become pairs where they are faithful, and are kept with reasons where not."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spokesmith.data.distill import Prices, Rejected, Tally, Text, verdict, write_rejected
from spokesmith.data.gold import make_gold
from spokesmith.data.pairs import Pair
from spokesmith.tasks import load_task

TASK = load_task("memory")
TEXT = Text(id="t-1", kind="note", text="The pump in hall 3 stopped at 14:05.")


@dataclass(frozen=True)
class Came:
    text: str
    finish_reason: str = "stop"
    problem: str | None = None
    prompt_tokens: int | None = 300
    completion_tokens: int | None = 100


def gold(**changes: Any) -> str:
    made = make_gold(text=TEXT.text, concepts=["pump"], significance="routine", salience=0.2)
    return json.dumps({**made, **changes})


def test_a_faithful_answer_becomes_a_pair_in_canonical_form() -> None:
    found = verdict(TEXT, Came(gold()), TASK)
    assert isinstance(found, Pair)
    assert found.kind == "note"
    assert found.split in ("train", "eval")
    assert json.dumps(found.gold) == json.dumps(json.loads(TASK.canonical(found.gold)))


@pytest.mark.parametrize(
    ("came", "reason"),
    [
        (Came(gold(summary="Ana Ruiz stopped the pump.")), "made_up"),
        (Came(gold(summary="It stopped at 14:06.")), "made_up"),
        (Came(gold(gist="", summary="", content="", narrative="")), "numbers_lost"),
        (Came(gold(mood="calm")), "schema"),
        (Came("The pump stopped."), "schema"),
        (Came(gold()[:80], "length", "cut after 20 tokens"), "cut"),
        (Came("", "error", "HTTP status 500"), "no_answer"),
    ],
)
def test_any_other_is_rejected_with_its_reason(came: Came, reason: str) -> None:
    found = verdict(TEXT, came, TASK)
    assert isinstance(found, Rejected)
    assert reason in found.reasons
    assert found.answer == came.text


def test_rejected_answers_are_written_whole(tmp_path: Path) -> None:
    found = verdict(TEXT, Came('{"gist": "\\ud83d'), TASK)
    assert isinstance(found, Rejected)
    write_rejected(tmp_path / "rejected.jsonl", [found])
    (line,) = (tmp_path / "rejected.jsonl").read_text().splitlines()
    assert json.loads(line)["answer"] == '{"gist": "\\ud83d'


def test_tokens_are_counted_and_priced() -> None:
    tally = Tally(texts=3, prices=Prices(prompt=2.0, completion=10.0))
    for came in (Came(gold()), Came("no"), Came(gold(), prompt_tokens=None)):
        tally.add(verdict(TEXT, came, TASK), came)
    assert (tally.accepted, tally.rejected, tally.uncounted) == (2, 1, 1)
    assert tally.cost == pytest.approx((600 * 2 + 300 * 10) / 1e6)
    with pytest.raises(ValueError, match="the prompt price is -1"):
        Prices(prompt=-1, completion=0)
