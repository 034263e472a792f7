"""A base decodes rightly on the version of transformers that is there, or is refused in one line.

These tests also run on older versions of transformers.
"""

import re
from types import SimpleNamespace

import pytest
import torch
import transformers
from generating import generate

from spokesmith.decoding import Engine
from spokesmith.testing import tiny_base

PROMPT = list(range(65, 91))
IS_OLDER = transformers.__version__.startswith("5.5.")
REFUSED = rf"transformers {re.escape(transformers.__version__)} is too old .*pip install -U transf"


@pytest.mark.parametrize("model_type", ["llama", "gemma4_text", "qwen3_5_text"])
def test_a_base_writes_what_the_library_writes_or_is_refused(model_type: str) -> None:
    base = tiny_base(model_type, dtype="float64")
    if IS_OLDER and not base.family.shares_prefix:
        with pytest.raises(ValueError, match=REFUSED):
            Engine(base)
        return
    with torch.no_grad():
        (wanted,) = base.model.generate(torch.tensor([PROMPT]), max_new_tokens=12, do_sample=False)
    found = generate(Engine(base), PROMPT, spokes=None, max_tokens=12).tokens
    assert [*PROMPT, *found] == [token for token in wanted.tolist() if token != base.chat.end_id]


def test_running_states_of_an_older_form_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    base = tiny_base("qwen3_5_text")
    older = SimpleNamespace(layers=[SimpleNamespace(conv_states=None)])
    monkeypatch.setattr("spokesmith.decoding.cache.DynamicCache", lambda config: older)
    with pytest.raises(ValueError, match=REFUSED):
        Engine(base)
