"""The model card of an export: what it is, how good it is known to be, how to ask it.

What is not known is left out, and no path of the machine that exported is told.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spokesmith.bases.embedded import EMBEDDED
from spokesmith.spokes import SpokesCard

PROMPT_NAME, SCHEMA_NAME = "prompt.md", "schema.json"


@dataclass(frozen=True, kw_only=True)
class TaskFiles:
    """What an answer is asked for with: the task's name, prompt, JSON Schema, token limit, and the
    paths of the fields that stand in the text word for word."""

    name: str
    prompt: str
    schema: Mapping[str, Any]
    max_tokens: int
    verbatim: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure of one probe set, with its 95 % interval and the number of inputs."""

    probe_set: str
    decoding: str
    name: str
    value: float
    interval: tuple[float, float] | None
    n: int | None


@dataclass(frozen=True, kw_only=True)
class Licence:
    """The base's licence as it is named, and the hub's name of the base, where they are known."""

    name: str | None
    base_id: str | None


def licence_of(base: str, folder: Path) -> Licence:
    """The licence of a base: an embedded one's, or what the card beside its weights says.

    Args:
        base: its name, hub id or path.
        folder: where its files are.
    """
    if embedded := EMBEDDED.get(base):
        return Licence(name=embedded.licence.lower(), base_id=embedded.hub_id)
    base_id = base if _may_be_hub_id(base) else None
    card = folder / "README.md"
    if not card.is_file():
        return Licence(name=None, base_id=base_id)
    from huggingface_hub import ModelCard

    text = card.read_text(encoding="utf-8", errors="replace")
    data = ModelCard(text, ignore_metadata_errors=True).data
    return Licence(name=data.get("license"), base_id=base_id)


def _may_be_hub_id(base: str) -> bool:
    """Whether a base's name is no path, as far as names tell: `./base` and `~/base` are none."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(base)
    except HFValidationError:
        return False
    return base.count("/") == 1 and not Path(base).exists()


def write_task(folder: Path, task: TaskFiles) -> None:
    """Write the prompt and the schema, each as it is to be sent."""
    (folder / PROMPT_NAME).write_text(task.prompt, encoding="utf-8")
    schema = json.dumps(task.schema, indent=2, ensure_ascii=False) + "\n"
    (folder / SCHEMA_NAME).write_text(schema, encoding="utf-8")


def model_card(
    card: SpokesCard,
    *,
    layout: str,
    dtype: str,
    licence: Licence,
    task: TaskFiles | None,
    measures: Sequence[Measure],
    takes_system_turn: bool,
    text_part_only: bool,
) -> str:
    """The README of an exported folder, in Markdown.

    Args:
        card: of the set.
        layout: folded, or plugin: the base as it is, with the spokes as tensors of their own.
        dtype: of the weights.
        licence: of the base.
        task: whose prompt and schema lie in the folder.
        measures: of probes.
        takes_system_turn: whether the chat template knows system turns.
        text_part_only: whether the base has parts for pictures or sound, which were left out.
    """
    base = base_title(card.base, licence)
    parts = [
        _front_matter(licence, task is not None),
        f"# {base} with spokes" + (f" for `{card.task}`" if card.task else ""),
        _WHAT[layout].format(base=base) + (_TEXT_PART_ONLY if text_part_only else ""),
        _facts(card, base, dtype, licence),
        _measures(card, measures),
        _usage(task, layout, takes_system_turn),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def base_title(base: str, licence: Licence) -> str:
    """What people call a base: never a path."""
    return licence.base_id or Path(base).name


_WHAT = {
    "folded": (
        "{base} whose feed-forward blocks were made wider by a trained set of spokes. The base's "
        "own weights are as they were; the architecture is that of the base's language model. Made "
        "with spokesmith."
    ),
    "plugin": (
        "{base} as it is, with a trained set of `residual` spokes as tensors of their own. It runs "
        "on vLLM with spokesmith's plugin, which adds them after each layer; other engines would "
        "leave them out. Made with spokesmith."
    ),
}
_TEXT_PART_ONLY = (
    " Of the base only the part for text is in it: what takes pictures or sound was left out."
)


def _front_matter(licence: Licence, has_schema: bool) -> str:
    lines = ["library_name: transformers", "pipeline_tag: text-generation"]
    if licence.base_id:
        lines.append(f"base_model: {json.dumps(licence.base_id)}")
    if licence.name:
        lines.append(f"license: {json.dumps(licence.name)}")
    lines += ["tags:", "- spokesmith", *(["- structured-output"] if has_schema else [])]
    return "---\n" + "\n".join(lines) + "\n---"


def _facts(card: SpokesCard, base: str, dtype: str, licence: Licence) -> str:
    shape = card.spokes
    unknown = "not known: look it up before you pass this model on"
    rows = {
        "base": f"{base}, fingerprint `{card.base_fingerprint}`",
        "licence of the base": licence.name or unknown,
        "placement": f"`{shape.placement}`",
        "spokes": f"{shape.num_spokes} of rank {shape.rank}, in {len(shape.layer_indices)} of "
        f"{shape.num_layers} layers",
        "weights": dtype,
    }
    if card.task:
        rows["task"] = f"`{card.task}`"
    for key, name in (("schema_hash", "schema"), ("prompt_hash", "prompt")):
        if found := getattr(card, key):
            rows[f"{name}, SHA-256"] = f"`{found}`"
    for key, name in (("examples", "examples trained on"), ("steps", "steps")):
        if key in card.training:
            rows[name] = f"{card.training[key]:,}"
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "## Facts\n\n" + "\n".join(["| | |", "| --- | --- |", *lines])


def _measures(card: SpokesCard, measures: Sequence[Measure]) -> str:
    parts = []
    eval_loss = card.training.get("eval_loss")
    if eval_loss is not None:
        parts.append(f"Loss on unseen examples in training: {eval_loss:.4f}.")
    if measures:
        lines = ["| probes | decoding | measure | value | 95 % interval | n |"]
        lines.append("| --- | --- | --- | --- | --- | --- |")
        lines += [_measure_row(measure) for measure in measures]
        parts.append("Measured with `spokesmith probe` on the unfolded set:\n\n" + "\n".join(lines))
    return "## Measures\n\n" + "\n\n".join(parts) if parts else ""


def _measure_row(measure: Measure) -> str:
    interval = "–" if measure.interval is None else "{:.3f} to {:.3f}".format(*measure.interval)
    n = "–" if measure.n is None else str(measure.n)
    cells = (measure.probe_set, measure.decoding, measure.name, f"{measure.value:.3f}", interval, n)
    return f"| {' | '.join(cells)} |"


def _usage(task: TaskFiles | None, layout: str, takes_system_turn: bool) -> str:
    if task is None:
        return (
            "## Use\n\nAsk it as it was trained: with the task's prompt, whose SHA-256 is above, "
            "and greedily (temperature 0)."
        )
    turns = _SYSTEM_TURN if takes_system_turn else _JOINED_TURN
    parts = [_ASKING.format(turns=turns)]
    if layout == "folded":
        parts.append(_TRANSFORMERS.format(max_tokens=task.max_tokens))
    install = "" if layout == "folded" else _INSTALL
    parts.append(_VLLM.format(install=install, max_tokens=task.max_tokens))
    return "\n\n".join(parts)


_SYSTEM_TURN = """\
messages = [
    {"role": "system", "content": Path("prompt.md").read_text()},
    {"role": "user", "content": text.strip()},
]"""
_JOINED_TURN = """\
# This base's chats have no system turn: the prompt opens the user's.
prompt = Path("prompt.md").read_text()
messages = [{"role": "user", "content": prompt + "\\n\\n" + text.strip()}]"""

_ASKING = """\
## Use

`prompt.md` is the prompt that the set was trained with, to the letter; `schema.json` is what
answers fit. Ask greedily (temperature 0), from inside this folder:

```python
from pathlib import Path

text = "The pump in hall 3 stopped at 14:05; Ana replaced the seal."
{turns}
```"""

_TRANSFORMERS = """\
With transformers:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".", dtype="auto")
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
output = model.generate(**inputs, max_new_tokens={max_tokens})
print(tokenizer.decode(output[0, inputs.input_ids.shape[1] :], skip_special_tokens=True))
```"""

_INSTALL = "pip install --no-deps PATH/TO/spokesmith   # its clone, for the plugin\n"

_VLLM = """\
With vLLM, answers held to the schema:

```
{install}vllm serve . --served-model-name spokes \\
  --override-generation-config '{{"temperature": 0}}' \\
  --structured-outputs-config '{{"backend": "xgrammar", "disable_any_whitespace": true}}'
```

```python
import json
from openai import OpenAI

schema = json.loads(Path("schema.json").read_text())
answer = OpenAI(base_url="http://localhost:8000/v1", api_key="none").chat.completions.create(
    model="spokes",
    messages=messages,
    temperature=0,
    max_tokens={max_tokens},
    response_format={{
        "type": "json_schema",
        "json_schema": {{"name": "answer", "schema": schema, "strict": True}},
    }},
)
print(answer.choices[0].message.content)
```"""
