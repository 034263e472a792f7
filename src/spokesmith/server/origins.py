"""Which characters of a streamed answer were forced, copied or chosen by the model."""

from collections import deque
from collections.abc import Callable

from spokesmith.backends.completion import Piece
from spokesmith.backends.request import Origin

Segment = tuple[str, Origin]


class OriginSegments:
    """Parts the text of pieces by the origin of its tokens.

    Text may lag behind tokens. A character that several tokens make up has the origin of the last.

    Args:
        token_bytes: the bytes that a token id stands for.
    """

    def __init__(self, token_bytes: Callable[[int], bytes]) -> None:
        self._token_bytes = token_bytes
        # The origin of each byte that no piece has brought as text yet.
        self._origins: deque[Origin] = deque()

    def of(self, piece: Piece) -> list[Segment]:
        """The text of the next piece as segments, each of one origin."""
        for token in piece.tokens:
            self._origins.extend(token.origin for _ in self._token_bytes(token.id))
        segments: list[Segment] = []
        for character in piece.text:
            origin = self._of_character(len(character.encode("utf-8", "replace")))
            if segments and segments[-1][1] == origin:
                segments[-1] = (segments[-1][0] + character, origin)
            else:
                segments.append((character, origin))
        return segments

    def _of_character(self, num_bytes: int) -> Origin:
        origin: Origin = "model"
        for _ in range(min(num_bytes, len(self._origins))):
            origin = self._origins.popleft()
        return origin
