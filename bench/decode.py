"""How fast are encodings decoded? The gold probes and the shipped set, side against side.

transformers' `generate()` free and under a grammar, this engine as it is and with each part
switched off, and, if an environment with vLLM is given, vLLM with structured output with and
without its n-gram speculation, on the same weights folded. Writes docs/results/decode-speed.json.

    python bench/decode.py [--first N] [--vllm PYTHON] [--sides NAME,...] [--at-once 1,4,8]
"""

from decode_sides import SIDES
from decode_vllm import VLLM_SIDES
from side_by_side import Comparison, run

if __name__ == "__main__":
    run(
        Comparison(
            script=__file__,
            about=str(__doc__),
            sides=SIDES,
            against={"generate grammar": "grammar"},
            result="decode-speed.json",
            vllm_sides=VLLM_SIDES,
        )
    )
