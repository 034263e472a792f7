"""Report documents made by hand, and what a browser would make of a page."""

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

FIELDS = ("gist", "significance")
VOID = {"br", "img", "input", "link", "meta"}


def span_of(words: str, text: str) -> list[int]:
    return [text.index(words), text.index(words) + len(words)]


def stated(
    words: str, field: str, text: str, source: str, *, kind: str = "number", reason: str = ""
) -> dict[str, Any]:
    """A fact of an output string; with a reason it is made up."""
    return {
        "kind": kind,
        "text": words,
        "field": field,
        "span": span_of(words, text),
        "source_span": None if reason else span_of(words, source),
        "reason": reason,
    }


def kept(words: str, source: str, *, is_kept: bool, kind: str = "number") -> dict[str, Any]:
    return {"kind": kind, "text": words, "span": span_of(words, source), "kept": is_kept}


def judgement(
    *,
    stated: Sequence[dict[str, Any]] = (),
    kept: Sequence[dict[str, Any]] = (),
    valid: bool = True,
    failed: bool = False,
    problems: Sequence[str] = (),
    rules: Sequence[str] = (),
    bound: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    made_up = sum(one["source_span"] is None for one in stated)
    numbers = [one for one in kept if one["kind"] == "number"]
    fabrication = made_up / len(stated) if stated else None
    return {
        "compliance": {
            "valid": valid,
            "json_valid": not failed,
            "fields": dict.fromkeys(FIELDS, valid),
            "problems": list(problems),
        },
        "stated": list(stated),
        "kept": list(kept),
        "rules": list(rules),
        "has_rules": True,
        "bound": list(bound),
        "recall": 0.5,
        "numbers_kept": all(one["kept"] for one in numbers) if numbers else None,
        "bind": None,
        "soft": None,
        "minimal": None,
        "echo": [],
        "failed": failed,
        "fabrication": 1.0 if failed else fabrication,
    }


def probe(
    id: str, source: str | None, answer: Any, verdict: dict[str, Any], **more: Any
) -> dict[str, Any]:
    valid = verdict["compliance"]["valid"]
    return {
        "id": id,
        "category": "plain",
        "source": source,
        "answer": answer if isinstance(answer, str | None) else json.dumps(answer),
        "finish_reason": "stop",
        "problem": None,
        "latency_s": 1.5,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "judgement": verdict,
        "must_keep": {},
        "must_avoid": {},
        "twin": None,
        "leaks": None,
        "edit": None,
        "valid": valid,
        "passes": valid
        and not verdict["fabrication"]
        and all(one["kept"] for one in verdict["kept"] if one["kind"] == "number"),
    } | more


def document(probes: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    share = sum(one["passes"] for one in probes) / len(probes)
    measures = {
        "SC": {"value": 0.9, "interval_95": [0.8, 0.97], "n": len(probes)},
        "MIN": {"value": None, "interval_95": None, "n": 0},
        "P": {"value": share, "interval_95": [0.0, 1.0], "n": len(probes)},
    }
    return {
        "format": 1,
        "task": "memory",
        "base": "tiny",
        "spokes": "spokes-folder",
        "url": None,
        "set": "gold",
        "constrained": False,
        "max_tokens": 1024,
        "time_limit_s": 60.0,
        "made": {"engine": "torch", "spokesmith": "1.2.3"},
        "probes": probes,
        "totals": {
            "measures": measures,
            "aspects": {"keys": {"n": 1, "of": 2}},
            "fields": {},
            "categories": {"plain": {"n": 1, "of": 2}},
            "must_keep": {"n": 0, "of": 0},
            "must_avoid": {"n": 0, "of": 0},
            "finish_reasons": {"stop": 2},
            "errors": {},
            "median_latency_s": 1.5,
            "tokens_per_s": 13.3,
        },
    } | more


class Elements(HTMLParser):
    """The elements of a page with their texts; fails where tags do not balance."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[tuple[str, int]] = []
        self.feed(page)
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in VOID:
            assert not (tag == "a" and "a" in [name for name, _ in self._open])
            self._open.append((tag, len(self.all) - 1))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict.fromkeys(name for name, _ in attrs)))
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        name, _ = self._open.pop()
        assert name == tag, f"</{tag}> closes <{name}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        for _, place in self._open:
            self.texts[place] += data

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.all if "id" in attributes]

    def targets(self) -> list[str]:
        return [attributes["href"] for tag, attributes in self.all if tag == "a"]

    def text_of(self, tag: str, name: str) -> list[str]:
        """The texts of all elements of a tag with a class."""
        return [
            text
            for (own, attributes), text in zip(self.all, self.texts, strict=True)
            if own == tag and name in attributes.get("class", "").split()
        ]
