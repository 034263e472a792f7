"""One answer of an engine, waited for."""

from collections.abc import Sequence
from typing import Any

from spokesmith.decoding import Engine, Generation


def generate(
    engine: Engine, prompt_ids: Sequence[int], *, spokes: str | None, **options: Any
) -> Generation:
    """Continue a prompt; `options` as in `Engine.submit`."""
    return engine.submit(prompt_ids, spokes=spokes, **options).future.result()
