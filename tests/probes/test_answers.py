"""The answers file: nothing is lost, an unfinished line is dropped, other settings are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from spokesmith.probes import Answer, read_answers
from spokesmith.probes.answers import AnswerLog, resumable

SETTINGS = {"task": "memory", "max_tokens": 9}
ONE = Answer(id="a", text="x\ud800\u2028", latency_s=1.5, completion_tokens=3)
CUT = Answer(id="b", text="{", finish_reason="length", problem="cut after 9 tokens")


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "answers.jsonl"
    with AnswerLog(path, SETTINGS) as log:
        log.add(ONE)
        assert read_answers(path).answers == {"a": ONE}
        log.add(CUT)
    found = read_answers(path)
    assert found.settings == SETTINGS
    assert found.answers == {"a": ONE, "b": CUT}
    assert list(path.parent.iterdir()) == [path]


def test_every_cut_of_the_file_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with AnswerLog(path, SETTINGS) as log:
        log.add(ONE)
        log.add(CUT)
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    first = whole.index(b"\n", header)
    for length in range(header, len(whole)):
        path.write_bytes(whole[:length])
        known = resumable(path, SETTINGS)
        assert set(known) <= {"a", "b"}
        assert ("a" in known) == (length >= first)
        if length % 20 == 0:
            with AnswerLog(path, SETTINGS, known) as log:
                for answer in (ONE, CUT):
                    if answer.id not in known:
                        log.add(answer)
            assert read_answers(path).answers == {"a": ONE, "b": CUT}


def test_other_settings_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with AnswerLog(path, SETTINGS):
        pass
    with pytest.raises(ValueError, match=r"another max_tokens \(9, now 10\)") as caught:
        resumable(path, {**SETTINGS, "max_tokens": 10})
    assert "\n" not in str(caught.value)
    path.write_text('{"id": "a", "text": "x"}\n')
    with pytest.raises(ValueError, match="another task"):
        resumable(path, SETTINGS)


def test_who_was_never_reached_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    refused = Answer(id="c", finish_reason="error", problem="no answer", reached=False)
    with AnswerLog(path, SETTINGS) as log:
        log.add(CUT)
        log.add(refused)
    assert set(read_answers(path).answers) == {"b", "c"}
    assert set(resumable(path, SETTINGS)) == {"b"}


def test_answers_of_others_need_only_id_and_text(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "a", "answer": "x", "more": 1}\n\n{"id": "b", "text": "y"}')
    found = read_answers(path)
    assert found.settings is None
    assert found.answers == {"a": Answer(id="a", text="x"), "b": Answer(id="b", text="y")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "line 1 is not JSON"),
        ("[]", "line 1 holds list"),
        ({"id": 3, "text": "x"}, "id is 3"),
        ({"id": "a", "text": {"gist": "x"}}, "give the answer, as it was written"),
        ({"id": "a"}, "text is None"),
        ({"id": "a", "text": "x", "finish_reason": "eos"}, "give one of stop, length"),
        ({"id": "a", "text": "x", "latency_s": "1"}, "latency_s is '1'"),
        ({"id": "z", "text": "x"}, "line 2: a second answer for 'z'"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: Any, reason: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(
        (line if isinstance(line, str) else json.dumps(line)) + '\n{"id": "z", "text": "x"}\n'
    )
    with pytest.raises(ValueError, match=reason):
        read_answers(path)
