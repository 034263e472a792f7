"""The mix: the standard one, one's own, and what no mix can be."""

import re
from collections import Counter
from pathlib import Path

import pytest

from spokesmith.cli.data import generate as generate_command
from spokesmith.data.generate import generate, kind_names
from spokesmith.data.mix import STANDARD, Mix, read_mix
from spokesmith.data.pairs import PAIRS_NAME, read_pairs

OWN = """
eval = 0.2
twins = 0.5

[hard.changes]
share = 0.6
kinds = { correction = 2, before_after = 1 }

[kinds]
deploy = 3
code = 1
news = 0
"""
HEAD = "eval = 0.05\ntwins = 0.1\n"
MISTAKES = [
    ("eval = ", "cannot read the mix"),
    ("eval = 0.05", "lacks `twins`"),
    (f"{HEAD}speed = 2\n[kinds]\ncode = 1", "unknown key 'speed'"),
    (f"{HEAD}[kinds]\nnovel = 1", "no kind 'novel': known kinds are"),
    (f"{HEAD}[kinds]\ncode = -1", "kinds.code = -1 is negative"),
    (f"{HEAD}[kinds]\ncode = true", "kinds.code = True is no number"),
    (f"{HEAD}[kinds]\ncode = nan", "no number"),
    (f"{HEAD}[kinds]\ncode = 0", "no kind has a share above 0"),
    (f"{HEAD}kinds = 3", "kinds is 3: make it a table"),
    (f"{HEAD}[hard]\nx = 3", "hard.x is 3: make it a table"),
    (f"{HEAD}[hard.x]\nshare = 0.1", "hard.x lacks `kinds`"),
    (f"{HEAD}[hard.x]\nshare = 1.5\nkinds = {{ code = 1 }}", "hard.x.share = 1.5 is above 1"),
    (f"{HEAD}[hard.x]\nshare = -0.1\nkinds = {{ code = 1 }}", "hard.x.share = -0.1 is negative"),
    (f"{HEAD}[hard.x]\nshare = 0.1\nkinds = {{ code = 0 }}", "hard.x.kinds has no weight above 0"),
    (f"{HEAD}[hard.x]\nshare = 0.1\nkinds = {{ code = 1 }}\n[kinds]\ncode = 1", "two places"),
    ("eval = 2\ntwins = 0.1\n[kinds]\ncode = 1", "eval = 2 is above 1"),
    (
        f"{HEAD}[hard.x]\nshare = 0.6\nkinds = {{ code = 1 }}\n"
        "[hard.y]\nshare = 0.6\nkinds = { news = 1 }",
        "sum to 1.2",
    ),
]


def own(folder: Path, text: str = OWN) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mix_of(folder: Path, text: str = OWN) -> Mix:
    return read_mix(own(folder, text), kind_names())


def test_the_standard_mix_names_every_kind_and_its_shares_sum_to_one() -> None:
    mix = read_mix(STANDARD, kind_names())
    shares = mix.shares()
    assert sorted(shares) == kind_names()
    assert sum(shares.values()) == pytest.approx(1)
    for name, case in mix.hard.items():
        assert sum(shares[kind] for kind in case.kinds) == pytest.approx(case.share), name


def test_hard_cases_take_their_share_and_the_other_kinds_the_rest(tmp_path: Path) -> None:
    assert mix_of(tmp_path).shares() == pytest.approx(
        {"correction": 0.4, "before_after": 0.2, "deploy": 0.3, "code": 0.1}
    )


def test_hard_cases_alone_fill_a_mix(tmp_path: Path) -> None:
    text = f"{HEAD}[hard.x]\nshare = 0.2\nkinds = {{ code = 1, news = 3 }}"
    assert mix_of(tmp_path, text).shares() == pytest.approx({"code": 0.25, "news": 0.75})


def test_some_kinds_of_a_mix_keep_their_proportions(tmp_path: Path) -> None:
    shares = mix_of(tmp_path).only(["code", "correction"]).shares()
    assert shares == pytest.approx({"code": 0.2, "correction": 0.8})
    with pytest.raises(ValueError, match="no kind 'recipe' in the mix"):
        mix_of(tmp_path).only(["recipe"])


def test_pairs_follow_a_mix_of_ones_own(tmp_path: Path) -> None:
    pairs = list(generate(1200, seed=4, mix=own(tmp_path)))
    counts = Counter(pair.kind for pair in pairs)
    shares = {"correction": 0.4, "before_after": 0.2, "deploy": 0.3, "code": 0.1}
    assert set(counts) == set(shares)
    for kind, share in shares.items():
        assert counts[kind] / 1200 == pytest.approx(share, abs=0.05)
    assert sum(pair.twin is not None for pair in pairs) / 1200 == pytest.approx(0.5, abs=0.05)
    assert sum(pair.split == "eval" for pair in pairs) / 1200 == pytest.approx(0.2, abs=0.05)


def test_the_command_takes_a_mix(tmp_path: Path) -> None:
    generate_command(out=tmp_path / "data", count=30, mix=own(tmp_path))
    kinds = {pair.kind for pair in read_pairs(tmp_path / "data" / PAIRS_NAME)}
    assert kinds <= {"correction", "before_after", "deploy", "code"}


@pytest.mark.parametrize(("text", "reason"), MISTAKES, ids=[reason for _, reason in MISTAKES])
def test_a_mix_that_cannot_be_is_refused_in_one_line(
    text: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        mix_of(tmp_path, text)
    assert "own.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_mix_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read the mix .*nowhere\.toml"):
        list(generate(1, seed=1, mix=tmp_path / "nowhere.toml"))
