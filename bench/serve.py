"""Which engine serves encodings fastest? The gold probes, the shipped set and its schema.

This engine; our server's backend on llama.cpp; llama-server as it comes; `generate()` under a
grammar; and, if an environment with vLLM is given, vLLM with and without its n-gram speculation.
All on the same weights, folded where the engine wants it. Writes docs/results/serve-speed.json.

    python bench/serve.py [--first N] [--vllm PYTHON] [--sides NAME,...] [--at-once 1,8]
"""

from functools import partial

from decode_sides import Side, by_engine, by_generate
from decode_vllm import VLLM_SIDES
from serve_sides import by_our_server, by_stock_server
from side_by_side import Comparison, run

STOCK = "llama-server with a schema"
SIDES: dict[str, Side] = {
    "generate grammar": partial(by_generate, held=True),
    "spokesmith": by_engine,
    "spokesmith on llama.cpp": by_our_server,
    STOCK: by_stock_server,
}

if __name__ == "__main__":
    run(
        Comparison(
            script=__file__,
            about=str(__doc__),
            sides=SIDES,
            against={STOCK: "stock", "generate grammar": "grammar"},
            result="serve-speed.json",
            vllm_sides=VLLM_SIDES,
        )
    )
