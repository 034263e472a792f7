"""Stop texts end an answer at one token, however many tokens come at once."""

from collections.abc import Sequence
from typing import Any

import pytest

from spokesmith.backends import LocalBackend
from spokesmith.backends.completion import Piece
from spokesmith.backends.request import Chosen, Constraint, Request
from spokesmith.backends.text_stream import TextStream
from spokesmith.decoding import Features
from spokesmith.testing import byte_tokenizer, tiny_base

TOKENIZER = byte_tokenizer()
MESSAGES: Any = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "x"}]


def chosen(text: str) -> list[Chosen]:
    ids: Sequence[int] = TOKENIZER(text, add_special_tokens=False).input_ids
    return [Chosen(id=token, origin="model") for token in ids]


@pytest.mark.parametrize("at_once", [1, 2, 5, 99])
def test_a_piece_has_no_token_behind_the_one_that_ends_a_stop_text(at_once: int) -> None:
    # The shorter one is whole first, though the longer one began before it.
    stream, tokens = TextStream(TOKENIZER, ("two thr", "o")), chosen("at two three")
    pieces = [
        stream.piece(tokens[first : first + at_once]) for first in range(0, len(tokens), at_once)
    ]
    assert "".join(piece.text for piece in pieces) == stream.text == "at tw"
    assert stream.stop_text == "o"
    assert [one for piece in pieces for one in piece.tokens] == tokens[: len("at two")]
    assert stream.end() == ""


# Forced text is guessed by the first, and appended by the second.
@pytest.mark.parametrize("model_type", ["llama", "qwen3_5_text"])
@pytest.mark.parametrize("forced", [True, False])
def test_what_the_grammar_forces_behind_a_stop_text_is_no_part(
    model_type: str, forced: bool
) -> None:
    features = Features(forced=forced)
    backend = LocalBackend(tiny_base(model_type), spokes=None, features=features)
    held = Constraint(kind="regex", value="[a-z]{8}END;")
    heard: list[Piece] = []
    ask = Request(messages=MESSAGES, constraint=held, stop=("N",))
    done = backend.start(ask, on_piece=heard.append).result(30)
    assert (done.text[8:], done.finish_reason, done.stop_text) == ("E", "stop", "N")
    assert done.usage.completion_tokens == len(done.tokens) == len("........EN")
    assert [one for piece in heard for one in piece.tokens] == list(done.tokens)
    assert "".join(piece.text for piece in heard) == done.text
    backend.close()


def test_the_same_request_has_the_same_tokens_however_it_was_guessed() -> None:
    base = tiny_base(dtype="float64")
    free = LocalBackend(base, spokes=None).start(Request(messages=MESSAGES, max_tokens=60))
    ask = Request(messages=MESSAGES, max_tokens=200, stop=(free.result(30).text[40:43],))
    backend = LocalBackend(base, spokes=None)
    first, second = (backend.start(ask).result(30) for _ in range(2))
    # It has been learnt of the first what is to be guessed.
    assert second.num_forwards < first.num_forwards
    assert [one.id for one in first.tokens] == [one.id for one in second.tokens]
    assert first.usage.completion_tokens == second.usage.completion_tokens == len(first.tokens)
    backend.close()
