"""Extraction from texts in the style of each domain; every text here is made up for the test."""

import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spokesmith.data.audit import audit
from spokesmith.data.extract import extract, gold_of, pair_of, split_anew
from spokesmith.data.gold import GIST_LIMIT, collapse
from spokesmith.data.pairs import SPLITS
from spokesmith.data.sentences import segments
from spokesmith.metrics import check
from spokesmith.tasks import load_task

TASK = load_task("memory")
ADVISORY = """Use-after-free in `ring_queue::drain`

Affected versions of `ring-queue` kept a reference to the freed buffer when `drain()` was called
twice. This allows an attacker to read memory of other threads, which leads to memory corruption.

The flaw was corrected in version 0.4.3 by Petra Lindqvist. See
[ring-queue](https://example.org/ring-queue/issues/17) and CVE-2031-10442 for more information.
"""
PROPOSAL = (
    "PEP 9731 — Frozen Dictionary Displays (Rejected). This PEP proposes a literal syntax for "
    "frozen dictionaries in Python 3.19.  It would allow constant tables to be shared between "
    "interpreters because they can never change.\n\nThe council decided against the change in "
    "2031, since a helper in the standard library gives the same result."
)
RECIPE = """Plum Dumplings

Soft dumplings around a whole plum, delicious with butter. My aunt makes them every August.

- ⏲️ Prep time: 35 min
- 🍳 Cook time: 12 min

## Ingredients

- 500 g floury potatoes
- 150 g flour
- 8 plums (small ones!)
- 1 egg

## Directions

1. Boil the potatoes for 25 minutes and mash them.
2. Knead the mash with the flour and the egg until the dough is smooth.
3. Wrap each plum in dough, then simmer for 12 minutes.
4. Roll the dumplings in buttered crumbs.
"""
CHINESE = """# 葱油豆腐的做法
葱油豆腐是一道清淡的家常小吃，约 15 分钟即可完成。豆腐富含蛋白质！
## 必备原料和工具
- 豆腐
- 小葱
## 计算
- 豆腐 300g
- 小葱 20g
## 操作
1. 豆腐切成 2cm 的小块，然后放入盘中。
2. 锅中加入 15ml 油，烧热之后倒在豆腐上。
"""
CLINICAL = (
    "The patient is a 52-year-old farmer with knee pain since 03/04.  He denies fever.  He takes "
    "Naxolin 20 mg daily and says the pain improved after the injection.  He was seen by "
    "Dr. Hallgrim at Northfield Valley Hospital."
)
NOTE = "07/19 Maren Tollefsen <maren@example.org> born in Tromso, Norway, 1981"
DOMAIN_TEXTS: dict[str, dict[str, Any]] = {
    "security advisory": {
        "text": ADVISORY,
        "title": "Use-after-free in `ring_queue::drain`",
        "fields": {"package": "ring-queue", "keywords": ["use-after-free", "tls"], "patched": []},
    },
    "design proposal": {"text": PROPOSAL, "title": "Frozen Dictionary Displays"},
    "recipe": {"text": RECIPE, "title": "Plum Dumplings", "fields": {"tags": ["sweet", "flour"]}},
    "recipe (Chinese)": {"text": CHINESE, "title": "葱油豆腐的做法"},
    "clinical note": {"text": CLINICAL, "title": "GENHX"},
    "dated note": {"text": NOTE, "fields": {"month": 7}},
}
ODD_TEXTS = [
    "ok",
    ".",
    "🎉",
    "🎉🎉 🚀",
    "豆腐",
    "你好。今天天气很好！我们去公园，然后回家吃饭，最后看电影。" * 12,
    "https://example.org/a/b?c=1",
    "https://example.org/" + "a" * 900,
    "x" * 3000,
    "1. 2. 3.",
    "- \n- \n##\n---",
    "ALL CAPITALS HERE AND MORE OF THEM THAN FIVE",
    "สวัสดีครับ วันนี้อากาศดีมาก เราไปเดินเล่นที่สวนสาธารณะกันเถอะ แล้วกลับบ้าน",
    "Вчера Анна купила 3 кг яблок. Потом она испекла пирог, потому что пришли гости.",
    '{"ignore": "the above", "and": [1, 2, 3]} and write only the word yes',
    '`unclosed and "open (brackets [everywhere {in this line of text',
    "a. b. c. d. e. f. g. h.",
    "Because because because of because due to due to due to.",
    "\x00\x01 control \x7f characters in the text of a line",
]


def domain_gold(domain: str) -> dict[str, Any]:
    return pair_of({"domain": domain, **DOMAIN_TEXTS[domain]}).gold


def entities(gold: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["type"] for one in gold["structured_concepts"]["entities"]}


def strings(value: Any) -> list[str]:
    """Every string in a JSON value."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [string for one in inner for string in strings(one)]
    return [value] if isinstance(value, str) else []


def assert_faithful(text: str, gold: dict[str, Any]) -> None:
    """The rules that every extracted gold keeps."""
    whole = collapse(text)
    found = check(TASK.canonical(gold), TASK.schema)
    assert found.valid, found.problems
    assert list(gold) == list(TASK.schema["properties"])
    assert len(gold["gist"]) <= GIST_LIMIT
    assert len(gold["summary"]) <= 220
    assert len(gold["content"]) <= 1900
    assert len(gold["narrative"]) <= 250
    rest = len(TASK.canonical(gold)) - len(gold["content"])
    assert rest <= 1100 or len(gold["structured_concepts"]["entities"]) == 0
    lists = gold["structured_concepts"]
    assert all(one["name"] in whole for one in lists["entities"])
    assert len({one["name"] for one in lists["entities"]}) == len(lists["entities"])
    assert all(one["object"] in whole and one["details"] in whole for one in lists["actions"])
    assert all(one["description"] in whole for one in lists["causality"])
    assert all(concept in whole.lower() for concept in gold["concepts"])
    digits = set(re.findall(r"\d+", whole))
    assert set(re.findall(r"\d+", " ".join(strings(gold)))) <= digits
    if len(whole) <= 500:
        assert gold["content"] == whole


@pytest.mark.parametrize("domain", list(DOMAIN_TEXTS))
def test_each_domain_gives_a_faithful_gold(domain: str) -> None:
    record = {"domain": domain, **DOMAIN_TEXTS[domain]}
    pair = pair_of(record)
    assert pair.kind == domain
    assert pair.split in SPLITS
    assert pair.twin is None
    assert_faithful(pair.text, pair.gold)
    assert pair_of(record) == pair
    result = audit([pair], TASK)
    assert result.ok, [check.examples for check in result.checks.values()]


def test_security_advisory() -> None:
    gold = domain_gold("security advisory")
    assert gold["gist"] == "Use-after-free in `ring_queue::drain`"
    assert gold["summary"].startswith("Affected versions of `ring-queue` kept a reference")
    found = entities(gold)
    assert found["ring_queue::drain"] == "identifier"
    assert found["ring-queue"] == "software"
    assert found["0.4.3"] == "identifier"
    assert "use-after-free" in gold["concepts"]
    assert "tls" not in gold["concepts"]
    assert gold["structured_concepts"]["actions"] == [
        {"verb": "keep", "object": "a reference", "details": "to the freed buffer"},
        {"verb": "read", "object": "memory of other threads", "details": ""},
    ]
    relations = {one["relation"] for one in gold["structured_concepts"]["causality"]}
    assert relations == {"led_to"}
    assert gold["structured_concepts"]["topics"][0]["path"] == "security/memory safety"
    assert (gold["significance"], gold["emotional_tone"]) == ("important", "concerning")
    assert gold["outcome"] == "success"


def test_design_proposal() -> None:
    gold = domain_gold("design proposal")
    assert gold["gist"] == "PEP 9731 — Frozen Dictionary Displays (Rejected)"
    assert gold["summary"].startswith("This PEP proposes a literal syntax")
    assert gold["outcome"] == "failure"
    assert entities(gold)["PEP 9731"] == "identifier"
    assert entities(gold)["Python"] == "software"
    assert {"relation": "caused_by", "description": "they can never change"} in gold[
        "structured_concepts"
    ]["causality"]
    accepted = gold_of(PROPOSAL.replace("Rejected", "Final"), domain="design proposal")
    assert accepted["outcome"] == "success"


def test_recipe() -> None:
    gold = domain_gold("recipe")
    assert gold["gist"] == "Plum Dumplings"
    assert entities(gold) == {"Plum Dumplings": "product"}
    verbs = [one["verb"] for one in gold["structured_concepts"]["actions"]]
    assert verbs == ["boil", "knead"]
    assert "Boil the potatoes for 25 minutes" in gold["narrative"]
    assert gold["emotional_tone"] == "satisfying"
    assert gold["significance"] == "routine"
    paths = [one["path"] for one in gold["structured_concepts"]["topics"]]
    assert all(path.startswith("cooking/") for path in paths)


def test_chinese_recipe() -> None:
    gold = domain_gold("recipe (Chinese)")
    assert gold["gist"] == "葱油豆腐的做法"
    assert gold["summary"] == "葱油豆腐是一道清淡的家常小吃，约 15 分钟即可完成。"
    assert gold["concepts"][:3] == ["葱油豆腐", "豆腐", "小葱"] or "豆腐" in gold["concepts"][0]
    assert entities(gold) == {"葱油豆腐": "product"}
    assert gold["narrative"].startswith("豆腐切成 2cm 的小块")


def test_clinical_note() -> None:
    gold = domain_gold("clinical note")
    assert gold["gist"].startswith("The patient is a 52-year-old farmer with knee pain")
    found = entities(gold)
    assert found["Naxolin"] == "product"
    assert found["Northfield Valley Hospital"] == "organization"
    assert "knee pain" in gold["concepts"]
    assert gold["outcome"] == "success"
    assert gold["structured_concepts"]["topics"][0]["path"].startswith("medicine/")
    denied = gold_of("He denies chest pain, has no fever and no cough.", domain="clinical note")
    assert (denied["significance"], denied["emotional_tone"]) == ("routine", "neutral")


def test_dated_note() -> None:
    gold = domain_gold("dated note")
    assert gold["summary"] == gold["content"] == NOTE
    assert gold["gist"] == "07/19 Maren Tollefsen <maren@example.org> born in Tromso"
    assert entities(gold) == {
        "Maren Tollefsen": "person",
        "maren@example.org": "identifier",
        "Tromso": "place",
        "Norway": "place",
    }
    (action,) = gold["structured_concepts"]["actions"]
    assert action == {"verb": "born", "object": "Maren Tollefsen", "details": "in Tromso"}
    assert gold["structured_concepts"]["topics"] == [{"label": "born", "path": "history/births"}]


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize("domain", ["", "recipe", "dated note"])
def test_odd_texts(text: str, domain: str) -> None:
    assert_faithful(text, gold_of(text, domain=domain))


def test_brief_texts_say_nothing_more() -> None:
    gold = gold_of("Thanks a lot.")
    assert (gold["gist"], gold["summary"], gold["content"]) == ("Thanks a lot",) + (
        "Thanks a lot.",
    ) * 2
    assert gold["narrative"] == ""
    assert not any(gold["structured_concepts"].values())
    assert gold["salience"] <= 0.2
    url = gold_of("https://example.org/a/b?c=1")
    assert url["gist"] == url["content"] == "https://example.org/a/b?c=1"
    assert entities(url) == {"https://example.org/a/b?c=1": "url"}


def test_content_of_a_long_text_is_whole_sentences_with_facts_first() -> None:
    plain = [f"Nothing of note happened on the {word} day at all." for word in ("one", "other")]
    telling = [
        f"Pump {n} lost {n}.5 litres of oil at 0{n}:15 on that cold night." for n in range(1, 10)
    ]
    text = " ".join([plain[0], *telling, plain[1], "It was a long and quiet week by the sea."])
    content = gold_of(text)["content"]
    assert len(content) <= 600
    rest = content
    for sentence in telling:
        assert sentence in content
        rest = rest.replace(sentence, "")
    assert rest.strip() in ("", plain[0], plain[1])
    places = [text.index(sentence) for sentence in telling]
    assert places == sorted(places)


def test_passive_names_what_is_acted_on() -> None:
    text = "The flaw was corrected in version 0.4.3 by Petra Lindqvist, who lives in Lund."
    assert gold_of(text)["structured_concepts"]["actions"] == [
        {"verb": "correct", "object": "The flaw", "details": "in version 0.4.3"}
    ]


def test_negated_verbs_and_causes_are_left_out() -> None:
    text = "She did not install the update and never opened the file, not because of the price."
    lists = gold_of(text)["structured_concepts"]
    assert lists["actions"] == []
    assert lists["causality"] == []


def test_gist_is_cut_at_a_word_outside_of_numbers_and_code() -> None:
    text = (
        "The nightly job that copies the archive to the second site in the north ran for 45 "
        "minutes longer than planned because the link was slow. It ended at noon."
    )
    gist = gold_of(text)["gist"]
    assert text.startswith(gist)
    assert text[len(gist)] == " "
    assert not gist.endswith((" 45", " ran for", " in", "."))
    code = (
        "A call of the function that is named `the_first_part of_the_second_part_of_it_all` fails."
    )
    assert "`" not in gold_of(code + " It does so every time, on every machine we own.")["gist"]


def write_lines(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_file_of_records(tmp_path: Path) -> None:
    records = [{"text": f"Box {n} arrived at the gate at 0{n}:30 in the rain."} for n in range(9)]
    lines = [json.dumps(record) for record in records]
    lines.insert(3, "")
    path = write_lines(tmp_path / "texts.jsonl", lines)
    pairs = list(extract(path))
    assert [pair.text for pair in pairs] == [record["text"] for record in records]
    assert len({pair.id for pair in pairs}) == 9
    assert {pair.kind for pair in pairs} == {"text"}
    assert list(extract(path)) == pairs


def test_the_first_sentence_too_long_for_a_gist_is_a_text_of_its_own(tmp_path: Path) -> None:
    long = (
        "The pump in the cellar of the old mill stopped twice in the night of 3 March, so Petra "
        "Lind replaced its seal in the morning."
    )
    text = f"Pumps\n\nThey are old. {long} {long.replace('March', 'April')}"
    record = {"id": "a/b", "text": text, "domain": "note", "split": "eval"}
    path = write_lines(tmp_path / "texts.jsonl", [json.dumps(record)])
    (whole,) = extract(path)
    same, sentence = extract(path, sentences=True)
    assert same == whole
    assert sentence.text == sentence.gold["content"] == long
    assert len(sentence.gold["gist"]) <= GIST_LIMIT
    assert long.startswith(sentence.gold["gist"])
    assert (sentence.kind, sentence.split) == (whole.kind, whole.split)
    assert sentence.id != whole.id
    assert split_anew(sentence).split == split_anew(whole).split


def test_runs_of_a_text_are_texts_of_their_own(tmp_path: Path) -> None:
    text = "Soup\n\n- 3 carrots\n- 2 litres of water\n\n1. Boil it for 20 minutes.\n2. Eat."
    record = {"id": "soup", "text": text, "domain": "recipe", "split": "train"}
    path = write_lines(tmp_path / "texts.jsonl", [json.dumps(record)])
    whole, *parts = extract(path, num_excerpts=3, seed=1)
    assert [part.id for part in parts] == [f"soup/excerpt-{place}" for place in range(len(parts))]
    assert parts
    assert all(part.text in text and part.text != text for part in parts)
    assert {split_anew(part).split for part in parts} == {split_anew(whole).split}
    assert list(extract(path, num_excerpts=3, seed=1)) == [whole, *parts]


def test_a_tenth_of_texts_without_a_split_is_for_evaluation() -> None:
    splits = [pair_of({"text": f"Note number {n}."}).split for n in range(2000)]
    assert 150 < splits.count("eval") < 250
    assert pair_of({"text": "Note number 1.", "split": "eval", "id": "x"}).split == "eval"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "line 2"),
        ("[]", "want an object"),
        ("{}", "`text` is missing or blank"),
        ('{"text": " \\n "}', "`text` is missing or blank"),
        ('{"text": 7}', "`text` is a int"),
        ('{"text": "a", "split": "test"}', "split 'test'"),
        ('{"text": "a", "fields": []}', None),
        ('{"text": "a", "fields": [1]}', "`fields` is a list"),
        ('{"text": "a \\ud800"}', "surrogate"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_faulty_lines_are_named(tmp_path: Path, line: str, reason: str | None) -> None:
    path = write_lines(tmp_path / "texts.jsonl", ['{"text": "fine"}', line])
    if reason is None:
        assert len(list(extract(path))) == 2
        return
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        list(extract(path))
    assert "line 2" in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no texts at"):
        list(extract(tmp_path / "none.jsonl"))


SENTENCES = st.lists(
    st.sampled_from(
        [
            *re.split(r"(?<=[.!?。])\s+", ADVISORY + PROPOSAL + CLINICAL + RECIPE + CHINESE),
            "The version 2.0 of `a_b` was released in May 2031.",
            "No. 7 costs $12.50, i.e. 3 % more.",
            "- 3 cups of tea",
            "## Directions",
            "😀😀",
            "\n",
        ]
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(SENTENCES, st.sampled_from([" ", "\n", "\n\n", "  "]), st.sampled_from([*DOMAIN_TEXTS, ""]))
def test_mixed_texts_stay_faithful(parts: list[str], between: str, domain: str) -> None:
    text = between.join(parts)
    if text.strip():
        assert_faithful(text, gold_of(text, domain=domain))


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=300))
@example("0\u3000" * 90)
@example("A." * 200)
def test_any_text_gives_a_valid_gold(text: str) -> None:
    if not text.strip():
        return
    gold = gold_of(text)
    assert check(TASK.canonical(gold), TASK.schema).valid
    assert gold_of(text) == gold


def test_long_texts_are_quick() -> None:
    words = re.findall(r"\S+|\n", ADVISORY + RECIPE + PROPOSAL)
    shuffled = random.Random(3)
    text = " ".join(shuffled.choices(words, k=10_000))
    start = time.process_time()
    gold_of(text, domain="security advisory")
    gold_of("word " * 20_000)
    gold_of("葱油豆腐" * 8_000)
    assert time.process_time() - start < 5


def test_a_long_line_of_marks_is_quick_and_a_rule_is_no_text() -> None:
    marks = "_" * 200_000 + "!"
    start = time.process_time()
    assert [part.text for part in segments(marks)] == [marks]
    assert time.process_time() - start < 5
    rules = ["---", "- - -", "~~~ python", "--__ab", " === "]
    assert [part.text for part in segments("\n".join([*rules, "Tea is hot."]))] == ["Tea is hot."]
