"""From tokens to text while they come: whole characters only, and nothing from a stop text on."""

from collections.abc import Sequence
from typing import Any

from spokesmith.backends.completion import Piece
from spokesmith.decoding.request import Chosen

UNFINISHED = "\ufffd"


class TextStream:
    """The text of one answer.

    Args:
        tokenizer: of the base.
        stop: texts at which the answer ends; they are no part of it.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str] = ()) -> None:
        self.stop_text: str | None = None
        self._tokenizer = tokenizer
        self._stop = [one for one in stop if one]
        self._ids: list[int] = []
        # Tokens from `_context` on are decoded again, so that blanks between words come out right;
        # the text of those before `_read` has been given to `_held` already.
        self._context = 0
        self._read = 0
        self._held = ""
        self._given: list[str] = []

    @property
    def stopped(self) -> bool:
        """Whether a stop text has come."""
        return self.stop_text is not None

    @property
    def text(self) -> str:
        """All that was given so far."""
        return "".join(self._given)

    def piece(self, tokens: Sequence[Chosen]) -> Piece:
        """The text that is certain now, and the tokens up to the one that ends a stop text."""
        before = len(self._ids)
        text = self.add([one.id for one in tokens])
        return Piece(text=text, tokens=tuple(tokens[: len(self._ids) - before]))

    def add(self, token_ids: Sequence[int]) -> str:
        """The text that is certain now."""
        if not self._stop:
            return self._add(token_ids)
        # Where an answer ends must not depend on how many tokens come at once.
        return "".join(self._add([token]) for token in token_ids)

    def end(self) -> str:
        """The rest of the text, once no more tokens come."""
        if self.stopped:
            return ""
        before = self._decode(self._ids[self._context : self._read])
        self._held += self._decode(self._ids[self._context :])[len(before) :]
        self._read = len(self._ids)
        certain = self._certain()
        return self._give(certain if self.stopped else self._held)

    def _add(self, token_ids: Sequence[int]) -> str:
        if self.stopped:
            return ""
        self._ids += token_ids
        before = self._decode(self._ids[self._context : self._read])
        now = self._decode(self._ids[self._context :])
        if now.endswith(UNFINISHED):
            return ""
        self._held += now[len(before) :]
        self._context, self._read = self._read, len(self._ids)
        return self._give(self._certain())

    def _give(self, text: str) -> str:
        self._held = self._held[len(text) :]
        self._given.append(text)
        return text

    def _certain(self) -> str:
        """What is held and no part of a stop text, which may have begun only."""
        found = [(self._held.find(stop), stop) for stop in self._stop if stop in self._held]
        if found:
            place, self.stop_text = min(found)
            return self._held[:place]
        begun = 0
        for stop in self._stop:
            for length in range(min(len(stop) - 1, len(self._held)), begun, -1):
                if self._held.endswith(stop[:length]):
                    begun = length
                    break
        return self._held[: len(self._held) - begun]

    def _decode(self, token_ids: Sequence[int]) -> str:
        return self._tokenizer.decode(
            token_ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
