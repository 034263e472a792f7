"""The audit of a data set: is every pair fit to be learned from, and what is in the set?

It judges every gold as the answers of models are judged, compares the pairs with one another and
with the probes, counts what is there, and never repairs. A gold that is faithful in its facts may
still be a poor summary: that is not seen here.
"""

from spokesmith.data.audit.card import Section, markdown, sections
from spokesmith.data.audit.findings import CHECKS, Check, Finding
from spokesmith.data.audit.leakage import probe_texts
from spokesmith.data.audit.run import Audit, audit

__all__ = [
    "CHECKS",
    "Audit",
    "Check",
    "Finding",
    "Section",
    "audit",
    "markdown",
    "probe_texts",
    "sections",
]
