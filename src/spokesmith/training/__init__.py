"""Training: a frozen base, its spokes, and the loop that changes the spokes alone."""
