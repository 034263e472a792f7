"""What is kept of prompts stays within its bound, whatever layers keep of them."""

import pytest
from generating import generate

from spokesmith.decoding import Engine, Features
from spokesmith.testing import tiny_base

FAMILIES = ("llama", "gemma3_text", "qwen3_5_text")
SHARED = 24


def keep(engine: Engine, number: int) -> None:
    """One more beginning of a prompt that is worth keeping."""
    beginning = [number + 1] * SHARED
    generate(engine, [*beginning, 65], spokes=None, max_tokens=1, num_shared=SHARED)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_oldest_beginnings_go_at_the_bound(family: str) -> None:
    base = tiny_base(family)
    unbounded = Engine(base)
    keep(unbounded, 0)
    size = unbounded.prefixes.num_bytes
    assert size > 0
    engine = Engine(base, features=Features(prefix_bytes=3 * size))
    for number in range(8):
        keep(engine, number)
    assert engine.prefixes.num_bytes == 3 * size
    found = [engine.prefixes.load(0, None, [*[number + 1] * SHARED, 65]) for number in range(8)]
    assert found == [0] * 5 + [SHARED] * 3


def test_running_states_count_as_memory() -> None:
    engine = Engine(tiny_base("qwen3_5_text"))
    keep(engine, 0)
    alone = Engine(tiny_base("qwen3_5_text", layer_types=["full_attention"]))
    keep(alone, 0)
    # Half the layers keep keys and values; the others keep states in their place.
    assert engine.prefixes.num_bytes > alone.prefixes.num_bytes / 2


def test_what_is_too_long_to_keep_is_not_copied_first(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(tiny_base(), features=Features(prefix_bytes=1000))
    monkeypatch.setattr(engine.runner.cache, "take", lambda *_: pytest.fail("it was copied"))
    keep(engine, 0)
    assert engine.prefixes.num_bytes == 0
