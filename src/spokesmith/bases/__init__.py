"""Bases: which models spokes sit beside, as facts, and how they are loaded."""

from spokesmith.bases.base import Base, make_base, shape_fingerprint
from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.checkpointing import CHECKPOINT_MODES, set_checkpointing
from spokesmith.bases.embedded import EMBEDDED, EmbeddedBase, cache_folder
from spokesmith.bases.families import FAMILIES, Family
from spokesmith.bases.loading import find_base, load_base
from spokesmith.bases.shared_kv import unguarded

__all__ = [
    "CHECKPOINT_MODES",
    "EMBEDDED",
    "FAMILIES",
    "Base",
    "ChatFormat",
    "EmbeddedBase",
    "Family",
    "cache_folder",
    "find_base",
    "load_base",
    "make_base",
    "set_checkpointing",
    "shape_fingerprint",
    "unguarded",
]
