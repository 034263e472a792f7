"""The shortest ending that a grammar allows, for answers that were cut.

A grammar tells only what may follow next, so endings are tried out: at every place where there is a
choice, each kind of next character is followed to the end in the plainest way, and the one whose
ending is shortest is taken. Independent choices, such as the values of several fields, are each
decided rightly so. No forward pass of a model is needed.

An ending of thousands of places would take hours of that, while other answers wait. So the work is
bounded; once it is used up, an answer ends in the plainest way from there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from spokesmith.decoding.grammar import Grammar

MAX_TOKENS = 4096
# Most questions to the grammar while endings are tried out, about a second of work; the plainest
# way from there may take as many again. `memory` whole takes a tenth of it.
MOST_QUESTIONS = 500_000
# What ends a value comes before what goes on with it; the rest of a character that was begun last.
CHARACTERS = '"}],:0123456789{[tfn-.eEabcdghijklmopqrsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/@+ \\'
BYTES = [letter.encode() for letter in CHARACTERS] + [bytes([byte]) for byte in range(0x80, 0xC0)]
# What begins a character of two and more bytes: only where a word of another script must go on.
FIRST_BYTES = [bytes([byte]) for byte in range(0xC2, 0xF5)]


@dataclass
class _Work:
    """How many questions to the grammar are left; counted, not timed, so that it is repeatable."""

    left: int = MOST_QUESTIONS

    @property
    def is_used_up(self) -> bool:
        return self.left <= 0


class Closer:
    """Ends answers of one tokenizer.

    Args:
        pieces: the bytes of every token.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        first: dict[bytes, int] = {}
        for token, piece in enumerate(pieces):
            first.setdefault(piece, token)
        self._singles = [first[byte] for byte in BYTES if byte in first]
        self._beginnings = [first[byte] for byte in FIRST_BYTES if byte in first]

    def close(self, grammar: Grammar) -> list[int] | None:
        """The tokens that end an answer; None where no ending is found. The grammar stays."""
        state, work = grammar.copy(), _Work()
        ending: list[int] = []
        while not (state.has_ended or state.may_end):
            if len(ending) > MAX_TOKENS:
                return None
            step = state.forced() or self._best_choice(state, work)
            taken = state.advance(step)
            if not taken:
                return None
            ending += step[:taken]
        return ending

    def _best_choice(self, state: Grammar, work: _Work) -> list[int]:
        """The next token whose plainest ending is shortest; the first one where none is found."""
        best: list[int] = []
        shortest = MAX_TOKENS
        for token in self._choices(state, work):
            best = best or [token]
            if work.is_used_up:
                break
            after = state.copy()
            after.accept(token)
            length = self._plain_length(after, shortest, work)
            if length < shortest:
                best, shortest = [token], length
        return best

    def _plain_length(self, state: Grammar, limit: int, work: _Work) -> int:
        """How many tokens an ending takes that ends each value as soon as it can."""
        length = 0
        while not (state.has_ended or state.may_end):
            work.left -= 1
            step = state.forced() or list(islice(self._choices(state, work), 1))
            taken = state.advance(step)
            length += taken
            if not taken or length >= limit or work.is_used_up:
                return MAX_TOKENS
        return length

    def _choices(self, state: Grammar, work: _Work) -> Iterator[int]:
        """The tokens that are tried here, the plainest first."""
        found = False
        for token in self._singles:
            work.left -= 1
            if state.allows(token):
                found = True
                yield token
        for token in () if found else self._beginnings:
            work.left -= 1
            if state.allows(token):
                yield token
