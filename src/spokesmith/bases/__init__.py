"""Bases: which models spokes sit beside, as facts, and how they are loaded."""

from spokesmith.bases.base import Base, load_base, shape_fingerprint
from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.embedded import EMBEDDED, EmbeddedBase, cache_folder
from spokesmith.bases.families import FAMILIES, Family

__all__ = [
    "EMBEDDED",
    "FAMILIES",
    "Base",
    "ChatFormat",
    "EmbeddedBase",
    "Family",
    "cache_folder",
    "load_base",
    "shape_fingerprint",
]
