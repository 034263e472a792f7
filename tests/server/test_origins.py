"""Characters of a stream with the origins of their tokens."""

from spokesmith.backends.completion import Piece
from spokesmith.decoding.request import Chosen, Origin
from spokesmith.server.origins import OriginSegments

TOKENS = {1: b'{"', 2: b"tea", 3: "é".encode()[:1], 4: "é".encode()[1:], 5: "😀!".encode()}


def piece(text: str, *tokens: tuple[int, Origin]) -> Piece:
    return Piece(text=text, tokens=tuple(Chosen(id=id, origin=origin) for id, origin in tokens))


def test_neighbours_of_one_origin_are_one_segment() -> None:
    segments = OriginSegments(TOKENS.__getitem__)
    found = segments.of(piece('{"teatea', (1, "forced"), (2, "copied"), (2, "copied")))
    assert found == [('{"', "forced"), ("teatea", "copied")]


def test_a_character_of_two_tokens_has_the_origin_of_the_last() -> None:
    segments = OriginSegments(TOKENS.__getitem__)
    assert segments.of(piece("", (3, "model"))) == []
    assert segments.of(piece("é", (4, "copied"))) == [("é", "copied")]


def test_text_may_lag_behind_its_tokens() -> None:
    segments = OriginSegments(TOKENS.__getitem__)
    assert segments.of(piece("te", (2, "copied"))) == [("te", "copied")]
    assert segments.of(piece("a😀!", (5, "model"))) == [("a", "copied"), ("😀!", "model")]
    assert segments.of(piece("x")) == [("x", "model")]
