"""Continuous batching: answers join and leave a batch between steps.

Callers from any number of threads ask for one answer each; one worker thread runs the base. No row
pads another; but kernels may round a row's last bits by its place in the batch, so in a near tie an
answer may part from the one that it would be alone. Knows tokens only: no chat, no text, no HTTP.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from spokesmith.bases import Base
from spokesmith.decoding.grammar import Grammar, GrammarCompiler
from spokesmith.decoding.prefill import Prefiller
from spokesmith.decoding.sampling import Sampler, Sampling
from spokesmith.decoding.slots import Slots
from spokesmith.spokes import using

STOP, LENGTH, TIMEOUT = "stop", "length", "timeout"


@dataclass(frozen=True, kw_only=True)
class Generation:
    """The tokens of an answer, without the one that ends it.

    `finish_reason` is `stop` where the answer ended by itself, `length` where it was cut,
    `timeout` where its time was over. Seconds count from the request, waiting included.
    """

    tokens: list[int]
    finish_reason: str
    first_token_s: float
    total_s: float


@dataclass(kw_only=True)
class _Request:
    prompt_ids: list[int]
    num_shared: int
    spokes: str | None
    max_tokens: int
    grammar: Grammar | None
    sampler: Sampler
    start: float
    deadline: float
    tokens: list[int] = field(default_factory=list)
    first_token_s: float = 0.0
    future: "Future[Generation]" = field(default_factory=Future)

    @property
    def position(self) -> int:
        """Where the last token is written, once there is one."""
        return len(self.prompt_ids) + len(self.tokens) - 1

    def finish(self, reason: str, tokens: list[int]) -> None:
        self.future.set_result(
            Generation(
                tokens=tokens,
                finish_reason=reason,
                first_token_s=self.first_token_s,
                total_s=time.monotonic() - self.start,
            )
        )


class Engine:
    """Generates with one base and the sets of spokes beside it.

    Args:
        base: the base; while answers are under way nothing else may run on it.
        num_slots: most answers at once.
    """

    def __init__(self, base: Base, *, num_slots: int = 1) -> None:
        if num_slots < 1:
            raise ValueError(f"num_slots is {num_slots}: an engine needs at least one")
        self.base = base
        self.num_slots = num_slots
        self.vocabulary: int = base.model.get_output_embeddings().weight.shape[0]
        self.grammars = GrammarCompiler(base.tokenizer, base.chat.end_id, self.vocabulary)
        self._grammars_lock = threading.Lock()
        self._prefill = Prefiller(base)
        self._slots = Slots(base.config, num_slots, base.device)
        self._rows: list[_Request | None] = [None] * num_slots
        self._waiting: deque[_Request] = deque()
        self._wake = threading.Condition()
        self._worker: threading.Thread | None = None

    def generate(
        self,
        prompt_ids: Sequence[int],
        *,
        spokes: str | None,
        max_tokens: int,
        num_shared: int = 0,
        schema: dict[str, Any] | None = None,
        sampling: Sampling | None = None,
        time_limit_s: float | None = None,
    ) -> Generation:
        """Continue a prompt; may be called from many threads at once.

        Args:
            prompt_ids: the prompt.
            spokes: name of an attached set; None runs the bare base.
            max_tokens: most tokens of the answer; the base's context may allow fewer.
            num_shared: how many tokens at the beginning of the prompt other prompts share.
            schema: whose grammar the answer keeps to; None decodes freely.
            sampling: how tokens are chosen; None takes the most likely ones.
            time_limit_s: after so many seconds the answer is cut.

        Raises:
            ValueError: the prompt fills the context, or the schema cannot be enforced.
        """
        context = self.base.config.max_position_embeddings
        if len(prompt_ids) >= context:
            raise ValueError(
                f"the prompt has {len(prompt_ids)} tokens, the base's context is {context}: "
                "shorten the text"
            )
        start = time.monotonic()
        request = _Request(
            prompt_ids=list(prompt_ids),
            num_shared=num_shared,
            spokes=spokes,
            max_tokens=min(max_tokens, context - len(prompt_ids)),
            grammar=self._grammar(schema),
            sampler=Sampler(sampling or Sampling(), self.base.device),
            start=start,
            deadline=start + (time_limit_s if time_limit_s is not None else float("inf")),
        )
        with self._wake:
            self._waiting.append(request)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
                self._worker.start()
            self._wake.notify()
        return request.future.result()

    def _grammar(self, schema: dict[str, Any] | None) -> Grammar | None:
        if schema is None:
            return None
        with self._grammars_lock:
            return self.grammars.start(schema)

    def _work(self) -> None:
        """The worker's loop: let requests in, step, hand out what ended."""
        while True:
            with self._wake:
                while not (self._waiting or any(self._rows)):
                    self._wake.wait()
            try:
                with torch.inference_mode():
                    self._turn()
            except Exception as error:  # whatever fails in a step belongs to those who wait for it
                self._fail_all(error)

    def _turn(self) -> None:
        running = [request for request in self._rows if request is not None]
        spokes = running[0].spokes if running else self._waiting[0].spokes
        with using(self.base.model, spokes):
            self._admit(spokes)
            self._step()

    def _admit(self, spokes: str | None) -> None:
        """Fill free rows with waiting requests of the set in use, first come first served."""
        for row, occupant in enumerate(self._rows):
            if occupant is not None:
                continue
            with self._wake:
                if not (self._waiting and self._waiting[0].spokes == spokes):
                    return
                request = self._waiting.popleft()
            # In its row before it is computed, so that a failure reaches it.
            self._rows[row] = request
            cache, logits = self._prefill(request.prompt_ids, request.num_shared, spokes)
            self._slots.load(row, cache, len(request.prompt_ids))
            self._choose([row], logits[None])

    def _step(self) -> None:
        rows = [row for row, request in enumerate(self._rows) if request is not None]
        if not rows:
            return
        running = [request for request in self._rows if request is not None]
        last = torch.full((self.num_slots, 1), self.base.chat.end_id)
        last[rows, 0] = torch.tensor([request.tokens[-1] for request in running])
        self._slots.prepare(max(request.position for request in running))
        output: Any = self.base.model(
            input_ids=last.to(self.base.device),
            position_ids=self._slots.positions[:, None],
            attention_mask=self._slots.masks(self.base.model.dtype),
            past_key_values=self._slots,
            use_cache=True,
        )
        self._slots.advance(rows)
        self._choose(rows, output.logits[rows, -1])

    def _choose(self, rows: list[int], logits: Tensor) -> None:
        """Take each row's next token from `logits` [rows, V], and end what has ended."""
        for row, scores in zip(rows, logits, strict=True):
            request = self._rows[row]
            assert request is not None
            if request.grammar is not None:
                allowed = torch.from_numpy(request.grammar.allowed()).to(scores.device)
                scores = scores.masked_fill(~allowed, -torch.inf)
            token = request.sampler.pick(scores)
            ended = token in self.base.chat.stop_ids
            if request.grammar is not None and not ended:
                request.grammar.accept(token)
            if not request.tokens:
                request.first_token_s = time.monotonic() - request.start
            request.tokens.append(token)
            if ended:
                self._end(row, STOP, request.tokens[:-1])
            elif len(request.tokens) >= request.max_tokens:
                self._end(row, LENGTH, request.tokens)
            elif time.monotonic() > request.deadline:
                self._end(row, TIMEOUT, request.tokens)

    def _end(self, row: int, reason: str, tokens: list[int]) -> None:
        request = self._rows[row]
        assert request is not None
        self._rows[row] = None
        self._slots.clear(row)
        request.finish(reason, tokens)

    def _fail_all(self, error: Exception) -> None:
        for row, request in enumerate(self._rows):
            if request is not None:
                self._rows[row] = None
                self._slots.clear(row)
                request.future.set_exception(error)
