"""Sets of spokes on disk: saved is loaded, and every kind of damage is one clear error."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from spokesmith.spokes import (
    SpokesCard,
    SpokesConfig,
    SpokeSet,
    files,
    find_spokes,
    load_spokes,
    save_spokes,
)


@pytest.fixture(params=["residual", "ffn"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    config = SpokesConfig(
        hidden_size=16, num_layers=3, placement=request.param, num_spokes=2, rank=3, layers=(0, 2)
    )
    spokes = SpokeSet.create(config, seed=0)
    card = SpokesCard(spokes=config, base="tiny", base_fingerprint="abc", training={"steps": 3})
    save_spokes(tmp_path / "set", spokes, card)
    return tmp_path / "set"


def spoil_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    state = load_file(folder / "spokes.safetensors")
    change(state)
    save_file(state, folder / "spokes.safetensors")


def test_saved_equals_loaded(folder: Path, tmp_path: Path) -> None:
    spokes, card = load_spokes(folder, base_fingerprint="abc")
    fresh = SpokeSet.create(card.spokes, seed=0)
    assert card.training == {"steps": 3}
    assert card.spokes.layer_indices == (0, 2)
    for (name, one), other in zip(spokes.named_parameters(), fresh.parameters(), strict=True):
        assert torch.equal(one, other), name
        assert one.dtype == torch.float32
    save_spokes(tmp_path / "half", spokes, card, dtype=torch.bfloat16)
    half, _ = load_spokes(tmp_path / "half")
    assert torch.equal(half.at(0).down, spokes.at(0).down.bfloat16())
    assert sorted(file.name for file in folder.iterdir()) == ["spokes.json", "spokes.safetensors"]


def test_a_set_may_be_replaced_but_not_a_stranger(folder: Path, tmp_path: Path) -> None:
    spokes, card = load_spokes(folder)
    save_spokes(folder, spokes, card)
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="no set of spokes: use another folder"):
        save_spokes(stranger, spokes, card)
    assert [file.name for file in stranger.iterdir()] == ["thesis.txt"]


def test_a_wrong_base_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"trained on tiny \(fingerprint abc\).*fingerprint xyz"):
        load_spokes(folder, base_fingerprint="xyz")


def test_a_missing_key_is_named(folder: Path) -> None:
    spoil_weights(folder, lambda state: state.pop("layers.2.up"))
    with pytest.raises(ValueError, match=r"lacks layers\.2\.up"):
        load_spokes(folder)


def test_an_unknown_key_is_named(folder: Path) -> None:
    spoil_weights(folder, lambda state: state.update(extra=torch.zeros(1)))
    with pytest.raises(ValueError, match="has an unknown extra"):
        load_spokes(folder)


def test_a_wrong_shape_is_named(folder: Path) -> None:
    spoil_weights(folder, lambda state: state.update({"layers.0.down": torch.zeros(2, 2)}))
    with pytest.raises(ValueError, match=r"layers\.0\.down is \[2, 2\], its card says \[6, 16\]"):
        load_spokes(folder)


def test_a_wrong_type_is_named(folder: Path) -> None:
    spoil_weights(
        folder, lambda state: state.update({"layers.0.down": state["layers.0.down"].long()})
    )
    with pytest.raises(ValueError, match=r"layers\.0\.down holds torch\.int64, want floating"):
        load_spokes(folder)


def test_a_value_that_is_no_number_is_named(folder: Path) -> None:
    def spoil(state: dict[str, torch.Tensor]) -> None:
        state["layers.0.up"][1, 1] = torch.nan

    spoil_weights(folder, spoil)
    with pytest.raises(ValueError, match=r"layers\.0\.up holds values that are not finite"):
        load_spokes(folder)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_one_error(folder: Path, share: float) -> None:
    path = folder / "spokes.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match="cannot be read"):
        load_spokes(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1}', '{"format": 9, "spokes": {}}'])
def test_a_damaged_card_is_one_error(folder: Path, content: str) -> None:
    (folder / "spokes.json").write_text(content)
    with pytest.raises(ValueError, match=r"spokes\.json is damaged"):
        load_spokes(folder)


def test_no_set_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no set of spokes at"):
        load_spokes(tmp_path)
    with pytest.raises(ValueError, match="or a shipped name") as refused:
        find_spokes(tmp_path / "nothing")
    # A server tells what stands after the last colon as the remedy.
    assert str(refused.value).rpartition(": ")[2].startswith("give a folder with a spokes.json")


def test_the_card_is_utf_8_on_every_machine(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spokes, card = load_spokes(folder)
    monkeypatch.setattr("io.text_encoding", lambda encoding, *_: encoding or "ascii")
    save_spokes(tmp_path / "other", spokes, replace(card, task="Größe"))
    assert load_spokes(tmp_path / "other")[1].task == "Größe"


def test_the_card_is_json_that_people_can_read(folder: Path) -> None:
    document = json.loads((folder / "spokes.json").read_text())
    assert document["base"] == "tiny"
    assert document["spokes"]["layers"] == [0, 2]


def test_weights_whose_card_was_not_written_yet_are_replaced(folder: Path) -> None:
    spokes, card = load_spokes(folder)
    (folder / "spokes.json").unlink()
    save_spokes(folder, spokes, card)
    assert load_spokes(folder)[1] == card


def test_a_full_disk_is_told_and_leaves_the_old_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device")

    spokes, card = load_spokes(folder)
    monkeypatch.setattr(files, "save_file", fill)
    with pytest.raises(OSError, match=r"the disk may be full .*No space left on device"):
        save_spokes(folder, spokes, replace(card, task="other"))
    assert load_spokes(folder)[1] == card
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
