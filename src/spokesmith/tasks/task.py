"""A task: the folder that says what a set of spokes is trained to answer.

`task.toml` names the parts; `schema.json` is the shape of every encoding, `prompt.md` the system
prompt (`{{schema}}` in it becomes the schema's outline), `probes.jsonl` the inputs that check it,
`verbatim` the fields that may hold nothing but words of the text.
A task knows no model and no tokenizer.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from spokesmith.tasks.canonical import canonical_json
from spokesmith.tasks.files import read_text, write_text
from spokesmith.tasks.outline import outline
from spokesmith.tasks.probe_records import SETS_FOLDER
from spokesmith.tasks.verbatim import held_to_text, path_problem

BUILT_IN = Path(__file__).parent
BUILT_IN_NAMES = ("memory",)
SCHEMA_MARK = "{{schema}}"
DEFAULT_MAX_TOKENS = 1024


class Message(TypedDict):
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Task:
    """What to answer (`schema`), how to ask for it (`prompt`), how to check it (`probes_path`).

    `verbatim` has the paths of the fields that stand in the text word for word. A task that came in
    a model's file has no probes.
    """

    name: str
    description: str
    schema: dict[str, Any]
    prompt: str
    probes_path: Path | None
    max_tokens: int
    verbatim: tuple[str, ...] = ()

    def messages(self, text: str) -> list[Message]:
        """The chat that asks for the encoding of `text`."""
        return [
            {"role": "system", "content": self.prompt},
            {"role": "user", "content": text.strip()},
        ]

    def schema_for(self, text: str) -> dict[str, Any]:
        """The schema that an answer to `text` is held to while it is decoded."""
        return held_to_text(self.schema, self.verbatim, text)

    def is_held(self, schema: dict[str, Any]) -> bool:
        """Whether what `schema_for` gave holds every verbatim field: it does not where the text is
        too long."""
        return not self.verbatim or schema is not self.schema

    def canonical(self, encoding: Any) -> str:
        """The one serialisation of an encoding of this task."""
        return canonical_json(encoding, self.schema)

    @property
    def probe_files(self) -> list[Path]:
        """The task's own probes, and its further sets; none that is not there."""
        if self.probes_path is None:
            return []
        sets = sorted((self.probes_path.parent / SETS_FOLDER).glob("*.jsonl"))
        return [path for path in (self.probes_path, *sets) if path.is_file()]

    @property
    def schema_hash(self) -> str:
        return _sha256(canonical_json(self.schema))

    @property
    def prompt_hash(self) -> str:
        return _sha256(self.prompt)

    @property
    def has_memory_schema(self) -> bool:
        """Whether the schema is that of the built-in task, whatever this one is called."""
        return self.schema_hash == load_task("memory").schema_hash


def load_task(name_or_folder: str | Path) -> Task:
    """Load a built-in task by name, or the task in a folder.

    Raises:
        ValueError: no such task, or a part of it is missing or unreadable.
    """
    folder = Path(name_or_folder)
    if str(name_or_folder) in BUILT_IN_NAMES:
        folder = BUILT_IN / str(name_or_folder)
    elif not (folder / "task.toml").is_file():
        raise ValueError(
            f"no task at '{name_or_folder}': give a folder with a task.toml "
            f"(`spokesmith task new` makes one) or a built-in name: {', '.join(BUILT_IN_NAMES)}"
        )
    settings = read_settings(folder / "task.toml")
    schema_path = folder / settings["schema"]
    try:
        schema = json.loads(read_text(schema_path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{schema_path} is not JSON ({error}): mend the file") from error
    if not isinstance(schema, dict):
        raise ValueError(f"{schema_path} holds {type(schema).__name__}, want a schema object")
    for path in settings["verbatim"]:
        if problem := path_problem(schema, path):
            raise ValueError(f"{folder / 'task.toml'}: verbatim names {path!r}, but {problem}")
    prompt = read_text(folder / settings["prompt"]).strip()
    try:
        shown = outline(schema)
    except (TypeError, AttributeError) as error:
        raise ValueError(
            f"{schema_path} is no schema that a prompt can show ({error}): "
            f"`spokesmith task check {folder}` says what to mend"
        ) from error
    return Task(
        name=settings["name"],
        description=settings["description"],
        schema=schema,
        prompt=prompt.replace(SCHEMA_MARK, shown),
        probes_path=folder / settings["probes"],
        max_tokens=settings["max_tokens"],
        verbatim=tuple(settings["verbatim"]),
    )


def save_task(task: Task, folder: Path) -> None:
    """Write a task as a folder that `load_task` reads, with those probes that it names itself."""
    settings = {
        "name": task.name,
        "description": task.description,
        "max_tokens": task.max_tokens,
        "verbatim": list(task.verbatim),
    }
    write_text(folder / "schema.json", json.dumps(task.schema, ensure_ascii=False, indent=2) + "\n")
    write_text(folder / "prompt.md", task.prompt + "\n")
    if task.probes_path is not None and task.probes_path.is_file():
        write_text(folder / "probes.jsonl", read_text(task.probes_path))
    # Whoever finds this one finds the others too.
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in settings.items()
    ]
    write_text(folder / "task.toml", "".join(lines))


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a `task.toml`, with defaults for what it leaves out.

    Raises:
        ValueError: it cannot be read, or a key or value in it is wrong.
    """
    try:
        found = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML ({error}): mend the file") from error
    defaults: dict[str, Any] = {
        "description": "",
        "schema": "schema.json",
        "prompt": "prompt.md",
        "probes": "probes.jsonl",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "verbatim": [],
    }
    if "name" not in found:
        raise ValueError(f'{path} has no `name`: add one line, name = "..."')
    for key, value in found.items():
        wanted = type(defaults.get(key, ""))
        if key != "name" and key not in defaults:
            known = ", ".join(["name", *defaults])
            raise ValueError(f"{path} has an unknown key '{key}': known keys are {known}")
        if type(value) is not wanted:
            raise ValueError(f"{path}: {key} = {value!r} is no {wanted.__name__}: change the value")
        if wanted is list and not all(isinstance(item, str) for item in value):
            raise ValueError(f"{path}: {key} = {value!r}: give a list of strings")
    return {**defaults, **found}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
