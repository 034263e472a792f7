"""The shortest ending that a grammar allows, for answers that were cut.

A grammar tells only what may follow next, so endings are tried out: at every place where there is a
choice, each kind of next character is followed to the end in the plainest way, and the one whose
ending is shortest is taken. Independent choices, such as the values of several fields, are each
decided rightly so; of words that part again after they began, a shorter one may be missed. No
forward pass of a model is needed.

An ending of thousands of places would take hours of that, while other answers wait. So the work is
bounded; once it is used up, an answer ends in the plainest way from there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from spokesmith.decoding.grammar import Grammar, tokens_by_bytes

MAX_TOKENS = 4096
# Most questions to the grammar while endings are tried out, about a second of work; the plainest
# way from there may take as many again. `memory` whole takes a tenth of it.
MOST_QUESTIONS = 500_000
# An ending is looked for among those of so many tokens first, then of more.
LENGTHS = (8, 32, 128, 512, MAX_TOKENS)
# What ends a value comes before what goes on with it; the rest of a character that was begun last.
CHARACTERS = (
    '"}],:0123456789{[tfn-.eEabcdghijklmopqrsuvwxyzABCDFGHIJKLMNOPQRSTUVWXYZ_/@+ '
    "!#$%&'()*;<=>?^`|~"
)
BYTES = [letter.encode() for letter in CHARACTERS] + [bytes([byte]) for byte in range(0x80, 0xC0)]
# What begins an escape, or a character of two and more bytes: only where nothing else may follow.
FIRST_BYTES = [b"\\"] + [bytes([byte]) for byte in range(0xC2, 0xF5)]


@dataclass
class _Budget:
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
        first = tokens_by_bytes(pieces)
        self._quote = first.get(b'"')
        self._singles = [first[byte] for byte in BYTES if byte in first]
        self._beginnings = [first[byte] for byte in FIRST_BYTES if byte in first]

    def close(self, grammar: Grammar) -> list[int] | None:
        """The tokens that end an answer, none where it may end already; None where no ending is
        found. The grammar stays as it is."""
        state, budget = grammar.copy(), _Budget()
        ending: list[int] = []
        taken_before: set[int] = set()
        while not (state.has_ended or state.may_end):
            if len(ending) > MAX_TOKENS:
                return None
            step = state.forced()
            if not step:
                step = self._best_choice(state, taken_before, budget)
                taken_before.update(step)
            taken = state.advance(step)
            if not taken:
                return None
            ending += step[:taken]
        return ending

    def _best_choice(self, state: Grammar, taken_before: set[int], budget: _Budget) -> list[int]:
        """The next token whose plainest ending is shortest; the plainest where none is found."""
        choices = [] if budget.is_used_up else list(self._choices(state, budget))
        best: list[int] = []
        shortest = MAX_TOKENS
        for limit, varied in product(LENGTHS, (False, True)):
            for token in choices:
                if budget.is_used_up:
                    return best or self._plainest(state, taken_before, budget)
                after = state.copy()
                after.accept(token)
                length = self._plain_length(after, min(limit, shortest), budget, varied=varied)
                if length < shortest:
                    best, shortest = [token], length
            if best:
                break
        return best or self._plainest(state, taken_before, budget)

    def _plain_length(self, state: Grammar, limit: int, budget: _Budget, *, varied: bool) -> int:
        """How many tokens an ending takes that ends each value as soon as it can.

        Args:
            varied: a value goes on with something else each time, as long as there is something:
                a pattern may wait for one certain character.
        """
        length = 0
        taken_before: set[int] = set()
        while not (state.has_ended or state.may_end):
            budget.left -= 1
            step = state.forced()
            if not step:
                step = self._plainest(state, taken_before, budget)
                taken_before.update(step if varied else ())
            taken = state.advance(step)
            length += taken
            if not taken or length >= limit or budget.is_used_up:
                return MAX_TOKENS
        return length

    def _plainest(self, state: Grammar, taken_before: set[int], budget: _Budget) -> list[int]:
        """The plainest next token that was not taken before; else the plainest."""
        first: list[int] = []
        for token in self._choices(state, budget):
            if token not in taken_before or token == self._quote:
                return [token]
            first = first or [token]
        return first

    def _choices(self, state: Grammar, budget: _Budget) -> Iterator[int]:
        """The tokens that are tried here, the plainest first."""
        found = False
        for token in self._singles:
            budget.left -= 1
            if state.allows(token):
                found = True
                yield token
        for token in () if found else self._beginnings:
            budget.left -= 1
            if state.allows(token):
                yield token
