"""What a user is told where `spokesmith diagnose` cannot answer."""

import pytest
import torch

from spokesmith.cli.diagnose import diagnose


@pytest.mark.parametrize(
    ("quantize", "remedies"),
    [
        ("none", "a smaller --length or --quantize nf4 or --device cpu"),
        ("nf4", "a smaller --length or --device cpu"),
    ],
)
def test_a_gpu_whose_memory_is_full_is_one_line_with_what_helps(
    quantize: str, remedies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB.")

    monkeypatch.setattr("spokesmith.diagnose.diagnose", full)
    with pytest.raises(ValueError, match=f"without checkpointing: use {remedies}$") as refused:
        diagnose(base="tiny-llama", reference="none", quantize=quantize)
    assert "\n" not in str(refused.value)
