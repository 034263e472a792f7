"""Is this forward and backward pass right? Answers before hours of training are spent on it."""

from spokesmith.diagnose.findings import Check, Diagnosis, Question
from spokesmith.diagnose.passes import Sample, shorten
from spokesmith.diagnose.questions import diagnose, preflight, reference_pass
from spokesmith.diagnose.sameness import Reference

__all__ = [
    "Check",
    "Diagnosis",
    "Question",
    "Reference",
    "Sample",
    "diagnose",
    "preflight",
    "reference_pass",
    "shorten",
]
