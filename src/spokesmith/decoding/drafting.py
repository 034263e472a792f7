"""Guesses at how an answer goes on, for the base to confirm several tokens in one forward pass.

An answer that encodes a text quotes it, and a grammar leaves many tokens no choice. A guess is
never a part of the answer by itself: the base's own choice at each position decides.
"""

from collections.abc import Sequence

from spokesmith.decoding.grammar import Grammar
from spokesmith.decoding.request import Origin

LONGEST_MATCH = 4
# One token alone says too little about how the answer to another text went on.
LEAST_MATCH_ELSEWHERE = 2
MOST_EARLIER_TOKENS = 8192


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

    def extend(self, tokens: Sequence[int]) -> None:
        """Take in what follows."""
        for token in tokens:
            place = len(self._tokens)
            for length in range(1, min(LONGEST_MATCH, place) + 1):
                self._after[tuple(self._keys[place - length :])] = place
            self._tokens.append(token)
            self._keys.append(self._alike[token])

    def ending(self, guessed: Sequence[int]) -> tuple[int, ...]:
        """The last tokens of this text and what is guessed to follow, as they are compared."""
        recent = [self._alike[token] for token in guessed[-LONGEST_MATCH:]]
        missing = LONGEST_MATCH - len(recent)
        return tuple((self._keys[-missing:] if missing else []) + recent)

    def find(self, ending: Sequence[int]) -> tuple[int, int]:
        """How many of the last tokens stand here, and the last place after them."""
        for length in range(len(ending), 0, -1):
            place = self._after.get(tuple(ending[len(ending) - length :]))
            if place is not None:
                return length, place
        return 0, len(self)

    def read(self, place: int, room: int) -> list[int]:
        """At most `room` tokens from a place on."""
        return self._tokens[place : place + room]


class EarlierAnswers:
    """The last answers of one set of spokes: how each key is followed, and how lists end."""

    def __init__(self, alike: Sequence[int]) -> None:
        self._alike = alike
        self.index = CopyIndex(alike)

    def add(self, tokens: Sequence[int]) -> None:
        """Take in an answer; the oldest ones are forgotten."""
        if len(self.index) > MOST_EARLIER_TOKENS:
            self.index = CopyIndex(
                self._alike, self.index.read(MOST_EARLIER_TOKENS // 2, len(self.index))
            )
        self.index.extend(tokens)


class Drafter:
    """Guesses how one answer goes on by where its last tokens stood before.

    Args:
        alike: for each token the one that it is compared as.
        prompt: of the answer.
        earlier: answers to other texts.
    """

    def __init__(
        self, alike: Sequence[int], prompt: Sequence[int], earlier: EarlierAnswers | None = None
    ) -> None:
        self._own = CopyIndex(alike, prompt)
        self._earlier = earlier

    def extend(self, tokens: Sequence[int]) -> None:
        """Take in how the answer went on."""
        self._own.extend(tokens)

    def propose(self, guessed: Sequence[int], room: int) -> list[int]:
        """At most `room` tokens that may follow the text so far and what is guessed already.

        Where more of the last tokens stand in an earlier answer, that one is read.
        """
        ending = self._own.ending(guessed)
        index, (length, place) = self._own, self._own.find(ending)
        if self._earlier is not None:
            elsewhere, other_place = self._earlier.index.find(ending)
            if elsewhere > max(length, LEAST_MATCH_ELSEWHERE - 1):
                index, place = self._earlier.index, other_place
        return index.read(place, room)


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
    copy_room: int,
    forced_too: bool = True,
) -> tuple[list[int], list[Origin]]:
    """At most `room` tokens that may follow, and where each comes from.

    The grammar is left as it was.

    Args:
        drafter: guesses what stood there before; None does not.
        grammar: what the answer is held to, if anything.
        stop_ids: tokens that end an answer; they are never guessed.
        room: most guesses.
        copy_room: of these most that are copied one behind the other.
        forced_too: guess what the grammar leaves no choice about.
    """
    tokens: list[int] = []
    origins: list[Origin] = []
    while len(tokens) < room:
        new = grammar.forced()[: room - len(tokens)] if grammar and forced_too else []
        origin: Origin = "forced" if new else "copied"
        if not new and drafter is not None:
            new = drafter.propose(tokens, min(room - len(tokens), copy_room))
        for place, token in enumerate(new):
            if token in stop_ids:
                new = new[:place]
                break
        if grammar is not None:
            until_forced = origin == "copied" and forced_too
            new = new[: _advance(grammar, new, until_forced=until_forced)]
        tokens += new
        origins.extend(origin for _ in new)
        if not new or (origin == "copied" and len(new) == copy_room):
            break
    if grammar is not None:
        grammar.go_back(len(tokens))
    return tokens, origins


def _advance(grammar: Grammar, tokens: Sequence[int], *, until_forced: bool) -> int:
    """How many of the tokens the grammar went on by; `until_forced`: to where it knows better."""
    if not until_forced:
        return grammar.advance(tokens)
    for place, token in enumerate(tokens):
        if not grammar.advance([token]):
            return place
        if grammar.is_forced:
            return place + 1
    return len(tokens)
