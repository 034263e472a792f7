"""Older files of spokes: the converted set computes the same, and nothing in a file is run."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spokesmith.bases import Base
from spokesmith.spokes import (
    SpokesCard,
    attach,
    load_spokes,
    read_older_spokes,
    save_spokes,
)
from spokesmith.testing import tiny_base

WIDTH, LAYERS, SPOKES, RANK = 64, 4, 3, 5
IDS = torch.arange(40)[None] % 250
CONFIG = {"num_spokes": SPOKES, "spoke_rank": RANK, "spoke_every_n": 1}


class OlderLayer(nn.Module):
    """The older form, written plainly: every spoke has two linear layers of its own."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.w_down = nn.ModuleList(nn.Linear(WIDTH, RANK, bias=False) for _ in range(SPOKES))
        self.w_up = nn.ModuleList(nn.Linear(RANK, WIDTH, bias=False) for _ in range(SPOKES))
        self.gate_bias = nn.Parameter(torch.randn(()))

    def forward(self, h: Tensor) -> Tensor:
        normed = h / torch.sqrt((h * h).mean(-1, keepdim=True) + self.eps)
        total = torch.zeros_like(h)
        for down, up in zip(self.w_down, self.w_up, strict=True):
            low = down(normed)
            total = total + up(low * torch.sigmoid(low))
        return h + torch.sigmoid(self.gate_bias) * total / SPOKES


def older_layers(indices: range = range(LAYERS), *, eps: float = 1e-6) -> nn.ModuleDict:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.ModuleDict({str(index): OlderLayer(eps) for index in indices})


def older_state() -> dict[str, Tensor]:
    return older_layers().state_dict()


def write(path: Path, state: Any, config: Any = CONFIG, **more: Any) -> Path:
    torch.save({"spoke_config": config, "spoke_state_dict": state, **more}, path)
    return path


def logits(base: Base) -> Tensor:
    with torch.no_grad():
        return base.model(input_ids=IDS).logits


def older_logits(layers: nn.ModuleDict) -> Tensor:
    """Logits of the tiny base with the older layers hooked behind its own."""
    base = tiny_base()
    for index, older in layers.items():
        base.decoder.layers[int(index)].register_forward_hook(
            lambda _module, _inputs, output, older=older: older(output)
        )
    return logits(base)


@pytest.mark.parametrize("prefix", ["", "spokes.", "module.spokes."])
@pytest.mark.parametrize("every", [1, 2, 3])
def test_the_converted_set_computes_the_same(tmp_path: Path, every: int, prefix: str) -> None:
    layers = older_layers(range(0, LAYERS, every))
    state = {prefix + key: value for key, value in layers.state_dict().items()}
    path = write(tmp_path / "old.pt", state, {**CONFIG, "spoke_every_n": every}, global_step=7)
    base = tiny_base()
    bare = logits(base)
    spokes = read_older_spokes(path).for_base(hidden_size=WIDTH, num_layers=LAYERS)
    card = SpokesCard(spokes=spokes.config, base="tiny", base_fingerprint=base.fingerprint)
    save_spokes(tmp_path / "set", spokes, card)
    loaded, card = load_spokes(tmp_path / "set", base_fingerprint=base.fingerprint)
    assert card.spokes.placement == "residual"
    assert card.spokes.every_n_layers == every
    assert card.spokes.layer_indices == tuple(range(0, LAYERS, every))
    attach(base.model, base.sites(), loaded)
    torch.testing.assert_close(logits(base), older_logits(layers), rtol=1e-5, atol=1e-5)
    assert (logits(base) - bare).abs().max() > 0.1


def test_an_older_norm_with_the_smaller_eps_is_close(tmp_path: Path) -> None:
    layers = older_layers(eps=torch.finfo(torch.float32).eps)
    path = write(tmp_path / "old.pt", layers.state_dict())
    base = tiny_base()
    attach(base.model, base.sites(), read_older_spokes(path).for_base(hidden_size=64, num_layers=4))
    torch.testing.assert_close(logits(base), older_logits(layers), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_spokes_are_stacked_in_order_as_fp32(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {key: value.to(dtype) for key, value in older_state().items()}
    state["2.gate_bias"] = state["2.gate_bias"].reshape(1)
    # The order of the keys in the file says nothing.
    path = write(tmp_path / "old.pt", dict(reversed(state.items())))
    older = read_older_spokes(path)
    assert (older.num_spokes, older.rank, older.hidden_size) == (SPOKES, RANK, WIDTH)
    spokes = older.for_base(hidden_size=WIDTH, num_layers=LAYERS)
    assert all(parameter.dtype == torch.float32 for parameter in spokes.parameters())
    for layer in range(LAYERS):
        spoke = spokes.at(layer)
        for s in range(SPOKES):
            part = slice(s * RANK, (s + 1) * RANK)
            assert torch.equal(spoke.down[part], state[f"{layer}.w_down.{s}.weight"].float())
            assert torch.equal(spoke.up[:, part], state[f"{layer}.w_up.{s}.weight"].float())
        assert spoke.gate_bias.item() == state[f"{layer}.gate_bias"].item()


def test_ten_spokes_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    state: dict[str, Tensor] = {"0.gate_bias": torch.tensor(0.0)}
    for s in range(11):
        state[f"0.w_down.{s}.weight"] = torch.full((1, 2), float(s))
        state[f"0.w_up.{s}.weight"] = torch.full((2, 1), float(s))
    older = read_older_spokes(write(tmp_path / "old.pt", state, {}))
    spokes = older.for_base(hidden_size=2, num_layers=1)
    assert spokes.at(0).down[:, 0].tolist() == list(range(11))
    assert spokes.at(0).up[0].tolist() == list(range(11))


class Malicious:
    """Runs a command where its pickle is loaded with code."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.mark}'",)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    mark, path = tmp_path / "mark", tmp_path / "old.pt"
    document = {"spoke_config": CONFIG, "spoke_state_dict": older_state(), "x": Malicious(mark)}
    torch.save(document, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"needs code to be read \(\w+\.system\).*never run"):
        read_older_spokes(path)
    assert not mark.exists()
    torch.load(path, weights_only=False)
    assert mark.exists(), "the file does run code where it may"


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00.", b"PK\x03\x04"])
def test_a_file_that_is_none_is_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "old.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"old\.pt .*: give a"):
        read_older_spokes(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_one_error(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / "old.pt", older_state())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=r"old\.pt cannot be read"):
        read_older_spokes(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_older_spokes(tmp_path / "nothing.pt")


@pytest.mark.parametrize(
    "document", [[], {}, {"spoke_config": {}}, {"spoke_config": [], "spoke_state_dict": {}}]
)
def test_another_form_is_one_error(tmp_path: Path, document: Any) -> None:
    torch.save(document, tmp_path / "old.pt")
    with pytest.raises(ValueError, match="holds no dictionary 'spoke_"):
        read_older_spokes(tmp_path / "old.pt")


def without(*keys: str) -> Callable[[dict[str, Any]], object]:
    return lambda state: [state.pop(key) for key in keys]


def put(key: Any, value: Any) -> Callable[[dict[Any, Any]], object]:
    return lambda state: state.update({key: value})


def all_of_layer(layer: int, rank: int) -> Callable[[dict[str, Any]], object]:
    """Give a layer another rank, in all of its spokes."""

    def change(state: dict[str, Any]) -> None:
        for s in range(SPOKES):
            state[f"{layer}.w_down.{s}.weight"] = torch.zeros(rank, WIDTH)
            state[f"{layer}.w_up.{s}.weight"] = torch.zeros(WIDTH, rank)

    return change


BAD_STATES = [
    (without("2.w_up.1.weight"), r"lacks 2\.w_up\.1\.weight"),
    (without("0.w_down.0.weight"), r"lacks 0\.w_down\.0\.weight"),
    (without("3.gate_bias"), r"lacks 3\.gate_bias"),
    (put("1.w_down.999999999999.weight", torch.zeros(RANK, WIDTH)), r"lacks 0\.w_down\.3\.weight"),
    (put("1.w_down.0.weight", torch.zeros(WIDTH, RANK)), r"1\.w_down\.0\.weight is \[64, 5\]"),
    (put("1.w_up.2.weight", torch.zeros(WIDTH, 9)), r"1\.w_up\.2\.weight is \[64, 9\], want \["),
    (put("2.w_down.0.weight", torch.zeros(RANK, 32)), r"2\.w_down\.0\.weight is \[5, 32\]"),
    (put("0.w_down.0.weight", torch.zeros(RANK)), r"is \[5\], want \[rank, width\]"),
    (all_of_layer(2, 7), r"2\.w_down\.0\.weight is \[7, 64\], .* all spokes have one rank"),
    (put("1.gate_bias", torch.zeros(2)), r"1\.gate_bias is \[2\], want one number"),
    (put("1.gate_bias", torch.tensor(1)), r"1\.gate_bias is no plain tensor"),
    (put("1.gate_bias", 0.5), r"1\.gate_bias is no plain tensor"),
    (put("1.gate_bias", torch.zeros(1).to_sparse()), r"1\.gate_bias is no plain tensor"),
    (put("0.w_gate.0.weight", torch.zeros(1)), r"has the unknown '0\.w_gate\.0\.weight'"),
    (put("0.w_down.0.bias", torch.zeros(1)), r"has the unknown '0\.w_down\.0\.bias'"),
    (put("00.gate_bias", torch.zeros(1)), r"has the unknown '00\.gate_bias'"),
    (put(7, torch.zeros(1)), "has the unknown 7"),
    (put("more.0.gate_bias", torch.zeros(1)), r"begin with '' and 'more\.', not all alike"),
    (dict.clear, "spoke_state_dict is empty"),
]


@pytest.mark.parametrize(("spoil", "words"), BAD_STATES, ids=[words for _, words in BAD_STATES])
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, spoil: Callable[[dict[Any, Any]], object], words: str
) -> None:
    state = dict(older_state())
    spoil(state)
    with pytest.raises(ValueError, match=words) as raised:
        read_older_spokes(write(tmp_path / "old.pt", state))
    assert str(raised.value).startswith(f"{tmp_path / 'old.pt'}: ")
    assert str(raised.value).endswith("give the file as training saved it")


def test_of_many_unknown_keys_three_are_named(tmp_path: Path) -> None:
    state = {**older_state(), **{f"x{i}": torch.zeros(1) for i in range(5)}}
    with pytest.raises(ValueError, match="unknown 'x0', 'x1', 'x2' and 2 more"):
        read_older_spokes(write(tmp_path / "old.pt", state))


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"num_spokes": 4}, "says num_spokes = 4, the tensors have 3"),
        ({"spoke_rank": 64}, "says rank = 64, the tensors have 5"),
        ({"d_model": 128}, "says hidden_size = 128, the tensors have 64"),
        ({"hidden_size": 128}, "says hidden_size = 128, the tensors have 64"),
        ({"num_layers": 3}, "says num_layers = 3, the tensors have layer 3"),
        ({"rank": 6}, "contradicts itself: spoke_rank = 5 and rank = 6"),
        ({"num_spokes": "3"}, "num_spokes = '3', want a whole number"),
        ({"num_spokes": 0}, "num_spokes = 0, want a whole number"),
        ({"rotation": "rope1"}, "rotation = 'rope1', a step that our spokes do not have"),
        ({"bottleneck_rotation": "bottleneck_rope"}, "bottleneck_rotation = 'bottleneck_rope', a"),
    ],
)
def test_a_configuration_that_disagrees_is_named(
    tmp_path: Path, stated: dict[str, Any], words: str
) -> None:
    path = write(tmp_path / "old.pt", older_state(), {**CONFIG, **stated})
    with pytest.raises(ValueError, match=words):
        read_older_spokes(path)


def test_other_spellings_are_read_and_strange_names_reported(tmp_path: Path) -> None:
    config = {"n_spokes": SPOKES, "rank": RANK, "d_model": WIDTH, "every_n_layers": 1}
    config |= {"n_layers": LAYERS, "rotation": "none", "householder_k": 16, "colour": "red"}
    older = read_older_spokes(write(tmp_path / "old.pt", older_state(), config))
    assert older.unused == ("colour",)
    assert (older.num_layers, older.every_n_layers) == (LAYERS, 1)


def test_layers_without_a_stated_step_are_taken_as_they_are(tmp_path: Path) -> None:
    state = {key: value for key, value in older_state().items() if key[0] in "13"}
    older = read_older_spokes(write(tmp_path / "old.pt", state, {}))
    spokes = older.for_base(hidden_size=WIDTH, num_layers=6)
    assert spokes.config.layer_indices == (1, 3)
    assert spokes.config.num_layers == 6


def test_a_base_of_another_shape_is_refused(tmp_path: Path) -> None:
    older = read_older_spokes(write(tmp_path / "old.pt", older_state(), {}))
    for hidden_size, num_layers in ((32, LAYERS), (WIDTH, LAYERS - 1)):
        with pytest.raises(
            ValueError,
            match=f"width 64 and at least 4 layers, the base has width {hidden_size} and "
            f"{num_layers} layers: name the base",
        ):
            older.for_base(hidden_size=hidden_size, num_layers=num_layers)
    older = read_older_spokes(write(tmp_path / "old.pt", older_state(), {"num_layers": LAYERS}))
    with pytest.raises(ValueError, match="width 64 and 4 layers, the base has width 64 and 5"):
        older.for_base(hidden_size=WIDTH, num_layers=LAYERS + 1)
    older = read_older_spokes(write(tmp_path / "old.pt", older_state()))
    with pytest.raises(ValueError, match=r"every 1 of 5 layers are at \[0, 1, 2, 3, 4\], the file"):
        older.for_base(hidden_size=WIDTH, num_layers=LAYERS + 1)


@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_left_of_a_conversion_that_fails(
    tmp_path: Path, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = write(tmp_path / "old.pt", older_state()), tmp_path / "set"
    spokes = read_older_spokes(path).for_base(hidden_size=WIDTH, num_layers=LAYERS)
    card = SpokesCard(spokes=spokes.config, base="tiny", base_fingerprint="abc")
    if there:
        save_spokes(folder, spokes, card)

    def content() -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    before, names = content(), sorted(tmp_path.iterdir())

    def fill_the_disk(_state: dict[str, Tensor], target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr("spokesmith.spokes.files.save_file", fill_the_disk)
    with pytest.raises(OSError, match="no space left"):
        save_spokes(folder, spokes, card)
    monkeypatch.undo()
    state = {**older_state(), "1.w_up.0.weight": torch.full((WIDTH, RANK), torch.inf)}
    spoiled = read_older_spokes(write(tmp_path / "old.pt", state))
    write(path, older_state())
    with pytest.raises(ValueError, match=r"layers\.1\.up holds values that are not finite"):
        save_spokes(folder, spoiled.for_base(hidden_size=WIDTH, num_layers=LAYERS), card)
    assert sorted(tmp_path.iterdir()) == names
    assert content() == before
