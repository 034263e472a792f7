"""A grafted GGUF file is the base's, byte for byte, with the spokes in larger matrices."""

import errno
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFValueType
from gguf_parts import (
    LARGE,
    Parts,
    entry_of,
    in_k_quants,
    make_parts,
    read,
    tensor_bytes,
    values_of,
)

from spokesmith.bases.gguf_header import Header
from spokesmith.export import folders, gguf_export, gguf_graft, gguf_plan, gguf_types
from spokesmith.export.fold import folded_layers
from spokesmith.export.gguf_base import PARTS, ffn_name
from spokesmith.export.gguf_plan import GgufPlan
from spokesmith.export.gguf_types import ENGINE_TYPES, PLAIN_TYPES, engine_is_installed
from spokesmith.export.gguf_verify import CheckFailedError
from spokesmith.testing import tiny_base

WIDTH = 32  # 2 spokes of rank 16
needs_engine = pytest.mark.skipif(
    not engine_is_installed(), reason="pip install 'spokesmith[llamacpp]'"
)
# Largest error of a value in a type, as a share of the largest value.
ERRORS = {
    "F32": 1e-3,
    "F16": 1e-3,
    "BF16": 5e-3,
    "Q8_0": 0.01,
    "Q6_K": 0.04,
    "Q3_K": 0.25,
    "Q2_K": 0.4,
    **dict.fromkeys(("Q5_0", "Q5_1", "Q5_K"), 0.1),
    **dict.fromkeys(("Q4_0", "Q4_1", "Q4_K", "IQ4_NL", "IQ4_XS"), 0.15),
}


def rows_of(header: Header, name: str) -> np.ndarray:
    """A matrix as it is stored, [rows, bytes]."""
    return np.frombuffer(tensor_bytes(header, name), np.uint8).reshape(
        header.tensors[name].dims[1], -1
    )


def test_all_keys_and_untouched_tensors_are_the_same_bytes(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, extra=True)
    parts.graft(tmp_path / "out.gguf")
    before, after = read(parts.path), read(tmp_path / "out.gguf")
    kinds = {entry.type for entry in before.entries.values() if not entry.is_array}
    assert kinds == set(GGUFValueType) - {GGUFValueType.ARRAY}
    assert kinds == {entry.type for entry in before.entries.values() if entry.is_array}
    own = [key for key in after.entries if key.startswith("spokesmith.")]
    assert list(after.entries) == [*before.entries, *own]
    for key in before.entries:
        if key != "llama.feed_forward_length":
            assert entry_of(after, key) == entry_of(before, key)
    touched = {ffn_name(layer, part) for layer in range(4) for part in PARTS}
    assert list(after.tensors) == list(before.tensors)
    for name in before.tensors.keys() - touched:
        assert tensor_bytes(after, name) == tensor_bytes(before, name)
        assert after.tensors[name].dims == before.tensors[name].dims
        assert after.tensors[name].type == before.tensors[name].type
    assert after.integer("llama.feed_forward_length") == 96 + WIDTH
    assert after.entries["llama.feed_forward_length"].type == GGUFValueType.UINT32
    assert after.value("spokesmith.layers") == [0, 1, 2, 3]
    assert after.value("spokesmith.task") == "notes"


def test_other_programs_read_the_file(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, kind="Q8_0", extra=True)
    parts.graft(tmp_path / "out.gguf")
    reader = gguf.GGUFReader(tmp_path / "out.gguf")
    pattern = reader.fields["odd.pattern"]
    assert pattern.types == [GGUFValueType.ARRAY, GGUFValueType.BOOL]
    assert pattern.contents() == [True, False, False, True]
    assert {tensor.name: tensor for tensor in reader.tensors}["odd.weight"].data.tolist() == [
        *range(7)
    ]


def test_an_alignment_of_its_own_and_unknown_types_are_kept(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    reader, writer = gguf.GGUFReader(parts.path), gguf.GGUFWriter(tmp_path / "b.gguf", "llama")
    writer.add_custom_alignment(256)
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), field.types[0], sub_type)
    writer.add_tensor("new.weight", np.arange(33, dtype=np.int8))
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    raw = (tmp_path / "b.gguf").read_bytes()
    # No program knows the type 12345 yet.
    name = b"new.weight"
    place = raw.index(name) + len(name) + 4 + 8
    kind = int(GGMLQuantizationType.I8).to_bytes(4, "little")
    assert raw[place : place + 4] == kind
    parts.path.write_bytes(raw[:place] + (12345).to_bytes(4, "little") + raw[place + 4 :])
    parts.graft(tmp_path / "out.gguf")
    before, after = read(parts.path), read(tmp_path / "out.gguf")
    assert after.alignment == before.alignment == 256
    assert after.tensors["new.weight"].type == 12345
    assert tensor_bytes(after, "new.weight") == tensor_bytes(before, "new.weight")
    assert tensor_bytes(after, "new.weight")[:33] == bytes(range(33))


@pytest.mark.parametrize("kind", [kind.name for kind in PLAIN_TYPES])
def test_the_base_keeps_its_bits_and_the_spokes_get_its_type(tmp_path: Path, kind: str) -> None:
    parts = make_parts(tmp_path, kind=kind, sizes={"num_layers": 2})
    made = parts.graft(tmp_path / "out.gguf")
    assert (made.verified.kept, made.verified.converted) == (6, 0)
    assert made.notes == []
    assert made.num_bytes == made.path.stat().st_size
    check_bits_and_types(parts, made.path, kind)


@needs_engine
@pytest.mark.parametrize("rank", [16, 128])
@pytest.mark.parametrize("kind", [kind.name for kind in ENGINE_TYPES])
def test_types_that_llama_cpp_writes_are_kept_too(tmp_path: Path, kind: str, rank: int) -> None:
    parts = make_parts(tmp_path, kind=kind, sizes=LARGE, rank=rank)
    made = parts.graft(tmp_path / "out.gguf")
    assert (made.verified.kept, made.verified.converted) == (9, 0)
    notes = list(made.notes)
    if rank == 16 and kind != "IQ4_NL":
        assert notes.pop(0) == (
            "the spokes' 32 inner units are filled up with zeros to 256, since a quantised row is "
            "made of blocks of 256"
        )
    if kind in ("Q2_K", "Q3_K"):
        assert notes.pop(0).startswith(
            f"the types of the file round off {made.verified.largest_error:.0%} of the spokes' size"
        )
    assert notes == []
    check_bits_and_types(parts, made.path, kind)


def check_bits_and_types(parts: Parts, path: Path, kind: str) -> None:
    """In each matrix that grew the base has its bytes, and the spokes have the base's type."""
    before, after = read(parts.path), read(path)
    for layer, added in folded_layers(parts.spokes).items():
        for part in PARTS:
            name = ffn_name(layer, part)
            assert after.tensors[name].type_name == before.tensors[name].type_name == kind
            own, rows = rows_of(before, name), rows_of(after, name)
            values, wanted = values_of(after, name), getattr(added, part).numpy()
            if part == "down":
                assert (rows[:, : own.shape[1]] == own).all()
                # As rows, as the others are.
                values, wanted = values.T, wanted.T
            else:
                assert (rows[: len(own)] == own).all()
            width = before.tensors[ffn_name(layer, "down")].dims[0]
            end = width + len(wanted)
            assert not values[end:].any()
            error = np.abs(values[width:end] - wanted).max() / np.abs(wanted).max()
            assert error < ERRORS[kind]


def test_layers_without_spokes_and_odd_widths_are_filled_with_zeros(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, kind="Q4_0", rank=4, layers=(1, 2))
    made = parts.graft(tmp_path / "out.gguf")
    assert made.notes == [
        "the spokes' 8 inner units are filled up with zeros to 32, since a quantised row is made "
        "of blocks of 32",
        "2 layers without spokes are filled up with zeros, since the file has one width for all",
    ]
    after = read(tmp_path / "out.gguf")
    assert after.integer("llama.feed_forward_length") == 128
    for layer in range(4):
        start = 96 if layer in (0, 3) else 104
        assert not values_of(after, ffn_name(layer, "gate"))[start:].any()
        assert not values_of(after, ffn_name(layer, "up"))[start:].any()
        assert not values_of(after, ffn_name(layer, "down"))[:, start:].any()
    assert values_of(after, ffn_name(1, "down"))[:, 96:104].any(axis=0).all()


def test_where_layers_have_widths_of_their_own_only_those_with_spokes_grow(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, "gemma4_text", kind="Q8_0", layers=(0, 3))
    before = read(parts.path).entries["gemma4.feed_forward_length"]
    assert before.is_array
    assert parts.graft(tmp_path / "out.gguf").notes == []
    after = read(tmp_path / "out.gguf")
    assert after.value("gemma4.feed_forward_length") == [128, 96, 192, 224]
    entry = after.entries["gemma4.feed_forward_length"]
    assert (entry.type, entry.count) == (before.type, 4)
    assert after.tensors[ffn_name(1, "gate")].dims == (64, 96)
    assert after.tensors[ffn_name(3, "down")].dims == (224, 64)


def test_what_an_engine_has_to_tell_the_chat_template_is_said(tmp_path: Path) -> None:
    """Where the template of the file reads it."""
    base = tiny_base("qwen3", num_layers=1)
    base.tokenizer.chat_template += "{% if enable_thinking %}<think>{% endif %}"
    assert make_parts(tmp_path, base=base).graft(tmp_path / "out.gguf").notes == [
        "the set was trained with options of the chat template that engines do not give by "
        "themselves: start llama-server with --chat-template-kwargs "
        """'{"enable_thinking": false}'""",
    ]
    other = make_parts(tmp_path, "qwen3", sizes={"num_layers": 1})
    assert other.graft(tmp_path / "other.gguf").notes == []


MIXED = {"gate": "Q4_K", "up": "IQ4_XS", "down": "Q6_K"}


@pytest.mark.parametrize(
    ("kinds", "touched", "wanted"),
    [
        (MIXED, "own", "Q8_0"),
        (MIXED, "q8_0", "Q8_0"),
        (MIXED, "f16", "F16"),
        (dict.fromkeys(PARTS, "IQ3_S"), "own", "Q8_0"),
    ],
)
def test_types_that_cannot_be_written_become_others(
    tmp_path: Path,
    kinds: dict[str, str],
    touched: str,
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gguf_types, "_engine_quantiser", lambda: None)
    parts = make_parts(tmp_path, sizes=LARGE, layers=(0, 2), rank=128)
    in_k_quants(parts, kinds)
    plans: list[GgufPlan] = []

    def on_plan(plan: GgufPlan, _size: int) -> Any:
        plans.append(plan)
        return lambda _count: None

    made = parts.graft(tmp_path / "out.gguf", touched=touched, on_plan=on_plan)
    assert plans[0].touched == {wanted.lower()}
    before, after = read(parts.path), read(tmp_path / "out.gguf")
    grown = [ffn_name(layer, part) for layer in (0, 2) for part in PARTS]
    old_size, new_size = (
        sum(header.tensors[name].size for name in grown) / 1e6 for header in (before, after)
    )
    assert made.notes[1] == (
        f"6 feed-forward matrices went from {', '.join(sorted(set(kinds.values())))} to {wanted}: "
        f"{old_size:.1f} MB became {new_size:.1f} MB, spokes included"
    )
    assert (made.verified.kept, made.verified.converted) == (3, 6)
    for layer in range(3):
        for part in PARTS:
            name = ffn_name(layer, part)
            # Zeros are zeros in any type, so a layer without spokes keeps its own.
            kind = before.tensors[name].type_name if layer == 1 else wanted
            assert after.tensors[name].type_name == kind
            old, new = values_of(before, name), values_of(after, name)
            new, largest = new[: old.shape[0], : old.shape[1]], np.abs(old).max()
            np.testing.assert_allclose(new, old, rtol=0, atol=largest / 200)
    assert not values_of(after, ffn_name(1, "down"))[:, 256:].any()
    assert after.value("general.file_type") == before.value("general.file_type")


def test_where_llama_cpp_would_keep_the_types_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_types, "_engine_quantiser", lambda: None)
    monkeypatch.setattr(gguf_plan, "engine_is_installed", lambda: False)
    parts = make_parts(tmp_path, sizes=LARGE, rank=128)
    in_k_quants(parts, MIXED)
    named = (
        "llama.cpp's quantiser keeps IQ4_XS, Q4_K, Q6_K and the file small: pip install "
        "'spokesmith[llamacpp]'"
    )
    assert parts.graft(tmp_path / "own.gguf").notes[-1] == named
    assert named not in parts.graft(tmp_path / "f16.gguf", touched="f16").notes
    monkeypatch.setattr(gguf_plan, "engine_is_installed", lambda: True)
    assert named not in parts.graft(tmp_path / "hidden.gguf").notes


@needs_engine
def test_spokes_that_are_not_finite_are_found_in_these_types_too(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, kind="Q4_K", sizes=LARGE)
    up = parts.spokes.at(1).up
    for value in (float("nan"), float("inf"), 1e38):
        up.data[3, 5] = value
        with pytest.raises(CheckFailedError, match=r"spokes in blk\.1\.ffn_down.* off by"):
            parts.graft(tmp_path / "out.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["base.gguf"]


def test_zeros_that_fill_no_block_make_a_layer_without_spokes_another_type(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, sizes=LARGE, layers=(0, 2))
    in_k_quants(parts, {"gate": "Q4_K", "up": "IQ4_NL", "down": "Q6_K"})
    parts.graft(tmp_path / "out.gguf", touched="f16")
    after = read(tmp_path / "out.gguf")
    kinds = {part: after.tensors[ffn_name(1, part)].type_name for part in PARTS}
    assert kinds == {"gate": "Q4_K", "up": "IQ4_NL", "down": "Q8_0"}
    assert after.integer("llama.feed_forward_length") == 288


def test_the_touched_matrices_can_be_made_finer(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, kind="Q4_1", sizes={"num_layers": 1})
    made = parts.graft(tmp_path / "out.gguf", touched="q8_0")
    before, after = read(parts.path), read(tmp_path / "out.gguf")
    assert made.verified.converted == 3
    for part in PARTS:
        old, new = (values_of(file, ffn_name(0, part)) for file in (before, after))
        np.testing.assert_allclose(new[: old.shape[0], : old.shape[1]], old, atol=0.01)
    assert after.tensors["blk.0.attn_q.weight"].type_name == "Q4_1"


def test_rows_that_fit_no_block_are_refused(tmp_path: Path) -> None:
    sizes = {"hidden_size": 40, "num_attention_heads": 2, "head_dim": 20, "num_layers": 1}
    parts = make_parts(tmp_path, kind="F16", sizes=sizes)
    with pytest.raises(ValueError, match=r"has 40 values, which is no multiple of Q8_0's block"):
        parts.graft(tmp_path / "out.gguf", touched="q8_0")
    assert parts.graft(tmp_path / "out.gguf").verified.kept == 3


def test_residual_spokes_are_tensors_of_their_own(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, kind="Q8_0", placement="residual", layers=(1, 3))
    with pytest.raises(ValueError, match="cannot be folded"):
        parts.graft(tmp_path / "out.gguf")
    made = parts.graft(tmp_path / "out.gguf", layout="tensors")
    assert made.engine_note == "stock llama.cpp does not load this layout"
    before, after = read(parts.path), read(tmp_path / "out.gguf")
    assert [key for key in after.tensors if key not in before.tensors] == [
        f"blk.{layer}.spoke.{part}.weight" for layer in (1, 3) for part in ("down", "up")
    ]
    for key in before.entries:
        assert entry_of(after, key) == entry_of(before, key)
    for name in before.tensors:
        assert tensor_bytes(after, name) == tensor_bytes(before, name)
    assert after.value("spokesmith.placement") == "residual"
    assert after.value("spokesmith.layout") == "tensors"
    # The documented formula, from the file alone.
    hidden = torch.randn(5, 64, generator=torch.Generator().manual_seed(3))
    scales, layers = after.value("spokesmith.scales"), after.value("spokesmith.layers")
    epsilon: Any = after.value("spokesmith.rms_norm_epsilon")
    assert isinstance(scales, list)
    assert isinstance(layers, list)
    for scale, layer in zip(scales, layers, strict=True):
        down, up = (
            torch.tensor(values_of(after, f"blk.{layer}.spoke.{part}.weight"))
            for part in ("down", "up")
        )
        normed = hidden / (hidden.square().mean(-1, keepdim=True) + epsilon).sqrt()
        added = float(scale) * torch.nn.functional.silu(normed @ down.T) @ up.T
        with torch.no_grad():
            wanted = parts.spokes.at(int(layer)).add_to_hidden(hidden)
        torch.testing.assert_close(hidden + added, wanted)


def test_ffn_spokes_can_be_tensors_too(tmp_path: Path) -> None:
    parts = make_parts(tmp_path, layers=(2,))
    parts.spokes.to(torch.bfloat16)
    parts.graft(tmp_path / "out.gguf", layout="tensors")
    after = read(tmp_path / "out.gguf")
    own = {key: one for key, one in after.tensors.items() if ".spoke." in key}
    assert {key: one.dims for key, one in own.items()} == {
        "blk.2.spoke.gate.weight": (64, 32),
        "blk.2.spoke.down.weight": (64, 32),
        "blk.2.spoke.up.weight": (32, 64),
    }
    assert {one.type_name for one in own.values()} == {"BF16"}
    found = values_of(after, "blk.2.spoke.gate.weight")
    gate = parts.spokes.at(2).gate
    assert gate is not None
    assert (torch.tensor(found) == gate.detach().float()).all()


def test_nothing_of_the_users_is_written_over(tmp_path: Path) -> None:
    parts, out = make_parts(tmp_path), tmp_path / "out.gguf"
    before = parts.path.read_bytes()
    out.write_text("mine")
    with pytest.raises(ValueError, match="is there already"):
        parts.graft(out)
    (tmp_path / "link.gguf").symlink_to(parts.path)
    for same in (parts.path, tmp_path / "link.gguf", tmp_path / "x" / ".." / "base.gguf"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match="is the base itself"):
            parts.graft(same, force=True)
    with pytest.raises(ValueError, match="is a folder"):
        parts.graft(tmp_path, force=True)
    assert out.read_text() == "mine"
    parts.graft(out, force=True)
    assert read(out).integer("llama.feed_forward_length") == 128
    assert parts.path.read_bytes() == before


def test_what_comes_to_be_there_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    parts, out = make_parts(tmp_path), tmp_path / "out.gguf"

    def on_plan(_plan: Any, _size: int) -> Any:
        out.write_text("mine")
        return lambda _count: None

    with pytest.raises(ValueError, match="is there already"):
        parts.graft(out, on_plan=on_plan)
    assert out.read_text() == "mine"
    assert left_in(tmp_path) == {"base.gguf", "out.gguf"}


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_disk_without_room_is_seen_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = make_parts(tmp_path)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(ValueError, match=r"needs 0\.00 GB, and 0\.00 GB are free"):
        parts.graft(tmp_path / "out.gguf")
    assert left_in(tmp_path) == {"base.gguf"}


def test_a_disk_that_fills_up_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = make_parts(tmp_path)
    (tmp_path / "out.gguf").write_text("mine")
    real = gguf_graft.tensor_pieces

    def full(tensor: Any, base: Any) -> Any:
        if tensor.name == "blk.2.ffn_up.weight":
            raise OSError(errno.ENOSPC, "No space left on device")
        yield from real(tensor, base)

    monkeypatch.setattr(gguf_graft, "tensor_pieces", full)
    with pytest.raises(ValueError, match="the disk became full") as error:
        parts.graft(tmp_path / "out.gguf", force=True)
    assert "\n" not in str(error.value)
    assert left_in(tmp_path) == {"base.gguf", "out.gguf"}
    assert (tmp_path / "out.gguf").read_text() == "mine"


def test_a_run_that_is_stopped_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = make_parts(tmp_path)

    def stopped(*_arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf_export, "verify", stopped)
    with pytest.raises(KeyboardInterrupt):
        parts.graft(tmp_path / "out.gguf")
    assert left_in(tmp_path) == {"base.gguf"}


def spoiled_piece(name: str) -> Any:
    real = gguf_graft.tensor_pieces

    def pieces(tensor: Any, base: Any) -> Any:
        for piece in real(tensor, base):
            if tensor.name == name:
                changed = bytearray(memoryview(piece).cast("B"))
                # Far from zero whatever the type, and once in the last row.
                changed[-64:] = bytes(64) if any(changed[-64:]) else b"\x3c" * 64
                yield bytes(changed)
            else:
                yield piece

    return pieces


@pytest.mark.parametrize("name", ["blk.1.attn_q.weight", "blk.1.ffn_gate.weight", "output_norm"])
@pytest.mark.parametrize("kind", ["F32", "Q8_0"])
def test_what_the_disk_did_not_keep_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    parts = make_parts(
        tmp_path, kind=kind, sizes={"num_layers": 2}, rank=2 if kind == "F32" else 16
    )
    name = "output_norm.weight" if name == "output_norm" else name
    monkeypatch.setattr(gguf_graft, "tensor_pieces", spoiled_piece(name))
    with pytest.raises(CheckFailedError, match=f"not what was to be written .*{name}"):
        parts.graft(tmp_path / "out.gguf")
    assert left_in(tmp_path) == {"base.gguf"}


def test_a_key_that_changed_its_type_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a list of truth values that is written as numbers."""
    parts = make_parts(tmp_path, extra=True)
    real = gguf_graft.header_bytes

    def spoiled(plan: Any) -> bytes:
        raw, key = real(plan), b"odd.pattern"
        place = raw.index(key) + len(key) + 4
        assert raw[place] == GGUFValueType.BOOL
        return raw[:place] + bytes([GGUFValueType.UINT8]) + raw[place + 1 :]

    monkeypatch.setattr(gguf_graft, "header_bytes", spoiled)
    with pytest.raises(CheckFailedError, match=r"the key odd\.pattern differs"):
        parts.graft(tmp_path / "out.gguf")


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("Q8_0", 3e-5),
        *(
            pytest.param(kind, size, marks=needs_engine)
            for kind in ("Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS")
            for size in (1e-4, 3e-5)
        ),
    ],
)
def test_spokes_that_are_hardly_trained_are_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, size: float
) -> None:
    """Nor is the rounding of a scale that is subnormal; values in wrong places still are."""
    parts = make_parts(tmp_path, kind=kind, sizes=LARGE, rank=128)
    for spoke in parts.spokes.spokes():
        spoke.up.data *= size / (spoke.up * spoke.scale).square().mean().sqrt()
    assert parts.graft(tmp_path / "out.gguf").verified.largest_error > 0.02
    real = gguf_graft.quantised
    monkeypatch.setattr(gguf_graft, "quantised", lambda values, kind: real(values[::-1], kind))
    with pytest.raises(CheckFailedError, match=r"the spokes in .* are off by 1"):
        parts.graft(tmp_path / "other.gguf")


def test_swapped_rows_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = make_parts(tmp_path, kind="Q4_0")
    real = gguf_graft.quantised
    monkeypatch.setattr(gguf_graft, "quantised", lambda values, kind: real(values[::-1], kind))
    with pytest.raises(CheckFailedError, match=r"the spokes in .* are off by 1") as refused:
        parts.graft(tmp_path / "out.gguf")
    # Values may be off by what a type rounds, too, so another type is worth a try.
    assert refused.value.types == {"q4_0"}


def test_memory_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are of a bounded size, whatever the tensors are."""
    monkeypatch.setattr(gguf_graft, "PIECE_VALUES", 640)
    parts = make_parts(tmp_path, kind="Q8_0")
    sizes: list[int] = []
    parts.graft(tmp_path / "a.gguf", on_plan=lambda _plan, _size: sizes.append)
    # The header and what is only copied apart, the largest pieces are the spokes of a matrix.
    assert max(size for size in sizes[1:] if size != 320 * 68) < 6000
    monkeypatch.undo()
    parts.graft(tmp_path / "b.gguf")
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()
    assert sum(sizes) == (tmp_path / "a.gguf").stat().st_size
