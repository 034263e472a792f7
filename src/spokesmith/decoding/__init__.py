"""Decoding: tokens in, tokens out, free or under a grammar. Knows no HTTP and no chat."""

from spokesmith.decoding.engine import Engine, Generation
from spokesmith.decoding.grammar import Grammar, GrammarCompiler
from spokesmith.decoding.sampling import Sampling

__all__ = ["Engine", "Generation", "Grammar", "GrammarCompiler", "Sampling"]
