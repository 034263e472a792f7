"""Random bases as GGUF files: with values and without them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM

from spokesmith.bases import make_base
from spokesmith.testing import tiny_base, tiny_config
from spokesmith.testing.gguf_files import write_gguf


@pytest.mark.parametrize("kind", ["F32", "Q4_0"])
@pytest.mark.parametrize("model_type", ["llama", "gemma4_text", "qwen3_5_text"])
def test_a_base_without_values_makes_a_file_of_the_same_form(
    tmp_path: Path, model_type: str, kind: str
) -> None:
    base = tiny_base(model_type)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(tiny_config(model_type))
    shapes = make_base(base.name, model, base.tokenizer, base.family, has_random_weights=True)
    real, drawn = (
        GGUFReader(write_gguf(tmp_path / f"{number}.gguf", one, kind))
        for number, one in enumerate((base, shapes))
    )
    assert list(drawn.fields) == list(real.fields)
    assert [tensor.name for tensor in drawn.tensors] == [tensor.name for tensor in real.tensors]
    for one, other in zip(drawn.tensors, real.tensors, strict=True):
        assert one.tensor_type == other.tensor_type
        assert one.shape.tolist() == other.shape.tolist()
        assert one.data.shape == other.data.shape
        if one.data.dtype == np.float32 and one.name != "rope_freqs.weight":
            assert np.isfinite(one.data).all()
            assert one.data.std() > 0 or one.data.size == 1
