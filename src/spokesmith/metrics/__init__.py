"""How encodings are judged: schema compliance, typed facts, faithfulness, statistics."""

from spokesmith.metrics.compliance import Compliance, check, parse_strict
from spokesmith.metrics.statistics import wilson_interval

__all__ = ["Compliance", "check", "parse_strict", "wilson_interval"]
