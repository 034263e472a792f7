"""The plugin for residual sets: what is written for it, and what it adds, without vLLM itself."""

import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from export_parts import busy_set, card_of, tiny_source
from safetensors import safe_open
from torch import Tensor, nn

from spokesmith.bases import load_base
from spokesmith.export import vllm_plugin
from spokesmith.export.hf import export_hf

FAMILIES = ("llama", "gemma3_text", "gemma4_text", "gemma4_dense", "qwen3", "qwen3_5_text")


@pytest.mark.parametrize("model_type", FAMILIES)
def test_the_folder_holds_the_base_bit_for_bit_and_the_spokes_beside_it(
    model_type: str, tmp_path: Path
) -> None:
    source = tiny_source(model_type, tmp_path / "base")
    spokes = busy_set(source, placement="residual", layers=(1, 3))
    made = export_hf(
        tmp_path / "out", source, spokes, card_of(source, spokes, "0"), layout="plugin"
    )
    assert made.intermediate_size == (96, 96)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    (architecture,) = config["architectures"]
    assert architecture.removeprefix("Spokesmith") in vllm_plugin.SUPPORTED
    assert config["spokesmith"] == {"layers": [1, 3], "inner": 8}
    base = load_base(source.name, dtype="bfloat16", device="cpu").model.state_dict()
    with safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    beside = {name: found.pop(name) for name in list(found) if ".spoke." in name}
    assert sorted(beside) == [
        f"model.layers.{index}.spoke.{part}" for index in (1, 3) for part in ("down", "up")
    ]
    assert {one.dtype for one in beside.values()} == {torch.float32}
    assert all(torch.equal(tensor, base[name]) for name, tensor in found.items())
    assert set(base) - set(found) == {"lm_head.weight"}
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "other engines would leave them out" in readme


def test_sets_that_do_not_go_with_the_layout_are_refused(tmp_path: Path) -> None:
    source = tiny_source("llama", tmp_path / "base", num_layers=2)
    spokes = busy_set(source)
    with pytest.raises(ValueError, match=r"ffn set needs no plugin: leave out --layout"):
        export_hf(tmp_path / "out", source, spokes, card_of(source, spokes, "0"), layout="plugin")
    experts = tiny_source("gemma4_experts", tmp_path / "experts", num_layers=2)
    spokes = busy_set(experts, placement="residual")
    with pytest.raises(ValueError, match="plugin does not serve"):
        export_hf(tmp_path / "out", experts, spokes, card_of(experts, spokes, "0"), layout="plugin")
    assert not (tmp_path / "out").exists()


class Layer(nn.Module):
    """A layer as vLLM's: it hands on its output in two parts, or whole."""

    def __init__(self, splits: bool) -> None:
        super().__init__()
        self.splits = splits

    def forward(self, hidden: Tensor, residual: Tensor | None) -> tuple[Tensor, Tensor | None]:
        whole = hidden if residual is None else hidden + residual
        return (whole * 0.5, whole * 0.5) if self.splits else (whole, None)


class Missing(nn.Module):
    """A layer of another process."""


class LlamaForCausalLM(nn.Module):
    """Two layers here and one elsewhere."""

    def __init__(self, *, vllm_config: Any, prefix: str = "") -> None:
        super().__init__()
        self.prefix = prefix
        self.model = nn.Module()
        self.model.layers = nn.ModuleList([Layer(True), Missing(), Layer(False)])


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Modules under vLLM's names with what the plugin asks of them."""
    registered: dict[str, str] = {}
    settings = {"Gemma4ForCausalLM": "its settings"}
    models = "vllm.model_executor.models"
    parts: dict[str, dict[str, Any]] = {
        "vllm": {"ModelRegistry": SimpleNamespace(register_model=registered.__setitem__)},
        f"{models}.config": {"MODELS_CONFIG_MAP": settings},
        f"{models}.utils": {"PPMissingLayer": Missing},
        f"{models}.llama": {"LlamaForCausalLM": LlamaForCausalLM},
    }
    for name, members in parts.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return SimpleNamespace(registered=registered, settings=settings)


def test_vllm_is_told_of_every_architecture_by_name(vllm: Any) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module, _, function = project["entry-points"]["vllm.general_plugins"]["spokesmith"].partition(
        ":"
    )
    getattr(importlib.import_module(module), function)()
    assert set(vllm.registered) == {f"Spokesmith{name}" for name in vllm_plugin.SUPPORTED}
    assert vllm.registered["SpokesmithLlamaForCausalLM"] == f"{module}:SpokesmithLlamaForCausalLM"
    assert vllm.settings["SpokesmithGemma4ForCausalLM"] == "its settings"
    assert "SpokesmithLlamaForCausalLM" not in vllm.settings


def test_a_layer_hands_on_its_output_with_the_spokes_added(vllm: Any, tmp_path: Path) -> None:
    source = tiny_source("llama", tmp_path / "base", num_layers=3)
    spokes = busy_set(source, placement="residual")
    hf_config = SimpleNamespace(hidden_size=64, spokesmith={"layers": [0, 1, 2], "inner": 8})
    config = SimpleNamespace(model_config=SimpleNamespace(hf_config=hf_config))
    model = vllm_plugin.SpokesmithLlamaForCausalLM(vllm_config=config, prefix="here")
    assert isinstance(model, LlamaForCausalLM)
    assert type(model).__name__ == "SpokesmithLlamaForCausalLM"
    assert model.prefix == "here"
    names = [f"model.layers.{index}.spoke.{part}" for index in (0, 2) for part in ("down", "up")]
    assert [name for name, _ in model.named_parameters()] == names
    for index in (0, 2):
        down, up = spokes.at(index).fused_weights(torch.float32)
        layer = model.model.layers[index]
        layer.spoke.down.data, layer.spoke.up.data = down, up
        x, y = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(index))
        hidden, residual = layer(x, y)
        wanted = spokes.at(index).add_to_hidden(x + y)
        torch.testing.assert_close(hidden if residual is None else hidden + residual, wanted)
        assert layer(x.bfloat16(), None)[0].dtype == torch.bfloat16


def test_layers_that_are_offloaded_are_refused(vllm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offloading hangs a forward on each layer, which hides that of the class."""

    class Offloaded(LlamaForCausalLM):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.model.layers[0].forward = self.model.layers[0].forward

    monkeypatch.setattr(
        sys.modules["vllm.model_executor.models.llama"], "LlamaForCausalLM", Offloaded
    )
    vllm_plugin._spoked_model.cache_clear()
    hf_config = SimpleNamespace(hidden_size=64, spokesmith={"layers": [0], "inner": 8})
    config = SimpleNamespace(model_config=SimpleNamespace(hf_config=hf_config))
    with pytest.raises(ValueError, match="leave out --offload-group-size"):
        vllm_plugin.SpokesmithLlamaForCausalLM(vllm_config=config)
    vllm_plugin._spoked_model.cache_clear()


def test_the_module_has_no_other_classes() -> None:
    with pytest.raises(AttributeError):
        _ = vllm_plugin.SpokesmithMambaForCausalLM
    with pytest.raises(AttributeError):
        _ = vllm_plugin.LlamaForCausalLM


def test_its_start_loads_no_other_part_of_the_export() -> None:
    script = (
        "import sys, spokesmith.export.vllm_plugin\n"
        "print(*[name for name in sys.modules if name.startswith('spokesmith.export.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["spokesmith.export.vllm_plugin"]
