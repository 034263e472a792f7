"""Only a GGUF file of the base that a set was trained on is taken."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from export_parts import write_base
from gguf_parts import make_parts, rewritten

from spokesmith.export.gguf_base import check_card, read_base
from spokesmith.testing import tiny_base

FAMILIES = ("llama", "gemma3_text", "gemma4_text", "gemma4_dense", "qwen3", "qwen3_5_text")


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_family_is_known_by_its_file_alone(tmp_path: Path, model_type: str) -> None:
    parts = make_parts(tmp_path, model_type)
    base = read_base(parts.path)
    assert base.family == parts.base.family
    assert base.num_layers == 4
    assert check_card(base, parts.card)
    other = dataclasses.replace(parts.card, base_fingerprint="0123456789abcdef")
    assert not check_card(base, other)


REFUSED: dict[str, dict[str, Any]] = {
    "architecture 'phi3', spokes know llama, gemma3, gemma4, qwen3, qwen35": {
        "architecture": "phi3"
    },
    "one part of a split GGUF": {"values": {"split.count": 3}},
    "has spokes in it already": {"values": {"spokesmith.version": 1}},
    "block_count = 'four'": {"values": {"llama.block_count": "four"}},
    "block_count = 0": {"values": {"llama.block_count": 0}},
    "nextn_predict_layers = -1, want 0 or more": {"values": {"llama.nextn_predict_layers": -1}},
    "fewer than its 4 blocks": {"values": {"llama.nextn_predict_layers": 4}},
    "more than it has tensors for": {"values": {"llama.block_count": 2**30}},
    "embedding_length = -5": {"values": {"llama.embedding_length": -5}},
    "want one width or 4 of them": {"values": {"llama.feed_forward_length": [96, 96]}},
    "feed_forward_length = None": {"values": {"llama.feed_forward_length": 0}},
    "the file's keys say [64, 97]": {"values": {"llama.feed_forward_length": 97}},
    "is a mixture of experts ('blk.0.ffn_gate_inp.weight')": {
        "more": (("blk.0.ffn_gate_inp.weight", (4, 64)),)
    },
    "is a mixture of experts ('llama.expert_count')": {"values": {"llama.expert_count": 8}},
    "lacks the tensor blk.2.ffn_down.weight": {"without": ("blk.2.ffn_down.weight",)},
    "blk.1.ffn_up.weight has gate and up in one": {"without": ("blk.1.ffn_gate.weight",)},
    "has 'blk.0.ffn_up.bias' beside": {"more": (("blk.0.ffn_up.bias", (96,)),)},
}


@pytest.mark.parametrize("words", REFUSED)
def test_files_that_are_no_base_for_spokes_are_refused(tmp_path: Path, words: str) -> None:
    parts = make_parts(tmp_path)
    if words == "feed_forward_length = None":
        words = "llama.feed_forward_length = [0]"
        path = rewritten(parts, values={"llama.feed_forward_length": 0})
    else:
        path = rewritten(parts, **REFUSED[words])
    with pytest.raises(ValueError, match=r"\w") as error:
        read_base(path)
    assert words in str(error.value)


def test_another_base_is_refused_with_both_values(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    for sizes, words in (
        ({"hidden_size": 32}, "its model width is 32, the set's 64"),
        ({"num_layers": 2}, "its decoder layers is 2, the set's 4"),
    ):
        (tmp_path / "other").mkdir(exist_ok=True)
        other = make_parts(tmp_path / "other", sizes=sizes)
        wrong = dataclasses.replace(parts, path=other.path)
        with pytest.raises(ValueError, match="is another base than tiny-llama") as error:
            wrong.graft(tmp_path / "out.gguf")
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"intermediate_size": 128}, "its feed-forward width is 128, the set's 96"),
        ({"num_attention_heads": 2}, "its attention heads is 2, the set's 4"),
    ],
)
def test_where_the_keys_do_not_say_it_the_configuration_does(
    tmp_path: Path, sizes: dict[str, int], words: str
) -> None:
    parts = make_parts(tmp_path)
    source = write_base(parts.base, tmp_path / "folder")
    (tmp_path / "other").mkdir()
    other = make_parts(tmp_path / "other", sizes=sizes)
    wrong = dataclasses.replace(parts, path=other.path)
    with pytest.raises(ValueError, match=words):
        wrong.graft(tmp_path / "out.gguf", find=lambda: source)

    def no_base() -> Any:
        raise ValueError("cannot load base 'tiny-llama'")

    with pytest.raises(ValueError, match=r"cannot be told from its keys.*--base"):
        wrong.graft(tmp_path / "out.gguf", find=no_base)
    assert not (tmp_path / "out.gguf").exists()


def test_a_vocabulary_that_the_file_cuts_off_needs_the_configuration(tmp_path: Path) -> None:
    """As converters do with rows that no token has."""
    parts = make_parts(tmp_path)
    larger = tiny_base("llama", num_layers=4, vocab_size=384)
    card = dataclasses.replace(parts.card, base_fingerprint=larger.fingerprint)
    source = write_base(larger, tmp_path / "folder")
    cut = dataclasses.replace(parts, card=card)
    assert cut.graft(tmp_path / "out.gguf", find=lambda: source).verified.kept == 12
    wrong = write_base(parts.base, tmp_path / "wrong")
    with pytest.raises(ValueError, match="name the base of the set"):
        cut.graft(tmp_path / "two.gguf", find=lambda: wrong)


def test_blocks_that_only_guess_further_tokens_get_no_spokes(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, "qwen3", sizes={"num_layers": 3})
    fewer = make_parts(tmp_path, "qwen3", sizes={"num_layers": 2})
    longer = dataclasses.replace(
        fewer,
        path=rewritten(
            dataclasses.replace(
                parts, path=make_parts(tmp_path, "qwen3", sizes={"num_layers": 3}).path
            ),
            architecture="qwen3",
            values={"qwen3.nextn_predict_layers": 1},
        ),
    )
    made = longer.graft(tmp_path / "out.gguf")
    assert made.base.num_layers == 2
    assert made.notes[0].startswith("1 layers without spokes are filled up with zeros")
