"""How much freed memory the process holds on to.

glibc gives every thread that allocates an arena of its own, up to eight a processor, and each keeps
what is freed in it: a server of many threads grows for hours without anything leaking.
"""

import ctypes
import sys

# A parameter of glibc's mallopt(3).
M_ARENA_MAX = -8
MOST_ARENAS = 2


def hold_few_arenas() -> None:
    """Let this process have few arenas; to be called before its threads begin."""
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    # Other C libraries have no arenas to limit.
    if hasattr(library, "mallopt"):
        library.mallopt(M_ARENA_MAX, MOST_ARENAS)
