"""Bases whose linear layers have weights of four bits (NF4), by bitsandbytes.

What stays whole, how the layers are asked for while a base is loaded, and in which form their
weights are computed with afterwards.
"""

import importlib.util
from typing import Any

import torch
from torch import nn

QUANTIZATIONS = ("none", "nf4")
# What four bits leave whole, by the ends of names: the head, and keys and values, which are few
# weights whose rounding costs most.
WHOLE_IN_NF4 = ("k_proj", "v_proj", "lm_head")
# What tells a four-bit layer that the processor has AVX512-BF16, and that it may be laid out anew.
LAYS_OUT_ANEW = "support_avx512bf16_for_cpu"


def four_bit_choices(quantize: str, dtype: torch.dtype) -> Any:
    """What transformers is told so that it loads a base in four bits; None for a whole one.

    Args:
        quantize: none or nf4.
        dtype: the precision of products.

    Raises:
        ValueError: the choice is unknown, or bitsandbytes is not installed.
    """
    if quantize == "none":
        return None
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize '{quantize}' is unknown: use {' or '.join(QUANTIZATIONS)}")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError("quantize nf4 needs bitsandbytes: pip install 'spokesmith[quantize]'")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        # Despite its name it counts for four bits too.
        llm_int8_skip_modules=list(WHOLE_IN_NF4),
        # Despite its name, what allows a part that is not quantised, the table, to stay on the CPU.
        llm_int8_enable_fp32_cpu_offload=True,
    )


def keep_as_stored(model: Any) -> None:
    """Keep bitsandbytes from laying four-bit weights out anew for the CPU.

    It would at the first pass in evaluation mode: with scales rounded to bfloat16, and for a
    product that is computed in bfloat16 whatever the base's precision and has no gradient.
    """
    for module in model.modules():
        if hasattr(module, LAYS_OUT_ANEW):
            setattr(module, LAYS_OUT_ANEW, False)


def unpack_four_bits(model: Any) -> None:
    """Put a plain layer in the place of every four-bit one, with the weight that it stands for.

    The weight is what bitsandbytes computes for each product anew; its precision is the base's.
    """
    from bitsandbytes.nn.modules import Linear4bit

    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, Linear4bit):
                setattr(parent, name, _unpacked(layer))


def _unpacked(layer: Any) -> nn.Linear:
    from bitsandbytes.functional import dequantize_4bit

    weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    plain = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
    plain.weight = nn.Parameter(weight, requires_grad=False)
    plain.bias = layer.bias
    return plain
