"""The page over several reports: every set and way of decoding, compared probe by probe."""

from typing import Any

import pytest
from report_documents import Elements, document, judgement, probe

from spokesmith.report import results_page


def report(passes: str, **more: Any) -> dict[str, Any]:
    """A document whose probes pass where `passes` has a plus."""
    return document(
        [
            probe(f"probe-{place}", "Hm.", {}, judgement(valid=sign == "+"))
            for place, sign in enumerate(passes)
        ],
        **more,
    )


def test_every_report_has_a_row_with_its_measures() -> None:
    documents = {
        "gold-free": report("++-"),
        "gold-constrained": report("+++", constrained=True),
        "odd": report("--", set="a <b> & c"),
    }
    html = results_page(documents)
    found = Elements(html)
    table = " ".join(found.text_of("table", "overview")[0].split())
    assert "goldfree 366.7 % 0.0 to 100.0 %n 3" in table
    assert "goldconstrained 3100.0 %" in table
    assert "a <b> & cfree 20.0 %" in table
    assert "MIN" not in table
    assert len(found.ids()) == len(set(found.ids()))
    assert {target[1:] for target in found.targets()} <= set(found.ids())


def test_free_and_constrained_are_compared_on_the_same_probes() -> None:
    documents = {
        "free": report("++++++++---"),
        "constrained": report("-------+++", constrained=True),
        "alone": report("+", set="minimal"),
        "other base": report("+", base="other", constrained=True),
    }
    found = Elements(results_page(documents))
    (table,) = found.text_of("table", "compared")
    cells = table.split("p\n")[1].split()
    # Ten probes in both: 80 % free, 30 % constrained, 7 and 2 alone, p = 2 * P(at most 2 of 9).
    assert cells == ["gold1080.0", "%30.0", "%720.18"]


@pytest.mark.parametrize("key", ["quantize", "dtype", "spokes_hash", "model", "model_hash"])
def test_answers_of_different_subjects_are_not_mixed(key: str) -> None:
    def asked(value: str, passes: str, *, constrained: bool) -> dict[str, Any]:
        return report(passes, constrained=constrained, made={"engine": "local", key: value})

    documents = {
        "a-free": asked("one", "++++", constrained=False),
        "a-constrained": asked("one", "---+", constrained=True),
        "b-free": asked("other", "+---", constrained=False),
    }
    found = Elements(results_page(documents))
    (table,) = found.text_of("table", "compared")
    # Nothing is compared with the last report, and it takes no other's place.
    assert table.split("p\n")[1].split() == ["gold4100.0", "%25.0", "%300.25"]


def test_fields_are_shares() -> None:
    found = Elements(results_page({"one": report("++-+")}))
    assert "✗ 75.0 %" in found.text_of("table", "matrix")[0]


def test_pairs_without_a_common_probe_are_not_compared() -> None:
    other = report("+", constrained=True)
    other["probes"][0]["id"] = "elsewhere"
    html = results_page({"free": report("+"), "constrained": other})
    assert "McNemar" not in html


def test_no_report_is_an_error() -> None:
    with pytest.raises(ValueError, match="no report"):
        results_page({})


def test_a_report_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format is None"):
        results_page({"old": {"task": "memory"}})
