"""The embedding model with a thread of its own: requests take turns, batch by batch.

Bounded: requests at once, tokens of an input, tokens of a request. Knows no HTTP.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from spokesmith.backends.request import BusyError, ContextError
from spokesmith.server.embedding_model import EmbeddingModel, Window

MAX_REQUEST_TOKENS = 300_000
MAX_REQUESTS = 64
BATCH_SIZE = 16
Value = TypeVar("Value")


class Embedder:
    """The embedding model with its thread.

    Args:
        model: loaded.
    """

    def __init__(self, model: EmbeddingModel) -> None:
        self.model = model
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._num_requests = 0

    @property
    def name(self) -> str:
        return self.model.name

    async def vectors(self, given: Sequence[str | list[int]]) -> tuple[list[np.ndarray], int]:
        """A vector of each input, and the tokens that they have in all.

        Raises:
            ValueError: token ids are of another tokenizer, or there are too many tokens in all.
            ContextError: an input is too long.
            BusyError: too many requests are waiting.
        """
        if self._num_requests >= MAX_REQUESTS:
            raise BusyError(f"{MAX_REQUESTS} requests for embeddings are waiting: ask again later")
        self._num_requests += 1
        try:
            inputs = await self._run(lambda: self._windows(given))
            return await self._embed(inputs)
        finally:
            self._num_requests -= 1

    async def _run(self, work: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._worker, _apart, work)

    def _windows(self, given: Sequence[str | list[int]]) -> list[list[Window]]:
        inputs: list[list[Window]] = []
        total = 0
        for number, one in enumerate(given):
            try:
                text = one if isinstance(one, str) else self.model.text_of(one)
                windows = self.model.windows(text)
            except ContextError as error:
                raise ContextError(f"input {number} has {error}") from error
            total += sum(window.num_tokens for window in windows)
            if total > MAX_REQUEST_TOKENS:
                raise ValueError(
                    f"the inputs have more than {MAX_REQUEST_TOKENS} tokens in all: "
                    "send fewer at once"
                )
            inputs.append(windows)
        return inputs

    async def _embed(self, inputs: list[list[Window]]) -> tuple[list[np.ndarray], int]:
        windows = [window for input in inputs for window in input]
        # Windows of like length share a batch, since a batch is padded to its longest.
        order = sorted(range(len(windows)), key=lambda at: windows[at].num_tokens)
        vectors = np.empty((len(windows), self.model.dimensions), dtype=np.float32)
        for first in range(0, len(order), BATCH_SIZE):
            batch = order[first : first + BATCH_SIZE]
            texts = [windows[at].text for at in batch]
            vectors[batch] = await self._run(lambda texts=texts: self.model.embed(texts))
        means: list[np.ndarray] = []
        first = 0
        for input in inputs:
            weights = [window.num_tokens for window in input]
            means.append(self.model.mean(vectors[first : first + len(input)], weights))
            first += len(input)
        return means, sum(window.num_tokens for window in windows)


def _apart(work: Callable[[], Value]) -> Value:
    """Do it in a thread that ends: helpers that wait for a thread's next batch slow the engine."""
    with ThreadPoolExecutor(1, thread_name_prefix="embed-batch") as thread:
        return thread.submit(work).result()


def open_embedder(name: str) -> Embedder:
    """Load the embedding model of a name or folder. Raises ValueError where it is not there."""
    return Embedder(EmbeddingModel.open(name))
