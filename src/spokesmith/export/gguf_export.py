"""A base's GGUF file and a set as one GGUF file: checked before, written whole, checked after."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spokesmith.bases import Base
from spokesmith.bases.loading import BaseSource
from spokesmith.export.card import TaskFiles
from spokesmith.export.fold import folded_layers
from spokesmith.export.folders import check_space
from spokesmith.export.gguf_base import (
    GGUFBase,
    check_card,
    check_config,
    check_trained_on,
    read_base,
)
from spokesmith.export.gguf_engine import EngineCheck, check_engine
from spokesmith.export.gguf_graft import OnBytes, num_bytes, whole_file, write_gguf
from spokesmith.export.gguf_plan import GgufPlan, Touched, plan_folded, plan_tensors, with_task
from spokesmith.export.gguf_types import engine_is_installed
from spokesmith.export.gguf_verify import CheckFailedError, Verified, verify
from spokesmith.spokes import SpokesCard, SpokeSet

LAYOUTS = ("folded", "tensors")
# Four bits leave out less of the spokes' size than this, three and two leave out more.
COARSE_ERROR = 0.13


@dataclass(frozen=True, kw_only=True)
class Grafted:
    """What was written.

    Attributes:
        path: of the file.
        base: the file that it was made from.
        num_bytes: its size.
        notes: what a user should know, one sentence each.
        verified: what was compared when it was read back.
        engine: what llama.cpp predicted from it; None where it was not asked.
        engine_note: why it was not asked.
    """

    path: Path
    base: GGUFBase
    num_bytes: int
    notes: list[str]
    verified: Verified
    engine: EngineCheck | None
    engine_note: str | None


def check_paths(out: Path, base_gguf: Path, *, force: bool) -> None:
    """Refuse what would write over the base or over another file of the user's.

    Raises:
        ValueError: it would.
    """
    if out.is_dir():
        raise ValueError(f"{out} is a folder: give the name of a file, OUT.gguf for example")
    if out.exists() and base_gguf.exists() and out.samefile(base_gguf):
        raise ValueError(f"{out} is the base itself, which is never changed: give another --out")
    if out.exists() and not force:
        raise ValueError(f"{out} is there already: give another --out, or --force to replace it")


def export_gguf(
    out: Path,
    base_gguf: Path,
    spokes: SpokeSet,
    card: SpokesCard,
    *,
    layout: str = "folded",
    touched: Touched = "own",
    task: TaskFiles | None = None,
    find: Callable[[], BaseSource],
    load: Callable[[GGUFBase], Base] | None = None,
    force: bool = False,
    on_plan: Callable[[GgufPlan, int], OnBytes] = lambda _plan, _size: lambda _count: None,
) -> Grafted:
    """Write a GGUF file with a set in it.

    Args:
        out: the file to write, whole or not at all.
        base_gguf: the base's file.
        spokes: the set.
        card: what it is for.
        layout: folded, for stock engines, or tensors.
        touched: types of the matrices that are touched, see `plan_folded`.
        task: its prompt and schema, to be kept in the file.
        find: finds the configuration of the set's base; called where the file does not say enough.
        load: loads that base for the comparison with llama.cpp; None leaves the comparison out.
        force: replace a file that is at `out`.
        on_plan: called once with the plan and the file's size; what it returns is told how many
            bytes were written, as they are.

    Raises:
        CheckFailedError: what was written is not what it should be; it was not kept.
        ValueError: the file is damaged or no base for this set, the set cannot be written in this
            layout, or `out` is there or does not fit on the disk.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout '{layout}' is unknown: use {' or '.join(LAYOUTS)}")
    check_paths(out, base_gguf, force=force)
    folded = folded_layers(spokes) if layout == "folded" else None
    base = read_base(base_gguf)
    check_is_base_of(base, card, find)
    if folded is None:
        plan = plan_tensors(base, spokes, card)
    else:
        plan = plan_folded(base, folded, card, touched=touched)
    if task is not None:
        plan = with_task(plan, task)
    notes = [*plan.notes, *_asking_notes(base)]
    size = num_bytes(plan)
    check_space(out, size)
    with whole_file(out) as partial:
        # Values that are not finite are found when the file is read back.
        with np.errstate(all="ignore"):
            with partial.open("wb") as file:
                write_gguf(plan, file, on_plan(plan, size))
            verified = verify(plan, partial)
        checked, why_not = _ask_engine(partial, plan, spokes, card, layout, load)
        if checked is None and verified.largest_error > COARSE_ERROR:
            notes.append(
                f"the types of the file round off {verified.largest_error:.0%} of the spokes' "
                "size, and what that does was not measured: --touched q8_0 rounds less"
            )
        # What has come to be at `out` meanwhile is the user's.
        check_paths(out, base_gguf, force=force)
    return Grafted(
        path=out,
        base=base,
        num_bytes=size,
        notes=notes,
        verified=verified,
        engine=checked,
        engine_note=why_not,
    )


def _asking_notes(base: GGUFBase) -> list[str]:
    """What whoever asks the file has to set, since its chat template does not say it."""
    options = base.family.options_of(str(base.header.value("tokenizer.chat_template")))
    if not options:
        return []
    return [
        "the set was trained with options of the chat template that engines do not give by "
        f"themselves: start llama-server with --chat-template-kwargs '{json.dumps(options)}'"
    ]


def check_is_base_of(base: GGUFBase, card: SpokesCard, find: Callable[[], BaseSource]) -> None:
    """Refuse a file that is not of the base that a set was trained on.

    Raises:
        ValueError: it is not, or that cannot be told.
    """
    if check_card(base, card):
        return
    try:
        source = find()
    except ValueError as error:
        raise ValueError(
            f"whether {base.header.path} is {card.base}, on which the set was trained, cannot be "
            f"told from its keys, nor from the base's configuration ({error}). Name the base's "
            "folder with --base"
        ) from error
    check_config(base, card, source.config, source.family)


def _ask_engine(
    written: Path,
    plan: GgufPlan,
    spokes: SpokeSet,
    card: SpokesCard,
    layout: str,
    load: Callable[[GGUFBase], Base] | None,
) -> tuple[EngineCheck | None, str | None]:
    """Compare with PyTorch through llama.cpp, or say why that was not done.

    Raises:
        CheckFailedError: they predict different tokens.
        ValueError: the base that was loaded is not that of the set.
    """
    if layout == "tensors":
        return None, "stock llama.cpp does not load this layout"
    if load is None:
        return None, "it was left out with --no-check-engine"
    if not engine_is_installed():
        return None, "it is not installed: pip install 'spokesmith[llamacpp]'"
    try:
        loaded = load(plan.base)
    except ValueError as error:
        return None, f"the base to compare with cannot be loaded: {error}"
    check_trained_on(loaded.config, card)
    found = check_engine(written, plan.base, loaded, spokes)
    if not found.passed:
        types = plan.touched if found.is_of_the_base else frozenset[str]()
        words = f"{_why_failed(found, plan)}; the file was not kept, --no-check-engine keeps it"
        raise CheckFailedError(words, types=types)
    return found, None


def _why_failed(found: EngineCheck, plan: GgufPlan) -> str:
    """What is wrong with a file, and the remedy."""
    if found.is_of_the_base and not found.is_near_enough:
        finer = "f16" if plan.touched == {"q8_0"} else "q8_0 or f16"
        return (
            f"the types of the file round the spokes so much that predictions move by "
            f"{found.rounding:.2f} nats on average (--touched {finer} rounds less)"
        )
    remedy = (
        "update xllamacpp, or try --touched f16"
        if found.is_of_the_base
        else "is the GGUF made from the very weights that the set was trained on?"
    )
    return (
        "llama.cpp and PyTorch predict different tokens: log-probabilities differ by "
        f"{found.difference:.2f} nats on average, those of the base's own file by "
        f"{found.base_difference:.2f} ({remedy})"
    )
