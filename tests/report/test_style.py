"""The colours of the pages: text stays readable on every ground, light and dark."""

import re
from pathlib import Path

import pytest

import spokesmith.report

STYLE = (Path(spokesmith.report.__file__).parent / "templates" / "page.css").read_text("utf-8")
PAIRS = [
    *((text, ground) for text in ("text", "muted", "link") for ground in ("page", "panel")),
    *((text, ground) for text in ("yes", "no") for ground in (f"{text}-back", "page", "panel")),
    ("lost", "lost-back"),
    *(("text", ground) for ground in ("yes-back", "no-back", "lost-back", "hot")),
    ("page", "text"),
]


def palettes() -> list[dict[str, str]]:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    )
    return [light, dark]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast(palette: dict[str, str], text: str, ground: str) -> None:
    dim, bright = sorted(luminance(palette[name]) for name in (text, ground))
    assert (bright + 0.05) / (dim + 0.05) >= 4.5


def test_both_palettes_name_the_same_colours() -> None:
    light, dark = palettes()
    assert light.keys() == dark.keys()
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLE)) == light.keys()
