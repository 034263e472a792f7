"""Renders a chat template that stands in a file, in a process of its own and with bounded memory.

A template is a program, and whose it is nobody knows: it fails in whatever way it likes, and might
take all time and memory. Run as a script: reads a document from its input, writes one to its
output.
"""

import json
import sys
from typing import Any

MAX_BYTES = 512 << 20


def main() -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    given = json.load(sys.stdin)
    bound_memory()

    def render(turns: list[dict[str, str]]) -> str:
        rendered, _ = render_jinja_template(
            conversations=[turns],
            chat_template=given["template"],
            add_generation_prompt=True,
            **given["options"],
        )
        return rendered[0]

    print(json.dumps(rendered_or_refused(render, given["system"], given["text"])))


def rendered_or_refused(render: Any, system: str, text: str) -> dict[str, str]:
    """A chat of a system turn and a user turn, up to where the answer starts; or why not."""
    user = {"role": "user"}
    try:
        return {
            "rendered": render([{"role": "system", "content": system}, user | {"content": text}])
        }
    except Exception:
        # Some templates know no system turn: its words then open the first user turn.
        try:
            return {"rendered": render([user | {"content": f"{system}\n\n{text}"}])}
        except Exception as error:
            return {"refused": str(error) or type(error).__name__}


def bound_memory() -> None:
    """Let this process take no more than so many bytes beside what it has, where that can be."""
    try:
        import resource
    except ImportError:
        # Windows has no such limits; the time is bounded there.
        return
    import psutil

    limit = psutil.Process().memory_info().vms + MAX_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main()
