"""An operator that passes no gradient on is an error, where torch only warns."""

import warnings

import pytest
import torch
from lossy_operator import REFUSED, double

from spokesmith.bases.lost_gradient import refusing_lost_gradients


def test_a_lost_gradient_is_an_error_inside_of_the_block_alone() -> None:
    weight = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match=REFUSED), refusing_lost_gradients():
        (double(weight) + weight).sum().backward()
    weight.grad = None
    with warnings.catch_warnings(record=True) as told:
        (double(weight) + weight).sum().backward()
    assert len(told) == 1
    # What torch goes on with: one, where three is right.
    assert torch.equal(weight.grad, torch.ones(3))


def test_other_warnings_stay_warnings() -> None:
    with pytest.warns(UserWarning, match=r"^as it was$"), refusing_lost_gradients():
        warnings.warn("as it was", stacklevel=1)


def test_another_warning_that_a_caller_made_an_error_stays_that_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match=r"^as it was$"), refusing_lost_gradients():
            warnings.warn("as it was", stacklevel=1)
