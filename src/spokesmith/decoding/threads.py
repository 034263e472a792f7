"""The OpenMP team that a thread leaves behind.

Every thread that has run a large operation keeps a team of helpers. As soon as all teams together
have more threads than the machine has processors, GNU's OpenMP lets idle helpers sleep at once, and
waking them for each of a step's thousand small operations takes longer than the operations. So a
thread that is done with its work, such as the one that loaded a base, should give its team back.
"""

import ctypes
from functools import cache
from pathlib import Path

import torch

# Free the threads and keep the settings: omp_pause_soft of OpenMP 5.0.
PAUSE_SOFT = 1


def release_team() -> None:
    """Give back the calling thread's team; its next large operation makes a new one."""
    library = _openmp()
    if library is not None:
        library.omp_pause_resource_all(PAUSE_SOFT)


@cache
def _openmp() -> ctypes.CDLL | None:
    """The OpenMP library that torch brought, if it brought one of its own."""
    for path in sorted((Path(torch.__file__).parent / "lib").glob("lib*omp*")):
        library = ctypes.CDLL(str(path))
        if hasattr(library, "omp_pause_resource_all"):
            return library
    return None
