"""A GGUF file as a base is the model that the file was made of, or it is refused in one line."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from gguf_parts import make_parts, rewritten

from spokesmith.bases import load_base, loading
from spokesmith.testing import tiny_base
from spokesmith.testing.gguf_files import write_gguf

IDS = torch.arange(60).reshape(2, 30) * 7 % 250
# What files do not say, the library takes from the real bases: their head's size, their kinds of
# attention, the scale of their queries.
READ: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen3": {"head_dim": 128},
    # Three kinds of positions need a pair of dimensions each.
    "qwen3_5_text": {"head_dim": 32},
    "gemma3_text": {
        "num_layers": 6,
        "query_pre_attn_scalar": 256,
        "layer_types": ["sliding_attention"] * 5 + ["full_attention"],
    },
}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPOKESMITH_CACHE", str(tmp_path / "cache"))


def refusal(path: Path) -> str:
    """What is said of a file, with the remedy that all but a broken file has."""
    with pytest.raises(ValueError, match=f"--engine llama.cpp --model {path}$") as refused:
        load_base(str(path), dtype="float32", device="cpu")
    assert "give the base's Hugging Face folder or id" in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("model_type", READ)
def test_a_file_is_the_model_that_it_was_made_of(model_type: str, tmp_path: Path) -> None:
    made = tiny_base(model_type, **READ[model_type])
    path = write_gguf(tmp_path / "tiny.gguf", made)
    found = load_base(str(path), dtype="float32", device="cpu")
    assert found.family == made.family
    assert found.fingerprint == made.fingerprint
    with torch.no_grad():
        got, wanted = (base.model(input_ids=IDS).logits for base in (found, made))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model_type", ["gemma4_text", "gemma4_dense"])
def test_a_file_that_the_library_misreads_is_refused_before_it_is_read_through(
    model_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_through(*_: object) -> None:
        raise AssertionError("the whole file was read")

    monkeypatch.setattr("hashlib.file_digest", read_through)
    path = write_gguf(tmp_path / "tiny.gguf", tiny_base(model_type))
    assert "(architecture 'gemma4')" in refusal(path)


UNREAD: dict[str, dict[str, Any]] = {
    "('rope_freqs.weight')": {"more": (("rope_freqs.weight", (8,)),)},
    "('llama.rope.scaling.factor')": {"values": {"llama.rope.scaling.factor": 8.0}},
    "(architecture 'phi3')": {"architecture": "phi3"},
    "('blk.0.spoke.down.weight')": {"more": (("blk.0.spoke.down.weight", (8, 8)),)},
}


@pytest.mark.parametrize("words", UNREAD)
def test_what_the_library_leaves_out_of_a_file_is_refused(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpack(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(loading, "dequantise", unpack)
    assert words in refusal(rewritten(make_parts(tmp_path), **UNREAD[words]))


def test_a_file_that_does_not_fit_into_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", tiny_base("llama"))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=10_000))
    with pytest.raises(ValueError, match=r"GB unpacked, and 0\.0 GB of memory are free"):
        load_base(str(path), device="cpu")


def test_weights_that_a_file_lacks_are_never_made_up(tmp_path: Path) -> None:
    path = rewritten(make_parts(tmp_path), without=("blk.1.ffn_up.weight",))
    with pytest.raises(ValueError, match=r"lacks 1 weights \(model.layers.1.mlp.up_proj.weight\)"):
        load_base(str(path), dtype="float32", device="cpu")
    assert not list((tmp_path / "cache" / "bases").iterdir())


def test_what_the_library_fails_on_is_one_line(tmp_path: Path) -> None:
    """A head of another size than the library knows for such bases."""
    path = write_gguf(tmp_path / "tiny.gguf", tiny_base("qwen3"))
    assert "Error: " in refusal(path)
