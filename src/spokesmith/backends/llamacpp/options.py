"""What may be set of llama.cpp, and the values that suit texts that become JSON.

Every answer of a task opens with the same few hundred tokens, copies from its prompt, and is held
to a grammar. Each setting can be switched off alone, so that its worth can be measured.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

SPECULATIONS = ("ngram-simple", "ngram-map-k", "ngram-map-k4v", "ngram-mod", "ngram-cache")
NO_SPECULATION = "none"
FlashAttention = Literal["auto", "on", "off"]
# More than a small base was trained on is rare, and every slot's memory is taken at the start.
MOST_DEFAULT_CONTEXT = 8192
# A proposal of ngram-mod that is shorter is not tried.
LEAST_DRAFT = 2
COUNTS = (
    "num_slots",
    "lookup_tokens",
    "pool_lookup_tokens",
    "draft_tokens",
    "batch_tokens",
    "step_tokens",
)


@dataclass(frozen=True, kw_only=True)
class LlamaCppOptions:
    """How llama.cpp runs; only `context` and `reuse_tokens` change what a greedy answer should be.

    Attributes:
        num_slots: most answers at once; each has a part of the memory to itself.
        context: most tokens of one prompt and its answer; None takes what the model was trained
            on, up to 8192.
        threads: of the computation; None takes one for each processor that is to be had.
        speculation: how tokens are proposed without a second model, several to be checked in one
            pass: from what the prompt and the answer say (`ngram-simple`, `ngram-map-k`,
            `ngram-map-k4v`), or from what all answers said (`ngram-mod`, `ngram-cache`); several
            with a plus between, or `none`.
        lookup_tokens: how many last tokens must stand in the prompt or the answer too, for a
            proposal of what followed them there.
        pool_lookup_tokens: the same for `ngram-mod`.
        draft_tokens: most tokens of a proposal.
        prompt_cache: whether a slot keeps its last prompt, so that its shared beginning is not
            computed again.
        kept_prompts_mib: memory for prompts that slots had before; 0 keeps none.
        reuse_tokens: parts of the last prompt that are at least so long are used again even where
            something before them has changed; this is not exact. 0 switches it off.
        slot_similarity: the share of a prompt that a slot must have for it to be preferred.
        unified_cache: whether all slots share one memory.
        flash_attention: auto takes it where llama.cpp has it.
        batch_tokens: most tokens that are computed between two looks at the queue.
        step_tokens: most tokens of one pass.
        repack: whether matrices are laid out anew for the processor.
    """

    num_slots: int = 8
    context: int | None = None
    threads: int | None = None
    speculation: str = "ngram-simple"
    lookup_tokens: int = 2
    pool_lookup_tokens: int = 4
    draft_tokens: int = 4
    prompt_cache: bool = True
    kept_prompts_mib: int = 0
    reuse_tokens: int = 0
    slot_similarity: float = 0.1
    unified_cache: bool = False
    flash_attention: FlashAttention = "auto"
    batch_tokens: int = 512
    step_tokens: int = 512
    repack: bool = True

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give at least 1")
        for name in ("context", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}: give at least 1, or leave it out")
        if self.flash_attention not in get_args(FlashAttention):
            known = ", ".join(get_args(FlashAttention))
            raise ValueError(f"flash_attention '{self.flash_attention}' is unknown: use {known}")
        for kind in self.speculations:
            if kind not in SPECULATIONS:
                known = ", ".join([NO_SPECULATION, *SPECULATIONS])
                raise ValueError(f"speculation '{kind}' is unknown: use {known}")
        # llama.cpp checks a proposal in one piece, and each slot may have one.
        needed = self.num_slots * (1 + self.draft_tokens)
        if self.speculations and self.batch_tokens < needed:
            raise ValueError(
                f"batch_tokens is {self.batch_tokens}, {self.num_slots} slots with "
                f"{self.draft_tokens} proposed tokens each need {needed}: give more"
            )

    @property
    def speculations(self) -> tuple[str, ...]:
        """Kinds of speculation; none where it is switched off."""
        return () if self.speculation == NO_SPECULATION else tuple(self.speculation.split("+"))

    def context_for(self, trained: int) -> int:
        """The context of one slot, for a model that was trained on `trained` tokens."""
        return self.context or min(trained, MOST_DEFAULT_CONTEXT)


def parameters(xllamacpp: Any, path: Path, options: LlamaCppOptions, *, context: int) -> Any:
    """The options in llama.cpp's own words, a `CommonParams`."""
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(path)
    wanted.n_parallel = options.num_slots
    wanted.n_ctx = context * options.num_slots
    wanted.kv_unified = options.unified_cache
    wanted.n_batch = options.batch_tokens
    wanted.n_ubatch = min(options.step_tokens, options.batch_tokens)
    threads = options.threads or usable_processors()
    wanted.cpuparams.n_threads = threads
    wanted.cpuparams_batch.n_threads = threads
    wanted.flash_attn_type = getattr(
        xllamacpp.llama_flash_attn_type,
        f"LLAMA_FLASH_ATTN_TYPE_{_FLASH_NAMES[options.flash_attention]}",
    )
    wanted.no_extra_bufts = not options.repack
    wanted.cache_prompt = options.prompt_cache
    wanted.cache_ram_mib = options.kept_prompts_mib
    wanted.cache_idle_slots = options.kept_prompts_mib != 0
    wanted.n_cache_reuse = options.reuse_tokens
    wanted.slot_prompt_similarity = options.slot_similarity
    _set_speculation(xllamacpp, wanted.speculative, options)
    # What is not wanted of llama-server: its page, its log of every request, its own chats. Chats
    # reach it as tokens, so the file's template, which it may not understand, is never needed.
    wanted.ui = False
    wanted.chat_template = "chatml"
    wanted.warmup = False
    wanted.fit_params = False
    wanted.endpoint_metrics = True
    wanted.verbosity = 1
    return wanted


def usable_processors() -> int:
    """How many processors this process may use, without counting threads of one core twice."""
    import psutil

    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return min(cores, len(os.sched_getaffinity(0)))
    return cores


_FLASH_NAMES = {"auto": "AUTO", "on": "ENABLED", "off": "DISABLED"}


def _set_speculation(xllamacpp: Any, wanted: Any, options: LlamaCppOptions) -> None:
    names = [kind.upper().replace("-", "_") for kind in options.speculations or (NO_SPECULATION,)]
    wanted.types = [
        getattr(xllamacpp.common_speculative_type, f"COMMON_SPECULATIVE_TYPE_{name}")
        for name in names
    ]
    for kind in ("ngram_simple", "ngram_map_k", "ngram_map_k4v"):
        settings = getattr(wanted, kind)
        settings.size_n = options.lookup_tokens
        settings.size_m = options.draft_tokens
    wanted.ngram_mod.n_match = options.pool_lookup_tokens
    wanted.ngram_mod.n_max = options.draft_tokens
    wanted.ngram_mod.n_min = min(LEAST_DRAFT, options.draft_tokens)
