"""Operators that pass no gradient on, as an error. Knows no model."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# How torch warns of one, before it goes on with the gradients of what comes after it alone.
WARNING = r"(\S+): an autograd kernel was not registered"


@contextmanager
def refusing_lost_gradients() -> Iterator[None]:
    """Inside the block a backward pass through an operator without a gradient fails.

    Raises:
        ValueError: there was such an operator.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=WARNING, category=UserWarning)
        try:
            yield
        except UserWarning as error:
            lost = re.match(WARNING, str(error))
            if lost is None:
                raise
            raise ValueError(
                f"'{lost[1]}' passes no gradient on, so what is trained beside this base would "
                "learn something wrong: use --quantize none, or another version of the library "
                "that it is from"
            ) from error
