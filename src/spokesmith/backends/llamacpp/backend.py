"""A GGUF file as a backend: chats and texts in, texts out, by stock llama.cpp in this process.

Prompts are rendered and cut into tokens here, as the local engine does it, and go to llama.cpp as
tokens; its answers come back as tokens, are checked against their grammar and made into texts here.
So both engines see the same prompts and both give the same kind of answers. What differs: seeds
draw other numbers, and penalties count the prompt's tokens too.
"""

import atexit
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spokesmith.backends.chats import ChatBackend
from spokesmith.backends.completion import Piece
from spokesmith.backends.llamacpp.engine import LlamaCppEngine, try_to_load
from spokesmith.backends.llamacpp.grammar import grammar_text
from spokesmith.backends.llamacpp.job import LlamaCppJob, Plan
from spokesmith.backends.llamacpp.options import LlamaCppOptions
from spokesmith.backends.llamacpp.tokens import TokenReader
from spokesmith.backends.request import (
    BusyError,
    ConstraintError,
    ContextError,
    Job,
    Model,
    Request,
    Stats,
    UnknownModelError,
)
from spokesmith.backends.text_stream import TextStream
from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.gguf_reader import read_header
from spokesmith.bases.gguf_tokenizer import begins_blank
from spokesmith.decoding.closing import Closer
from spokesmith.decoding.grammar import Grammar, GrammarCompiler, tokens_by_bytes
from spokesmith.decoding.request import Constraint, Sampling
from spokesmith.tasks import Message, Task

# The seed at which llama.cpp draws one of its own.
RANDOM_SEED = 2**32 - 1
# Words, numbers, marks, several scripts, and a control token that is a text.
SAMPLE_TEXT = (
    "The job 4711 moved to 02:30.\nZoë said: “naïve café, 日本語”, (x_1 = 3.5) 🙂 <|im_end|>"
)


class LlamaCppBackend(ChatBackend):
    """Answers with the model of a GGUF file. At most one is open in a process.

    Files that a process opens one after another must have the same tokens: llama.cpp's grammars may
    keep those of the first, and end the process where the next has others.

    Calls from several threads run as one batch.

    Args:
        path: of the file.
        chat: the file's turn format.
        name: what requests call the model; the file's name without its ending if left out.
        task: what the model was trained for; None for any.
        max_waiting: most answers in the queue; None for any number.
        options: how llama.cpp runs.

    Raises:
        ValueError: llama.cpp cannot load the file, or cuts texts into other tokens than `chat`.
    """

    def __init__(
        self,
        path: str | Path,
        chat: ChatFormat,
        *,
        name: str | None = None,
        task: Task | None = None,
        max_waiting: int | None = None,
        options: LlamaCppOptions | None = None,
    ) -> None:
        super().__init__(chat)
        path = Path(path)
        self.options = options or LlamaCppOptions()
        facts = try_to_load(path)
        self._context = self.options.context_for(facts.context)
        self.vocabulary = facts.vocabulary
        # llama.cpp's grammars take each token for a whole text, and the blank at its start for the
        # one that was put before.
        self._loses_blanks = begins_blank(read_header(path))
        self.max_waiting = max_waiting
        # A tokenizer that is read of a file may have a token of its own more than the model.
        vocabulary = max(facts.vocabulary, len(chat.tokenizer))
        self.grammars = GrammarCompiler(chat.tokenizer, chat.end_id, vocabulary)
        self._token_bytes = self.grammars.all_token_bytes()
        self._ids = tokens_by_bytes(self._token_bytes)
        self._closer = Closer(self._token_bytes)
        self._model = Model(
            name=name or path.stem,
            base=path.name,
            folder=None,
            task=task,
            created=int(time.time()),
        )
        self._counts: Counter[str] = Counter()
        self._waiting: deque[LlamaCppJob] = deque()
        self._running: set[LlamaCppJob] = set()
        self._wake = threading.Condition()
        self._workers: list[threading.Thread] = []
        self._closing = False
        self.engine = LlamaCppEngine(path, self.options, context=self._context)
        # An answer under way when the interpreter ends would take the process down.
        atexit.register(_close_if_there, weakref.ref(self))
        try:
            self._check_tokenizer(path)
        except ValueError:
            self.close(finish=False)
            raise

    @property
    def context_length(self) -> int:
        return self._context

    def models(self) -> list[Model]:
        """The one model of the file."""
        return [self._model]

    def share_prefix(self, messages: Sequence[Message]) -> None:
        """Compute what prompts share with this chat up to its last message, once for all slots.

        Raises:
            ContextError: it leaves no room for a text.
        """
        shared, _ = self.chat.prompt_parts(messages)
        if len(shared) >= self.context_length:
            raise ContextError(
                f"what prompts share has {len(shared)} tokens, the context is "
                f"{self.context_length}: give a larger one, --engine-option context=N"
            )
        if shared and self.options.prompt_cache:
            self.engine.share_prefix(shared)

    def start(
        self,
        request: Request,
        *,
        on_piece: Callable[[Piece], None] | None = None,
        on_end: Callable[[Job], None] | None = None,
    ) -> LlamaCppJob:
        """Begin an answer; see `Backend.start`."""
        job = LlamaCppJob(
            self._plan(request),
            TokenReader(
                token_bytes=self._token_bytes,
                ids=self._ids,
                stop_ids=self.chat.stop_ids,
                num_logprobs=request.num_logprobs,
            ),
            TextStream(self.chat.tokenizer, request.stop),
            on_piece=on_piece,
            on_end=on_end,
            on_interrupt=self._take_from_queue,
            on_release=self._release,
        )
        with self._wake:
            if self._closing:
                raise BusyError("the engine is closing: ask another one")
            num_free = self.options.num_slots - len(self._running)
            if self.max_waiting is not None and len(self._waiting) >= self.max_waiting + num_free:
                raise BusyError(f"{len(self._waiting)} answers are waiting: ask again later")
            self._waiting.append(job)
            self._start_workers()
            self._wake.notify()
        job.start_clock()
        return job

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for."""
        return self._token_bytes[token_id]

    def load_set(self, source: str, *, name: str | None = None) -> Model:
        raise ValueError(
            "llama.cpp runs a file as it is and takes no sets of spokes beside it: write the set "
            "into the file with `spokesmith export gguf`"
        )

    def unload_set(self, name: str) -> None:
        raise UnknownModelError(f"no set named '{name}': llama.cpp has none beside its file")

    def stats(self) -> Stats:
        with self._wake:
            counts = Counter(self._counts)
            num_running, num_waiting = len(self._running), len(self._waiting)
            is_closed = self._closing
        return Stats(
            running=num_running,
            waiting=num_waiting,
            num_slots=self.options.num_slots,
            forwards=0 if is_closed else self.engine.num_forwards(),
            forward_tokens=counts["forward_tokens"],
            prompt_tokens=counts["prompt_tokens"],
            cached_tokens=counts["cached_tokens"],
            tokens_model=counts["model"],
            tokens_forced=0,
            tokens_copied=counts["copied"],
            tokens_closing=counts["closing"],
            drafted_tokens=counts["drafted"],
            prefix_cache_bytes=0,
        )

    def close(self, *, finish: bool = True) -> None:
        """Take no more requests; what is under way is finished first unless `finish` is false."""
        with self._wake:
            is_first = not self._closing
            self._closing = True
            open_jobs = [] if finish else [*self._waiting, *self._running]
            self._wake.notify_all()
        for job in open_jobs:
            job.cancel()
        for worker in self._workers:
            worker.join()
        if is_first:
            self.engine.close()

    def _plan(self, request: Request) -> Plan:
        """What llama.cpp is asked. Raises as `start` does."""
        if request.model is not None and request.model != self._model.name:
            raise UnknownModelError(f"no model '{request.model}': known is {self._model.name}")
        prompt = self.prompt_ids(request)
        if not prompt:
            raise ValueError("the prompt is empty: give at least one token")
        room = self.context_length - len(prompt)
        if room < 1:
            raise ContextError(
                f"the prompt has {len(prompt)} tokens, the context is {self.context_length}: "
                "shorten the text, or start with a larger --engine-option context=N"
            )
        if request.max_tokens is not None and request.max_tokens < 1:
            raise ValueError(f"max_tokens is {request.max_tokens}: give at least 1")
        for token in request.sampling.logit_bias:
            self.check_token(token)
        body: dict[str, Any] = {
            "prompt": prompt,
            "n_predict": room if request.max_tokens is None else min(request.max_tokens, room),
            "cache_prompt": self.options.prompt_cache,
            **_sampling(request.sampling, self.context_length),
        }
        grammar: Grammar | None = None
        if request.constraint is not None:
            grammar = self.grammars.start(request.constraint)
            body["grammar"] = self._checked_grammar(request.constraint)
        if request.num_logprobs is not None:
            if self.options.speculations:
                raise ValueError(
                    "llama.cpp tells no log probabilities of tokens that it proposed: leave out "
                    "logprobs, or start with --engine-option speculation=none"
                )
            body["n_probs"] = max(request.num_logprobs, 1)
        return Plan(
            body=body,
            num_prompt_tokens=len(prompt),
            grammar=grammar,
            closer=self._closer if request.on_truncation == "close" else None,
            time_limit_s=request.time_limit_s,
        )

    def _checked_grammar(self, constraint: Constraint) -> str:
        """The grammar for llama.cpp, which would take no notice of one that it cannot compile."""
        text = grammar_text(constraint, self.chat.stop_ids)
        if constraint.kind == "gbnf":
            return text
        if self._loses_blanks:
            raise ConstraintError(
                f"llama.cpp cannot hold answers of {self._model.base} to a schema: its grammars do "
                "not see the blanks of a file that puts one before each text "
                "(tokenizer.ggml.add_space_prefix); run it with our own engine, --base FILE"
            )
        self.grammars.start(Constraint(kind="lark", value=text))
        return text

    def check_token(self, token: int) -> None:
        if not 0 <= token < self.vocabulary:
            raise ValueError(
                f"token {token} is none of the model's: give ids below {self.vocabulary}"
            )

    def _check_tokenizer(self, path: Path) -> None:
        ours = self.chat.text_ids(SAMPLE_TEXT, control_tokens=False)
        if ours != self.engine.tokenize(SAMPLE_TEXT, control_tokens=False):
            raise ValueError(
                f"llama.cpp cuts texts into other tokens than the tokenizer that was read of "
                f"{path.name}: give a Hugging Face folder with the base's own, --tokenizer FOLDER"
            )

    def _take_from_queue(self, job: LlamaCppJob) -> bool:
        """Whether the job was waiting; then it no longer is."""
        with self._wake:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            return True

    def _start_workers(self) -> None:
        """One thread for each slot: whoever waits here waits for a slot."""
        if not self._workers:
            for slot in range(self.options.num_slots):
                worker = threading.Thread(target=self._work, name=f"llamacpp-{slot}", daemon=True)
                worker.start()
                self._workers.append(worker)

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._waiting:
                    if self._closing:
                        return
                    self._wake.wait()
                job = self._waiting.popleft()
                self._running.add(job)
            job.run(self.engine)

    def _release(self, job: LlamaCppJob) -> None:
        """The job ends: its slot is free."""
        with self._wake:
            self._running.discard(job)
            self._counts.update(job.count())


def _sampling(sampling: Sampling, context: int) -> Mapping[str, Any]:
    """How tokens are chosen, in llama.cpp's words and in the order of the local engine."""
    samplers = ["temperature", "top_k", "min_p", "top_p"]
    wanted: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "top_p": sampling.top_p,
        "seed": sampling.seed % RANDOM_SEED,
    }
    if sampling.temperature <= 0:
        # The most likely token, without a sort of the whole vocabulary.
        samplers = ["top_k"]
        wanted["top_k"] = 1
    if sampling.presence_penalty or sampling.frequency_penalty:
        samplers = ["penalties", *samplers]
        wanted["presence_penalty"] = sampling.presence_penalty
        wanted["frequency_penalty"] = sampling.frequency_penalty
        wanted["repeat_last_n"] = context
    if sampling.logit_bias:
        wanted["logit_bias"] = [[token, bias] for token, bias in sampling.logit_bias.items()]
    return {**wanted, "samplers": samplers}


def _close_if_there(backend: "weakref.ref[LlamaCppBackend]") -> None:
    found = backend()
    if found is not None:
        found.close(finish=False)
