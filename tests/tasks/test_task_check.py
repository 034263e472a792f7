"""Every problem that `check_task` knows is seen, told with its place, apart from notes."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from spokesmith.tasks import load_task
from spokesmith.tasks.check import check_schema, check_task

LETTER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "subject": {"type": "string", "maxLength": 80},
        "people": {
            "type": "array",
            "maxItems": 4,
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string", "maxLength": 40}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["subject", "people"],
    "additionalProperties": False,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A task without problems and without notes."""
    (tmp_path / "task.toml").write_text('name = "letter"\n')
    (tmp_path / "schema.json").write_text(json.dumps(LETTER))
    (tmp_path / "prompt.md").write_text("Answer with {{schema}}\n")
    write_probes(tmp_path, {"id": "a", "text": "Pay 90 euros.", "keep": ["90 euros"]})
    return tmp_path


def write_probes(folder: Path, *records: Any) -> None:
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    (folder / "probes.jsonl").write_text("".join(lines), encoding="utf-8")


def letter(**changes: Any) -> dict[str, Any]:
    """The letter schema with some of its root's keywords changed; None takes one out."""
    schema = {**json.loads(json.dumps(LETTER)), **changes}
    return {key: value for key, value in schema.items() if value is not None}


def with_field(**field: Any) -> dict[str, Any]:
    """The letter schema with one more required field, `extra`."""
    return letter(
        properties={**LETTER["properties"], "extra": field},
        required=[*LETTER["required"], "extra"],
    )


def test_a_sound_task_has_neither_problems_nor_notes(folder: Path) -> None:
    report = check_task(folder)
    assert report.ok
    assert (report.problems, report.notes) == ([], [])


def test_the_built_in_task_is_sound() -> None:
    report = check_task("memory")
    assert (report.problems, report.notes) == ([], [])


@pytest.mark.parametrize("part", ["task.toml", "schema.json", "prompt.md", "probes.jsonl"])
def test_a_missing_part_is_named(folder: Path, part: str) -> None:
    (folder / part).unlink()
    [problem] = check_task(folder).problems
    assert str(folder / part) in problem


def test_all_problems_are_told_at_once(folder: Path) -> None:
    (folder / "schema.json").write_text(json.dumps(letter(additionalProperties=None)))
    (folder / "prompt.md").write_text("  \n")
    write_probes(folder, {"id": "a"})
    problems = check_task(folder).problems
    assert len(problems) == 3
    assert all("\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ("name = 'a'\nmax_tokens = 0\n", "max_tokens = 0"),
        ("name = 'a'\nshema = 'x'\n", "shema"),
        ("name = \n", "TOML"),
    ],
)
def test_bad_settings(folder: Path, settings: str, word: str) -> None:
    (folder / "task.toml").write_text(settings)
    [problem] = check_task(folder).problems
    assert word in problem


@pytest.mark.parametrize(("content", "word"), [("{", "not JSON"), ("[]", "holds list")])
def test_a_schema_that_is_no_schema(folder: Path, content: str, word: str) -> None:
    (folder / "schema.json").write_text(content)
    [problem] = check_task(folder).problems
    assert word in problem


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        (letter(properties=5), "#/properties: not valid"),
        (letter(properties=["subject"]), "#/properties: not valid"),
        (letter(properties={"subject": 5}), "#/properties/subject: not valid"),
        (letter(properties={"subject": True}, required=["subject"]), "subject is true"),
        (letter(properties={"subject": {"enum": 5}}), "#/properties/subject/enum: not valid"),
    ],
)
def test_a_schema_of_odd_parts_is_told_and_refused(
    folder: Path, schema: dict[str, Any], word: str
) -> None:
    (folder / "schema.json").write_text(json.dumps(schema))
    assert any(word in problem for problem in check_task(folder).problems)
    with pytest.raises(ValueError, match=r"schema.json is no schema that a prompt can show"):
        load_task(folder)
    (folder / "task.toml").write_text('name = "letter"\nverbatim = ["/subject", "/a/*/b"]\n')
    assert any(word in problem for problem in check_task(folder).problems)
    with pytest.raises(ValueError, match=r"verbatim names '/subject', but the schema"):
        load_task(folder)


def test_a_set_that_takes_the_name_of_others_is_told(folder: Path) -> None:
    (folder / "probe_sets").mkdir()
    for name in ("gold", "hard"):
        (folder / "probe_sets" / f"{name}.jsonl").write_text('{"id": "b", "text": "Pay."}\n')
    (problem,) = check_task(folder).problems
    assert problem.endswith("gold.jsonl: 'gold' names other probes already: rename the file")


@pytest.mark.parametrize(
    ("schema", "place", "word"),
    [
        (letter(type="objekt"), "#/type:", "not valid"),
        (letter(maxProperties=-1), "#/maxProperties:", "not valid"),
        (with_field(type="string", pattern="("), "#/properties/extra/pattern:", "not valid"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", **LETTER}, "#:", "draft-07"),
        ({"type": "array", "items": {"type": "string"}}, "#:", "root's type is 'array'"),
        (letter(additionalProperties=None), "#:", "is missing"),
        (letter(additionalProperties=True), "#:", "is true"),
        (letter(required=["subject"]), "#:", "not required: people"),
        (letter(required=["subject", "people", "date"]), "#:", "not declared: date"),
        (with_field(type=["object", "null"]), "#/properties/extra:", "is missing"),
        (with_field(anyOf=[{"type": "object"}]), "#/properties/extra/anyOf/0:", "is missing"),
        (with_field(description="x"), "#/properties/extra:", "takes any value"),
        (with_field(type="array", maxItems=2), "#/properties/extra:", "array of any values"),
        (with_field(type="array", maxItems=2, items=True), "#/properties/extra/items ", "is true"),
        (with_field(type="array", prefixItems=[{}], maxItems=1), "/extra:", "prefixItems"),
        (with_field(enum=[float("nan")]), "letter:", "no canonical JSON"),
        (with_field(const="\ud800"), "letter:", "no canonical JSON"),
        (with_field(**{"$ref": "#/$defs/nothing"}), "/extra:", "to nothing in the schema"),
        (with_field(**{"$ref": "https://a.example/b"}), "/extra:", "outside the schema"),
    ],
)
def test_a_problem_of_the_schema_is_told_with_its_place(
    schema: dict[str, Any], place: str, word: str
) -> None:
    [problem] = check_schema(schema, "letter").problems
    assert problem.startswith("letter")
    assert place in problem
    assert word in problem


def test_an_object_in_an_array_is_reached() -> None:
    schema = letter()
    del schema["properties"]["people"]["items"]["additionalProperties"]
    [problem] = check_schema(schema, "letter").problems
    assert "letter#/properties/people/items:" in problem


def test_an_unbounded_string_or_array_is_only_a_note() -> None:
    report = check_schema(with_field(type="array", items={"type": "string"}), "letter")
    assert report.ok
    [note] = report.notes
    assert "#/properties/extra (maxItems)" in note
    assert "#/properties/extra/items (maxLength)" in note


@pytest.mark.parametrize(
    "field",
    [
        {"$ref": "#/properties/subject"},
        {"allOf": [{"type": "string", "maxLength": 3}]},
        {"type": "string", "maxLength": 3, "not": {"const": "x"}},
    ],
)
def test_what_the_outline_cannot_follow_is_a_note(field: dict[str, Any]) -> None:
    report = check_schema(with_field(**field), "letter")
    assert report.ok
    [note] = report.notes
    assert "letter#/properties/extra: the outline" in note


def test_a_prompt_without_the_mark_must_name_the_fields(folder: Path) -> None:
    (folder / "prompt.md").write_text("Give the subject.")
    report = check_task(folder)
    assert report.ok
    [note] = report.notes
    assert "does not name people" in note
    (folder / "prompt.md").write_text("Give the subject and the people.")
    assert check_task(folder).notes == []


def test_an_empty_probe_file_is_a_note(folder: Path) -> None:
    write_probes(folder)
    report = check_task(folder)
    assert report.ok
    [note] = report.notes
    assert "is empty" in note


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ([], "holds list"),
        ({"text": "x"}, "id is None"),
        ({"id": "b"}, "text is None"),
        ({"id": "b", "text": " "}, "text is ' '"),
        ({"id": "b", "text": "x", "kepp": []}, "unknown key 'kepp'"),
        ({"id": "b", "text": "x", "category": 1}, "category is 1"),
        ({"id": "b", "text": "x", "twin": 1}, "twin is 1"),
        ({"id": "b", "text": "x", "gold": "x"}, "gold is str"),
        ({"id": "b", "text": "x", "keep": "x"}, "keep is 'x'"),
        ({"id": "b", "text": "x", "keep": [""]}, "keep is ['']"),
        ({"id": "b", "text": "9 ms", "keep": ["8 ms"]}, "'8 ms' does not stand in the text"),
        ({"id": "b", "text": "x", "twin": "z"}, "twin 'z' is no other probe"),
        ({"id": "b", "text": "x", "twin": "b"}, "twin 'b' is no other probe"),
    ],
)
def test_a_bad_probe_is_told_with_its_line(folder: Path, record: Any, word: str) -> None:
    write_probes(folder, {"id": "a", "text": "x"}, record)
    [problem] = check_task(folder).problems
    assert "probes.jsonl, line 2" in problem
    assert word in problem


def test_a_line_that_is_no_json_is_told_with_its_number(folder: Path) -> None:
    (folder / "probes.jsonl").write_text('{"id": "a", "text": "x"}\n\n{"id"\n')
    [problem] = check_task(folder).problems
    assert "line 3 is not JSON" in problem


def test_duplicate_ids_are_told_for_both_lines(folder: Path) -> None:
    write_probes(folder, {"id": "a", "text": "x"}, {"id": "a", "text": "y"})
    problems = check_task(folder).problems
    assert ["line 1" in problems[0], "line 2" in problems[1]] == [True, True]
    assert len(problems) == 2


def test_a_line_separator_inside_a_text_ends_no_line(folder: Path) -> None:
    write_probes(folder, {"id": "a", "text": "one\u2028two", "keep": ["two"]})
    assert check_task(folder).problems == []


@pytest.mark.parametrize(
    ("gold", "word"),
    [
        ({"subject": "90 euros", "people": [1]}, "at #/people/0:"),
        ({"people": [], "subject": "90 euros"}, "out of order"),
        ({"subject": "money", "people": []}, "does not keep '90 euros'"),
    ],
)
def test_a_gold_is_held_to_the_schema_and_to_its_probe(
    folder: Path, gold: dict[str, Any], word: str
) -> None:
    probe = {"id": "a", "text": "Pay 90 euros.", "keep": ["90 euros"]}
    write_probes(folder, {**probe, "gold": {"subject": "Pay 90 euros", "people": []}})
    assert check_task(folder).ok
    write_probes(folder, {**probe, "gold": gold})
    assert any(word in problem for problem in check_task(folder).problems)


def test_a_gold_with_the_keys_of_a_nullable_object_out_of_order_is_told(folder: Path) -> None:
    place = {
        "type": "object",
        "properties": {name: {"type": "string", "maxLength": 9} for name in ("street", "city")},
        "required": ["street", "city"],
        "additionalProperties": False,
    }
    schema = with_field(anyOf=[place, {"type": "null"}])
    (folder / "schema.json").write_text(json.dumps(schema))
    whole = {"subject": "Pay", "people": []}
    write_probes(folder, {"id": "a", "text": "x", "gold": {**whole, "extra": None}})
    assert check_task(folder).problems == []
    gold = {**whole, "extra": {"city": "c", "street": "s"}}
    write_probes(folder, {"id": "a", "text": "x", "gold": gold})
    [problem] = check_task(folder).problems
    assert "out of order" in problem


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_gold_with_a_value_that_has_no_json_is_told(folder: Path, value: Any) -> None:
    record = {"id": "a", "text": "Hm.", "gold": {"subject": value, "people": []}}
    (folder / "probes.jsonl").write_text(json.dumps(record) + "\n")
    problems = check_task(folder).problems
    (told,) = [problem for problem in problems if "has no canonical JSON" in problem]
    assert "probes.jsonl, gold of 'a'" in told
    assert "\n" not in told
