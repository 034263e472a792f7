"""The page's scripts and style alone: layout of any JSON, marks, the schema check, contrast."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, json_of, page_of
from echo_backend import EchoBackend, encoding
from playwright.sync_api import Page
from serving import serve, service_over

import spokesmith.server
from spokesmith.metrics import check
from spokesmith.tasks import canonical_json, load_task

STATIC = Path(spokesmith.server.__file__).parent / "static"
STYLE = (STATIC / "page.css").read_text("utf-8")
SCHEMA = load_task("memory").schema
GROUNDS = {
    "text": ("page", "panel", "hot", "copied", "forced", "closing", "yes-back"),
    "muted": ("page", "panel", "forced", "copied", "closing"),
    "link": ("page", "panel"),
    "yes": ("page", "yes-back"),
    "no": ("page", "no-back"),
    "lost": ("page", "lost-back"),
    "on-main": ("main",),
}
# Parts of pictures need less, against what they lie on.
SHAPES = ("copied-bar", "forced-bar", "model-bar", "closing-bar")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with (
        chromium() as browser,
        serve(service_over(EchoBackend())) as url,
        page_of(browser, url) as opened,
    ):
        yield opened


def shown(page: Page, pieces: list[tuple[str, str]]) -> dict[str, Any]:
    """What an AnswerView makes of pieces of text with their origins."""
    fields, values = page.evaluate(
        """async (pieces) => {
          const { AnswerView } = await import("/static/answer.js");
          const fields = [];
          const view = new AnswerView(document.getElementById("json"), {
            onField: (name, json) => fields.push([name, json ?? null]),
          });
          for (const [text, origin] of pieces) view.push(text, origin);
          const values = view.values.map(({ pointer, raw, origins, isString }) => {
            const value = JSON.parse(isString ? `"${raw}"` : raw);
            return [pointer, value, origins.length - raw.length];
          });
          return [fields, values];
        }""",
        pieces,
    )
    return {"text": json_of(page), "fields": fields, "values": values}


DOCUMENTS: list[Any] = [
    {},
    [],
    5,
    "a",
    None,
    {"a": 1, "b": [], "c": {}, "d": [[], {}], "e": -1.5e-7, "f": True, "g": None},
    {"a/b": {"c~d": ["x", "y"], "": ""}, 'q"\\': '\\"\n\t/</b>&amp;'},
    [[1, 2, {"a": [3, "four"]}], "😀 é 東", {"deep": {"deep": {"deep": [1]}}}],
    encoding("Marta paid 5 euros. It 'was' \"late\"\\ 😀."),
]


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            part = str(key).replace("~", "~0").replace("/", "~1")
            yield from leaves(inner, f"{pointer}/{part}")
    else:
        yield pointer, value


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("document", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_any_json_in_any_pieces_is_laid_out(page: Page, document: Any, ascii_only: bool) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":"))
    draw = random.Random(len(text))
    for most in (1, 3, 1000):
        pieces: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            size = draw.randint(1, most)
            pieces.append((text[at : at + size], draw.choice(["model", "copied", "forced"])))
            at += size
        found = shown(page, pieces)
        assert found["text"] == text
        assert found["values"] == [[pointer, value, 0] for pointer, value in leaves(document)]
        if isinstance(document, dict):
            ended = [[name, json.loads(written)] for name, written in found["fields"] if written]
            assert ended == [[name, value] for name, value in document.items()]
            assert [name for name, written in found["fields"] if not written] == list(document)


def test_white_space_between_tokens_is_left_out(page: Page) -> None:
    text = json.dumps(DOCUMENTS[5], indent=2)
    found = shown(page, [(text, "model")])
    assert found["text"] == json.dumps(DOCUMENTS[5], separators=(",", ":"))


@pytest.mark.parametrize("text", ["no JSON", '{"a":', '{"a":"b', "}}]]", '{"a"}', '"\\', "[1 2"])
def test_what_is_no_json_breaks_nothing(page: Page, text: str) -> None:
    page.evaluate(
        """async (text) => {
          const { AnswerView } = await import("/static/answer.js");
          const view = new AnswerView(document.getElementById("json"), { onField: () => {} });
          view.push(text, "model");
        }""",
        text,
    )
    assert json_of(page) == text.replace(" ", "")


def test_characters_of_a_string_are_counted_as_the_server_does(page: Page) -> None:
    for text in (
        "",
        "plain",
        'a"b\\c\n',
        "😀 é 東\u2028",
        "\ud83d alone".encode("utf-8", "ignore").decode(),
    ):
        for ascii_only in (False, True):
            raw = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            starts = page.evaluate(
                """async (raw) =>
                  (await import("/static/marks.js")).characterStarts(raw)""",
                raw,
            )
            units = raw.encode("utf-16-le")
            parts = [
                units[2 * start : 2 * end].decode("utf-16-le") for start, end in pairwise(starts)
            ]
            assert [json.loads(f'"{part}"') for part in parts] == list(text)


HEBREW = "מרתה העבירה את הגיבוי משעה שתיים לשעה ארבע"
ARABIC = "نقلت مارتا النسخ الاحتياطي إلى الساعة الرابعة"
LATIN = "Marta moved the backup job"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (HEBREW, "הגיבוי"),
        (ARABIC, "الاحتياطي"),
        (f"{LATIN}.\n{HEBREW}.", "הגיבוי"),
        (f"{HEBREW}.\n{LATIN}.", "backup"),
        (f"{HEBREW}: gateway-2 (148).", "gateway"),
        (f"{HEBREW}.\n" * 40, "הגיבוי"),
    ],
    ids=["hebrew", "arabic", "hebrew below", "latin below", "latin within", "with a scrollbar"],
)
def test_marks_lie_behind_the_words_in_either_direction(page: Page, text: str, word: str) -> None:
    page.fill("#text", text)
    start = text.index(word)
    box = page.evaluate(
        """async ([text, span]) => {
          const { SourceView } = await import("/static/source.js");
          const [input, backdrop] = ["text", "backdrop"].map((id) => document.getElementById(id));
          const source = new SourceView(input, backdrop);
          source.hold(text);
          source.show(span);
          // The backdrop follows the input's scrolling with the next frame.
          for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
          const marked = backdrop.querySelector(".shown").firstChild;
          const inside = document.createRange();
          inside.setStart(marked, 1);
          inside.setEnd(marked, marked.length - 1);
          const { left, right, top, height } = inside.getBoundingClientRect();
          return { left, right, middle: top + height / 2 };
        }""",
        [text, [start, start + len(word)]],
    )
    # A click tells which character of the input lies there; at the ends of a word, where the
    # direction may change, a place has two carets.
    carets: list[int] = []
    for x in (box["left"] + 1, box["right"] - 1):
        page.mouse.click(x, box["middle"])
        carets.append(page.evaluate("document.getElementById('text').selectionStart"))
    assert sorted(carets) == [start + 1, start + len(word) - 1]


def span_of(words: str, text: str) -> list[int]:
    start = text.index(words)
    return [start, start + len(words)]


def test_the_place_that_is_shown_hides_what_was_lost(page: Page) -> None:
    text = "😀 Marta paid Ines 5 euros."
    page.fill("#text", text)
    lost = [span_of(words, text) for words in ("Marta", "paid Ines", "Ines 5")]
    is_kept, before, after = page.evaluate(
        """async ([text, lost, place]) => {
          const { SourceView } = await import("/static/source.js");
          const [input, backdrop] = ["text", "backdrop"].map((id) => document.getElementById(id));
          const marks = () =>
            [...backdrop.children].map(({ className, textContent }) => [className, textContent]);
          const source = new SourceView(input, backdrop);
          source.hold(text);
          source.markLost(lost);
          const before = marks();
          const first = backdrop.firstChild;
          source.show(null);
          const isKept = backdrop.firstChild === first;
          source.show(place);
          return [isKept, before, marks()];
        }""",
        [text, lost, span_of("Ines", text)],
    )
    assert is_kept
    assert before == [["lost", "Marta"], ["lost", "paid Ines 5"]]
    assert after == [["lost", "Marta"], ["lost", "paid "], ["shown", "Ines"], ["lost", " 5"]]


def test_what_stands_around_a_place_cuts_no_character_in_two(page: Page) -> None:
    text = "😀" * 60 + "xMarta" + "😀" * 60
    context = page.evaluate(
        """async ([text, span]) => {
          const { SourceView } = await import("/static/source.js");
          const [input, backdrop] = ["text", "backdrop"].map((id) => document.getElementById(id));
          const source = new SourceView(input, backdrop);
          source.hold(text);
          return source.context(span);
        }""",
        [text, span_of("Marta", text)],
    )
    before, after = "…" + "😀" * 47 + "x", "😀" * 48 + "…"
    assert context == {"before": before, "words": "Marta", "after": after}


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_a_text_of_any_length_is_copied_for_curl(page: Page) -> None:
    content = 'it\'s \\ "$HOME" `id`\nJSON\n' + "x" * 140_000
    copied = page.evaluate(
        """async ([url, body]) => (await import("/static/snippets.js")).curlOf(url, body, false)""",
        [f"{page.url}tokenize", {"content": content, "with_pieces": True}],
    )
    done = subprocess.run(["sh"], input=copied, capture_output=True, text=True, check=True, env={})
    tokens = json.loads(done.stdout)["tokens"]
    assert "".join(one["piece"] for one in tokens) == content


OTHER_SCHEMAS: list[dict[str, Any]] = [
    {"type": ["string", "null"], "minLength": 2},
    {"type": "integer", "minimum": 0, "maximum": 9},
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}}]},
    {"oneOf": [{"type": "number"}, {"type": "integer"}]},
    {"allOf": [{"minimum": 2}, {"maximum": 5}]},
    {"const": {"a": [1]}},
    {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {
        "next": {"$ref": "#/$defs/tree"}}, "additionalProperties": False}}},
    {"type": "array", "minItems": 1, "maxItems": 2},
    {"type": "object", "additionalProperties": {"type": "boolean"}, "required": ["a"]},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"patternProperties": {"^a": {"type": "boolean"}}, "additionalProperties": False},
    {"properties": {"a": {"type": ["boolean", "integer"]}},
        "patternProperties": {"a$": {"type": "boolean"}}},
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, 1, 3, 7, 10, -1, 2.5, "", "a", "ab", "😀", "😀😀", [], [1], ["a"], [1, 2, 3],
    [1, "a"], [1, "a", 2], {"ab": True}, {"ba": 1},
    {}, {"a": True}, {"a": 1}, {"a": [1]}, {"next": {}}, {"next": {"next": {"more": 1}}},
]  # fmt: skip


@pytest.mark.parametrize("schema", OTHER_SCHEMAS, ids=json.dumps)
def test_the_pages_check_agrees_with_the_servers(page: Page, schema: dict[str, Any]) -> None:
    found = page.evaluate(
        """async ([schema, values]) => {
          const { fits } = await import("/static/schema.js");
          return values.map((value) => fits(value, schema));
        }""",
        [schema, VALUES],
    )
    assert found == [check(json.dumps(value), schema).valid for value in VALUES]


def test_the_pages_check_agrees_on_the_memory_schema(page: Page) -> None:
    good = encoding("Marta paid 5 euros.")
    topics = {"topics": [{"label": "a", "path": "b", "more": "c"}]}
    values = [
        good,
        {**good, "gist": "x" * 81},
        {**good, "salience": 1.5},
        {**good, "outcome": "splendid"},
        {**good, "concepts": ["a"] * 13},
        {**good, "structured_concepts": {**good["structured_concepts"], **topics}},
        {name: value for name, value in good.items() if name != "gist"},
        {**good, "more": 1},
    ]
    found = page.evaluate(
        """async ([schema, values]) => {
          const { fits } = await import("/static/schema.js");
          return values.map((value) => fits(value, schema));
        }""",
        [SCHEMA, values],
    )
    assert found == [check(canonical_json(value), SCHEMA).valid for value in values]
    assert found == [True] + [False] * 7


def palettes() -> list[dict[str, str]]:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    )
    return [light, dark]


def contrast(one: str, other: str) -> float:
    dim, bright = sorted(luminance(colour) for colour in (one, other))
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_words_and_shapes_stand_out(palette: dict[str, str]) -> None:
    for text, grounds in GROUNDS.items():
        for ground in grounds:
            assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
    for shape in SHAPES:
        assert contrast(palette[shape], palette["page"]) >= 3, shape


def test_both_palettes_name_the_same_colours() -> None:
    light, dark = palettes()
    assert light.keys() == dark.keys()
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLE)) == light.keys()


def test_nothing_comes_from_outside_and_nothing_is_inline() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|//[\w-]+\.\w+/", text), path.name
        assert "innerHTML" not in text, path.name
    html = (STATIC / "page.html").read_text("utf-8")
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script>", html)
