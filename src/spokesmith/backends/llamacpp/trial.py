"""A program of its own: loads a GGUF file into llama.cpp and prints what it says of itself.

A file that is damaged may end the process that loads it, so `engine.try_to_load` starts this one
first, with the least of memory. Imports nothing of ours. Where llama.cpp itself does not start, the
exit status is NOT_STARTED and the last line of stderr says why.
"""

import os
import sys
import urllib.request
from importlib import import_module
from typing import Any

NOT_STARTED = 4


def main(path: str) -> int:
    """Print llama.cpp's list of models, whose one entry is the file at `path`."""
    try:
        xllamacpp: Any = import_module("xllamacpp")
    except ImportError as error:
        print(error, file=sys.stderr)
        return NOT_STARTED
    wanted = xllamacpp.CommonParams()
    wanted.model.path = path
    wanted.n_ctx = 256
    wanted.n_batch = wanted.n_ubatch = 32
    wanted.no_extra_bufts = True
    wanted.warmup = wanted.ui = wanted.fit_params = wanted.cache_idle_slots = False
    wanted.cache_ram_mib = 0
    wanted.chat_template = "chatml"
    wanted.verbosity = 1
    server = xllamacpp.Server(wanted)
    # It listens here: a proxy of the environment, which urllib would ask, does not reach it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(server.listening_address + "/v1/models") as response:
        sys.stdout.write(response.read().decode())
    sys.stdout.flush()
    # A server that is taken down before its loop has begun now and then waits for that for ever.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
