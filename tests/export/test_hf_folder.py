"""What lies in an exported folder, and what is refused; nothing is ever half-written."""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from export_parts import busy_set, card_of, tiny_source
from transformers import AutoTokenizer, GenerationConfig

from spokesmith.bases.loading import BaseSource, find_base
from spokesmith.export import folders, hf
from spokesmith.export.card import Measure, TaskFiles, licence_of
from spokesmith.export.hf import export_hf
from spokesmith.spokes import SpokesConfig, SpokeSet

TASK = TaskFiles(name="notes", prompt="Answer in JSON.", schema={"type": "object"}, max_tokens=77)
MESSAGES = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
THINKING = (
    "{% for message in messages %}<|start|>{{ message.role }}\n{{ message.content }}<|end|>\n"
    "{% endfor %}<|start|>assistant\n"
    "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}"
)
NO_SYSTEM = (
    "{% for message in messages %}"
    "{% if message.role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "{{ message.content }}{% endfor %}"
)


@pytest.fixture
def source(tmp_path: Path) -> BaseSource:
    return tiny_source("llama", tmp_path / "base", num_layers=2)


def export(source: BaseSource, out: Path, **choices: Any) -> Any:
    spokes = choices.pop("spokes", None) or busy_set(source)
    return export_hf(out, source, spokes, card_of(source, spokes, "f00d"), **choices)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_folder_has_what_an_ordinary_one_has(source: BaseSource, tmp_path: Path) -> None:
    (Path(source.location) / "LICENSE.txt").write_text("Do as you please.")
    (Path(source.location) / "README.md").write_text("---\nlicense: wtfpl\n---\n# Base\n")
    export(source, tmp_path / "out", task=TASK)
    assert names(tmp_path / "out") == {
        "LICENSE.txt",
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "prompt.md",
        "schema.json",
        "spokesmith.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["dtype"] == "bfloat16"
    assert config["intermediate_size"] == 104
    assert (tmp_path / "out" / "prompt.md").read_text() == TASK.prompt
    assert json.loads((tmp_path / "out" / "schema.json").read_text()) == TASK.schema
    for path in (tmp_path / "out", *(tmp_path / "out").iterdir()):
        assert path.stat().st_mode & 0o044 == 0o044


def test_the_card_tells_facts_measures_and_how_to_ask(source: BaseSource, tmp_path: Path) -> None:
    (Path(source.location) / "README.md").write_text("---\nlicense: wtfpl\n---\n# Base\n")
    measure = Measure(
        probe_set="gold", decoding="free", name="SC", value=0.88, interval=(0.76, 1.0), n=25
    )
    export(source, tmp_path / "out", task=TASK, measures=(measure,))
    card = (tmp_path / "out" / "README.md").read_text()
    for words in (
        'license: "wtfpl"',
        "| placement | `ffn` |",
        "2 of rank 4, in 2 of 2 layers",
        "fingerprint `f00d`",
        "| examples trained on | 1,234 |",
        "0.1250",
        "| gold | free | SC | 0.880 | 0.760 to 1.000 | 25 |",
        'Path("prompt.md").read_text()',
        "max_new_tokens=77",
        "vllm serve .",
    ):
        assert words in card
    everything = "".join(
        path.read_text() for path in (tmp_path / "out").glob("*") if path.suffix != ".safetensors"
    )
    assert "spokesmith.json" not in card
    assert str(tmp_path) not in everything.replace(f'"base": "{source.name}"', "")


def test_the_card_says_where_the_plugin_is_installed_from(
    source: BaseSource, tmp_path: Path
) -> None:
    spokes = busy_set(source, placement="residual")
    export(source, tmp_path / "out", spokes=spokes, layout="plugin", task=TASK)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "pip install --no-deps PATH/TO/spokesmith " in card


def test_what_is_not_known_is_left_out_of_the_card(source: BaseSource, tmp_path: Path) -> None:
    export(source, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "license:" not in card
    assert "licence of the base | not known" in card
    assert "vllm serve" not in card
    assert not names(tmp_path / "out") & {"prompt.md", "schema.json"}


def test_a_set_that_was_never_evaluated_has_no_loss_in_its_card(
    source: BaseSource, tmp_path: Path
) -> None:
    spokes = busy_set(source)
    card = replace(card_of(source, spokes, "f00d"), training={"steps": 56, "eval_loss": None})
    export_hf(tmp_path / "out", source, spokes, card)
    text = (tmp_path / "out" / "README.md").read_text()
    assert "| steps | 56 |" in text
    assert "## Measures" not in text


@pytest.mark.parametrize("path", ["./base", "~/base", "../base", "/base"])
def test_a_path_that_is_gone_is_no_base_of_the_hub(path: str, tmp_path: Path) -> None:
    assert licence_of(path, tmp_path).base_id is None
    assert licence_of("someone/base", tmp_path).base_id == "someone/base"


def test_the_code_of_the_card_runs_and_answers(
    source: BaseSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    export(source, tmp_path / "out", task=TASK)
    blocks = (tmp_path / "out" / "README.md").read_text().split("```python\n")[1:3]
    monkeypatch.chdir(tmp_path / "out")
    capsys.readouterr()
    exec("\n".join(block.split("```")[0] for block in blocks), {})
    assert capsys.readouterr().out.strip()


def test_answers_end_where_the_base_s_turns_end(source: BaseSource, tmp_path: Path) -> None:
    export(source, tmp_path / "out")
    made = GenerationConfig.from_pretrained(tmp_path / "out")
    assert made.eos_token_id == source.chat.end_id
    assert made.do_sample is False
    assert made.temperature is None


def test_the_chat_template_is_told_what_the_set_was_trained_with(tmp_path: Path) -> None:
    plain = tiny_source("qwen3", tmp_path / "base", num_layers=2)
    (Path(plain.location) / "chat_template.jinja").write_text(THINKING)
    source = find_base(plain.location)
    export(source, tmp_path / "out")
    trained = source.chat.prompt_ids(MESSAGES)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    options = {"add_generation_prompt": True, "return_dict": False}
    assert tokenizer.apply_chat_template(MESSAGES, **options) == trained
    asked = tokenizer.apply_chat_template(MESSAGES, enable_thinking=True, tokenize=False)
    assert asked.endswith("<think>")
    # A template that does not read it stays as it is.
    export(plain, tmp_path / "plain")
    assert (tmp_path / "plain" / "chat_template.jinja").read_text() == plain.chat.template


def test_a_base_without_system_turns_is_asked_in_one_turn(tmp_path: Path) -> None:
    plain = tiny_source("gemma3_text", tmp_path / "base", num_layers=2)
    (Path(plain.location) / "chat_template.jinja").write_text(NO_SYSTEM)
    export(find_base(plain.location), tmp_path / "out", task=TASK)
    assert "the prompt opens the user's" in (tmp_path / "out" / "README.md").read_text()


def test_what_cannot_fold_is_one_clear_refusal(source: BaseSource, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="residual set cannot be folded"):
        export(source, out, spokes=busy_set(source, placement="residual"))
    experts = tiny_source("gemma4_experts", tmp_path / "experts", num_layers=2)
    residual = busy_set(experts, placement="residual")
    with pytest.raises(ValueError, match=r"mixtures of experts.*`spokesmith serve`$"):
        export(experts, out, spokes=residual)
    quantised = Path(source.location) / "config.json"
    entries = json.loads(quantised.read_text())
    quantised.write_text(json.dumps({**entries, "quantization_config": {"quant_method": "fp8"}}))
    with pytest.raises(ValueError, match=r"quantised.*name the unquantised base with --base"):
        export(find_base(source.location), out)
    assert not out.exists()


def test_damaged_files_of_a_base_are_one_clear_refusal(source: BaseSource, tmp_path: Path) -> None:
    weights = Path(source.location) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    with pytest.raises(ValueError, match=r"model\.safetensors cannot be read"):
        export(source, tmp_path / "out")
    weights.unlink()
    with pytest.raises(ValueError, match="has no safetensors files"):
        export(source, tmp_path / "out")
    index = Path(source.location) / "model.safetensors.index.json"
    index.write_text("[]")
    with pytest.raises(ValueError, match=r"index\.json is damaged"):
        export(source, tmp_path / "out")
    index.unlink()
    other = tiny_source("llama", tmp_path / "other", num_layers=1)
    weights.write_bytes((Path(other.location) / "model.safetensors").read_bytes())
    with pytest.raises(ValueError, match=r"lack 9 weights"):
        export(source, tmp_path / "out")
    wider = tiny_source("llama", tmp_path / "wider", num_layers=2, intermediate_size=128)
    weights.write_bytes((Path(wider.location) / "model.safetensors").read_bytes())
    with pytest.raises(ValueError, match=r"gate_proj.*is \[128, 64\] in its file"):
        export(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_that_cannot_be_downloaded_are_one_clear_refusal(
    source: BaseSource, tmp_path: Path
) -> None:
    away = replace(source, name="someone/away", location="someone/away")
    with pytest.raises(ValueError, match=r"weights of 'someone/away' cannot be had.*--base"):
        export(away, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(source: BaseSource, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    export(source, out)
    with pytest.raises(ValueError, match=r"is there already.*--force"):
        export(source, out)
    (out / "stale").touch()
    export(source, out, force=True)
    assert "stale" not in names(out)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.md").write_text("words")
    with pytest.raises(ValueError, match="is no export: give another --out"):
        export(source, mine, force=True)
    assert names(mine) == {"thesis.md"}
    assert not [name for name in names(tmp_path) if name.startswith(".")]


@pytest.mark.parametrize("force", [False, True])
def test_what_comes_to_be_there_meanwhile_is_not_written_over(tmp_path: Path, force: bool) -> None:
    out = tmp_path / "out"

    def write() -> None:
        with folders.whole_folder(out, force=force):
            out.mkdir()
            (out / "thesis.md").write_text("words")

    with pytest.raises(ValueError, match="is no export: give another --out"):
        write()
    assert names(out) == {"thesis.md"}
    assert names(tmp_path) == {"out"}


def test_a_mount_point_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"^/ is where a disk is mounted: name a folder inside it"):
        folders.check_out(Path("/"), force=True)


def test_a_link_stays_and_what_it_leads_to_is_replaced(source: BaseSource, tmp_path: Path) -> None:
    export(source, tmp_path / "disk" / "out")
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "out")
    (tmp_path / "out" / "stale").touch()
    export(source, tmp_path / "out", force=True)
    assert (tmp_path / "out").is_symlink()
    assert "stale" not in names(tmp_path / "disk" / "out")


def test_a_failure_leaves_nothing_and_the_old_export_stands(
    source: BaseSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(source, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    monkeypatch.setattr(hf, "model_card", lambda *_, **__: 1 / 0)
    for out in (tmp_path / "out", tmp_path / "new"):
        with pytest.raises(ZeroDivisionError):
            export(source, out, force=True)
    assert names(tmp_path) == {"base", "out"}
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_where_the_last_step_fails_the_old_export_comes_back(
    source: BaseSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(source, tmp_path / "out")
    (tmp_path / "out" / "stale").touch()
    rename = folders.os.rename

    def refuse(old: Path, new: Path) -> None:
        if new == tmp_path / "out" and old.name != "old":
            raise OSError(5, "Input/output error")
        rename(old, new)

    monkeypatch.setattr(folders.os, "rename", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        export(source, tmp_path / "out", force=True)
    assert "stale" in names(tmp_path / "out")
    assert names(tmp_path) == {"base", "out"}


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    source: BaseSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = folders.shutil.disk_usage(tmp_path)._replace(free=12_000_000)
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ValueError, match=r"needs 0\.05 GB, and 0\.01 GB are free"):
        export(source, tmp_path / "out")
    assert names(tmp_path) == {"base"}


@contextmanager
def files_of_at_most(num_bytes: int) -> Iterator[None]:
    resource = pytest.importorskip("resource", reason="there is no limit of a file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_leaves_nothing(
    source: BaseSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        files_of_at_most(100_000),
        pytest.raises(ValueError, match=r"cannot write model\.safetensors.*File too large"),
    ):
        export(source, tmp_path / "out", max_shard_bytes=10_000_000)
    monkeypatch.setattr(hf, "write_shards", lambda *_, **__: 1)
    with (
        files_of_at_most(2_500),
        pytest.raises(ValueError, match=r"cannot write the tokenizer .*File too large.*: free"),
    ):
        export(source, tmp_path / "out")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hf, "write_facts", full)
    with pytest.raises(ValueError, match=r"disk became full while .*out was written.*free disk"):
        export(source, tmp_path / "out")
    assert names(tmp_path) == {"base"}


def test_an_untrained_set_folds_to_the_bare_base(source: BaseSource, tmp_path: Path) -> None:
    config = SpokesConfig(hidden_size=64, num_layers=2, num_spokes=1, rank=3)
    made = export(source, tmp_path / "out", spokes=SpokeSet.create(config, seed=0))
    assert made.intermediate_size == (96, 99)
