"""A `Modelfile`, with which Ollama runs a GGUF file as an encoder of texts.

Ollama's templates are Go's, not those that a GGUF file carries. So the file's own chat template is
rendered once with marks in place of the prompt and the text, and what stands around them becomes
the Go template. Only the last text is rendered: a set answers one text at a time, and earlier ones
must not leak into its answer.
"""

import functools
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from spokesmith.bases.families import Family
from spokesmith.bases.gguf_header import Header
from spokesmith.bases.gguf_tokenizer import KEYS, adds_start, named_token
from spokesmith.export import template_trial
from spokesmith.export.card import TaskFiles

SYSTEM_MARK, TEXT_MARK = "\u27e6system\u27e7", "\u27e6text\u27e7"
MAX_CONTEXT = 8192
TRIAL_LIMIT_S = 60
# Goes through the turns and keeps the content of the last one of the user.
LAST_TEXT = (
    '{{ $text := "" }}{{ range .Messages }}{{ if eq .Role "user" }}{{ $text = .Content }}'
    "{{ end }}{{ end }}"
)


def modelfile(header: Header, family: Family, task: TaskFiles) -> str:
    """The `Modelfile` that lies beside a GGUF file.

    Args:
        header: of the GGUF file.
        family: of its architecture.
        task: what the set was trained on.

    Raises:
        ValueError: the file has no chat template that can be rendered, or a text cannot be quoted.
    """
    tokens = header.texts(f"{KEYS}.tokens")
    before, between, after = _frames(header, family, tokens)
    template = (
        f"{LAST_TEXT}{_literal(before)}{{{{ .System }}}}{_literal(between)}{{{{ $text }}}}"
        f"{_literal(after)}"
    )
    context = min(header.integer(f"{family.gguf_architecture}.context_length") or 0, MAX_CONTEXT)
    end = family.turn_end or named_token(header, tokens, "eos")
    lines = [
        f"# {task.name}: every message is a text to encode, each by itself.",
        "#   ollama create NAME -f Modelfile",
        '#   ollama run NAME "a text"',
        f"FROM ./{header.path.name}",
        f"TEMPLATE {_quoted(template)}",
        f"SYSTEM {_quoted(task.prompt)}",
        "# The set was trained for its most likely answer; a penalty would keep it from copying.",
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1.0",
        *([f"PARAMETER num_ctx {context}"] if context else []),
        f"PARAMETER num_predict {task.max_tokens}",
        *([f'PARAMETER stop "{end}"'] if end and '"' not in end else []),
    ]
    return "\n".join(lines) + "\n"


def _frames(header: Header, family: Family, tokens: Sequence[str]) -> tuple[str, str, str]:
    """What a chat has before the system's words, between them and the text, and after it."""
    template = header.value("tokenizer.chat_template")
    if not isinstance(template, str) or not template:
        raise ValueError(f"{header.path.name} has no chat template: write a Modelfile by hand")
    start = named_token(header, tokens, "bos") or ""
    names = {"bos_token": start, "eos_token": named_token(header, tokens, "eos") or ""}
    rendered = _rendered(template, {**family.template_options, **names})
    # The engine puts this token before the prompt by itself.
    if adds_start(header) and start:
        rendered = rendered.removeprefix(start)
    before, found_system, rest = rendered.partition(SYSTEM_MARK)
    between, found_text, after = rest.partition(TEXT_MARK)
    if not found_system or not found_text:
        raise ValueError(
            f"the chat template of {header.path.name} leaves words out: write a Modelfile by hand"
        )
    return before, between, after


def _rendered(template: str, options: dict[str, Any]) -> str:
    """A chat of a system turn and a user turn, up to where the answer starts."""
    given = {"template": template, "options": options, "system": SYSTEM_MARK, "text": TEXT_MARK}
    try:
        found = _reply_to(json.dumps(given))
    except subprocess.TimeoutExpired:
        found = {"refused": f"it takes more than {TRIAL_LIMIT_S} s"}
    if "rendered" not in found:
        reason = found.get("refused", "it ends the process")
        raise ValueError(
            f"the file's chat template cannot be rendered ({reason}): write a Modelfile by hand"
        )
    return found["rendered"]


@functools.cache
def _reply_to(given: str) -> dict[str, str]:
    """What the trial says to a document; nothing where its process does not end well."""
    done = subprocess.run(
        # Its folder is to be none in which modules are looked for.
        [sys.executable, "-P", template_trial.__file__],
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TRIAL_LIMIT_S,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else {}


def _literal(text: str) -> str:
    """A text as a Go template writes it."""
    return text.replace("{{", '{{ "{{" }}')


def _quoted(text: str) -> str:
    if '"""' in text:
        raise ValueError('a Modelfile cannot quote a text with """ in it: write one by hand')
    return f'"""{text}"""'
