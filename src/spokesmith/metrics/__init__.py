"""How encodings are judged: schema compliance, typed facts, faithfulness, statistics."""

from spokesmith.metrics.compliance import Compliance, check, parse_strict

__all__ = ["Compliance", "check", "parse_strict"]
