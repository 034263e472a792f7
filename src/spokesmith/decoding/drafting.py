"""Guesses at how an answer goes on, for the base to confirm several tokens in one forward pass.

An answer that encodes a text quotes it, and a grammar leaves many tokens no choice. A guess is
never a part of the answer by itself: the base's own choice at each position decides.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from spokesmith.decoding.grammar import Grammar
from spokesmith.decoding.request import Origin

Source = Literal["own", "earlier"]
# Places are found by so many of the last tokens; where more agree there, it counts for the chances.
LONGEST_KEY, LONGEST_MATCH = 6, 10
MOST_EARLIER_TOKENS = 8192
# How often the token after 1, 2, ... equal ones came true in encodings of real texts. To begin with
# that counts as much as so many tokens that an engine sees itself; later so many seen last count.
FIRST_CHANCES: dict[Source, tuple[float, ...]] = {
    "own": (0.45, 0.7, 0.8, 0.8, 0.85, 0.9, 0.9, 0.9, 0.95, 0.95),
    "earlier": (0.1, 0.1, 0.1, 0.35, 0.5, 0.5, 0.5, 0.6, 0.6, 0.8),
}
WEIGHT_OF_FIRST, MOST_SEEN = 8, 1000


class CopyIndex:
    """Where the last tokens of a text stand in a text known already.

    Args:
        alike: for each token the one that it is compared as (`alike_tokens`).
        tokens: of the known text.
    """

    def __init__(self, alike: Sequence[int], tokens: Sequence[int] = ()) -> None:
        self._alike = alike
        self._tokens: list[int] = []
        self._keys: list[int] = []
        # By the last tokens, as they are compared: where the token after them stands.
        self._after: dict[tuple[int, ...], int] = {}
        self.extend(tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, place: int) -> int:
        return self._tokens[place]

    def extend(self, tokens: Sequence[int]) -> None:
        """Take in what follows."""
        for token in tokens:
            place = len(self._tokens)
            for length in range(1, min(LONGEST_KEY, place) + 1):
                self._after[tuple(self._keys[place - length :])] = place
            self._tokens.append(token)
            self._keys.append(self._alike[token])

    def ending(self, guessed: Sequence[int]) -> list[int]:
        """The last tokens of this text and what is guessed to follow, as they are compared."""
        recent = [self._alike[token] for token in guessed[-LONGEST_MATCH:]]
        missing = LONGEST_MATCH - len(recent)
        return (self._keys[-missing:] if missing else []) + recent

    def find(self, ending: Sequence[int]) -> tuple[int, int] | None:
        """How many of the last tokens stand here, and the last place after most of them."""
        for length in range(min(LONGEST_KEY, len(ending)), 0, -1):
            place = self._after.get(tuple(ending[len(ending) - length :]))
            if place is not None:
                return self._length(ending, place), place
        return None

    def _length(self, ending: Sequence[int], place: int) -> int:
        """How many of the last tokens stand before a place."""
        most = min(len(ending), place)
        equal = (ending[-back] == self._keys[place - back] for back in range(1, most + 1))
        return next((back for back, same in enumerate(equal) if not same), most)

    def last(self, count: int) -> list[int]:
        """The last tokens of the known text."""
        return self._tokens[-count:]


class Experience:
    """What the answers of one set of spokes have shown: how they went on, and which guesses came
    true."""

    def __init__(self, alike: Sequence[int]) -> None:
        self._alike = alike
        self.index = CopyIndex(alike)
        self._chances = {source: list(chances) for source, chances in FIRST_CHANCES.items()}
        self._seen = {source: [WEIGHT_OF_FIRST] * LONGEST_MATCH for source in FIRST_CHANCES}

    def add(self, tokens: Sequence[int]) -> None:
        """Take in an answer; the oldest ones are forgotten."""
        if len(self.index) > MOST_EARLIER_TOKENS:
            self.index = CopyIndex(self._alike, self.index.last(MOST_EARLIER_TOKENS // 2))
        self.index.extend(tokens)

    def chance(self, source: Source, length: int) -> float:
        """That the token after `length` equal ones follows here too."""
        return self._chances[source][length - 1]

    def learn(self, source: Source, length: int, *, right: bool) -> None:
        """Whether the token after `length` equal ones was the one that followed."""
        chances, seen = self._chances[source], self._seen[source]
        seen[length - 1] = min(seen[length - 1] + 1, MOST_SEEN)
        chances[length - 1] += (right - chances[length - 1]) / seen[length - 1]


class Drafter:
    """Guesses how one answer goes on by where its last tokens stood before.

    Args:
        alike: for each token the one that it is compared as.
        prompt: of the answer, or its beginning; `read` takes in the rest.
        experience: with answers to other texts.
        recalls: whether those answers are read too.
    """

    def __init__(
        self,
        alike: Sequence[int],
        prompt: Sequence[int],
        experience: Experience,
        *,
        recalls: bool = True,
    ) -> None:
        self._own = CopyIndex(alike, prompt)
        self._experience = experience
        self._recalls = recalls

    def read(self, tokens: Sequence[int]) -> None:
        """Take in what follows in the prompt."""
        self._own.extend(tokens)

    def extend(self, token: int, *, forced: bool) -> None:
        """Take in how the answer went on, and learn from it where there was a choice."""
        if not forced:
            for source, length, guessed in self._found([]):
                self._experience.learn(source, length, right=guessed == token)
        self._own.extend([token])

    def propose(self, guessed: Sequence[int]) -> list[tuple[float, int]]:
        """Tokens that may follow the text so far and what is guessed already, each after its
        chance, the likeliest first."""
        found = self._found(guessed)
        chances = [
            (self._experience.chance(source, length), token) for source, length, token in found
        ]
        return sorted(chances, reverse=True)

    def _found(self, guessed: Sequence[int]) -> Iterator[tuple[Source, int, int]]:
        ending = self._own.ending(guessed)
        if (found := self._own.find(ending)) is not None:
            length, place = found
            yield "own", length, self._own[place]
        index = self._experience.index
        if self._recalls and (found := index.find(ending)) is not None:
            length, place = found
            yield "earlier", length, index[place]


def alike_tokens(pieces: Sequence[bytes]) -> list[int]:
    """For each token one that stands for all of the same letters: ` Marta`, `Marta`, `marta`.

    A quoted word loses the blank before it, and often its capital.

    Args:
        pieces: the bytes of every token.
    """
    first: dict[bytes, int] = {}
    return [
        first.setdefault(piece.strip().lower() or piece, token)
        for token, piece in enumerate(pieces)
    ]


def guess(
    drafter: Drafter | None,
    grammar: Grammar | None,
    stop_ids: Sequence[int],
    room: int,
    *,
    least_chance: float,
    forced_too: bool = True,
) -> tuple[list[int], list[Origin]]:
    """At most `room` tokens that may follow, and where each comes from.

    The grammar is left as it was.

    Args:
        drafter: guesses what stood there before; None does not.
        grammar: what the answer is held to, if anything.
        stop_ids: tokens that end an answer; they are never guessed.
        room: most guesses.
        least_chance: of a guess, that it and all before it come true.
        forced_too: guess what the grammar leaves no choice about.
    """
    tokens: list[int] = []
    origins: list[Origin] = []
    chance = 1.0
    while len(tokens) < room:
        new = grammar.forced()[: room - len(tokens)] if grammar and forced_too else []
        origin: Origin = "forced" if new else "copied"
        if grammar is not None and new:
            new = new[: grammar.advance(new)]
        elif drafter is not None:
            for its_chance, token in drafter.propose(tokens):
                is_worth = chance * its_chance >= least_chance and token not in stop_ids
                if is_worth and (grammar is None or grammar.advance([token])):
                    new, chance = [token], chance * its_chance
                    break
        if not new:
            break
        tokens += new
        origins.extend(origin for _ in new)
    if grammar is not None:
        grammar.go_back(len(tokens))
    return tokens, origins
