"""The mix of a data set: how often each kind of text, each hard case, twins and `eval` occur.

Reads and checks the TOML file that says so; `mix.toml` beside this file is the standard one.
Knows the names of the kinds, nothing of their templates.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

STANDARD = Path(__file__).with_name("mix.toml")


@dataclass(frozen=True, kw_only=True)
class HardCase:
    """A share of all pairs, divided among kinds by weight."""

    share: float
    kinds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Shares of all pairs; `kinds` are the weights of those kinds that are no hard case."""

    eval: float
    twins: float
    hard: Mapping[str, HardCase]
    kinds: Mapping[str, float]

    def shares(self) -> dict[str, float]:
        """The share of each kind in all pairs, as far as it is above 0; they sum to 1."""
        shares = {
            name: case.share * weight / sum(case.kinds.values())
            for case in self.hard.values()
            for name, weight in case.kinds.items()
        }
        rest = 1 - sum(case.share for case in self.hard.values())
        total = sum(self.kinds.values())
        shares |= {name: rest * weight / total for name, weight in self.kinds.items() if total}
        shares = {name: share for name, share in shares.items() if share > 0}
        return {name: share / sum(shares.values()) for name, share in shares.items()}

    def only(self, names: Sequence[str]) -> "Mix":
        """The mix of these kinds alone, in their proportions.

        Raises:
            ValueError: no name, or one that this mix does not write.
        """
        if not names:
            raise ValueError("kinds is empty: name at least one, or give None for all")
        shares = self.shares()
        for name in names:
            if name not in shares:
                raise ValueError(f"no kind '{name}' in the mix: it has {', '.join(sorted(shares))}")
        return replace(self, hard={}, kinds={name: shares[name] for name in dict.fromkeys(names)})


def read_mix(path: Path, known: Sequence[str]) -> Mix:
    """Read a mix of the kinds that are `known`.

    Raises:
        ValueError: the file cannot be read, or says something that no mix can be.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"cannot read the mix {path}: {error}") from error
    try:
        return _mix(values, known)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _mix(values: Mapping[str, Any], known: Sequence[str]) -> Mix:
    _check_keys(values, needed=("eval", "twins"), allowed=("hard", "kinds"), where="the mix")
    hard: dict[str, HardCase] = {}
    for name, case in _table(values.get("hard", {}), "hard").items():
        where = f"hard.{name}"
        _check_keys(_table(case, where), needed=("share", "kinds"), allowed=(), where=where)
        weights = _weights(case["kinds"], f"{where}.kinds", known)
        if not any(weights.values()):
            raise ValueError(f"{where}.kinds has no weight above 0: name a kind with one")
        hard[name] = HardCase(share=_share(case["share"], f"{where}.share"), kinds=weights)
    kinds = _weights(values.get("kinds", {}), "kinds", known)
    _check_sums(hard, kinds)
    return Mix(
        eval=_share(values["eval"], "eval"),
        twins=_share(values["twins"], "twins"),
        hard=hard,
        kinds=kinds,
    )


def _check_sums(hard: Mapping[str, HardCase], kinds: Mapping[str, float]) -> None:
    """Every kind once, and hard cases that leave to the other kinds what these need."""
    places = [name for case in hard.values() for name in case.kinds] + list(kinds)
    twice = next((name for name in places if places.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the kind '{twice}' stands in two places: leave it in one")
    total = sum(case.share for case in hard.values())
    if total > 1 + 1e-9:
        raise ValueError(f"the shares of the hard cases sum to {total:g}: lower them to 1 at most")
    if total == 0 and not any(kinds.values()):
        raise ValueError("no kind has a share above 0: give one a weight under [kinds]")


def _check_keys(
    values: Mapping[str, Any], *, needed: Sequence[str], allowed: Sequence[str], where: str
) -> None:
    for key in needed:
        if key not in values:
            raise ValueError(f"{where} lacks `{key}`: add a line with it")
    for key in values:
        if key not in (*needed, *allowed):
            listed = ", ".join((*needed, *allowed))
            raise ValueError(f"{where} has an unknown key '{key}': known keys are {listed}")


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {value!r}: make it a table")
    return value


def _weights(value: Any, where: str, known: Sequence[str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for name, weight in _table(value, where).items():
        if name not in known:
            raise ValueError(f"{where}: no kind '{name}': known kinds are {', '.join(known)}")
        weights[name] = _number(weight, f"{where}.{name}")
    return weights


def _share(value: Any, where: str) -> float:
    share = _number(value, where)
    if share > 1:
        raise ValueError(f"{where} = {share:g} is above 1: give a share of all pairs, as 0.05")
    return share


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{where} = {value!r} is no number: give one of 0 or more")
    if value < 0:
        raise ValueError(f"{where} = {value:g} is negative: give 0 or more")
    return float(value)
