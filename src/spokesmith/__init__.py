"""Spokes: small adapters that give a frozen language model one dependable skill.

Importing the package is cheap: torch and transformers load when a room that needs them does.
"""

__version__ = "0.1.0"
