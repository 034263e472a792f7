"""The engine's thread is the only one that keeps helpers."""

import threading
from pathlib import Path

import pytest
import torch

from spokesmith.decoding.threads import release_team

MUCH = 1_000_000


def num_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_the_helpers_of_a_thread_end_and_come_back() -> None:
    found: dict[str, int] = {}

    def work() -> None:
        torch.set_num_threads(3)
        release_team()
        found["before"] = num_threads()
        total = torch.ones(MUCH).exp().sum()
        found["while it computes"] = num_threads()
        release_team()
        found["released"] = num_threads()
        assert torch.equal(torch.ones(MUCH).exp().sum(), total)

    before = torch.get_num_threads()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    torch.set_num_threads(before)
    assert found["while it computes"] == found["before"] + 2
    assert found["released"] == found["before"]
