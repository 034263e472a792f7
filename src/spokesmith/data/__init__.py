"""Training data: generated or extracted pairs, their audit, and their tokens."""
