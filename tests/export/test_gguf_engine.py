"""Stock llama.cpp predicts from a grafted file what PyTorch predicts from base and spokes."""

import dataclasses
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from gguf_parts import LARGE, Parts, in_k_quants, make_parts, read, values_of

from spokesmith.bases import Base
from spokesmith.export import ask_llamacpp, gguf_engine, gguf_export
from spokesmith.export.gguf_base import PARTS, ffn_name
from spokesmith.export.gguf_engine import (
    PROMPTS,
    check_engine,
    engine_logprobs,
    mean_difference,
    next_logprobs,
    plain_token,
)
from spokesmith.export.gguf_stored import stored_spokes
from spokesmith.export.gguf_types import engine_is_installed, quantised
from spokesmith.export.gguf_verify import CheckFailedError
from spokesmith.spokes import SpokeSet, attached
from spokesmith.testing import tiny_base

pytestmark = pytest.mark.skipif(
    not engine_is_installed(), reason="pip install 'spokesmith[llamacpp]'"
)
FAMILIES = ("llama", "gemma3_text", "gemma4_text", "gemma4_dense", "qwen3", "qwen3_5_text")
# Longer than the sliding window.
IDS = [[(index * 7 + start * 31) % 250 for index in range(30)] for start in range(4)]


def rounded_to(base: Base, kind: str) -> Base:
    """The base with its matrices as a file of a type has them."""
    wanted = gguf.GGMLQuantizationType[kind]
    block, _ = gguf.GGML_QUANT_SIZES[wanted]
    for tensor in base.model.state_dict().values():
        if tensor.dim() == 2 and tensor.shape[1] % block == 0:
            stored = quantised(tensor.numpy(), wanted)
            tensor.copy_(torch.from_numpy(gguf.dequantize(stored, wanted).copy()))
    return base


def together(parts: Parts, spokes: SpokeSet | None = None) -> list[torch.Tensor]:
    """What PyTorch predicts with the set of the parts, or with another."""
    base = parts.base
    with attached(base.model, base.sites(), spokes or parts.spokes, name="a"):
        return next_logprobs(base, IDS)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_family_predicts_what_the_unfolded_model_does(
    tmp_path: Path, model_type: str
) -> None:
    parts = make_parts(tmp_path, model_type, layers=(0, 2, 3))
    parts.graft(tmp_path / "out.gguf")
    reference, alone = together(parts), next_logprobs(parts.base, IDS)
    found = engine_logprobs(tmp_path / "out.gguf", IDS, plain_id=plain_token(parts.base))
    near = mean_difference(found, reference)
    assert near < 0.01
    assert mean_difference(found, alone) > max(0.1, 10 * near)


@pytest.mark.parametrize("touched", ["own", "q8_0", "f16"])
@pytest.mark.parametrize("kind", ["Q4_1", "Q8_0", "BF16"])
def test_quantised_files_do_so_within_their_rounding(
    tmp_path: Path, kind: str, touched: str
) -> None:
    base = rounded_to(tiny_base("llama", num_layers=4), kind)
    parts = make_parts(tmp_path, kind=kind, base=base)
    parts.graft(tmp_path / "out.gguf", touched=touched)
    found = engine_logprobs(tmp_path / "out.gguf", IDS, plain_id=plain_token(base))
    allowed = 0.3 if kind == "Q4_1" and touched == "own" else 0.15
    assert mean_difference(found, together(parts)) < allowed
    assert mean_difference(found, next_logprobs(base, IDS)) > 0.5


@pytest.mark.parametrize(
    ("kinds", "touched", "rank"),
    [
        (("Q4_K", "IQ4_XS", "Q6_K"), "own", 16),
        (("Q5_K", "IQ4_NL", "Q3_K"), "own", 16),
        (("Q3_K", "Q6_K", "Q2_K"), "own", 16),
        (("Q4_K", "IQ4_XS", "Q6_K"), "q8_0", 128),
        (("Q4_K", "IQ4_XS", "Q6_K"), "f16", 128),
    ],
)
def test_files_of_mixed_types_are_loaded(
    tmp_path: Path, kinds: tuple[str, ...], touched: str, rank: int
) -> None:
    """The layer between those with spokes keeps its types whatever those with spokes get."""
    parts = make_parts(tmp_path, sizes=LARGE, layers=(0, 2), rank=rank)
    # Small values, beside which the spokes still count.
    in_k_quants(parts, dict(zip(PARTS, kinds, strict=True)), scale=1e-4)
    header = read(parts.path)
    for layer, site in enumerate(parts.base.sites()):
        for part in PARTS:
            stored = torch.from_numpy(values_of(header, ffn_name(layer, part)).copy())
            getattr(site.ffn, f"{part}_proj").weight.data = stored
    made = parts.graft(tmp_path / "out.gguf", touched=touched)
    tensors = read(made.path).tensors
    assert [tensors[ffn_name(1, part)].type_name for part in PARTS] == [*kinds]
    wanted = kinds if touched == "own" else [touched.upper()] * 3
    assert [tensors[ffn_name(2, part)].type_name for part in PARTS] == [*wanted]
    found = engine_logprobs(tmp_path / "out.gguf", IDS, plain_id=plain_token(parts.base))
    stored = stored_spokes(made.path, made.base, parts.spokes)
    assert mean_difference(found, together(parts, stored)) < 0.15
    assert mean_difference(found, next_logprobs(parts.base, IDS)) > 0.5


def test_the_export_compares_and_says_what_it_found(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    made = parts.graft(tmp_path / "out.gguf", load=lambda _base: parts.base)
    assert made.engine_note is None
    assert made.engine is not None
    assert made.engine.prompts == len(PROMPTS) == 20
    assert made.engine.difference < 0.02
    assert made.engine.rounding < 0.001
    assert made.engine.same_first >= 19
    assert made.engine.passed


@pytest.mark.parametrize(("model_type", "starts"), [("llama", False), ("gemma4_text", True)])
def test_what_is_asked_begins_as_texts_of_the_base_do(model_type: str, starts: bool) -> None:
    base = tiny_base(model_type)
    asked = gguf_engine.beginnings(base)
    assert len(asked) == len(PROMPTS)
    for ids, text in zip(asked, PROMPTS, strict=True):
        assert ids == [base.tokenizer.bos_token_id] * starts + base.tokenizer(text).input_ids


def test_a_file_that_predicts_otherwise_is_not_kept(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    other = tiny_base("llama", num_layers=4, seed=5)
    wanted = r"predict different tokens.*the file was not kept, --no-check-engine keeps it"
    with pytest.raises(CheckFailedError, match=wanted) as failed:
        # The set stands beside other weights than those of the file.
        parts.graft(tmp_path / "out.gguf", load=lambda _base: other)
    assert failed.value.types == set()
    assert [path.name for path in tmp_path.iterdir()] == ["base.gguf"]


def test_a_base_of_another_shape_is_not_compared_with(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    other = tiny_base("llama", num_layers=4, hidden_size=32)
    with pytest.raises(ValueError, match=r"trained on tiny-llama .* name the base of the set"):
        parts.graft(tmp_path / "out.gguf", load=lambda _base: other)
    assert [path.name for path in tmp_path.iterdir()] == ["base.gguf"]


def test_spokes_in_the_wrong_layers_are_noticed(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    made = parts.graft(tmp_path / "out.gguf")
    spokes: Any = parts.spokes
    first, second = spokes.layers["0"], spokes.layers["1"]
    spokes.layers["0"], spokes.layers["1"] = second, first
    found = check_engine(made.path, made.base, parts.base, spokes)
    assert not found.is_near_enough
    assert not found.passed


def test_an_engine_that_reads_the_spokes_otherwise_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one would that takes rows of the gate for rows of the up projection."""
    parts = make_parts(tmp_path)
    turned: Any = SpokeSet(parts.spokes.config)
    turned.load_state_dict(parts.spokes.state_dict())
    for spoke in turned.spokes():
        spoke.gate, spoke.down = spoke.down, spoke.gate
    other = dataclasses.replace(parts, spokes=turned).graft(tmp_path / "turned.gguf")
    made = parts.graft(tmp_path / "out.gguf")
    asked = gguf_engine.engine_logprobs

    def reads_otherwise(path: Path, *rest: Any, **choices: Any) -> Any:
        return asked(other.path if path == made.path else path, *rest, **choices)

    monkeypatch.setattr(gguf_engine, "engine_logprobs", reads_otherwise)
    found = check_engine(made.path, made.base, parts.base, parts.spokes)
    assert found.is_near_enough
    assert found.difference > found.largest_allowed
    assert not found.passed


@pytest.mark.parametrize("kind", ["Q4_1", "Q8_0"])
def test_rounding_is_told_apart_from_what_the_engine_does(tmp_path: Path, kind: str) -> None:
    base = rounded_to(tiny_base("llama", num_layers=4), kind)
    parts = make_parts(tmp_path, kind=kind, base=base)
    made = parts.graft(tmp_path / "out.gguf")
    stored = stored_spokes(made.path, made.base, parts.spokes)
    found = check_engine(made.path, made.base, base, stored)
    assert found.rounding < 0.001
    exact = check_engine(made.path, made.base, base, parts.spokes)
    assert exact.difference == found.difference
    assert exact.rounding > 10 * found.rounding


def test_a_file_that_rounds_the_spokes_too_much_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_engine, "LARGEST_ROUNDING", 0.01)
    base = rounded_to(tiny_base("llama", num_layers=4), "Q4_1")
    parts = make_parts(tmp_path, kind="Q4_1", base=base)
    wanted = r"round the spokes.*--touched q8_0 or f16 rounds less\); the file was not kept, --no-"
    with pytest.raises(CheckFailedError, match=wanted) as failed:
        parts.graft(tmp_path / "out.gguf", load=lambda _base: base)
    assert failed.value.types == {"q4_1"}
    monkeypatch.setattr(gguf_engine, "LARGEST_ROUNDING", 0.0)
    with pytest.raises(CheckFailedError, match=r"\(--touched f16 rounds less") as failed:
        parts.graft(tmp_path / "out.gguf", load=lambda _base: base, touched="q8_0")
    assert failed.value.types == {"q8_0"}
    monkeypatch.setattr(gguf_engine, "LARGEST_ROUNDING", 0.01)
    assert parts.graft(tmp_path / "out.gguf", load=lambda _base: base, touched="f16").engine


@pytest.mark.parametrize("model_type", ["llama", "gemma4_text"])
@pytest.mark.parametrize("kind", ["F32", "Q8_0"])
def test_the_spokes_are_read_out_of_a_file_as_it_holds_them(
    tmp_path: Path, model_type: str, kind: str
) -> None:
    """With inner units that are filled up to a block, and layers that have none."""
    parts = make_parts(tmp_path, model_type, kind, layers=(0, 2), rank=6)
    made = parts.graft(tmp_path / "out.gguf")
    stored = stored_spokes(made.path, made.base, parts.spokes)
    allowed = 1e-6 if kind == "F32" else 0.02
    for (name, found), wanted in zip(
        stored.named_parameters(), parts.spokes.parameters(), strict=True
    ):
        error = (found - wanted).norm() / wanted.norm()
        assert error <= allowed, name


def test_why_nothing_was_compared_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = make_parts(tmp_path)

    def no_base(_base: Any) -> Any:
        raise ValueError("cannot load base 'tiny-llama'")

    def note(name: str, **choices: Any) -> str | None:
        made = parts.graft(tmp_path / name, **choices)
        assert made.engine is None
        return made.engine_note

    assert note("a.gguf", load=None) == "it was left out with --no-check-engine"
    assert note("b.gguf", load=no_base) == (
        "the base to compare with cannot be loaded: cannot load base 'tiny-llama'"
    )
    monkeypatch.setattr(gguf_export, "engine_is_installed", lambda: False)
    assert note("c.gguf", load=lambda _base: parts.base) == (
        "it is not installed: pip install 'spokesmith[llamacpp]'"
    )


def test_stock_llama_cpp_refuses_tensors_that_it_does_not_know(tmp_path: Path) -> None:
    """Which is what docs/gguf-spokes.md says of it."""
    parts = make_parts(tmp_path, placement="residual")
    parts.graft(tmp_path / "out.gguf", layout="tensors")
    plain_id = plain_token(parts.base)
    with pytest.raises(ValueError, match=r"llama\.cpp \(xllamacpp .*\) does not load"):
        engine_logprobs(tmp_path / "out.gguf", IDS, plain_id=plain_id)
    assert engine_logprobs(parts.path, IDS, plain_id=plain_id)


def test_an_engine_that_does_not_start_is_not_taken_for_a_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a system without a library that it needs, for example."""
    (tmp_path / "xllamacpp").mkdir()
    lacks = "raise ImportError('libgomp.so.1: cannot open shared object file')"
    (tmp_path / "xllamacpp" / "__init__.py").write_text(lacks)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    parts = make_parts(tmp_path)
    wanted = r"does not start \(libgomp.so.1: cannot .*leave this check out with --no-check-engine"
    with pytest.raises(ValueError, match=wanted):
        engine_logprobs(parts.path, IDS, plain_id=5)


def test_an_engine_that_breaks_ends_no_other_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As llama.cpp does on some files that it does not understand."""
    program = tmp_path / "breaks.py"
    program.write_text("import os\nos.abort()\n")
    monkeypatch.setattr(ask_llamacpp, "__file__", str(program))
    parts = make_parts(tmp_path)
    with pytest.raises(ValueError, match=r"breaks on .*\(exit status -6\): update it, or leave"):
        parts.graft(tmp_path / "out.gguf", load=lambda _base: parts.base)
    assert not (tmp_path / "out.gguf").exists()


def test_ids_are_compared_and_not_words(tmp_path: Path) -> None:
    """A base's tokenizer may differ from the file's in what it does with spaces; ids do not."""
    parts = make_parts(tmp_path, "qwen3", sizes={"num_layers": 2})
    parts.graft(tmp_path / "out.gguf")
    found = engine_logprobs(tmp_path / "out.gguf", IDS[:1], plain_id=plain_token(parts.base))
    values, tokens = together(dataclasses.replace(parts))[0].topk(5)
    top = sorted(found[0], key=found[0].__getitem__, reverse=True)[:5]
    assert top == tokens.tolist()
    torch.testing.assert_close(torch.tensor([found[0][i] for i in top]), values, atol=0.02, rtol=0)
