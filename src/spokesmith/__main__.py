"""`python -m spokesmith`."""

from spokesmith.cli import main

main()
