"""The whole diagnosis of a base, and its cheap half that runs before every training."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from spokesmith.bases import Base
from spokesmith.diagnose.findings import Diagnosis, Question, compare
from spokesmith.diagnose.layers import layer_table
from spokesmith.diagnose.passes import (
    Sample,
    Setting,
    forward,
    shorten,
)
from spokesmith.diagnose.predictions import predictions
from spokesmith.diagnose.sameness import (
    REFERENCE,
    Comparisons,
    Reference,
    dtype_of,
    judged,
    same_forward,
    same_gradients,
    wrong_settings,
)
from spokesmith.diagnose.trial import trial_set
from spokesmith.spokes import SpokeSet, active_set, attached_sets

PREFLIGHT_TOKENS = 192


def reference_pass(base: Base, samples: Sequence[Sample]) -> Reference:
    """What to hold a quantised or less precise base against; run it on the unquantised one."""
    result = forward(base, samples, REFERENCE)
    return Reference(result=result, dtype=str(base.model.dtype).removeprefix("torch."))


def diagnose(
    base: Base,
    samples: Sequence[Sample],
    *,
    placement: str = "ffn",
    unquantised: Reference | None = None,
    is_quantised: bool = False,
    answers_are_right: bool = True,
) -> Diagnosis:
    """Ask all questions.

    Args:
        base: the spokes that are active on it are asked about; without any, a random set is, so
            that gradients have something to reach.
        samples: a few examples, of different lengths.
        placement: of the random set.
        unquantised: `reference_pass` of the same base, without spokes, in full precision.
        is_quantised: whether the base's weights are quantised.
        answers_are_right: of the samples; else what is predicted is told, and not judged.
    """
    name = active_set(base.model)
    given = attached_sets(base.model)[name] if name is not None else None
    with nullcontext(given) if given is not None else trial_set(base, samples, placement) as spokes:
        assert spokes is not None
        frozen = [one for one in spokes.parameters() if not one.requires_grad]
        spokes.requires_grad_(True)
        passes = Comparisons(base, spokes, samples)
        questions = [
            same_forward(passes, unquantised, is_quantised=is_quantised),
            same_gradients(passes),
            layer_table(passes, is_trained=given is not None),
            predictions(passes, is_judged=answers_are_right),
            wrong_settings(passes),
        ]
        for one in frozen:
            one.requires_grad_(False)
    return Diagnosis(base=base.name, facts=_facts(base, samples), questions=questions)


def preflight(
    base: Base,
    spokes: SpokeSet,
    samples: Sequence[Sample],
    *,
    checkpointing: str,
) -> Diagnosis:
    """The cheap half: is what this training is about to do right? A few seconds.

    Args:
        base: bare, or with sets attached; they are left as they are.
        spokes: the set that is to be trained; its placement is what is tried.
        samples: a few examples of the training data.
        checkpointing: the mode that the training will use.
    """
    short = [shorten(sample, PREFLIGHT_TOKENS) for sample in samples]
    setting = Setting(train=True, checkpointing=checkpointing)
    with trial_set(base, short, spokes.config.placement) as trial:
        passes = Comparisons(base, trial, short)
        error, _, _ = passes.logits(setting)
        where, worst = passes.gradients(setting)
        questions = [
            Question(
                title="Is the training pass right?",
                checks=[
                    compare("logits as in evaluation", error, passes.same_tolerance),
                    judged(
                        f"gradients as in a plain pass (most at {where})",
                        worst,
                        passes.gradient_tolerance,
                    ),
                ],
            ),
            layer_table(passes, is_trained=False),
            predictions(passes),
        ]
    return Diagnosis(base=base.name, facts=_facts(base, short), questions=questions)


def _facts(base: Base, samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "family": base.family.name,
        "dtype": str(dtype_of(base)).removeprefix("torch."),
        "device": str(base.device),
        "layers": base.config.num_hidden_layers,
        "layers_with_shared_kv": base.family.shared_kv_layers(base.config),
        "samples": len(samples),
        "tokens": sum(len(sample.tokens) for sample in samples),
    }
