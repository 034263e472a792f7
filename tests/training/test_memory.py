"""The memory estimate: equal to the count of a real step, near what a process takes, of use."""

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from spokesmith.bases import make_base, set_checkpointing
from spokesmith.bases.families import family_of
from spokesmith.bases.loading import BaseSource
from spokesmith.spokes import SpokeSet, attach
from spokesmith.testing import byte_tokenizer, tiny_config
from spokesmith.training.config import TrainConfig
from spokesmith.training.dry_run import NoEstimateError, TrainingSetup
from spokesmith.training.live_bytes import measure_step
from spokesmith.training.memory import (
    SPARE_SHARE,
    available_memory,
    check_fits,
    choose_checkpointing,
    estimate_memory,
    largest_length,
)
from spokesmith.training.objective import Objective

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
BENCH = Path(__file__).parents[2] / "bench" / "memory.py"


def setup_of(
    model_type: str = "llama", *, config: TrainConfig | None = None, **choices: Any
) -> TrainingSetup:
    shape = tiny_config(model_type)
    source = BaseSource(
        name=model_type,
        location=model_type,
        config=shape,
        whole_config=shape,
        family=family_of(shape.model_type),
        tokenizer=byte_tokenizer(),
    )
    config = config or TrainConfig(batch_size=4, max_length=256, rank=8)
    return TrainingSetup(
        source=source, config=config, **{"dtype": torch.float32, "device": CPU, **choices}
    )


def real_objective(setup: TrainingSetup) -> Objective:
    source, config = setup.source, setup.config
    model = AutoModelForCausalLM.from_config(source.config, dtype=setup.dtype)
    base = make_base(source.name, model, source.tokenizer, source.family)
    shape = base.spokes_config(
        placement=config.placement, num_spokes=config.num_spokes, rank=config.rank
    )
    spokes = SpokeSet.create(shape, seed=0)
    attach(model, base.sites(), spokes)
    set_checkpointing(base, setup.checkpointing)
    return Objective(base, spokes)


def fitting_bytes(setup: TrainingSetup) -> int:
    """The least memory in which a run fits."""
    return int(estimate_memory(setup).total_bytes / (1 - SPARE_SHARE)) + 1


@pytest.mark.parametrize(
    ("model_type", "checkpointing", "prefix_length", "optimizer", "accumulation"),
    [
        ("llama", "none", 0, "muon", 1),
        ("llama", "every", 40, "adamw", 2),
        ("gemma3_text", "second", 40, "muon", 1),
        ("gemma4_text", "none", 40, "adamw", 1),
        ("gemma4_text", "every", 0, "muon", 2),
        ("gemma4_dense", "second", 0, "muon", 1),
        ("qwen3", "none", 0, "adamw", 2),
        ("qwen3_5_text", "every", 0, "muon", 1),
    ],
)
def test_estimate_equals_the_count_of_a_real_step(
    model_type: str, checkpointing: str, prefix_length: int, optimizer: str, accumulation: int
) -> None:
    config = TrainConfig(
        batch_size=2,
        max_length=160,
        rank=8,
        optimizer=optimizer,
        gradient_accumulation=accumulation,
    )
    setup = setup_of(
        model_type, config=config, checkpointing=checkpointing, prefix_length=prefix_length
    )
    counted = measure_step(real_objective(setup), config, length=160, prefix_length=prefix_length)
    estimate = estimate_memory(setup)
    assert estimate.total_bytes == pytest.approx(counted.total_bytes, rel=0.01)
    assert estimate.activation_bytes == pytest.approx(counted.activation_bytes, rel=0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a process from /proc")
@pytest.mark.parametrize("setting", ["llama", "gemma4-every"])
def test_estimate_is_near_what_a_process_takes(setting: str) -> None:
    command = [sys.executable, str(BENCH), "--one", setting]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["ratio"] == pytest.approx(1, abs=0.15)


def test_static_parts_are_exact() -> None:
    setup = setup_of("llama", config=TrainConfig(rank=8, max_length=512, optimizer="adamw"))
    objective = real_objective(setup)
    estimate = estimate_memory(setup)
    spoke_bytes = 4 * objective.spokes.num_parameters()
    assert estimate.spoke_bytes == spoke_bytes
    base_bytes = sum(
        one.nbytes for one in [*objective.model.parameters(), *objective.model.buffers()]
    )
    assert estimate.weight_bytes == base_bytes - spoke_bytes
    # AdamW's two moments, and a count of steps for each parameter.
    assert estimate.optimizer_bytes == 2 * spoke_bytes + 4 * len(
        list(objective.spokes.parameters())
    )


def test_muon_keeps_one_moment_of_a_matrix() -> None:
    config = TrainConfig(rank=8, max_length=512)
    muon, adamw = (
        estimate_memory(setup_of(config=replace(config, optimizer=kind)))
        for kind in ("muon", "adamw")
    )
    assert muon.optimizer_bytes == pytest.approx(adamw.optimizer_bytes / 2, rel=0.01)


def test_table_on_the_host_leaves_the_device() -> None:
    device, host = (
        estimate_memory(setup_of("gemma4_text", device=CUDA, ple=place))
        for place in ("device", "cpu")
    )
    config = tiny_config("gemma4_text")
    table_bytes = (
        4
        * config.vocab_size_per_layer_input
        * config.num_hidden_layers
        * config.hidden_size_per_layer_input
    )
    assert device.host_bytes == 0
    assert host.host_bytes == table_bytes
    assert host.weight_bytes == device.weight_bytes - table_bytes


def test_table_on_the_host_of_a_cpu_run_is_in_the_same_memory() -> None:
    device, host = (
        estimate_memory(setup_of("gemma4_text", ple=place)) for place in ("device", "cpu")
    )
    assert host == device


def test_nf4_packs_the_linear_layers() -> None:
    functional = pytest.importorskip("bitsandbytes.functional")
    setup = setup_of("llama", dtype=torch.bfloat16, device=CUDA)
    model = real_objective(setup).model
    layers = [
        one
        for name, one in model.get_decoder().named_modules()
        if type(one) is torch.nn.Linear and not name.endswith(("k_proj", "v_proj"))
    ]
    plain = estimate_memory(setup)
    packed = estimate_memory(replace(setup, quantize="nf4"))
    saved_bytes = 0
    for layer in layers:
        weight, state = functional.quantize_4bit(
            layer.weight.data, compress_statistics=True, quant_type="nf4"
        )
        scale_bytes = state.absmax.nbytes + state.state2.absmax.nbytes
        saved_bytes += layer.weight.nbytes - weight.nbytes - scale_bytes
    assert plain.weight_bytes - packed.weight_bytes == pytest.approx(saved_bytes, rel=0.01)
    # Activations are the same: an unpacked weight is gone after its product.
    assert packed.activation_bytes == plain.activation_bytes


def test_nf4_is_unpacked_on_a_cpu() -> None:
    setup = setup_of("llama", dtype=torch.bfloat16)
    assert estimate_memory(replace(setup, quantize="nf4")) == estimate_memory(setup)


def test_sharing_the_prompt_takes_less() -> None:
    config = TrainConfig(batch_size=4, max_length=256, rank=8)
    shared, apart = (
        estimate_memory(setup_of(config=replace(config, share_prefix=share), prefix_length=200))
        for share in (True, False)
    )
    assert shared.activation_bytes < apart.activation_bytes * 0.6


def test_refusal_has_figures_and_remedies() -> None:
    setup = setup_of("gemma4_text", device=CUDA)
    available_bytes = fitting_bytes(setup) * 2 // 3
    longest = largest_length(setup, available_bytes)
    with pytest.raises(ValueError, match="out of memory before the start") as refusal:
        check_fits(setup, available_bytes)
    words = str(refusal.value)
    assert f"about {estimate_memory(setup).total_bytes / 1e9:.2f} GB" in words
    assert f"{available_bytes / 1e9:.2f} GB are available" in words
    assert 0 < longest < setup.config.max_length
    for remedy in (
        f"max_length = {longest} or less",
        'checkpointing = "every"',
        "batch_size",
        "--dtype bfloat16",
        "--quantize nf4",
        "--ple cpu",
    ):
        assert remedy in words


def test_refusal_names_no_remedy_that_is_in_use() -> None:
    setup = setup_of(
        config=TrainConfig(batch_size=1, max_length=64), checkpointing="every", quantize="nf4"
    )
    with pytest.raises(ValueError, match=r"use a smaller base$"):
        check_fits(setup, 1000)


def test_a_run_that_fits_is_not_refused() -> None:
    setup = setup_of()
    assert check_fits(setup, fitting_bytes(setup)) == estimate_memory(setup)


@pytest.mark.parametrize(
    ("model_type", "checkpointing", "prefix_length", "true_length"),
    [
        ("llama", "none", 0, 900),
        ("gemma4_text", "every", 50, 1500),
        ("gemma3_text", "none", 0, 100),
    ],
)
def test_largest_length_fits_and_a_longer_one_does_not(
    model_type: str, checkpointing: str, prefix_length: int, true_length: int
) -> None:
    setup = setup_of(model_type, checkpointing=checkpointing, prefix_length=prefix_length)
    available_bytes = fitting_bytes(
        replace(setup, config=replace(setup.config, max_length=true_length))
    )
    found = largest_length(setup, available_bytes)
    assert true_length * 0.98 <= found <= true_length


def test_largest_length_ends_with_the_positions_that_the_base_knows() -> None:
    assert largest_length(setup_of(), 10**15) == tiny_config("llama").max_position_embeddings


def test_no_length_fits_where_the_base_does_not() -> None:
    setup = setup_of()
    assert largest_length(setup, estimate_memory(setup).weight_bytes) == 0


def test_auto_recomputes_no_more_than_it_must() -> None:
    setup = setup_of()
    needed_bytes = {
        mode: fitting_bytes(replace(setup, checkpointing=mode))
        for mode in ("none", "second", "every")
    }
    for mode, available_bytes in needed_bytes.items():
        assert choose_checkpointing(setup, available_bytes) == mode
    with pytest.raises(ValueError, match='checkpointing = "every", and'):
        choose_checkpointing(setup, needed_bytes["every"] - 1000)


def test_prompt_that_fills_the_length_is_refused() -> None:
    with pytest.raises(ValueError, match="the prompt alone has 256 tokens"):
        estimate_memory(setup_of(prefix_length=256))


def test_step_that_needs_real_numbers_is_said_to_be_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reads_a_number(*_args: Any) -> torch.Tensor:
        return torch.zeros(()) * torch.ones(1).sum().sin().item()

    monkeypatch.setattr("spokesmith.training.objective.completion_loss", reads_a_number)
    with pytest.raises(NoEstimateError, match="memory of training 'llama' is unknown"):
        estimate_memory(setup_of())


def test_a_base_that_comes_quantised_is_said_to_be_unknown() -> None:
    """Its weights take less than those that its shapes tell of."""
    setup = setup_of()
    whole = copy.deepcopy(setup.source.config)
    whole.quantization_config = {"quant_method": "bitsandbytes"}
    setup = replace(setup, source=replace(setup.source, whole_config=whole))
    with pytest.raises(NoEstimateError, match="its weights come quantised"):
        estimate_memory(setup)


def test_the_library_is_left_as_it_was() -> None:
    from transformers import masking_utils

    before = masking_utils.find_packed_sequence_indices
    estimate_memory(setup_of())
    assert masking_utils.find_packed_sequence_indices is before


def test_some_memory_is_available() -> None:
    assert available_memory(CPU) > 10**7
