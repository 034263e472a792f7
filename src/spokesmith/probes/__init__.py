"""Probes: ask any `complete` for the encodings of a set of inputs, score them, report."""

from spokesmith.probes.answers import Answer, read_answers
from spokesmith.probes.ask import Asking, ask
from spokesmith.probes.document import report_document
from spokesmith.probes.engine import Complete, Completion
from spokesmith.probes.records import Probe, ProbeSet, load_probes, load_set
from spokesmith.probes.score import ProbeReport, ProbeResult, score

__all__ = [
    "Answer",
    "Asking",
    "Complete",
    "Completion",
    "Probe",
    "ProbeReport",
    "ProbeResult",
    "ProbeSet",
    "ask",
    "load_probes",
    "load_set",
    "read_answers",
    "report_document",
    "score",
]
