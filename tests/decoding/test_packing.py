"""Matrices in the processor's own layout give the same products, and training does not see them."""

import copy

import pytest
import torch
from spoked_bases import needs_layout, spoked, work
from torch import nn

from spokesmith.decoding.packing import fix_layout
from spokesmith.decoding.runner import Runner
from spokesmith.spokes.fixed import FixedProduct, can_pack
from spokesmith.testing import tiny_base


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [1, 3, 8, 40])
@pytest.mark.parametrize("has_bias", [True, False])
def test_a_fixed_product_is_the_product(dtype: torch.dtype, rows: int, has_bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(48, 80, bias=has_bias, dtype=dtype)
    x = torch.randn(2, rows, 48, dtype=dtype)
    with torch.no_grad():
        wanted = layer(x)
        found = FixedProduct(layer.weight, layer.bias)(x)
    assert found.dtype == dtype
    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-6
    torch.testing.assert_close(found, wanted, atol=tolerance, rtol=tolerance)


def test_layers_keep_their_weights_and_gradients() -> None:
    base = tiny_base(dtype="bfloat16")
    plain = copy.deepcopy(base.model)
    before = {name: value.clone() for name, value in base.model.state_dict().items()}
    fix_layout(base)
    after = base.model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    ids = torch.arange(60)[None]
    with torch.inference_mode():
        found, wanted = base.model(ids).logits, plain(ids).logits
    torch.testing.assert_close(found, wanted, atol=5e-2, rtol=5e-2)
    embedded = base.model.get_input_embeddings()(ids).detach().requires_grad_()
    base.model(inputs_embeds=embedded).logits.float().sum().backward()
    assert embedded.grad is not None
    assert torch.equal(base.model(ids).logits, plain(ids).logits)
    with torch.no_grad():
        assert torch.equal(base.model(ids).logits, plain(ids).logits)


@needs_layout
@pytest.mark.parametrize("order", [("q", "k", "v"), ("k", "v", "q"), ("q", "q", "v", "k", "k")])
def test_layers_that_read_the_same_input_are_one_product(order: tuple[str, ...]) -> None:
    base = tiny_base(dtype="bfloat16")
    plain = copy.deepcopy(base.model)
    fix_layout(base)
    found, expected = (one.get_decoder().layers[0].self_attn for one in (base.model, plain))
    torch.manual_seed(0)
    hidden = base.config.hidden_size
    # Views that stay the same ones, as layers see them.
    inputs = torch.randn(2, 1, 5, hidden, dtype=torch.bfloat16).unbind()
    with torch.inference_mode():
        for x in inputs:
            for name in order:
                torch.testing.assert_close(
                    getattr(found, f"{name}_proj")(x),
                    getattr(expected, f"{name}_proj")(x),
                    atol=2e-2,
                    rtol=2e-2,
                )


def test_a_layer_is_four_products(monkeypatch: pytest.MonkeyPatch) -> None:
    base, products, multiply = spoked("llama"), list[FixedProduct](), FixedProduct.__call__

    def count(self: FixedProduct, x: torch.Tensor) -> torch.Tensor:
        products.append(self)
        return multiply(self, x)

    def num_products(runner: Runner) -> int:
        products.clear()
        runner.run([work(0, 0, 9)])
        return len(products)

    monkeypatch.setattr(FixedProduct, "__call__", count)
    num_layers = len(base.sites())
    # Into the spokes beside a block, and out of them.
    assert num_products(Runner(base, 1)) == 2 * num_layers
    monkeypatch.setattr("spokesmith.decoding.packing.can_pack", lambda weight: True)
    # Queries, keys and values; out of attention; into a block with its spokes; out of it; the head.
    assert num_products(Runner(base, 1, joined=fix_layout(base))) == 4 * num_layers + 1


def test_only_what_has_a_better_layout_is_changed() -> None:
    base = tiny_base(dtype="float32")
    fix_layout(base)
    assert all(
        type(one) is not nn.Linear or not can_pack(one.weight) for one in base.model.modules()
    )
    assert type(base.model.get_output_embeddings()) is nn.Linear


def test_nothing_is_changed_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = 1000

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    base = tiny_base(dtype="bfloat16")
    fix_layout(base)
    assert type(base.model.get_output_embeddings()) is nn.Linear
