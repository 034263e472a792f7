"""The map of the rooms: who may import whom, and what only one room may import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "spokesmith"

MAY_IMPORT = {
    "spokes": set(),
    "tasks": set(),
    "metrics": set(),
    "report": {"metrics"},
    "bases": {"spokes"},
    "diagnose": {"spokes", "bases"},
    "data": {"tasks", "metrics"},
    "probes": {"tasks", "metrics"},
    "training": {"spokes", "bases", "tasks", "data", "diagnose"},
    "decoding": {"spokes", "bases", "tasks"},
    "backends": {"decoding", "bases", "tasks"},
    "server": {"backends", "tasks", "metrics"},
    "export": {"spokes", "bases"},
    "testing": {"bases", "export"},
}
FENCES = {
    "transformers": {"bases", "training", "decoding", "export", "testing"},
    "fastapi": {"server"},
    "gguf": {"export", "bases/gguf_header", "bases/gguf_reader", "testing/gguf_files"},
    "llguidance": {"decoding/grammar"},
}
# The command line imports every room, and silences transformers' own output.
EVERYWHERE = {"cli"}


def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imports_of(path: Path) -> set[str]:
    """Full names of all modules that a file imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_rooms_import_only_what_the_map_allows(path: Path) -> None:
    room = room_of(path)
    ours = {name.split(".")[1] for name in imports_of(path) if name.startswith("spokesmith.")}
    if room in ("__init__", "__main__"):
        assert ours <= {"cli"}
    elif room not in EVERYWHERE:
        assert room in MAY_IMPORT, f"room {room} is not on the map"
        assert ours - {room} <= MAY_IMPORT[room]
    assert "cli" not in ours or room in ("cli", "__main__")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_fences(path: Path) -> None:
    found = {name.split(".")[0] for name in imports_of(path)} & FENCES.keys()
    place = str(path.relative_to(SOURCE).with_suffix(""))
    for library in found:
        allowed = FENCES[library] | (EVERYWHERE if library == "transformers" else set())
        assert room_of(path) in allowed or place in allowed, f"{library} in {place}"


def test_every_room_of_the_map_exists() -> None:
    assert set(MAY_IMPORT) | EVERYWHERE == {room_of(path) for path in files()} - {
        "__init__",
        "__main__",
    }


def loaded_by(code: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has loaded after running `code`."""
    heavy = "('torch', 'transformers', 'matplotlib', 'llguidance', 'jsonschema')"
    script = f"{code}\nimport sys; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_is_cheap() -> None:
    assert loaded_by("import spokesmith") == set()


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, contextlib, io\n"
        "sys.argv = ['spokesmith', '--help']\n"
        "from spokesmith.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()\n"
    )
    assert loaded_by(code) == set()


def test_data_and_probes_need_no_torch() -> None:
    code = (
        "import spokesmith.data.generate, spokesmith.data.extract, spokesmith.data.audit\n"
        "import spokesmith.tasks, spokesmith.probes"
    )
    assert not loaded_by(code) & {"torch", "transformers"}
