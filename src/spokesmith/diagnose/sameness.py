"""Is the forward pass the same, and are the gradients, under every setting that should not matter?

The reference is a pass in evaluation mode with a live cache, one row at a time: the one setting
that every version of the library computes right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from spokesmith.bases import Base
from spokesmith.diagnose.findings import Check, Question, compare
from spokesmith.diagnose.passes import (
    PassResult,
    Sample,
    Setting,
    bare,
    forward,
    gradients,
    is_refused,
    relative_error,
    rounded_anew,
    worst_error,
)
from spokesmith.spokes import SpokeSet

REFERENCE = Setting(cache=True)
# The same sums in the same order may differ by this; in another order or shape, by more. A base
# that enlarges rounding may differ by so many times what its own rounding does.
SAME = {torch.float32: 1e-5, torch.bfloat16: 2e-2}
RESHAPED = {torch.float32: 1e-4, torch.bfloat16: 8e-2}
NOISE_FACTOR = 2.0
# Logits or gradients that have nothing in common differ by 1.4 of their norm, and one that is all
# zeros by 1: from here on a yes means nothing.
MOST_TOLERANCE = 0.5
MOST_PERPLEXITY_RATIO = {"dtype": 1.05, "nf4": 1.5}
OURS = {
    "our checkpointing, every layer": Setting(train=True, checkpointing="every"),
    "our checkpointing, every second layer": Setting(train=True, checkpointing="second"),
}
LIBRARY = Setting(train=True, checkpointing="library", guarded=False)
REENTRANT = Setting(train=True, checkpointing="reentrant", guarded=False)
ROW_SETTINGS = {
    "without a cache": Setting(),
    "in training mode": Setting(train=True, cache=True),
    **OURS,
    "the library's checkpointing": LIBRARY,
}
SHAPE_SETTINGS = {
    "padded on the right": Setting(layout="right"),
    "padded on the left": Setting(layout="left"),
    "all examples in one batch": Setting(layout="batch"),
}
GRADIENT_SETTINGS = {
    "in training mode": Setting(train=True),
    **OURS,
    "the library's checkpointing": LIBRARY,
    "reentrant checkpointing": REENTRANT,
}
ISOLATION = {
    "evaluation, live cache": Setting(cache=True, guarded=False),
    "evaluation, no cache": Setting(guarded=False),
    "training, live cache": Setting(train=True, cache=True, guarded=False),
    "training, no cache": Setting(train=True, guarded=False),
    "training, the library's checkpointing": LIBRARY,
    "training, reentrant checkpointing": REENTRANT,
}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A pass of the bare, unquantised base, and the precision that it was run in."""

    result: PassResult
    dtype: str


def dtype_of(base: Base) -> torch.dtype:
    """The precision in which a base computes, quantised or not."""
    return base.model.dtype if base.model.dtype in SAME else torch.bfloat16


class Comparisons:
    """Passes of one base held against the reference pass; each setting is run once.

    Attributes:
        wanted, wanted_gradients: of the reference pass.
        rounded: the reference pass with its rounding drawn anew.
    """

    def __init__(self, base: Base, spokes: SpokeSet, samples: Sequence[Sample]) -> None:
        self.base = base
        self.spokes = spokes
        self.samples = samples
        self.wanted = forward(base, samples, REFERENCE)
        self.wanted_gradients = gradients(base, spokes, samples, REFERENCE)
        same, reshaped = SAME[dtype_of(base)], RESHAPED[dtype_of(base)]
        self.rounded = rounded_anew(base, samples)
        noise = relative_error(self.rounded.logits, self.wanted.logits)
        again = gradients(base, spokes, samples, REFERENCE)
        _, repeat = worst_error(again, self.wanted_gradients)
        self.same_tolerance = same
        self.reshaped_tolerance = max(reshaped, NOISE_FACTOR * noise)
        # A device whose sums have no fixed order gives another gradient each time.
        self.gradient_tolerance = max(same, NOISE_FACTOR * repeat)
        self._logits: dict[Setting, tuple[float, float, float]] = {}
        self._gradients: dict[Setting, tuple[str, float]] = {}
        self._refused: dict[Setting, bool] = {}

    def logits(self, setting: Setting) -> tuple[float, float, float]:
        """The relative error of the logits, the largest difference of one, and the loss."""
        if setting not in self._logits:
            got = forward(self.base, self.samples, setting)
            difference = (got.logits - self.wanted.logits).abs().max().item()
            error = relative_error(got.logits, self.wanted.logits)
            self._logits[setting] = error, difference, got.loss
        return self._logits[setting]

    def gradients(self, setting: Setting) -> tuple[str, float]:
        """The parameter whose gradient differs most, and by how much."""
        if setting not in self._gradients:
            got = gradients(self.base, self.spokes, self.samples, setting)
            self._gradients[setting] = worst_error(got, self.wanted_gradients)
        return self._gradients[setting]

    def refused(self, setting: Setting) -> bool:
        """Whether the base's guard, which this setting has off, would stop it."""
        if setting.guarded:
            return False
        if setting not in self._refused:
            self._refused[setting] = is_refused(self.base, self.samples, setting)
        return self._refused[setting]


def judged(name: str, error: float, tolerance: float, *, refused: bool = False) -> Check:
    """A check of a relative error; told where the tolerance is too large for a yes to mean much."""
    if not math.isfinite(tolerance):
        figure = "two equal passes already differ by what is not a finite number"
        return Check(name=name, verdict="no", figure=figure, value=error)
    if tolerance > MOST_TOLERANCE and math.isfinite(error):
        figure = f"relative error {error:.1e}; rounding alone may give {tolerance:.1e}, so this "
        figure += "cannot be judged in such a precision: ask with --dtype float32"
        return Check(name=name, verdict="told", figure=figure, value=error)
    return compare(name, error, tolerance, refused=refused)


def same_forward(
    passes: Comparisons, unquantised: Reference | None, *, is_quantised: bool
) -> Question:
    """The first question: one answer whatever the setting.

    Args:
        passes: of a base with the spokes of interest active.
        unquantised: the bare base in full precision, if that was run.
        is_quantised: whether the base's weights are quantised.
    """
    base, checks = passes.base, []
    tolerances = passes.same_tolerance, passes.reshaped_tolerance
    layouts = dict(SHAPE_SETTINGS)
    if base.packs:
        layouts["packed into one row"] = Setting(layout="packed")
    for settings, tolerance in zip((ROW_SETTINGS, layouts), tolerances, strict=True):
        for name, setting in settings.items():
            error, _, _ = passes.logits(setting)
            checks.append(judged(name, error, tolerance, refused=passes.refused(setting)))
    if unquantised is not None:
        checks.append(_precision(base, passes.samples, unquantised, is_quantised=is_quantised))
    return Question(title="Are logits and loss the same under every setting?", checks=checks)


def same_gradients(passes: Comparisons) -> Question:
    """The second question: every spoke's gradient, checkpointed against plain."""
    tolerance = passes.gradient_tolerance
    checks: list[Check] = []
    for name, setting in GRADIENT_SETTINGS.items():
        where, error = passes.gradients(setting)
        check = judged(name, error, tolerance, refused=passes.refused(setting))
        if check.verdict != "yes":
            check = replace(check, figure=f"{check.figure}, most at {where}")
        checks.append(check)
    return Question(title="Are the gradients of every spoke the same?", checks=checks)


def wrong_settings(passes: Comparisons) -> Question:
    """The fifth question: what each setting costs here, with no guard in the way."""
    checks: list[Check] = []
    for name, setting in ISOLATION.items():
        _, difference, loss = passes.logits(setting)
        _, error = passes.gradients(setting)
        figure = f"loss {loss:.4f}, logits off by {difference:.1e}, gradients by {error:.1e}"
        checks.append(Check(name=name, verdict="told", figure=figure, value=loss))
    return Question(title="What would a wrong setting have done here?", checks=checks)


def _precision(
    base: Base, samples: Sequence[Sample], unquantised: Reference, *, is_quantised: bool
) -> Check:
    with bare(base):
        got = forward(base, samples, Setting())
    ratio = float(torch.exp(torch.tensor(got.loss - unquantised.result.loss)))
    most = MOST_PERPLEXITY_RATIO["nf4" if is_quantised else "dtype"]
    # Better than the original by as much is no better a sign.
    ok = 1 / most <= ratio <= most and relative_error(got.logits, unquantised.result.logits) < 1
    figure = f"perplexity {ratio:.4f} times that in {unquantised.dtype} (within {most})"
    return Check(name="precision", verdict="yes" if ok else "no", figure=figure, value=ratio)
