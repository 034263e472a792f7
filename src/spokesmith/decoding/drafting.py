"""Guesses at how an answer goes on, for the base to confirm several tokens in one forward pass.

An answer that encodes a text quotes it, and a grammar leaves many tokens no choice. A guess is
never a part of the answer by itself: the base's own choice at each position decides.
"""

from collections.abc import Sequence

from spokesmith.decoding.grammar import Grammar
from spokesmith.decoding.request import Origin

LONGEST_MATCH = 4


class CopyIndex:
    """Where in a prompt and the answer so far the last tokens stood before.

    Args:
        alike: for each token the one that it is compared as (`alike_tokens`).
        tokens: of the prompt.
    """

    def __init__(self, alike: Sequence[int], tokens: Sequence[int]) -> None:
        self._alike = alike
        self._tokens: list[int] = []
        self._keys: list[int] = []
        # By the last tokens, as they are compared: where the token after them stands.
        self._after: dict[tuple[int, ...], int] = {}
        self.extend(tokens)

    def extend(self, tokens: Sequence[int]) -> None:
        """Take in what follows."""
        for token in tokens:
            place = len(self._tokens)
            for length in range(1, min(LONGEST_MATCH, place) + 1):
                self._after[tuple(self._keys[place - length :])] = place
            self._tokens.append(token)
            self._keys.append(self._alike[token])

    def propose(self, guessed: Sequence[int], room: int) -> list[int]:
        """At most `room` tokens that may follow the text so far and what is guessed already."""
        recent = [self._alike[token] for token in guessed[-LONGEST_MATCH:]]
        missing = LONGEST_MATCH - len(recent)
        tail = tuple((self._keys[-missing:] if missing else []) + recent)
        for length in range(len(tail), 0, -1):
            place = self._after.get(tail[len(tail) - length :])
            if place is not None:
                return self._tokens[place : place + room]
        return []


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
    index: CopyIndex | None,
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
        index: guesses what stood there before; None does not.
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
        if not new and index is not None:
            new = index.propose(tokens, min(room - len(tokens), copy_room))
        for place, token in enumerate(new):
            if token in stop_ids:
                new = new[:place]
                break
        if grammar is not None:
            new = new[: grammar.advance(new)]
        tokens += new
        origins.extend(origin for _ in new)
        if not new or (origin == "copied" and len(new) == copy_room):
            break
    if grammar is not None:
        grammar.go_back(len(tokens))
    return tokens, origins
