"""The page of a report: self-contained, escaped, every made-up and lost fact marked."""

import copy
from pathlib import Path
from typing import Any

import pytest
from browser import chromium
from playwright.sync_api import expect
from report_documents import Elements, document, judgement, kept, probe, span_of, stated

from spokesmith.report import page
from spokesmith.report.measures import measures_of

SOURCE = "Anna wrote “the build takes 12 ms” on 3 May; it took 9 ms before."
GIST = "Anna wrote “the build takes 12 ms”, Bert said 15 ms"
REASON = "the text has no number 15 with ms"
ANSWER = {"gist": GIST, "significance": "huge"}
QUOTE = "“the build takes 12 ms”"


def facts() -> dict[str, Any]:
    return judgement(
        stated=[
            stated("Anna", "/gist", GIST, SOURCE, kind="name"),
            stated(QUOTE, "/gist", GIST, SOURCE, kind="quotation"),
            stated("12 ms", "/gist", GIST, SOURCE),
            stated("Bert", "/gist", GIST, SOURCE, kind="name", reason="no such name"),
            stated("15 ms", "/gist", GIST, SOURCE, reason=REASON),
        ],
        kept=[
            kept("Anna", SOURCE, is_kept=True, kind="name"),
            kept("12 ms", SOURCE, is_kept=True),
            kept("9 ms", SOURCE, is_kept=False),
        ],
        valid=False,
        problems=["/significance: 'huge' is not one of ['routine']"],
    )


def fine(id: str = "fine") -> dict[str, Any]:
    answer = {"gist": "It took 9 ms", "significance": "routine"}
    source = "It took 9 ms."
    verdict = judgement(
        stated=[stated("9 ms", "/gist", answer["gist"], source)],
        kept=[kept("9 ms", source, is_kept=True)],
    )
    return probe(id, source, answer, verdict)


def shown(*probes: dict[str, Any], **more: Any) -> Elements:
    return Elements(page(document(list(probes), **more)))


def without_contents(found: dict[str, Any]) -> dict[str, Any]:
    bare = copy.deepcopy(found)
    for one in bare["probes"]:
        one["source"] = one["answer"] = None
        for fact in one["judgement"]["stated"] + one["judgement"]["kept"]:
            fact.pop("text")
            fact.pop("reason", None)
    return bare


def test_every_made_up_fact_is_marked_with_its_reason_and_listed() -> None:
    found = shown(probe("bad", SOURCE, ANSWER, facts()))
    assert found.text_of("span", "bad")[1:] == ["Bert", "15 ms"]
    reasons = [attributes.get("data-reason") for _, attributes in found.all]
    assert f"made up: {REASON}" in reasons
    (listed,) = found.text_of("ul", "made-up")
    assert REASON in listed
    assert "no such name" in listed


def test_grounded_facts_lead_to_their_place_in_the_source() -> None:
    found = shown(probe("bad", SOURCE, ANSWER, facts()))
    start, end = span_of("12 ms", SOURCE)
    place = found.all.index(("mark", {"id": f"p1s{start}-{end}", "class": "kept"}))
    assert found.texts[place] == "12 ms"
    assert f"#p1s{start}-{end}" in found.targets()
    # The quotation holds the number: its own mark holds that of the number.
    start, end = span_of(QUOTE, SOURCE)
    place = found.all.index(("mark", {"id": f"p1s{start}-{end}", "class": "kept"}))
    assert found.texts[place] == QUOTE


def test_lost_facts_are_marked_in_the_source_and_listed() -> None:
    found = shown(probe("bad", SOURCE, ANSWER, facts()))
    assert found.text_of("mark", "lost")[1:] == ["9 ms"]
    assert "9 ms" in found.text_of("ul", "lost-facts")[0]


def test_numbers_beside_other_words_lead_to_the_source_and_tell_why() -> None:
    loose = {
        "kind": "number",
        "text": "12 ms",
        "field": "/gist",
        "span": span_of("12 ms", GIST),
        "reason": "it stands with 'lint'",
    }
    found = shown(probe("swap", SOURCE, ANSWER, facts() | {"bound": [loose]}))
    assert found.text_of("span", "loose")[1:] == ["12 ms"]
    assert "it stands with 'lint'" in found.text_of("ul", "unbound")[0]
    assert found.text_of("a", "ok").count("12 ms") == 1


def test_half_a_surrogate_pair_leaves_a_page_that_can_be_written() -> None:
    assert page(document([probe("half", "\ud800 text", {}, judgement())])).encode()


def test_links_resolve_and_ids_are_unique() -> None:
    twin = fine("twin") | {"twin": "bad", "leaks": ["12 ms"]}
    edited = fine() | {"edit": {"of": "bad", "old": "12", "new": "9", "followed": False}}
    bad = probe("bad", SOURCE, ANSWER, facts(), twin="twin", leaks=[])
    found = shown(fine("a b"), bad, twin, edited)
    ids = found.ids()
    assert len(ids) == len(set(ids))
    targets = found.targets()
    assert len(targets) > 10
    for target in targets:
        assert target.startswith("#")
        assert target[1:] in ids


def test_failures_come_first() -> None:
    lost = judgement(kept=[kept("9 ms", SOURCE, is_kept=False)])
    made_up = judgement(stated=[stated("15 ms", "/gist", GIST, SOURCE, reason=REASON)])
    cut = probe("cut", SOURCE, '{"gist": "An', judgement(valid=False, failed=True))
    found = shown(
        fine(),
        probe("leaks", "Hm.", {}, judgement(), passes=False, leaks=["12 ms"]),
        probe("lost", SOURCE, ANSWER, lost),
        probe("made-up", SOURCE, ANSWER, made_up),
        cut,
    )
    rows = [
        text.split()[0]
        for (tag, attributes), text in zip(found.all, found.texts, strict=True)
        if tag == "tr" and "data-probe" in attributes
    ]
    sections = [text.split()[1] for text in found.text_of("details", "probe")]
    assert rows[0].startswith("cut")
    assert sections == ["cut", "made-up", "lost", "leaks", "fine"]
    opened = [
        attributes for tag, attributes in found.all if tag == "details" and "open" in attributes
    ]
    assert len(opened) == 3


def test_texts_are_shown_and_never_run() -> None:
    evil = '<script>alert("1")</script><img src=x onerror=alert(2)> & \'"'
    answer = {"gist": evil, "significance": "</dd></script>"}
    verdict = judgement(
        valid=False,
        problems=[evil],
        rules=[evil],
        stated=[stated("alert", "/gist", evil, evil, reason=evil)],
        kept=[kept("alert", evil, is_kept=False)],
    )
    one = probe(
        evil,
        evil,
        answer,
        verdict,
        category=evil,
        problem=evil,
        must_keep={evil: False},
        must_avoid={evil: True},
        leaks=[evil],
        edit={"of": evil, "old": evil, "new": evil, "followed": True},
    )
    cut = probe(evil + "2", evil, evil, judgement(valid=False, failed=True))
    html = page(document([one, cut], base=evil, set=evil, made={evil: evil}))
    found = Elements(html)
    assert html.count("<script") == 1
    assert not any("onerror" in attributes or tag == "img" for tag, attributes in found.all)
    assert evil in found.text_of("div", "text")
    assert evil in found.texts[[tag for tag, _ in found.all].index("dd")]


def test_nothing_comes_from_outside() -> None:
    source = "See http://example.com/a and https://example.com/b."
    html = page(document([probe("url", source, {"gist": source}, judgement())]))
    assert "@import" not in html
    assert "url(" not in html
    for tag, attributes in Elements(html).all:
        assert attributes.keys().isdisjoint({"src", "srcset", "action", "data", "poster"})
        assert tag == "link" or attributes.get("href", "#").startswith("#")
        assert tag != "link" or attributes["href"] == "data:,"
    assert "default-src 'none'" in html


def test_the_head_and_the_measures_are_there() -> None:
    found = shown(fine(), base="smol", time_limit_s=45.0)
    settings = found.text_of("dl", "settings")[0]
    for word in ("smol", "spokes-folder", "gold", "free", "1024 tokens", "45 s", "torch", "1.2.3"):
        assert word in settings
    measures = found.text_of("table", "measures")[0]
    assert "90.0 %" in measures
    assert "80.0 to 97.0 %" in measures
    assert measures.index("P") < measures.index("SC")


def test_recall_by_kind_stands_with_recall() -> None:
    entry = {"value": 0.5, "interval_95": [0.4, 0.6], "n": 3}
    one = document([fine()])
    one["totals"]["measures"] |= {"NEW": entry, "TFR_name": entry, "TFR": entry}
    measures = measures_of(one)
    assert [measure.label for measure in measures] == ["P", "SC", "TFR", "TFR name", "NEW"]
    assert "facts of the kind name" in Elements(page(one)).text_of("table", "measures")[0]


def test_shares_of_the_matrix_leave_out_what_does_not_apply() -> None:
    kept_one = fine("two") | {"must_keep": {"9 ms": True, "May": False}}
    found = shown(fine(), kept_one, probe("bad", SOURCE, ANSWER, facts()))
    summary = found.text_of("tr", "sum")[0]
    assert summary.startswith("all67 %2/3")
    assert "0 %0/1" in summary


def test_lists_and_verdicts_are_there() -> None:
    one = probe(
        "bad",
        SOURCE,
        ANSWER,
        facts(),
        must_keep={"12 ms": True, "9 ms": False},
        must_avoid={"rumour": False},
        leaks=["17 ms"],
        edit={"of": "gone", "old": "11 ms", "new": "12 ms", "followed": True},
    )
    body = " ".join(shown(one).text_of("div", "body")[0].split())
    for words in ("✓ yes 12 ms", "✗ no 9 ms", "✗ no rumour", "Leaks of the twin 17 ms"):
        assert words in body
    assert "✓ followed the edit of gone: 11 ms became 12 ms" in body
    assert "'huge' is not one of" in body


def test_an_answer_that_is_no_json_is_shown_as_written() -> None:
    cut = probe("cut", SOURCE, '{"gist": "An', judgement(valid=False, failed=True), problem="cut")
    assert '{"gist": "An' in shown(cut).text_of("div", "text")


def test_an_answer_that_never_came_is_told() -> None:
    failed = judgement(valid=False, failed=True)
    found = shown(probe("late", SOURCE, None, failed, finish_reason="timeout", latency_s=None))
    assert "finish reason timeout" in found.text_of("div", "body")[0]
    assert found.text_of("p", "note") == ["No answer came."]


def test_without_contents_the_verdicts_stay_and_it_says_so() -> None:
    bare = without_contents(document([probe("bad", SOURCE, ANSWER, facts()), fine()]))
    html = page(bare)
    found = Elements(html)
    assert "The texts are not part of this report" in html
    assert "Anna" not in html
    assert found.text_of("tr", "fails")[0].startswith("bad")
    assert "90.0 %" in found.text_of("table", "measures")[0]


def test_a_hundred_probes_are_less_than_a_megabyte() -> None:
    long = {"gist": " ".join([GIST] * 20), "significance": "routine"}
    verdict = facts()
    one = probe("long", SOURCE * 10, long, verdict)
    html = page(document([one | {"id": f"probe {number}"} for number in range(100)]))
    assert len(html.encode()) < 1_000_000
    assert len(set(Elements(html).ids())) == len(Elements(html).ids())


def test_a_report_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format is 2"):
        page(document([fine()], format=2))


def test_the_same_document_gives_the_same_page() -> None:
    assert page(document([fine()])) == page(document([fine()]))


def test_a_fragment_that_cannot_be_decoded_stops_nothing(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(document([probe("bad", SOURCE, ANSWER, facts())])), "utf-8")
    with chromium() as browser:
        opened = browser.new_page()
        opened.goto(f"{file.as_uri()}#%")
        opened.locator("a.ok[href^='#p1s']").first.hover()
        expect(opened.locator("mark.hot")).to_have_text(["Anna"])
