"""From pairs to token ids: what is learned, what is dropped, and the length report."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spokesmith.bases import ChatFormat
from spokesmith.data.generate import generate
from spokesmith.data.pairs import Pair, read_pairs, write_pairs
from spokesmith.data.prepare import (
    chat_key,
    prepare,
    prepared_key,
    read_prepared,
    write_prepared,
)
from spokesmith.tasks import load_task
from spokesmith.testing import byte_tokenizer

TASK = load_task("memory")
CHAT = ChatFormat(byte_tokenizer())


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return list(generate(80, seed=2))


def test_an_example_is_the_prompt_and_the_canonical_answer(pairs: list[Pair]) -> None:
    prepared = prepare(pairs, TASK, CHAT, max_length=100_000)
    train = [pair for pair in pairs if pair.split == "train"]
    assert len(prepared.splits["train"]) == len(train)
    for pair, example in zip(train, prepared.splits["train"], strict=True):
        whole = np.concatenate([prepared.prefix, example.tokens]).tolist()
        prompt = CHAT.prompt_ids(TASK.messages(pair.text))
        assert whole[: len(prompt)] == prompt
        assert len(prompt) == len(prepared.prefix) + example.answer_start
        answer = CHAT.tokenizer.decode(whole[len(prompt) : -1])
        assert answer == TASK.canonical(pair.gold)
        assert whole[-1] == CHAT.end_id


def test_too_long_is_dropped_and_counted_never_cut(pairs: list[Pair]) -> None:
    whole = prepare(pairs, TASK, CHAT, max_length=100_000)
    limit = whole.report.total_quantiles["p50"]
    prepared = prepare(pairs, TASK, CHAT, max_length=limit)
    report = prepared.report
    for split in ("train", "eval"):
        kept, dropped = report.kept[split], report.dropped[split]
        assert kept + dropped == whole.report.kept[split]
        assert kept == len(prepared.splits[split])
        for example in prepared.splits[split]:
            assert len(prepared.prefix) + len(example.tokens) <= limit
            assert example.tokens[-1] == CHAT.end_id
    assert report.dropped["train"] > 0
    assert report.total_quantiles["max"] <= limit


def test_written_is_read(pairs: list[Pair], tmp_path: Path) -> None:
    prepared = prepare(pairs, TASK, CHAT, max_length=3000)
    assert read_prepared(tmp_path / "tokens") is None
    write_prepared(tmp_path / "tokens", prepared)
    again = read_prepared(tmp_path / "tokens")
    assert again is not None
    assert again.report == prepared.report
    assert np.array_equal(again.prefix, prepared.prefix)
    for split, examples in prepared.splits.items():
        for one, other in zip(examples, again.splits[split], strict=True):
            assert np.array_equal(one.tokens, other.tokens)
            assert one.answer_start == other.answer_start


def test_the_key_follows_all_that_the_tokens_depend_on(pairs: list[Pair], tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, pairs)
    key = prepared_key(path, TASK, "base", 100)
    assert key == prepared_key(path, TASK, "base", 100)
    others = {prepared_key(path, TASK, "other", 100), prepared_key(path, TASK, "base", 101)}
    write_pairs(path, pairs[:-1])
    others.add(prepared_key(path, TASK, "base", 100))
    assert len(others) == 3
    assert key not in others


def test_the_key_of_a_turn_format_follows_all_that_it_writes() -> None:
    def other(**changes: Any) -> ChatFormat:
        tokenizer = byte_tokenizer()
        for name, value in changes.items():
            setattr(tokenizer, name, value)
        return ChatFormat(tokenizer)

    richer = byte_tokenizer()
    richer.add_tokens(["gist"])
    others = [
        other(chat_template=CHAT.template + "\n"),
        other(eos_token="<|start|>"),
        other(bos_token="<|end|>"),
        ChatFormat(byte_tokenizer(), template_options={"enable_thinking": False}),
        ChatFormat(richer),
    ]
    keys = {chat_key(chat) for chat in [CHAT, *others]}
    assert len(keys) == len(others) + 1
    # It is no matter what the tokenizer was used for.
    used = byte_tokenizer()
    used(["one", "of several"], padding=True, truncation=True, max_length=8)
    assert chat_key(CHAT) == chat_key(ChatFormat(used))


def test_pairs_survive_a_round_trip(pairs: list[Pair], tmp_path: Path) -> None:
    path = tmp_path / "deep" / "pairs.jsonl"
    assert write_pairs(path, pairs) == len(pairs)
    assert list(read_pairs(path)) == pairs
    assert [file.name for file in path.parent.iterdir()] == ["pairs.jsonl"]


def test_writing_that_fails_leaves_what_was_there(pairs: list[Pair], tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, pairs[:3])

    def failing() -> Iterator[Pair]:
        yield pairs[0]
        raise ValueError("the generator gave up")

    with pytest.raises(ValueError, match="gave up"):
        write_pairs(path, failing())
    assert list(read_pairs(path)) == pairs[:3]
    assert [file.name for file in tmp_path.iterdir()] == ["pairs.jsonl"]


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "x"}'])
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ValueError, match=r"pairs\.jsonl, line 1 is not a pair"):
        list(read_pairs(path))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("gold", '{"gist": "a"}', "is .*, want an object"),
        ("text", 42, "is 42, want a string"),
        ("text", None, "is null, want a string"),
        ("twin", 7, "is 7, want a string"),
        ("text", "a \ud83d", "holds half of a surrogate pair"),
        ("gold", {"gist": ["\udc4d"]}, "holds half of a surrogate pair"),
    ],
)
def test_a_value_that_no_pair_may_have_is_named(
    name: str, value: object, words: str, pairs: list[Pair], tmp_path: Path
) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, pairs[:2])
    whole, last = path.read_text().splitlines()
    path.write_text("\n".join([whole, json.dumps({**json.loads(last), name: value})]))
    with pytest.raises(ValueError, match=rf"pairs\.jsonl, line 2: {name} {words}"):
        list(read_pairs(path))


def test_golds_that_do_not_fit_the_schema_are_refused(pairs: list[Pair]) -> None:
    bad = [
        replace(pair, gold={**pair.gold, "salience": salience})
        for pair, salience in zip(pairs, (7, float("nan"), "high"), strict=False)
    ]
    for golds, words in (
        (bad[:1], r"\(/salience: 7 is greater than the maximum of 1\): mend it"),
        (bad, r"\(/salience: 7 .*\), nor do 2 more: .*`spokesmith data audit --task`"),
        (bad[1:], r"\(Out of range float values.*nor do 1 more"),
    ):
        with pytest.raises(ValueError, match=f"pair '{golds[0].id}' does not fit.*{words}"):
            prepare([*golds, *pairs], TASK, CHAT, max_length=100_000)
