"""Fields that are held to a text hold whole words of it and nothing else."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from spokesmith.decoding.grammar import MAX_GRAMMAR_CHARACTERS
from spokesmith.tasks import load_task, verbatim
from spokesmith.tasks.check import check_task
from spokesmith.tasks.verbatim import held_to_text, path_problem, run_pattern

NAME = "/structured_concepts/entities/*/name"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "who": {"type": "string", "maxLength": 9},
        "rank": {"enum": ["low", "high"]},
        "code": {"type": "string", "pattern": "^a+$"},
        "list": {"type": "array", "items": {"type": "string"}},
    },
}
WORDS = st.text(st.characters(categories=["L", "N"], max_codepoint=0x17F), min_size=1, max_size=6)


def holds(text: str, name: str) -> bool:
    pattern = run_pattern(text)
    assert pattern is not None
    return re.fullmatch(pattern, name) is not None


@given(st.lists(WORDS, min_size=1, max_size=20), st.data())
def test_every_run_of_words_of_the_text_may_stand(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first + 1, min(len(words), first + 24)))
    space = data.draw(st.sampled_from([" ", "  ", "\n", "\t\n "]))
    assert holds(space.join(words), " ".join(words[first:last]))


@given(st.lists(WORDS, min_size=1, max_size=20), st.lists(WORDS, min_size=1, max_size=3))
def test_nothing_else_may(words: list[str], name: list[str]) -> None:
    assert holds(" ".join(words), "")
    text, asked = " ".join(words), " ".join(name)
    stands = any(words[i : i + len(name)] == name for i in range(len(words)))
    assert holds(text, asked) == stands


@pytest.mark.parametrize(
    ("text", "names", "others"),
    [
        (
            "Ask Ana-Maria's brother (+44 20 7946), see https://a.example/b?c=1#d, C++ and foo().",
            ["Ana", "Ana-Maria's brother", "+44 20 7946", "C++", "foo()", "a.example/b?c=1#d"],
            [" ", "An", "Mari", "ana", "Ana Maria", "Ask brother", "Ana-Maria's sister"],
        ),
        ("小林さんは長崎に住む。", ["小林", "小林さん", "長崎"], ["長島", "小崎"]),
        ("최유리가 서울에서", ["최유리", "서울"], ["최리"]),
        ("สมชายไปเชียงใหม่", ["สมชาย", "เชียงใหม่"], ["สมใจ"]),
        ('He said "stop \\ now"', ['"stop', "stop \\ now"], ["stop now"]),
        ("line one\nline two", ["one line"], ["one\nline"]),
        ("", [""], ["a"]),
        ("\n \n", [""], [" "]),
    ],
)
def test_names_as_texts_have_them(text: str, names: list[str], others: list[str]) -> None:
    assert [name for name in names if not holds(text, name)] == []
    assert [name for name in others if holds(text, name)] == []


def test_runs_of_a_long_text_are_shorter() -> None:
    words = [f"w{i}" for i in range(3000)]
    text = " ".join(words)
    assert holds(text, " ".join(words[100:106]))
    assert not holds(text, " ".join(words[100:107]))


def test_what_no_space_parts_is_not_cut() -> None:
    address = "https://docs.example.org/v1/a?" + "&".join(f"key{i}=v_{i}" for i in range(14))
    text = f"See {address} now. " + "word " * 1500
    assert holds(text, address)
    assert holds(text, f"See {address}")
    assert not holds(text, f"{address} now")
    assert not holds("语" * 300, "语" * 25)


@pytest.mark.parametrize("text", ["a b " * 3 + "x" * 300_000, " ".join(map(str, range(9000)))])
def test_a_text_that_is_too_long_is_no_pattern(text: str) -> None:
    assert run_pattern(text) is None
    assert held_to_text(SCHEMA, ["/who"], text) is SCHEMA


@pytest.mark.parametrize(
    "text", ["word " * 1000, 'Ein \\"Satz\\", mit + Zeichen. ' * 200, "+" * 9000]
)
def test_many_fields_share_the_room_of_a_grammar(text: str) -> None:
    """However many fields a task names, its schema stays one that a grammar may be made from."""
    fields = [f"f{i}" for i in range(40)]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    words = [f"{index}{text[index * 7 : index * 7 + 7]}" for index in range(len(text) // 7)]
    for count in (1, 2, 3, 4, 6, 12, 40):
        held = held_to_text(schema, [f"/{name}" for name in fields[:count]], " ".join(words))
        assert len(json.dumps(["schema", held])) <= MAX_GRAMMAR_CHARACTERS


def test_of_many_fields_a_short_text_is_held_to_whole_runs() -> None:
    fields = [f"f{i}" for i in range(12)]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in fields}}
    held = held_to_text(schema, [f"/{name}" for name in fields], "Ana met Otto in Cologne")
    validator = Draft202012Validator(held)
    assert validator.is_valid({"f11": "Otto in Cologne"})
    assert not validator.is_valid({"f11": "Ana in Cologne"})


def test_only_the_fields_of_the_paths_change() -> None:
    before = json.dumps(SCHEMA)
    held = held_to_text(SCHEMA, ["/who", "/list/*"], "Ana met Otto")
    assert json.dumps(SCHEMA) == before
    assert list(held["properties"]) == list(SCHEMA["properties"])
    assert held["properties"]["code"] == SCHEMA["properties"]["code"]
    validator = Draft202012Validator(held)
    assert validator.is_valid({"who": "Ana met", "list": ["Otto", "met"]})
    assert not validator.is_valid({"who": "Otto", "list": ["Ana", "Eve"]})
    assert not validator.is_valid({"who": "Eve"})
    # What the field had is kept.
    assert not validator.is_valid({"who": "Ana met Otto"})
    assert held_to_text(SCHEMA, [], "Ana") is SCHEMA


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("who", "begins with /"),
        ("/whom", "nothing at 'whom'"),
        ("/who/*", "nothing at '*'"),
        ("/list/name", "nothing at 'name'"),
        ("/list", "plain"),
        ("/rank", "plain"),
        ("/code", "plain"),
        ("/who", None),
        ("/list/*", None),
    ],
)
def test_a_path_that_leads_to_no_plain_string_is_told(path: str, problem: str | None) -> None:
    found = path_problem(SCHEMA, path)
    assert found is None if problem is None else problem in str(found)


def test_a_task_says_which_fields(tmp_path: Path) -> None:
    def write(line: str) -> Path:
        (tmp_path / "task.toml").write_text(f'name = "letter"\n{line}\n')
        return tmp_path

    schema = {
        "type": "object",
        "properties": {"who": {"type": "string", "maxLength": 9}},
        "required": ["who"],
        "additionalProperties": False,
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    (tmp_path / "prompt.md").write_text("{{schema}}")
    probe = {"id": "a", "text": "Ana left.", "gold": {"who": "Ana"}}
    (tmp_path / "probes.jsonl").write_text(json.dumps(probe) + "\n")
    task = load_task(write('verbatim = ["/who"]'))
    assert task.schema == schema
    assert Draft202012Validator(task.schema_for("Ana left.")).is_valid({"who": "Ana"})
    assert not Draft202012Validator(task.schema_for("Ana left.")).is_valid({"who": "Eve"})
    assert check_task(tmp_path).ok
    other_words = json.dumps({**probe, "gold": {"who": "who left"}})
    (tmp_path / "probes.jsonl").write_text(other_words + "\n")
    assert check_task(tmp_path).ok
    for line, wrong in (
        ('verbatim = ["/whom"]', "verbatim names '/whom', but the schema has nothing at 'whom'"),
        ("verbatim = [1]", r"give a list of strings"),
        ('verbatim = "/who"', r"is no list"),
    ):
        with pytest.raises(ValueError, match=wrong):
            load_task(write(line))
        assert any(re.search(wrong, problem) for problem in check_task(tmp_path).problems)
    assert load_task(write("")).schema_for("Ana left.") == schema


def test_entities_of_a_memory_are_held_to_its_text() -> None:
    task = load_task("memory")
    assert NAME in task.verbatim
    assert task.schema_for("Ana") != task.schema
    assert task.schema_hash == load_task("memory").schema_hash


@pytest.mark.parametrize("unit", ["a1,", "ab ", "(", "語", "x-"])
def test_a_long_text_is_given_up_before_its_pattern_is_made(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = 0
    made = verbatim._beginnings

    def counted(text: str, run: Sequence[tuple[int, int]]) -> str:
        nonlocal built
        found = made(text, run)
        built += len(found)
        return found

    monkeypatch.setattr(verbatim, "_beginnings", counted)
    text = "".join(f"{unit}{number}" for number in range(60_000))[: verbatim.MOST_CHARACTERS]
    assert run_pattern(text) is None
    assert built <= 2 * len(verbatim.MOST_UNITS) * verbatim.MOST_CHARACTERS
    assert run_pattern(text + text) is None
