"""The bench of training: its joined examples, its arithmetic, its verdicts."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from spokesmith.data.prepare import Example
from spokesmith.testing import tiny_base


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "bench"))
    import train

    return train


def example(prompt: int, answer: int) -> Example:
    tokens = np.array([1] * prompt + [2] * answer, dtype=np.int32)
    return Example(tokens=tokens, answer_start=prompt)


def test_joined_examples_fill_the_room_and_keep_prompts_before_answers(bench: ModuleType) -> None:
    given = [example(3, 4), example(5, 1), example(2, 2), example(1, 1)]
    joined = sys.modules["train_base"].joined_examples(given, 5, 14)
    assert len(joined) == 5
    for one in joined:
        assert 7 < len(one.tokens) <= 14
        assert set(one.tokens[: one.answer_start]) == {1}
        assert set(one.tokens[one.answer_start :]) == {2}


def test_flops_count_a_shared_opening_once_in_layers_that_keep_keys(bench: ModuleType) -> None:
    base = tiny_base("gemma4_text")
    work = sys.modules["train_work"].BaseWork.of(base)
    rows = [example(3, 4), example(5, 1)]
    apart = work.step_flops(rows, 10, shares_prefix=False, adapter=100)
    shared = work.step_flops(rows, 10, shares_prefix=True, adapter=100)
    run = sys.modules["train_work"]._stretch
    saved = 2 * run(work.layers, 0, 10) - run(work.layers[:2], 0, 10) + 10 * 100 * 6
    assert work.num_writing_keys == 2
    assert apart - shared == saved


def test_a_side_that_ran_out_of_memory_has_no_verdict(bench: ModuleType) -> None:
    row = {"tokens_per_s": 30.0, "peak_gb": 2.0, "peak_beyond_base_gb": 1.0}
    row |= {"seconds": 2.0, "model_tflop": 1.0}
    result = {
        "plain": dict(row, tokens_per_s=10.0, peak_gb=4.0),
        "lora": dict(row, tokens_per_s=40.0),
        "spokesmith": {"failed": "out of memory"},
        "spokesmith-every": dict(row),
        "spokes_share": {"side": "spokesmith-every", "share": 0.04},
        "matrix_tflop_per_s": 1.0,
        "device": "cpu",
        "length": 1024,
        "joins": False,
        "shrink": 4,
    }
    bench.add_ratios(result, bench.SIDES["gemma4-e2b-random"])
    verdicts = {(one["side"], one["verdict"]) for one in bench.judge(result)}
    assert ("spokesmith", "not measured: no GPU") in verdicts
    assert ("spokesmith", "reached") not in verdicts
    found = [one["verdict"] for one in bench.judge(result) if one["side"] == "spokesmith-every"]
    assert found == ["reached", "reached", "missed", "reached", "not measured: no GPU"]
