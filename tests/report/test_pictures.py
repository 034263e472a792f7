"""Pictures of a run, and the README's figures."""

import subprocess
import sys
from pathlib import Path

import pytest

from spokesmith.report import layer_heat_maps, loss_curve

ROOT = Path(__file__).parents[2]


def test_a_loss_curve_is_a_picture(tmp_path: Path) -> None:
    rows = [{"step": i, "loss": 1 / i} for i in range(1, 9)] + [{"step": 4, "eval_loss": 0.3}]
    loss_curve(rows, tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_log_without_losses_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no loss yet"):
        loss_curve([{"step": 1, "eval_loss": 0.3}], tmp_path / "loss.png")
    assert not (tmp_path / "loss.png").exists()


def test_heat_maps_are_a_picture(tmp_path: Path) -> None:
    rows = [{"layer": i, "gate": 0.1 * i, "up_norm": 10.0**i} for i in range(5)]
    layer_heat_maps(rows, tmp_path / "layers.png", title="Layers")
    assert (tmp_path / "layers.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_stands_where_it_was_wanted_without_an_ending_too(tmp_path: Path) -> None:
    (tmp_path / "layers.png").write_text("another's")
    layer_heat_maps([{"layer": 0, "gate": 0.1}], tmp_path / "layers", title="Layers")
    loss_curve([{"step": 1, "loss": 2.0}], tmp_path / "loss")
    loss_curve([{"step": 1, "loss": 2.0}], tmp_path / "loss.svg")
    for name in ("layers", "loss"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "loss.svg").read_bytes()
    assert (tmp_path / "layers.png").read_text() == "another's"


def test_the_figures_of_the_readme_are_those_of_the_results() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "readme.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
