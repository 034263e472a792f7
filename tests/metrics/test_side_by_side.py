"""Hand-made faults that the classical measures call clean and the strict ones catch."""

import copy
import json
from collections.abc import Callable
from typing import Any

from spokesmith.metrics import Judgement, judge, memory_problems
from spokesmith.metrics.classical import ClassicalRecord, measures_of
from spokesmith.tasks import load_task

TASK = load_task("memory")
TEXT = (
    "After the cache was moved into the gateway, median latency on /search went from 12 ms to 9 ms "
    "and 5 workers were kept. Ravi will report on it next week."
)
GOLD: dict[str, Any] = {
    "gist": "Median latency on /search went from 12 ms to 9 ms",
    "summary": "Median latency on /search went from 12 ms to 9 ms and 5 workers were kept.",
    "content": TEXT,
    "narrative": "The cache was moved, then median latency went from 12 ms to 9 ms.",
    "concepts": ["median latency", "cache"],
    "structured_concepts": {
        "topics": [{"label": "latency", "path": "software/performance"}],
        "entities": [{"name": "Ravi", "type": "person", "context": "will report next week"}],
        "actions": [{"verb": "move", "object": "the cache", "details": "into the gateway"}],
        "causality": [],
    },
    "significance": "routine",
    "emotional_tone": "neutral",
    "outcome": "unknown",
    "salience": 0.15,
}


def gold() -> str:
    return json.dumps(GOLD)


def echo_of_the_input() -> str:
    return TEXT


def invented_person() -> str:
    encoding = copy.deepcopy(GOLD)
    person = {"name": "Omar Haddad", "type": "person", "context": "will report next week"}
    encoding["structured_concepts"]["entities"].append(person)
    return json.dumps(encoding)


def swapped_numbers() -> str:
    return gold().replace("from 12 ms to 9 ms", "from 9 ms to 12 ms")


def invented_causes() -> str:
    encoding = copy.deepcopy(GOLD)
    encoding["narrative"] = "Latency fell because the old proxy had been leaking memory."
    encoding["structured_concepts"]["causality"] = [
        {"relation": "caused_by", "description": "a leak of memory in the old proxy"}
    ]
    return json.dumps(encoding)


def flat_strings() -> str:
    parts = {"topics": ["latency"], "entities": ["Ravi"], "actions": ["move"], "causality": []}
    return json.dumps({**GOLD, "structured_concepts": parts})


def number_kept_by_salience() -> str:
    return gold().replace(" and 5 workers were kept", "")


def strict_problems(found: Judgement) -> list[str]:
    """What the strict measures hold against an answer."""
    said = [] if found.compliance.valid else [f"SC {found.compliance.problems[0]}"]
    said += [f"HFR {one.fact.text}" for one in found.made_up]
    said += [f"TFR {one.fact.text}" for one in found.kept if not one.kept]
    said += [f"BIND {one.fact.text}" for one in found.bound if not one.bound]
    return said + [f"RULES {rule}" for rule in found.rules]


def classical_problems(answer: str) -> list[str]:
    """What the classical measures hold against an answer; an unreadable one leaves them all."""
    found = measures_of(ClassicalRecord(id="one", source=TEXT, answer=answer))
    best = {"EPR": 1.0, "FR": 0.0, "NP": 1.0, "TED": False, "SC": True}
    return (
        []
        if found is None
        else [f"{name} {found[name]}" for name in best if found[name] != best[name]]
    )


FAULTS: dict[Callable[[], str], str] = {
    echo_of_the_input: "SC (whole)",
    invented_person: "HFR Omar Haddad",
    swapped_numbers: "BIND 12 ms",
    invented_causes: "RULES /structured_concepts/causality/0",
    flat_strings: "SC /structured_concepts",
    number_kept_by_salience: "TFR 5",
}


def test_strict_measures_catch_what_classical_ones_call_clean() -> None:
    rows: list[str] = []
    wrong: list[str] = []
    for make, expected in FAULTS.items():
        answer = make()
        classical = classical_problems(answer)
        strict = strict_problems(judge(answer, TEXT, TASK.schema, rules=memory_problems))
        rows.append(f"{make.__name__:26}| {classical or 'clean'!s:24}| {'; '.join(strict)[:120]}")
        if classical or not any(line.startswith(expected) for line in strict):
            wrong.append(make.__name__)
    table = "\n".join([f"{'fault':26}| {'classical':24}| strict", *rows])
    assert not wrong, f"{', '.join(wrong)}\n{table}"


def test_both_call_the_faithful_encoding_clean() -> None:
    assert classical_problems(gold()) == []
    assert strict_problems(judge(gold(), TEXT, TASK.schema, rules=memory_problems)) == []
