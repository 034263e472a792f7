"""What is each setting of llama.cpp worth under our server? The gold probes, the shipped set.

Our backend on llama.cpp as it is, and with one setting changed at a time; the file is the shipped
set grafted onto the embedded base's own. Writes docs/results/llamacpp-settings.json.

    python bench/llamacpp_settings.py [--first N] [--sides NAME,...] [--at-once 1,8]
"""

from functools import partial

from decode_sides import Side
from serve_sides import by_our_server
from side_by_side import Comparison, run

AS_IT_IS = "spokesmith on llama.cpp"
SIDES: dict[str, Side] = {
    AS_IT_IS: by_our_server,
    "llama.cpp without speculation": partial(by_our_server, speculation="none"),
    "llama.cpp with longer drafts": partial(by_our_server, draft_tokens=16),
    "llama.cpp with longer lookups": partial(by_our_server, lookup_tokens=4),
    "llama.cpp without the kept prompt": partial(by_our_server, prompt_cache=False),
    "llama.cpp without repacking": partial(by_our_server, repack=False),
    "llama.cpp without flash attention": partial(by_our_server, flash_attention="off"),
    "llama.cpp with one memory for all slots": partial(by_our_server, unified_cache=True),
    # As it is there are as many slots as encodings at once.
    "llama.cpp with 4 slots": partial(by_our_server, num_slots=4),
    "llama.cpp with 8 slots": partial(by_our_server, num_slots=8),
}

if __name__ == "__main__":
    run(
        Comparison(
            script=__file__,
            about=str(__doc__),
            sides=SIDES,
            against={AS_IT_IS: "as it is"},
            result="llamacpp-settings.json",
        )
    )
