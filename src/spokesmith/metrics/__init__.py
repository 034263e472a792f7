"""How encodings are judged: schema compliance, typed facts, faithfulness, statistics."""

from spokesmith.metrics.binding import BoundNumber, binding
from spokesmith.metrics.compliance import Compliance, check, parse_strict
from spokesmith.metrics.echo import prompt_echo, repeated_sixgrams
from spokesmith.metrics.facts import (
    DATE,
    IDENTIFIER,
    KINDS,
    NAME,
    NUMBER,
    QUOTATION,
    Fact,
    find_facts,
)
from spokesmith.metrics.grounding import Grounding, Source, StatedFact, stands_in, stated_facts
from spokesmith.metrics.judgement import Judgement, judge
from spokesmith.metrics.keeping import KeptFact, kept_facts
from spokesmith.metrics.leakage import EditVerdict, edit_followed, twin_leaks
from spokesmith.metrics.memory_rules import SALIENCE_RANGES, memory_problems
from spokesmith.metrics.minimal import MinimalInput, is_minimal
from spokesmith.metrics.statistics import bootstrap_interval, mcnemar, wilson_interval
from spokesmith.metrics.summary import InputRecord, summarise

__all__ = [
    "DATE",
    "IDENTIFIER",
    "KINDS",
    "NAME",
    "NUMBER",
    "QUOTATION",
    "SALIENCE_RANGES",
    "BoundNumber",
    "Compliance",
    "EditVerdict",
    "Fact",
    "Grounding",
    "InputRecord",
    "Judgement",
    "KeptFact",
    "MinimalInput",
    "Source",
    "StatedFact",
    "binding",
    "bootstrap_interval",
    "check",
    "edit_followed",
    "find_facts",
    "is_minimal",
    "judge",
    "kept_facts",
    "mcnemar",
    "memory_problems",
    "parse_strict",
    "prompt_echo",
    "repeated_sixgrams",
    "stands_in",
    "stated_facts",
    "summarise",
    "twin_leaks",
    "wilson_interval",
]
