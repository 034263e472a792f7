"""The embedded base with the shipped set, in float32: fast and plain decoding write the same."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from spokesmith.backends import LocalBackend
from spokesmith.bases import load_base
from spokesmith.decoding import Features
from spokesmith.probes import load_set
from spokesmith.spokes import attach, find_spokes, load_spokes
from spokesmith.tasks import load_task

NONE = Features(forced=False, copying=False, prefix_cache=False, fixed_layout=False)


@pytest.mark.slow
@pytest.mark.parametrize("held", [True, False])
def test_real_encodings_do_not_depend_on_how_they_are_decoded(held: bool) -> None:
    base, task = load_base("smollm2-135m", dtype="float32"), load_task("memory")
    spokes, _ = load_spokes(find_spokes("memory-smollm2-135m"), base_fingerprint=base.fingerprint)
    attach(base.model, base.sites(), spokes, name="memory")
    texts = [probe.text for probe in load_set("gold", task).probes[:4]]

    def answers(num_slots: int, features: Features) -> list[str]:
        backend = LocalBackend(base, spokes="memory", num_slots=num_slots, features=features)
        with ThreadPoolExecutor(len(texts)) as pool:
            found = pool.map(
                lambda text: (
                    backend.complete(
                        task.messages(text), task.schema if held else None, max_tokens=160
                    ).text
                ),
                texts,
            )
            return list(found)

    plain = answers(1, NONE)
    assert answers(1, Features()) == plain
    assert answers(8, Features()) == plain
