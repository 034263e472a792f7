"""Inputs of up to five words: what their encodings may and may not say."""

import copy
import json
from typing import Any

import pytest

from spokesmith.data.generate import generate
from spokesmith.metrics import MinimalInput, is_minimal, judge
from spokesmith.tasks import load_task

TASK = load_task("memory")
GOLD: dict[str, Any] = {
    "gist": "Backup finally finished",
    "summary": "Backup finally finished",
    "content": "Backup finally finished",
    "narrative": "",
    "concepts": ["backup"],
    "structured_concepts": {"topics": [], "entities": [], "actions": [], "causality": []},
    "significance": "routine",
    "emotional_tone": "neutral",
    "outcome": "success",
    "salience": 0.1,
}


def judged(text: str = "Backup finally finished", **changes: Any) -> MinimalInput:
    encoding = copy.deepcopy(GOLD)
    for name, value in changes.items():
        part = encoding if name in encoding else encoding["structured_concepts"]
        part[name] = value
    found = judge(json.dumps(encoding), text, TASK.schema).minimal
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ok", True),
        ("one two three four five", True),
        ("one two three four five six", False),
        ("https://docs.example.org/guide/install?v=2.1#linux", True),
        ("谢谢", True),
        ("明天见 ok", True),
        ("お疲れ様です", False),
        ("ｵﾂｶﾚｻﾏ", False),
        ("ﾈｺ", True),
        ("แมว", True),
        ("การสำรองข้อมูลล้มเหลวเมื่อคืนนี้", False),
        ("ການສຳຮອງຂໍ້ມູນລົ້ມເຫຼວ", False),
        ("ការបម្រុងទុកបានបរាជ័យ", False),
        ("အရန်သိမ်းဆည်းမှု", False),
        ("백업이 어제 밤에 실패했다", True),
        ("5½ cups of warm milk", True),
        ("", False),
        (" \n", False),
    ],
)
def test_up_to_five_words(text: str, expected: bool) -> None:
    assert is_minimal(text) is expected


def test_longer_inputs_are_not_asked() -> None:
    text = "The nightly backup has finally finished without errors."
    assert judge(json.dumps(GOLD), text, TASK.schema).minimal is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"summary": "Backup finally finished after 3 hours"}, "made up: 3 hours"),
        ({"summary": "The nightly database backup finally finished cleanly"}, "3 words are new"),
        ({"summary": "Backup finished because it finally ran"}, "a cause: because"),
        (
            {"causality": [{"relation": "led_to", "description": "backup finished"}]},
            "a cause: /structured_concepts/causality/0",
        ),
        ({"salience": 0.35}, "salience 0.35 is over 0.3"),
    ],
)
def test_each_fault_is_found(changes: dict[str, Any], problem: str) -> None:
    assert any(line.startswith(problem) for line in judged(**changes).problems)
    assert judged().passes


def test_topics_paths_and_types_are_no_vocabulary() -> None:
    topics = [{"label": "backup", "path": "software/operations/storage/archive"}]
    assert judged(topics=topics).passes


def test_a_cause_that_the_input_tells_of_may_be_said() -> None:
    causes = [{"relation": "caused_by", "description": "backup failed"}]
    text = "Late because backup failed"
    said = dict.fromkeys(("gist", "summary", "content"), text)
    assert judged(text, **said, causality=causes).passes


def test_generated_golds_of_minimal_inputs_pass() -> None:
    pairs = [pair for pair in generate(120, seed=3, kinds=["minimal"]) if is_minimal(pair.text)]
    assert len(pairs) > 100
    for pair in pairs:
        found = judge(TASK.canonical(pair.gold), pair.text, TASK.schema).minimal
        assert found is not None
        assert found.passes, (pair.text, found)
