"""A program of its own that asks llama.cpp for next-token log-probabilities.

Where llama.cpp meets a file that it does not understand it may end its process; here that is this
program's alone. It is started by path, so that it loads nothing but the engine. On stdin it gets
`{"path", "prompts", "plain_id", "num_told", "context"}`, on stdout it writes a list with
`[[token, log-probability], ...]` for each prompt, most likely first.

`plain_id` is a token that the engine writes instead of its choice, which may be the end or a part
of a character; of both it tells no probabilities. Those that it tells are from before this.
"""

import json
import os
import sys
from typing import Any

LOAD_FAILED, NOT_STARTED = 3, 4


def main() -> int:
    """Answer one request; the exit status says whether the file could be loaded.

    Where the engine itself does not start, the last line of stderr says why.
    """
    try:
        import xllamacpp
    except ImportError as error:
        print(error, file=sys.stderr)
        return NOT_STARTED
    engine: Any = xllamacpp  # Its types are in compiled code, which type checkers do not see.
    request = json.load(sys.stdin)
    settings = engine.CommonParams()
    settings.model.path = request["path"]
    settings.n_ctx = request["context"]
    settings.n_parallel = 1
    settings.warmup = False
    settings.fit_params = False
    settings.verbosity = -1
    # By itself the engine counts cores that this process may not use, and waits for them.
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = cores
    try:
        server = engine.Server(settings)
    except RuntimeError:
        return LOAD_FAILED
    told = [_told(server, request, ids) for ids in request["prompts"]]
    json.dump(told, sys.stdout)
    return 0


def _told(server: Any, request: dict[str, Any], ids: list[int]) -> list[tuple[int, float]]:
    answer = server.handle_completions(
        {
            "prompt": ids,
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": request["num_told"],
            "logit_bias": [[request["plain_id"], 1000.0]],
            "cache_prompt": False,
        }
    )
    tokens = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return [(token["id"], token["logprob"]) for token in tokens]


if __name__ == "__main__":
    sys.exit(main())
